// SPDX-License-Identifier: MIT
/* block - requests and the work of a disk's driver: see block.h. Attaching is in block_attach.c. */
#include "lib/server/block.h"

#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/export.h"

/* Entries of one client that are taken before the next client's turn (B5). */
#define TURN_ENTRIES 16u

/* ---- Requests that the device works at ---- */

uint32_t block_flight_number(const struct block_server *server, const struct block_flight *flight)
{
    const struct block_attachment *attachment = &server->attachments[flight->attachment];

    return flight->attachment * BLOCK_FLIGHTS_MAX + (uint32_t)(flight - attachment->flights);
}

struct block_flight *block_flight_of(struct block_server *server, uint32_t number)
{
    struct block_flight *flight;

    if (number >= BLOCK_FLIGHT_NUMBERS)
        return NULL;
    flight = &server->attachments[number / BLOCK_FLIGHTS_MAX].flights[number % BLOCK_FLIGHTS_MAX];
    return flight->state == BLOCK_FLIGHT_ISSUED ? flight : NULL;
}

uint32_t block_segments(const struct block_server *server, const struct block_flight *flight,
                        struct block_segment *segments, uint32_t max)
{
    const struct block_attachment *attachment = &server->attachments[flight->attachment];
    uint64_t at = (uint64_t)flight->page * MNOS_PAGE_BYTES + flight->offset;
    uint32_t left = flight->bytes, count = 0;

    for (uint32_t i = 0; i < attachment->piece_count && left != 0 && count < max; i++) {
        const struct block_piece *piece = &attachment->pieces[i];
        uint64_t first = (uint64_t)piece->first_page * MNOS_PAGE_BYTES;
        uint64_t end = first + (uint64_t)piece->pages * MNOS_PAGE_BYTES;
        uint32_t part;

        if (at >= end)
            continue;
        part = end - at < left ? (uint32_t)(end - at) : left;
        segments[count++] =
            (struct block_segment){.address = piece->guard.address == NULL
                                                  ? NULL
                                                  : (uint8_t *)piece->guard.address + (at - first),
                                   .bus = piece->bus + (at - first),
                                   .bytes = part};
        at += part;
        left -= part;
    }
    return count;
}

/* Gives it to the device, now or when that has room. */
static void issue(struct block_server *server, struct block_flight *flight)
{
    const struct block_device *device = server->device;

    if (flight->op == BLOCK_FLUSH && (device->info.flags & BLOCK_CAN_FLUSH) == 0) {
        flight->state = BLOCK_FLIGHT_ISSUED;
        server->issued++;
        block_server_done(server, flight, MNOS_OK, 0); /* what is written is durable already */
        return;
    }
    flight->state = BLOCK_FLIGHT_ISSUED;
    flight->since_ns = kinfo_time_ns();
    if (server->issued++ == 0)
        server->oldest_ns = flight->since_ns;
    if (!server->full && device->operations->submit(device->context, flight) == MNOS_OK)
        return; /* and it may be done, and be another one by now */
    server->full = true;
    flight->state = BLOCK_FLIGHT_WAITS;
    server->issued--;
    server->waiting++;
}

static void issue_waiting(struct block_server *server)
{
    for (uint32_t i = 0; server->waiting != 0 && !server->full && i < BLOCK_FLIGHT_NUMBERS; i++) {
        struct block_flight *flight =
            &server->attachments[i / BLOCK_FLIGHTS_MAX].flights[i % BLOCK_FLIGHTS_MAX];

        if (flight->state != BLOCK_FLIGHT_WAITS)
            continue;
        server->waiting--;
        issue(server, flight);
    }
}

void block_server_done(struct block_server *server, struct block_flight *flight,
                       mnos_status_t status, uint64_t bad_sector)
{
    struct block_attachment *attachment = &server->attachments[flight->attachment];

    server->issued--;
    if (attachment->state == BLOCK_ACTIVE && status == MNOS_OK && (flight->flags & BLOCK_FUA) &&
        !flight->then_flush) {
        flight->then_flush = 1;
        flight->op = BLOCK_FLUSH;
        issue(server, flight);
        return;
    }
    flight->state = BLOCK_FLIGHT_FREE;
    attachment->flying--;
    if (attachment->state == BLOCK_ACTIVE) {
        uint64_t sector = status == MNOS_OK ? 0 : bad_sector - attachment->limits.first;

        block_queue_complete(&attachment->queue, flight->id, status, sector);
        attachment->news = true;
    } else if (attachment->flying == 0) {
        block_attachment_drained(server, attachment);
    }
}

static struct block_flight *free_flight(struct block_attachment *attachment)
{
    for (unsigned i = 0; i < BLOCK_FLIGHTS_MAX; i++)
        if (attachment->flights[i].state == BLOCK_FLIGHT_FREE)
            return &attachment->flights[i];
    return NULL;
}

static void take_off(struct block_server *server, struct block_attachment *attachment,
                     struct block_submission *entry)
{
    mnos_status_t status = block_queue_check(&attachment->limits, entry);
    struct block_flight *flight = status == MNOS_OK ? free_flight(attachment) : NULL;

