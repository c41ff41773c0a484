// SPDX-License-Identifier: MIT
/* block_attach - attachments of clients: rings, data and endpoints that come and go; see block.h. */
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "lib/server/block.h"
#include "lib/server/ram.h"

struct block_attachment *block_attachment_of(struct block_server *server, mnos_badge_t badge)
{
    for (unsigned i = 0; i < BLOCK_ATTACHMENTS_MAX; i++)
        if (server->attachments[i].state != BLOCK_FREE && server->attachments[i].badge == badge)
            return &server->attachments[i];
    return NULL;
}

static void drop_cap(mnos_cap_t cap)
{
    if (cap != 0)
        (void)!sys_cap_delete(cap);
}

static void drop_call(struct block_attach_call *call)
{
    drop_cap(call->ring);
    drop_cap(call->data);
    drop_cap(call->endpoint);
    *call = (struct block_attach_call){0};
}

static mnos_status_t add_piece(struct block_server *server, struct block_attachment *attachment,
                               mnos_cap_t memory)
{
    struct block_piece *piece = &attachment->pieces[attachment->piece_count];
    uint64_t pages = ram_pages(memory);
    mnos_status_t status;

    if (attachment->piece_count == BLOCK_PIECES_MAX)
        return MNOS_ERR_QUOTA;
    if (pages == 0 || pages > UINT32_MAX - attachment->limits.pages)
        return MNOS_ERR_ARGUMENT;
    *piece = (struct block_piece){
        .memory = memory, .first_page = attachment->limits.pages, .pages = (uint32_t)pages};
    status = server->device->operations->attach_data(server->device->context, piece);
    if (status != MNOS_OK)
        return status;
    attachment->piece_count++;
    attachment->copies |= piece->guard.address != NULL;
    attachment->limits.pages += piece->pages;
    return MNOS_OK;
}

/* Gives everything back that the attachment holds, but what waits. */
static void release(struct block_server *server, struct block_attachment *attachment)
{
    for (uint32_t i = 0; i < attachment->piece_count; i++) {
        struct block_piece *piece = &attachment->pieces[i];

        server->device->operations->detach_data(server->device->context, piece);
        if (i != 0) /* the first is the call's */
            drop_cap(piece->memory);
    }
    guard_unmap(&attachment->ring_guard);
    drop_call(&attachment->call);
    attachment->piece_count = 0;
    attachment->limits.pages = 0;
    attachment->copies = false;
    attachment->news = false;
    attachment->state = BLOCK_FREE;
}

/* Of a FREE attachment, by capabilities that become its own, or are dropped. */
static mnos_status_t begin_attachment(struct block_server *server,
                                      struct block_attachment *attachment,
                                      const struct block_session *session,
                                      const struct block_attach_call *call)
{
    mnos_status_t status = MNOS_ERR_ARGUMENT;

    attachment->call = *call;
    attachment->limits = (struct block_limits){
        .sector_bytes = server->device->info.sector_bytes,
        .flags = server->device->info.flags,
        .rights = (uint32_t)session->rights,
        .first = session->first,
        .sectors = session->sectors,
    };
    if (ram_pages(call->ring) >= BLOCK_RING_PAGES && call->record.events != 0 &&
        call->endpoint != 0 && sys_ipc_notify(call->endpoint, call->record.events) == MNOS_OK &&
        guard_map(&attachment->ring_guard, call->ring, BLOCK_RING_PAGES) == MNOS_OK)
        status = add_piece(server, attachment, call->data);
    if (status == MNOS_OK)
        status = block_queue_adopt(&attachment->queue, attachment->ring_guard.address);
    if (status != MNOS_OK) {
        release(server, attachment);
        return status;
    }
    attachment->badge = atomic_load_explicit(&session->badge, memory_order_relaxed);
    attachment->state = BLOCK_ACTIVE;
    return MNOS_OK;
}

static void answer(struct block_server *server, uint64_t reply_id, mnos_status_t status)
{
    struct block_attached attached = {server->epoch};
    struct message message = {.reply_id = reply_id};

    if (status != MNOS_OK) {
        ipc_reply_status(reply_id, status);
        return;
    }
    message_put(&message, MNOS_OK, &attached, sizeof attached);
    (void)!ipc_reply(&message); /* a client that is gone has no use for it */
}

void block_attachment_drained(struct block_server *server, struct block_attachment *attachment)
{
    struct block_attach_call next = attachment->next;
    const struct block_session *session = block_session_find(server->sessions, attachment->badge);

    release(server, attachment);
    attachment->next = (struct block_attach_call){0};
    if (next.reply_id == 0)
        return;
    if (session != NULL) {
        uint64_t reply_id = next.reply_id;

        answer(server, reply_id, begin_attachment(server, attachment, session, &next));
    } else {
        ipc_reply_status(next.reply_id, MNOS_ERR_LOST);
        drop_call(&next);
    }
}

void block_attachment_drop(struct block_server *server, struct block_attachment *attachment)
{
    attachment->state = BLOCK_DRAINING;
    for (unsigned i = 0; i < BLOCK_FLIGHTS_MAX; i++) {
        struct block_flight *flight = &attachment->flights[i];

        if (flight->state != BLOCK_FLIGHT_WAITS)
            continue;
        flight->state = BLOCK_FLIGHT_FREE; /* the device does not have it */
        server->waiting--;
        attachment->flying--;
    }
    if (attachment->flying == 0)
        block_attachment_drained(server, attachment);
}

