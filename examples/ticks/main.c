// SPDX-License-Identifier: MIT
/* main - ticks: shows three seconds of a clock as they pass. */
#include "../clock/client.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define TICKS 3

enum { EXIT_CLOCK = 1 };

int main(void)
{
    mnos_cap_t clock = bootstrap_cap("clock");
    struct clock_time time;
    mnos_status_t status = clock_read(clock, &time);

    for (int i = 0; i < TICKS && status == MNOS_OK; i++) {
        status = clock_next(clock, &time);
        if (status == MNOS_OK)
            out_print("%u-%02u-%02u %02u:%02u:%02u\n", time.year, time.month, time.day, time.hour,
                      time.minute, time.second);
    }
    out_flush();
    return status == MNOS_OK ? 0 : log_failure(status, "ask the clock", EXIT_CLOCK);
}
