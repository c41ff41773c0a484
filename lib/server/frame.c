// SPDX-License-Identifier: MIT
/* frame - see frame.h. */
#include "lib/server/frame.h"

#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/ram.h"

#define CAPS_ACCEPTED 2u /* what FRAME_ATTACH carries */

static void drop_cap(mnos_cap_t cap)
{
    if (cap != 0)
        (void)!sys_cap_delete(cap);
}

static void detach(struct frame_server *server)
{
    if (server->badge == 0)
        return;
    server->operations->stop(server->context);
    server->port.address = NULL;
    guard_unmap(&server->guard);
    drop_cap(server->memory);
    drop_cap(server->listener);
    server->badge = 0;
    server->memory = server->listener = 0;
}

/* What a stack hands over is of use; *bus becomes where the card finds it. */
static mnos_status_t check_attach(struct frame_server *server, mnos_cap_t memory,
                                  mnos_cap_t listener, uint64_t events, uint64_t *pages,
                                  uint64_t *bus)
{
    *pages = ram_pages(memory);
    if (*pages <= FRAME_RING_PAGES || *pages > FRAME_PAGES_MAX || listener == 0 || events == 0 ||
        sys_ipc_notify(listener, events) != MNOS_OK)
        return MNOS_ERR_ARGUMENT;
    *bus = server->operations->reach(server->context, memory);
    return *bus == 0 ? MNOS_ERR_DENIED : MNOS_OK;
}

static mnos_status_t begin(struct frame_server *server, uint64_t pages, uint64_t bus)
{
    mnos_status_t status = guard_map(&server->guard, server->memory, pages);

    if (status != MNOS_OK)
        return status;
    frame_port_open(&server->port, server->guard.address, bus, (uint32_t)pages, server->info);
    server->epoch++;
    return server->operations->start(server->context);
}

static mnos_status_t attach(struct frame_server *server, struct message *message)
{
    mnos_cap_t memory = message_cap(message, 0), listener = message_cap(message, 1);
    struct frame_attach record;
    uint64_t pages = 0, bus = 0;
    mnos_status_t status = MNOS_OK;

    if (message_get(message, &record, sizeof record) != sizeof record)
        status = MNOS_ERR_SIZE;
    else if (*server->failed)
        status = MNOS_ERR_DEVICE;
    else if (server->badge != 0 && server->badge != message->badge &&
             !ipc_client_is_gone(server->endpoint, 0, server->badge))
        status = MNOS_ERR_EXISTS;
    else
        status = check_attach(server, memory, listener, record.events, &pages, &bus);
    if (status != MNOS_OK) {
        drop_cap(memory);
        drop_cap(listener);
        return status;
    }
    detach(server);
    server->badge = message->badge;
    server->memory = memory;
    server->listener = listener;
    server->events = record.events;
    status = begin(server, pages, bus);
    if (status != MNOS_OK)
        detach(server);
    return status;
}

static void handle_attach(struct frame_server *server, struct message *message)
{
    mnos_status_t status = attach(server, message);
    struct frame_attached attached = {server->epoch};

    if (status == MNOS_OK)
        message_put(message, MNOS_OK, &attached, sizeof attached);
    else
        message_put(message, (uint32_t)status, NULL, 0);
}

static void handle_request(struct frame_server *server, struct message *message)
{
    mnos_status_t status;

    if (message->label == FRAME_ATTACH && message->badge != 0) {
        handle_attach(server, message);
        return;
    }
    message_refuse_caps(message);
    status = message->badge == 0            ? MNOS_ERR_DENIED
             : message->label != FRAME_INFO ? MNOS_ERR_LABEL
             : *server->failed              ? MNOS_ERR_DEVICE
                                            : MNOS_OK;
    message_put(message, (uint32_t)status, server->info,
                status == MNOS_OK ? sizeof *server->info : 0);
}

/* A message, or a client that is gone; it becomes the reply, with reply_id 0 when there is none. */
static void handle_message(struct frame_server *server, struct message *message)
{
    if (message->kind == MNOS_KIND_MESSAGE && message->reply_id != 0) {
        handle_request(server, message);
        return;
    }
    if (message->kind == MNOS_KIND_CLIENT_GONE && server->badge != 0 &&
        ipc_client_is_gone(server->endpoint, message->badge, server->badge))
        detach(server);
    else if (message->kind == MNOS_KIND_MESSAGE)
        message_refuse_caps(message); /* it could not be answered, so it is no request */
    *message = (struct message){0};
}

/* After the port was worked at: tells the stack, and lets one go that breaks the rules. */
static void tell(struct frame_server *server)
{
    if (server->badge == 0)
        return;
    /* It fails when the stack is gone, which is reported as well. */
    if (frame_port_publish(&server->port))
        (void)!sys_ipc_notify(server->listener, server->events);
    if (server->guard.lost || frame_port_broken(&server->port))
        detach(server);
}

/* ---- The loop ---- */

static mnos_status_t handle(struct frame_server *server, struct message *message)
{
    mnos_status_t status = MNOS_OK;

    alive_answer(message);
    if (message->kind != MNOS_KIND_EVENTS) {
        handle_message(server, message);
        return MNOS_OK;
    }
    /* First acknowledged, then looked: what comes after sets the event once more. */
    if ((message->words[0] & FRAME_EVENT_INTERRUPT) != 0) {
        status = sys_irq_ack(server->line);
        server->operations->interrupt(server->context);
    }
    *message = (struct message){0};
    return status;
}

/* Until there is nothing to do; a stack that gives work without end is served in batches, and requests wait for it no
 * longer than one: the next receive has no deadline then. */
static bool work(struct frame_server *server)
{
    bool again = server->operations->work(server->context);

    tell(server);
    return again || !server->operations->arm(server->context);
}

mnos_status_t frame_server_serve(struct frame_server *server)
{
    struct message message = {0};

    server->epoch = kinfo_time_ns() + 1;
    for (;;) {
        bool again = work(server);
        mnos_status_t status;

        message.accept = CAPS_ACCEPTED;
        status = ipc_reply_receive(server->endpoint, &message,
                                   again ? 0 : server->operations->deadline_ns(server->context));
        if (status == MNOS_OK)
            status = handle(server, &message);
        else if (status == MNOS_ERR_DEADLINE)
            status = MNOS_OK, message = (struct message){0};
        if (status != MNOS_OK)
            return status;
    }
}
