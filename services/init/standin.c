// SPDX-License-Identifier: MIT
/* standin - see standin.h. */
#include "services/init/standin.h"

#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"

#define STACK_PAGES 2

static void answer(void *argument)
{
    const mnos_cap_t *endpoint = argument;
    struct message msg = {0};

    for (;;) {
        msg.accept = MNOS_MESSAGE_MAX_CAPS; /* or a client would be told about them instead */
        if (ipc_reply_receive(*endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK)
            return;
        message_refuse_caps(&msg);
        message_put(&msg, MNOS_ERR_STOPPED, NULL, 0);
        if (msg.kind != MNOS_KIND_MESSAGE)
            msg.reply_id = 0;
    }
}

void standins_begin(struct standins *standins, const struct resources *resources, uint32_t service)
{
    const struct manifest *manifest = resources->manifest;

    for (uint32_t i = 0; i < manifest->endpoint_count; i++) {
        mnos_status_t status;

        if (manifest->endpoints[i].provider != service || standins->answers[i])
            continue;
        status = thread_create(&standins->threads[i], manifest->endpoints[i].name, answer,
                               (void *)&resources->endpoints[i], STACK_PAGES,
                               manifest->services[service].priority, MNOS_AFFINITY_ANY);
        if (status != MNOS_OK)
            log_error(status, "answer for a stopped service");
        standins->answers[i] = status == MNOS_OK;
    }
}

void standins_end(struct standins *standins, const struct resources *resources, uint32_t service)
{
    const struct manifest *manifest = resources->manifest;

    for (uint32_t i = 0; i < manifest->endpoint_count; i++) {
        if (manifest->endpoints[i].provider != service || !standins->answers[i])
            continue;
        thread_destroy(&standins->threads[i]);
        standins->answers[i] = false;
    }
}
