// SPDX-License-Identifier: MIT
/* service - see service.h. */
#include "lib/client/service.h"

#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/listener.h"
#include "lib/mnos/syscall.h"

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

/* Goes on until there is an answer: `status` is how the call before has ended. */
static mnos_status_t go_on(mnos_cap_t endpoint, struct message *msg, mnos_status_t status,
                           bool asks)
{
    for (;;) {
        uint64_t deadline = MNOS_DEADLINE_NEVER;

        if (status == MNOS_OK) {
            if (msg->label != MNOS_OK)
                error_forget();
            return (mnos_status_t)msg->label;
        }
        if (status == MNOS_ERR_DEADLINE)
            ask_alive(endpoint);
        else if (status != MNOS_ERR_PEER)
            return status;
        else if (asks)
            deadline = deadline_after_ns(SERVICE_PATIENCE_NS);
        status = ipc_call(endpoint, msg, deadline);
    }
}

mnos_status_t service_call_on(mnos_cap_t endpoint, struct message *msg, mnos_status_t status)
{
    return go_on(endpoint, msg, status, true);
}

mnos_status_t service_call_parking(mnos_cap_t endpoint, struct message *msg)
{
    return go_on(endpoint, msg, ipc_call(endpoint, msg, MNOS_DEADLINE_NEVER), false);
}

mnos_status_t service_listen(mnos_cap_t service, uint32_t label, mnos_cap_t endpoint,
                             mnos_badge_t badge, uint64_t events)
{
    struct listen_request request = {events};
    struct message msg = {0};
    mnos_cap_t mine;
    mnos_status_t status = sys_cap_create(
        MNOS_CREATE_MINT, endpoint, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, badge, events, &mine);

    if (status != MNOS_OK)
        return status;
    message_put(&msg, label, &request, sizeof request);
    message_add_cap(&msg, mine, MNOS_RIGHT_WRITE);
    status = service_call(service, &msg);
    (void)!sys_cap_delete(mine); /* the service's copy stays, and tells when the service ends */
    return status;
}