    if (flight == NULL) { /* there is one for each that block_queue_take() gives */
        block_queue_complete(&attachment->queue, entry->id, status, 0);
        attachment->news = true;
        return;
    }
    *flight = (struct block_flight){
        .op = atomic_load_explicit(&entry->op, memory_order_relaxed),
        .flags = entry->flags,
        .offset = entry->offset,
        .attachment = (uint16_t)(attachment - server->attachments),
        .id = entry->id,
        .page = entry->page,
        .bytes = entry->bytes,
        .sector = entry->sector,
    };
    attachment->flying++;
    issue(server, flight);
}

/* A turn of one client; whether it may have more. */
static bool take_turn(struct block_server *server, struct block_attachment *attachment)
{
    struct block_submission entry;

    if (attachment->state != BLOCK_ACTIVE ||
        attachment->limits.pages < attachment->call.record.pages)
        return false;
    for (unsigned i = 0; i < TURN_ENTRIES; i++) {
        if (server->full || !block_queue_take(&attachment->queue, &entry))
            return false;
        take_off(server, attachment, &entry);
        if (attachment->state != BLOCK_ACTIVE)
            return false;
    }
    return true;
}

/* The client has taken its memory away: nothing of it is looked at any more. */
static bool is_lost(const struct block_attachment *attachment)
{
    bool lost = attachment->ring_guard.lost;

    for (uint32_t i = 0; attachment->copies && i < attachment->piece_count; i++)
        lost |= attachment->pieces[i].guard.lost;
    return lost;
}

static void tell_clients(struct block_server *server)
{
    for (unsigned i = 0; i < server->used; i++) {
        struct block_attachment *attachment = &server->attachments[i];

        if (attachment->state != BLOCK_ACTIVE)
            continue;
        if (is_lost(attachment)) {
            block_attachment_drop(server, attachment);
        } else if (attachment->news) {
            attachment->news = false;
            /* It fails when the client is gone, which is told otherwise. */
            (void)!sys_ipc_notify(attachment->call.endpoint, attachment->call.record.events);
        }
    }
}

/* Each round takes from a ring of 256 that only `taken` empties, so a client that fills its ring again
 * meanwhile could hold the driver here: the rounds are bounded, and the client's next event goes on. */
#define PUMP_ROUNDS (2 * BLOCK_ENTRIES / TURN_ENTRIES)

void block_server_pump(struct block_server *server)
{
    bool more = true;

    server->full = false;
    issue_waiting(server);
    for (unsigned round = 0; more && !server->full && round < PUMP_ROUNDS; round++) {
        more = false;
        for (unsigned i = 0; i < server->used; i++)
            more |= take_turn(server, &server->attachments[(server->turn + i) % server->used]);
        server->turn++;
    }
    server->device->operations->kick(server->device->context);
    tell_clients(server);
    if (more && !server->full) /* the rounds ended it: come back after the other messages */
        (void)!sys_ipc_notify(server->endpoint, BLOCK_EVENT_SUBMITTED);
}

/* ---- The device's failures ---- */

void block_server_repeat(struct block_server *server)
{
    for (uint32_t i = 0; i < BLOCK_FLIGHT_NUMBERS; i++) {
        struct block_flight *flight = block_flight_of(server, i);

        if (flight == NULL)
            continue;
        server->issued--;
        if (server->attachments[flight->attachment].state == BLOCK_ACTIVE) {
            flight->state = BLOCK_FLIGHT_WAITS;
            server->waiting++;
        } else {
            server->issued++;
            block_server_done(server, flight, MNOS_OK, 0);
        }
    }
}

void block_server_fail(struct block_server *server)
{
    for (uint32_t i = 0; i < BLOCK_FLIGHT_NUMBERS; i++) {
        struct block_flight *flight = block_flight_of(server, i);

        if (flight != NULL)
            block_server_done(server, flight, MNOS_ERR_DEVICE, flight->sector);
    }
}

uint64_t block_server_issued_after(const struct block_server *server)
{
    return server->issued == 0 ? MNOS_DEADLINE_NEVER : server->oldest_ns;
}

uint64_t block_server_oldest(struct block_server *server)
{
    uint64_t oldest = MNOS_DEADLINE_NEVER;

    for (uint32_t i = 0; server->issued != 0 && i < BLOCK_FLIGHT_NUMBERS; i++) {
        const struct block_flight *flight = block_flight_of(server, i);

        if (flight != NULL && flight->since_ns < oldest)
            oldest = flight->since_ns;
    }
    server->oldest_ns = oldest;
    return oldest;
}

/* ---- Requests of the protocol ---- */

static void handle_info(struct block_server *server, const struct block_session *session,
                        struct message *message)
{
    struct block_info info = server->device->info;

    info.sectors = session->sectors;
    info.rights = (uint32_t)session->rights;
    if ((session->rights & BLOCK_RIGHT_WRITE) == 0)
        info.flags |= BLOCK_READ_ONLY;
    info.pages_max = BLOCK_PAGES_MAX;
    info.flights_max = BLOCK_FLIGHTS_MAX;
    message_put(message, MNOS_OK, &info, sizeof info);
}

