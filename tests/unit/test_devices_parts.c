// SPDX-License-Identifier: MIT
/* test_devices_parts - what the service of devices hands out of a window, and its table of names. */
#include <string.h>

#include "services/devices/names.h"
#include "services/devices/windows.h"
#include "tests/unit/unit.h"

static struct table table;
static struct names names;

/* ---- windows ---- */

/* Windows of every size and table place: what is handed out lies in the window, and never in the
 * table's page. */
TEST(devices_window, never_has_a_page_of_the_table)
{
    struct function *function = &table.functions[0];

    table.count = 1;
    for (uint64_t bytes = 16; bytes <= 0x8000; bytes *= 2) {
        for (uint32_t at = 0; at + 64 <= bytes || at == 0; at += 256) {
            uint64_t covered = 0;

            *function = (struct function){
                .bars = {{0xF0000000 + (bytes < 4096 ? bytes : 0), bytes, DEVICE_BAR_MEMORY, 0}},
                .msix = {.at = 0xB0, .table_offset = at, .vectors = 4},
            };
            for (uint32_t i = 0; i < window_parts(&table, function, 0); i++) {
                uint64_t table_at = function->bars[0].address + at, page;
                struct device_bar_part part;

                CHECK_EQ(window_part(&table, function, 0, i, &part, &page), MNOS_OK);
                CHECK(part.bytes != 0 && part.offset + part.bytes <= bytes);
                CHECK(part.page_offset + part.bytes <= part.page_count * 4096ull);
                CHECK_EQ(page * 4096 + part.page_offset, function->bars[0].address + part.offset);
                CHECK((table_at + 63) / 4096 < page || table_at / 4096 >= page + part.page_count);
                covered += part.bytes;
            }
            CHECK(covered + 2 * 4096 >= bytes);
        }
    }
}

/* ---- names ---- */

static uint8_t names_bytes[256];

static size_t put_names(void)
{
    static const uint32_t words[] = {
        1,         2,  3,          40,                     /* vendors, devices, classes, texts */
        0x1AF4,    0,  0x1AF41042, 8,      0x1AF41050, 14, /* */
        0x1010000, 20, 0x2010600,  20 + 8, 0x3010601,  20 + 13 /* */
    };
    uint64_t magic = NAMES_MAGIC;

    memcpy(names_bytes, &magic, 8);
    memcpy(names_bytes + 8, words, sizeof words);
    memcpy(names_bytes + 8 + sizeof words, "Red Hat\0block\0video\0Storage\0SATA\0AHCI\0\0", 40);
    return 8 + sizeof words + 40;
}

static const char *name_of(uint16_t vendor, uint16_t device, uint32_t class_code)
{
    static char text[DEVICE_TEXT_BYTES];
    struct device_ids ids = {.vendor = vendor, .device = device, .class_code = class_code};

    names_find(&names, &ids, text, sizeof text);
    return text;
}

TEST(devices_names, are_of_the_device_or_its_class)
{
    size_t size = put_names();

    CHECK(names_open(&names, names_bytes, size));
    CHECK_STR_EQ(name_of(0x1AF4, 0x1042, 0), "Red Hat block");
    CHECK_STR_EQ(name_of(0x1AF4, 0x1050, 0), "Red Hat video");
    CHECK_STR_EQ(name_of(0x1AF4, 0x1043, 0x010601), "Red Hat AHCI");
    CHECK_STR_EQ(name_of(0x1111, 0x1043, 0x010602), "SATA");
    CHECK_STR_EQ(name_of(0x1111, 0x1043, 0x010802), "Storage");
    CHECK_STR_EQ(name_of(0x1111, 0x1043, 0x030000), "");
    CHECK(names_open(&names, names_bytes, sizeof names_bytes)); /* whole pages are mapped */
    CHECK(!names_open(&names, names_bytes, size - 1));
    CHECK(!names_open(&names, names_bytes, 10));
    CHECK_STR_EQ(name_of(0x1AF4, 0x1042, 0), "");
}

/* The table is ours, but no byte of it leads outside. */
TEST(devices_names, a_damaged_table_leads_nowhere)
{
    uint64_t state = 0x9E3779B97F4A7C15;

    for (unsigned round = 0; round < 20000; round++) {
        size_t size = put_names();

        for (unsigned i = 0; i < 4; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            names_bytes[8 + (state >> 8) % (size - 8)] = (uint8_t)(state >> 32);
        }
        if (names_open(&names, names_bytes, size))
            (void)name_of(0x1AF4, (uint16_t)(0x1042 + round % 16), 0x010601);
    }
}
