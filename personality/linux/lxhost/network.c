// SPDX-License-Identifier: MIT
/*
 * network - the container's session of the network. The first process has one of its own below it, which can do the same
 * and can be closed. See host.h.
 */
#include "personality/linux/lxhost/host.h"

#include <stdatomic.h>

#include "lib/client/socket.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"

static struct socket_session session; /* the container's */
static mnos_cap_t below;              /* the first process' */
static enum container_state state;

mnos_status_t network_give(struct birth *birth)
{
    mnos_cap_t net = bootstrap_lookup(BOOTSTRAP_OPTIONAL("net"));
    struct socket_limits limits;
    mnos_status_t status;

    if (net == 0)
        return MNOS_OK;
    status = socket_session_open(&session, net, 0);
    if (status == MNOS_OK)
        status = socket_limits(&session, &limits);
    if (status == MNOS_OK)
        status = socket_narrow(&session, &limits, &below);
    if (status != MNOS_OK)
        return status;
    state = CONTAINER_HELD;
    return native_give(birth, "net", below, MNOS_RIGHT_WRITE);
}

enum container_state network_state(void)
{
    return state;
}

mnos_status_t network_limits(struct socket_limits *limits)
{
    struct socket_session asked = {.service = below};

    return state == CONTAINER_HELD ? socket_limits(&asked, limits) : MNOS_ERR_NOT_FOUND;
}

mnos_status_t network_take(void)
{
    mnos_status_t status;

    if (state != CONTAINER_HELD)
        return state == CONTAINER_TAKEN ? MNOS_OK : MNOS_ERR_NOT_FOUND;
    status = socket_close_tree(&session, below);
    /* One that the service does not know any more is closed. */
    if (status != MNOS_OK && status != MNOS_ERR_NOT_FOUND && status != MNOS_ERR_LOST)
        return status;
    (void)!sys_cap_delete(below);
    (void)!sys_cap_delete(session.service);
    state = CONTAINER_TAKEN;
    /* The first process has it, if any does. */
    if (host.processes[0].native.window.page_count != 0)
        atomic_store_explicit(&process_notice(&host.processes[0])->network_taken, 1,
                              memory_order_release);
    process_tell(&host.processes[0], LXHOST_EVENT_LOOK);
    return MNOS_OK;
}