static void end_session(struct block_server *server, struct block_session *session)
{
    mnos_badge_t badge = atomic_load_explicit(&session->badge, memory_order_relaxed);
    struct block_attachment *attachment = block_attachment_of(server, badge);

    block_session_remove(server->sessions, session);
    if (attachment != NULL && attachment->state == BLOCK_ACTIVE)
        block_attachment_drop(server, attachment);
}

/* MNOS_ERR_AGAIN: answered with the capability. */
static mnos_status_t handle_restrict(struct block_server *server, struct block_session *session,
                                     struct message *message)
{
    struct block_restrict record;
    struct block_session *made;
    mnos_status_t status;

    if (message_get(message, &record, sizeof record) != sizeof record)
        return MNOS_ERR_SIZE;
    status = block_session_make(server->sessions, session, &record, &made);
    if (status != MNOS_OK)
        return status;
    status = server_export_with(server->endpoint, message,
                                atomic_load_explicit(&made->badge, memory_order_relaxed),
                                BLOCK_EVENT_SUBMITTED);
    if (status == MNOS_OK)
        return MNOS_ERR_AGAIN;
    block_session_remove(server->sessions, made);
    return status;
}

static mnos_status_t handle_close_tree(struct block_server *server,
                                       const struct block_session *session, struct message *message)
{
    mnos_badge_t top = message_cap_badge(message, 0);
    struct block_session *below;

    if ((session->rights & BLOCK_RIGHT_REVOKE) == 0)
        return MNOS_ERR_DENIED;
    if (block_session_find(server->sessions, top) == NULL)
        return MNOS_ERR_NOT_FOUND;
    while ((below = block_session_below(server->sessions, top)) != NULL)
        end_session(server, below);
    message_put(message, MNOS_OK, NULL, 0);
    return MNOS_OK;
}

static mnos_status_t handle_close_tagged(struct block_server *server,
                                         const struct block_session *session,
                                         struct message *message)
{
    struct block_session *tagged;
    struct block_tag record;

    if (message_get(message, &record, sizeof record) != sizeof record)
        return MNOS_ERR_SIZE;
    if ((session->rights & BLOCK_RIGHT_REVOKE) == 0)
        return MNOS_ERR_DENIED;
    if (record.tag == 0)
        return MNOS_ERR_ARGUMENT;
    while ((tagged = block_session_tagged(server->sessions, message->badge, record.tag)) != NULL)
        end_session(server, tagged);
    message_put(message, MNOS_OK, NULL, 0);
    return MNOS_OK;
}

static mnos_status_t handle_request(struct block_server *server, struct message *message)
{
    struct block_session *session = block_session_of(server->sessions, message->badge);
    bool takes_caps = message->label == BLOCK_ATTACH || message->label == BLOCK_EXTEND;

    if (session == NULL || !takes_caps)
        message_refuse_caps(message);
    if (session == NULL)
        return message->badge == 0                        ? MNOS_ERR_DENIED
               : (message->badge & BLOCK_BADGE_MADE) != 0 ? MNOS_ERR_LOST
                                                          : MNOS_ERR_QUOTA;
    switch (message->label) {
    case BLOCK_INFO: handle_info(server, session, message); return MNOS_OK;
    case BLOCK_ATTACH: return block_attach(server, session, message);
    case BLOCK_RESTRICT: return handle_restrict(server, session, message);
    case BLOCK_CLOSE_TREE: return handle_close_tree(server, session, message);
    case BLOCK_CLOSE_TAGGED: return handle_close_tagged(server, session, message);
    case BLOCK_EXTEND: return block_extend_data(server, message);
    default: return MNOS_ERR_LABEL;
    }
}

/* Badge 0 stands for several: each is asked for. */
static void forget_clients(struct block_server *server, mnos_badge_t gone)
{
    for (unsigned i = 0; i < BLOCK_SESSIONS_MAX; i++) {
        struct block_session *session = &server->sessions->entries[i];
        mnos_badge_t badge = atomic_load_explicit(&session->badge, memory_order_relaxed);

        if (badge != 0 && ipc_client_is_gone(server->endpoint, gone, badge))
            end_session(server, session);
    }
}

void block_server_handle(struct block_server *server, struct message *message)
{
    mnos_status_t status = MNOS_ERR_AGAIN;

    if (message->kind == MNOS_KIND_CLIENT_GONE)
        forget_clients(server, message->badge);
    else if (message->kind == MNOS_KIND_MESSAGE && message->reply_id != 0)
        status = handle_request(server, message);
    else if (message->kind == MNOS_KIND_MESSAGE)
        message_refuse_caps(message); /* it could not be answered, so it is no request */
    if (status == MNOS_ERR_AGAIN)
        *message = (struct message){0};
    else if (status != MNOS_OK)
        message_put(message, status, NULL, 0);
}

void block_server_open(struct block_server *server, const struct block_device *device,
                       struct block_sessions *sessions, mnos_cap_t endpoint, uint64_t epoch)
{
    memset(server, 0, sizeof *server);
    server->endpoint = endpoint;
    server->device = device;
    server->sessions = sessions;
    server->epoch = epoch;
    forget_clients(server, 0);
}
