// SPDX-License-Identifier: MIT
/* service - see service.h. */
#include "lib/client/service.h"

#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"

/* A call that failed has left the message as it was, in registers and in the IPC buffer; the kernel writes
 * there what it delivers. Only what asks in between must put back what it has changed. */
static void ask_alive(mnos_cap_t endpoint)
{
    struct mnos_ipc_buffer *buffer = ipc_buffer();
    mnos_cap_t cap = buffer->send_caps[0];
    uint8_t rights = buffer->send_rights[0];

    (void)!manager_ask_alive(endpoint); /* if it cannot be asked, the wait goes on all the same */
    buffer->send_caps[0] = cap;
    buffer->send_rights[0] = rights;
}

static mnos_status_t call(mnos_cap_t endpoint, struct message *msg, bool asks)
{
    uint64_t deadline = asks ? deadline_after_ns(SERVICE_PATIENCE_NS) : MNOS_DEADLINE_NEVER;

    for (;;) {
        mnos_status_t status = ipc_call(endpoint, msg, deadline);

        if (__builtin_expect(status == MNOS_OK, 1)) {
            if (__builtin_expect(msg->label != MNOS_OK, 0))
                error_forget();
            return (mnos_status_t)msg->label;
        }
        if (status == MNOS_ERR_DEADLINE) {
            ask_alive(endpoint);
            deadline = MNOS_DEADLINE_NEVER;
        } else if (status == MNOS_ERR_PEER) {
            deadline = asks ? deadline_after_ns(SERVICE_PATIENCE_NS) : MNOS_DEADLINE_NEVER;
        } else {
            return status;
        }
    }
}

mnos_status_t service_call(mnos_cap_t endpoint, struct message *msg)
{
    return call(endpoint, msg, true);
}

mnos_status_t service_call_parking(mnos_cap_t endpoint, struct message *msg)
{
    return call(endpoint, msg, false);
}
