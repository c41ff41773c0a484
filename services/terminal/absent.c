// SPDX-License-Identifier: MIT
/* absent - see absent.h. */
#include "services/terminal/absent.h"

#include "lib/mnos/ipc.h"
#include "lib/server/alive.h"

mnos_status_t absent_serve(mnos_cap_t endpoint)
{
    struct message msg = {0};

    for (;;) {
        mnos_status_t status = ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);

        if (status != MNOS_OK)
            return status;
        alive_answer(&msg);
        if (msg.kind == MNOS_KIND_MESSAGE)
            message_refuse_caps(&msg);
        else
            msg.reply_id = 0;
        message_put(&msg, MNOS_ERR_STOPPED, NULL, 0);
    }
}
