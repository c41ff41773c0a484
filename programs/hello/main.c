// SPDX-License-Identifier: MIT
/* main - prints a greeting on the serial line and ends: the smallest client of a service. */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/client/stream.h"

int main(void)
{
    static const char text[] = "Hello from a process of its own.\r\n";
    mnos_status_t status = stream_write(bootstrap_cap("serial"), text, sizeof text - 1);

    if (status != MNOS_OK) {
        log_error(status, "write to the serial line");
        return 1;
    }
    log_line("done");
    return 0;
}