static struct block_attachment *free_attachment(struct block_server *server)
{
    for (unsigned i = 0; i < BLOCK_ATTACHMENTS_MAX; i++) {
        if (server->attachments[i].state != BLOCK_FREE)
            continue;
        if (server->used <= i)
            server->used = i + 1;
        return &server->attachments[i];
    }
    return NULL;
}

/* Drops what was there, and lets `call` wait until that has drained. */
static mnos_status_t begin_anew(struct block_server *server, struct block_attachment *attachment,
                                struct block_attach_call *call)
{
    if (attachment->next.reply_id != 0) {
        ipc_reply_status(attachment->next.reply_id, MNOS_ERR_CANCELLED);
        drop_call(&attachment->next);
    }
    attachment->next = *call;
    if (attachment->state == BLOCK_ACTIVE)
        block_attachment_drop(server, attachment);
    return MNOS_ERR_AGAIN;
}

static bool overlap(const struct block_piece *a, const struct block_piece *b)
{
    return a->bus < b->bus + (uint64_t)b->pages * MNOS_PAGE_BYTES &&
           b->bus < a->bus + (uint64_t)a->pages * MNOS_PAGE_BYTES;
}

/* What a client that is gone has in flight in memory that `piece` has too. */
static struct block_attachment *left_behind(struct block_server *server,
                                            const struct block_piece *piece)
{
    for (unsigned i = 0; i < BLOCK_ATTACHMENTS_MAX; i++) {
        struct block_attachment *attachment = &server->attachments[i];

        if (attachment->state != BLOCK_DRAINING ||
            block_session_find(server->sessions, attachment->badge) != NULL)
            continue;
        for (uint32_t k = 0; k < attachment->piece_count; k++)
            if (overlap(&attachment->pieces[k], piece))
                return attachment;
    }
    return NULL;
}

/* The attachment of a run before, when the device has requests for the same memory still. */
static struct block_attachment *still_in_use(struct block_server *server, mnos_cap_t data)
{
    const struct block_device *device = server->device;
    struct block_attachment *attachment;
    bool any = false;
    uint64_t pages;
    struct block_piece piece;

    for (unsigned i = 0; i < BLOCK_ATTACHMENTS_MAX; i++)
        any |= server->attachments[i].state == BLOCK_DRAINING;
    if (!any)
        return NULL;
    pages = ram_pages(data);
    if (pages == 0 || pages > UINT32_MAX)
        return NULL; /* it is refused later */
    piece = (struct block_piece){.memory = data, .pages = (uint32_t)pages};
    if (device->operations->attach_data(device->context, &piece) != MNOS_OK)
        return NULL;
    attachment = left_behind(server, &piece);
    device->operations->detach_data(device->context, &piece);
    return attachment;
}

mnos_status_t block_attach(struct block_server *server, struct block_session *session,
                           struct message *message)
{
    struct block_attach_call call = {.reply_id = message->reply_id,
                                     .ring = message_cap(message, 0),
                                     .data = message_cap(message, 1),
                                     .endpoint = message_cap(message, 2)};
    struct block_attachment *attachment = block_attachment_of(server, message->badge);
    struct block_attached attached = {server->epoch};
    mnos_status_t status = MNOS_OK;

    if (message_get(message, &call.record, sizeof call.record) != sizeof call.record) {
        drop_call(&call);
        return MNOS_ERR_SIZE;
    }
    if (attachment == NULL) {
        attachment = still_in_use(server, call.data);
        if (attachment != NULL)
            attachment->badge = message->badge; /* it is taken over (A4) */
    }
    if (attachment != NULL && attachment->state == BLOCK_ACTIVE && !attachment->queue.broken &&
        !attachment->ring_guard.lost && call.record.epoch == server->epoch) {
        drop_call(&call);
    } else if (attachment != NULL) {
        return begin_anew(server, attachment, &call);
    } else {
        attachment = free_attachment(server);
        if (attachment == NULL) {
            drop_call(&call);
            return MNOS_ERR_QUOTA;
        }
        status = begin_attachment(server, attachment, session, &call);
    }
    if (status == MNOS_OK)
        message_put(message, MNOS_OK, &attached, sizeof attached);
    return status;
}

mnos_status_t block_extend_data(struct block_server *server, struct message *message)
{
    struct block_attachment *attachment = block_attachment_of(server, message->badge);
    mnos_cap_t memory = message_cap(message, 0);
    struct block_extend record;
    mnos_status_t status;

    for (unsigned i = 1; i < message->cap_count; i++)
        drop_cap(message_cap(message, i));
    if (message_get(message, &record, sizeof record) != sizeof record)
        status = MNOS_ERR_SIZE;
    else if (attachment == NULL || attachment->state != BLOCK_ACTIVE)
        status = MNOS_ERR_STATE;
    else if (record.first_page < attachment->limits.pages)
        status = MNOS_ERR_EXISTS; /* repeated */
    else if (record.first_page > attachment->limits.pages)
        status = MNOS_ERR_ARGUMENT;
    else
        status = add_piece(server, attachment, memory);
    if (status != MNOS_OK)
        drop_cap(memory);
    if (status == MNOS_OK || status == MNOS_ERR_EXISTS)
        message_put(message, MNOS_OK, NULL, 0);
    return status == MNOS_ERR_EXISTS ? MNOS_OK : status;
}
