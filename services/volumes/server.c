// SPDX-License-Identifier: MIT
/* server - see server.h. */
#include "services/volumes/server.h"

#include "lib/base/string.h"

/* The number of a service is in the badges that the manager makes: services/init/grants.h. */
#define BADGE_SERVICE_MASK 0xFFFFull

/* ---- The list ---- */

/* The entry at an index of all disks' lists, one after the other. */
static bool entry_at(struct volume_server *server, uint64_t index, struct volume_entry *entry)
{
    bool found = false;

    for (uint32_t i = 0; i < server->disk_count && !found; i++) {
        struct disk *disk = &server->disks[i];

        mutex_lock(&disk->lock);
        found = index < disk->count;
        if (found)
            *entry = disk->volumes[index];
        else
            index -= disk->count;
        mutex_unlock(&disk->lock);
    }
    if (found && assignment_has(server->assignments, entry->id))
        entry->flags |= VOLUME_ASSIGNED;
    return found;
}

/* Of two volumes with one name, a copied disk's, the first is meant. */
static bool entry_of(struct volume_server *server, const uint8_t id[VOLUME_ID_BYTES],
                     struct volume_entry *entry)
{
    for (uint64_t i = 0; entry_at(server, i, entry); i++)
        if (memcmp(entry->id, id, VOLUME_ID_BYTES) == 0)
            return true;
    return false;
}

static mnos_status_t handle_list(struct volume_server *server, struct message *message)
{
    struct volume_index record;
    struct volume_entry entry;

    if (message_get(message, &record, sizeof record) != sizeof record)
        return MNOS_ERR_SIZE;
    if (!entry_at(server, record.index, &entry))
        return MNOS_ERR_END;
    message_put(message, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

static mnos_status_t handle_status(struct volume_server *server, struct message *message)
{
    struct volume_status status = {.scanned = 1};

    for (uint32_t i = 0; i < server->disk_count; i++) {
        struct disk *disk = &server->disks[i];

        mutex_lock(&disk->lock);
        status.disks += disk->state != DISK_ABSENT;
        status.volumes += disk->count;
        if (disk->state == DISK_READING || disk->look)
            status.scanned = 0;
        mutex_unlock(&disk->lock);
    }
    message_put(message, MNOS_OK, &status, sizeof status);
    return MNOS_OK;
}

/* ---- Assignments ---- */

/* MNOS_ERR_AGAIN with `aside`: the disk's thread answers. */
static mnos_status_t handle_volume(struct volume_server *server, struct message *message,
                                   bool *aside)
{
    const struct assignment *mine =
        assignment_of(server->assignments, message->badge & BADGE_SERVICE_MASK);
    struct disk_waiter waiter = {.reply_id = message->reply_id};
    struct volume_entry entry;
    mnos_status_t status;

    if (mine == NULL)
        return MNOS_ERR_NOT_FOUND;
    if (!entry_of(server, mine->volume, &entry))
        return MNOS_ERR_LOST;
    waiter.first = entry.first;
    waiter.sectors = entry.sectors;
    waiter.service = message->badge & BADGE_SERVICE_MASK;
    waiter.rights = BLOCK_RIGHT_READ | (entry.flags & VOLUME_READ_ONLY ? 0 : BLOCK_RIGHT_WRITE);
    status = disk_ask(&server->disks[entry.disk_number], &waiter);
    *aside = status == MNOS_OK;
    return status;
}

static mnos_status_t handle_assign(struct volume_server *server, struct message *message)
{
    static const uint8_t none[VOLUME_ID_BYTES];
    struct volume_assign record;
    struct volume_entry entry;
    uint64_t service;
    bool takes_back;
    mnos_status_t status;

    if (message_get(message, &record, sizeof record) != sizeof record)
        return MNOS_ERR_SIZE;
    if (server->assigner == 0 || (message->badge & BADGE_SERVICE_MASK) != server->assigner)
        return MNOS_ERR_DENIED;
    record.service[sizeof record.service - 1] = 0;
    service = server->service_number(record.service);
    takes_back = memcmp(record.volume, none, sizeof none) == 0;
    if (service == 0 || (!takes_back && !entry_of(server, record.volume, &entry)))
        return MNOS_ERR_NOT_FOUND;
    status = assignment_set(server->assignments, service, takes_back ? NULL : record.volume);
    if (status != MNOS_OK)
        return status;
    for (uint32_t i = 0; i < server->disk_count; i++)
        if (assignment_is_closing(server->assignments, i, service))
            disk_close(&server->disks[i]);
    message_put(message, MNOS_OK, NULL, 0);
    return MNOS_OK;
}

/* ---- Listeners ---- */

void volume_server_tell(struct volume_server *server)
{
    for (unsigned i = 0; i < LISTENERS_MAX; i++)
        if (server->listeners[i].badge != 0)
            listener_tell(&server->listeners[i].listener);
}

static int place_of(const struct volume_server *server, mnos_badge_t badge)
{
    for (unsigned i = 0; i < LISTENERS_MAX; i++)
        if (server->listeners[i].badge == badge)
            return (int)i;
    return -1;
}

/* What came and is not kept is given back. */
static mnos_status_t handle_listen(struct volume_server *server, struct message *message)
{
    int place = place_of(server, message->badge);
    mnos_status_t status;

    if (place < 0)
        place = place_of(server, 0);
    status =
        place < 0 ? MNOS_ERR_AGAIN : listener_accept(&server->listeners[place].listener, message);
    if (status != MNOS_OK) {
        message_refuse_caps(message);
        return status;
    }
    server->listeners[place].badge = message->badge;
    message_put(message, MNOS_OK, NULL, 0);
    return MNOS_OK;
}

static void forget_clients(struct volume_server *server, mnos_badge_t gone)
{
    for (unsigned i = 0; i < LISTENERS_MAX; i++) {
        if (server->listeners[i].badge == 0 ||
            !ipc_client_is_gone(server->endpoint, gone, server->listeners[i].badge))
            continue;
        listener_forget(&server->listeners[i].listener);
        server->listeners[i].badge = 0;
    }
}

/* ---- Messages ---- */

static mnos_status_t handle_request(struct volume_server *server, struct message *message,
                                    bool *aside)
{
    if (message->label != VOLUME_LISTEN)
        message_refuse_caps(message);
    switch (message->label) {
    case VOLUME_LIST: return handle_list(server, message);
    case VOLUME_VOLUME: return handle_volume(server, message, aside);
    case VOLUME_ASSIGN: return handle_assign(server, message);
    case VOLUME_LISTEN: return handle_listen(server, message);
    case VOLUME_STATUS: return handle_status(server, message);
    default: return MNOS_ERR_LABEL;
    }
}

void volume_server_handle(struct volume_server *server, struct message *message)
{
    bool aside = false;
    mnos_status_t status;

    if (message->kind == MNOS_KIND_CLIENT_GONE)
        forget_clients(server, message->badge);
    if (message->kind != MNOS_KIND_MESSAGE || message->reply_id == 0) {
        message_refuse_caps(message);
        *message = (struct message){0};
        return;
    }
    if (message->badge == 0) { /* who it is cannot be told */
        message_refuse_caps(message);
        status = MNOS_ERR_DENIED;
    } else {
        status = handle_request(server, message, &aside);
    }
    if (aside)
        *message = (struct message){0};
    else if (status != MNOS_OK)
        message_put(message, status, NULL, 0);
}
