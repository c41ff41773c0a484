// SPDX-License-Identifier: MIT
/* main - a service of the tests that hands each request on to the keeper, and says nothing until that has answered. */
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/server/alive.h"

int main(void)
{
    struct message msg = {0};

    for (;;) {
        struct message request = {0};
        mnos_status_t status =
            ipc_reply_receive(bootstrap_cap("requests"), &msg, MNOS_DEADLINE_NEVER);

        if (status != MNOS_OK)
            return 1;
        alive_answer(&msg);
        if (msg.kind != MNOS_KIND_MESSAGE) {
            msg = (struct message){0};
            continue;
        }
        message_put(&request, msg.label, NULL, 0);
        status = service_call(bootstrap_cap("keeper"), &request);
        message_put(&msg, status, NULL, 0);
    }
}
