// SPDX-License-Identifier: MIT
/* main - prints a greeting on the serial line and ends: the smallest client of a service. */
#include "lib/libmnos/bootstrap.h"
#include "lib/libmnos/ipc.h"
#include "lib/libmnos/log.h"
#include "protocols/serial.h"

int main(void)
{
    static const char text[] = "\r\nHello from a process of its own.\r\n";
    struct message msg = {0};
    mnos_status_t status;

    message_put(&msg, SERIAL_WRITE, text, sizeof text - 1);
    status = ipc_request(bootstrap_cap("serial"), &msg);
    if (status != MNOS_OK) {
        log_error(status, "write to the serial line");
        return 1;
    }
    log_line("done");
    return 0;
}
