// SPDX-License-Identifier: MIT
/* main - the service `counter`: a number that its clients add to. */
#include "counter.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/server/alive.h"

enum { EXIT_RECEIVE = 1 };

static uint64_t count;

/* A request becomes the reply to it. */
static void handle(struct message *msg)
{
    struct counter_value value;
    mnos_status_t status = MNOS_OK;

    switch (msg->label) {
    case COUNTER_ADD:
        if (message_get(msg, &value, sizeof value) == sizeof value)
            count += value.value;
        else
            status = MNOS_ERR_SIZE;
        break;
    case COUNTER_GET: break;
    default: status = MNOS_ERR_LABEL; break;
    }
    value.value = count;
    message_put(msg, status, &value, status == MNOS_OK ? sizeof value : 0);
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests");
    struct message msg = {0};

    for (;;) {
        mnos_status_t status = ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);

        if (status != MNOS_OK)
            return log_failure(status, "receive a request", EXIT_RECEIVE);
        alive_answer(&msg);
        if (msg.kind == MNOS_KIND_MESSAGE)
            handle(&msg);
        else
            msg = (struct message){0}; /* an event, or the end of a client: nobody to answer */
    }
}
