// SPDX-License-Identifier: MIT
/* main - prints a greeting and ends: the smallest client of a service. */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/client/stream.h"

BOOTSTRAP_LAUNCHED;

int main(void)
{
    static const char text[] = "Hello from a process of its own.\r\n";
    /* The service has the line, the program that was launched has what its starter lent it. */
    mnos_cap_t terminal = bootstrap_find("terminal");
    mnos_status_t status =
        stream_write(terminal != 0 ? terminal : bootstrap_find("serial"), text, sizeof text - 1);

    if (status != MNOS_OK) {
        log_error(status, "write to the serial line");
        return 1;
    }
    log_line("done");
    return 0;
}
