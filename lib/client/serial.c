// SPDX-License-Identifier: MIT
/* serial_client - see serial_client.h. */
#include "lib/client/serial.h"
#include "lib/client/service.h"

#include "lib/mnos/ipc.h"
#include "lib/mnos/time.h"
#include "protocols/serial.h"

#define BUSY_WAIT_NS 10000000ull

/* One request. The line may be stopped by the other side for as long as it likes, so nobody is asked whether
 * the driver works. */
static mnos_status_t write_message(mnos_cap_t serial, const void *bytes, size_t count)
{
    for (;;) {
        struct message msg = {0};
        mnos_status_t status;

        message_put(&msg, SERIAL_WRITE, bytes, count);
        status = service_call_parking(serial, &msg);
        if (status != MNOS_ERR_AGAIN)
            return status;
        sleep_until(deadline_after_ns(BUSY_WAIT_NS));
    }
}

mnos_status_t serial_write(mnos_cap_t serial, const void *bytes, size_t count)
{
    const char *next = bytes;
    mnos_status_t status = MNOS_OK;

    while (count != 0 && status == MNOS_OK) {
        size_t part = count < MNOS_MESSAGE_MAX_BYTES ? count : MNOS_MESSAGE_MAX_BYTES;

        status = write_message(serial, next, part);
        next += part;
        count -= part;
    }
    return status;
}
