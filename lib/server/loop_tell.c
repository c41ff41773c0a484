// SPDX-License-Identifier: MIT
/* loop_tell - events that a loop sets as it begins to wait: see `tell` in loop.h. */
#include "lib/server/loop.h"

void server_loop_tell(struct server_loop *loop)
{
    if (loop->tell != 0)
        (void)!sys_ipc_notify(loop->tell, loop->tell_events); /* it fails when the client is gone */
    loop->tell = 0;
}

mnos_status_t server_loop_tell_and_receive(struct server_loop *loop, struct message *message,
                                           uint64_t deadline_ns)
{
    mnos_cap_t tell = loop->tell;
    mnos_status_t status;

    if (message->reply_id == 0) {
        loop->tell = 0;
        status = ipc_notify_receive(tell, loop->tell_events, loop->endpoint, message, deadline_ns);
        if (status == MNOS_OK || status == MNOS_ERR_DEADLINE)
            return status;
        /* The client is gone. */
    }
    server_loop_tell(loop);
    return ipc_reply_receive(loop->endpoint, message, deadline_ns);
}
