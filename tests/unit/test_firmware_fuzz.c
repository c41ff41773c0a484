// SPDX-License-Identifier: MIT
/* test_firmware_fuzz.c - the same changes to firmware tables on every machine; tests/fuzz looks for more,
 * guided by what the code does. */
#include "firmware_fuzz.h"

#include "unit.h"

static uint64_t state = 0x9E3779B97F4A7C15;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

TEST(firmware_fuzz, valid_tables_are_read)
{
    firmware_fuzz(NULL, 0);
}

/* Lengths, counts and addresses are what matters: bytes become small, large or anything. */
TEST(firmware_fuzz, survives_changed_tables)
{
    static const uint8_t values[] = {0x01, 0x80, 0xFF, 0x7F, 0x10};
    static uint8_t input[1 + FIRMWARE_IMAGE_BYTES];
    size_t places[8];

    for (unsigned round = 0; round < 3000; round++) {
        unsigned changes = 1 + (unsigned)(random_number() % 8);

        for (unsigned i = 0; i < changes; i++) {
            uint64_t number = random_number();

            places[i] = 1 + (size_t)(number >> 32) % 0xA00;
            input[places[i]] =
                number % 3 == 0 ? (uint8_t)(number >> 8) : values[number % sizeof(values)];
        }
        input[0] = (uint8_t)round;
        firmware_fuzz(input, sizeof(input));
        for (unsigned i = 0; i < changes; i++)
            input[places[i]] = 0;
    }
}
