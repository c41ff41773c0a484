// SPDX-License-Identifier: MIT
/* ipc.c - sys_ipc_notify. The four calls that carry messages are in ipc/rendezvous.c. */
#include <stddef.h>

#include "syscall/calls.h"
#include "object/endpoint.h"
#include "base/trace.h"

/* Needs Write on an endpoint capability whose event mask covers `events`. Never blocks. */
mnos_status_t sys_ipc_notify(struct thread *current, mnos_cap_t endpoint, uint64_t events)
{
    struct cap_view cap;
    mnos_status_t status =
        call_cap(current, 1, endpoint, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_WRITE, &cap);

    if (status != MNOS_OK)
        return status;
    /* As ipc_fast.inc would: the next time this is all that is looked at. */
    current->sent_key = endpoint;
    current->sent_cap = cap.slot;
    current->sent_to = (struct endpoint *)cap.object;
    current->sent_badge = cap.badge;
    if (events == 0 || (events & ~cap.event_mask) != 0)
        return call_argument(2, MNOS_ERR_ARGUMENT);
    trace(MNOS_TRACE_NOTIFY, cap.object->id, events);
    endpoint_notify((struct endpoint *)cap.object, events);
    return MNOS_OK;
}
