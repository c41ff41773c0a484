// SPDX-License-Identifier: MIT
/* main - dice: throws many dice by the random bytes of a device. */
#include "../rng/rng.h"
#include "lib/client/out.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define DICE 60000u
#define SIDES 6u
/* Bytes from here on would make the first sides more likely than the last. */
#define BYTES_USED (256u / SIDES * SIDES)

enum { EXIT_DEVICE = 1 };

int main(void)
{
    mnos_cap_t rng = bootstrap_cap("rng");
    uint32_t shown[SIDES] = {0}, thrown = 0;
    mnos_status_t status = MNOS_OK;

    while (thrown < DICE && status == MNOS_OK) {
        uint8_t bytes[RNG_BYTES];
        struct message msg = {0};
        size_t count;

        message_put(&msg, RNG_GET, NULL, 0);
        status = service_call_parking(rng, &msg);
        count = status == MNOS_OK ? message_get(&msg, bytes, sizeof bytes) : 0;
        for (size_t i = 0; i < count && i < RNG_BYTES && thrown < DICE; i++)
            if (bytes[i] < BYTES_USED) {
                shown[bytes[i] % SIDES]++;
                thrown++;
            }
    }
    for (uint32_t side = 0; side < SIDES && status == MNOS_OK; side++)
        out_print("%u: %u times\n", side + 1, shown[side]);
    out_flush();
    return status == MNOS_OK ? 0 : log_failure(status, "throw dice", EXIT_DEVICE);
}
