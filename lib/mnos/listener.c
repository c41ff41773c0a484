// SPDX-License-Identifier: MIT
/* listener - see listener.h. */
#include "lib/mnos/listener.h"

#include "lib/mnos/syscall.h"

mnos_status_t listener_accept(struct listener *listener, const struct message *msg)
{
    struct listen_request request;
    struct listener candidate = {.endpoint = message_cap(msg, 0)};

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    candidate.events = request.events;
    if (candidate.endpoint == 0 || request.events == 0 ||
        sys_ipc_notify(candidate.endpoint, candidate.events) != MNOS_OK)
        return MNOS_ERR_ARGUMENT;
    listener_forget(listener);
    *listener = candidate;
    return MNOS_OK;
}

void listener_tell(const struct listener *listener)
{
    /* It fails when the client is gone, which the server learns another way. */
    if (listener->endpoint != 0)
        (void)!sys_ipc_notify(listener->endpoint, listener->events);
}

void listener_forget(struct listener *listener)
{
    if (listener->endpoint != 0)
        (void)!sys_cap_delete(listener->endpoint);
    *listener = (struct listener){0};
}

mnos_status_t listen_to(mnos_cap_t server, uint32_t label, mnos_cap_t endpoint, mnos_badge_t badge,
                        uint64_t events)
{
    struct listen_request request = {events};
    mnos_status_t status;
    mnos_cap_t mine;

    do {
        struct message msg = {0};

        status = sys_cap_create(MNOS_CREATE_MINT, endpoint, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                                badge, events, &mine);
        if (status != MNOS_OK)
            return status;
        message_put(&msg, label, &request, sizeof request);
        message_add_cap(&msg, mine, MNOS_RIGHT_WRITE);
        status = ipc_request(server, &msg);
        (void)!sys_cap_delete(mine); /* the server's copy stays, and tells when the server ends */
    } while (status == MNOS_ERR_PEER);
    return status;
}
