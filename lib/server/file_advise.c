// SPDX-License-Identifier: MIT
/* file_advise - the request LOCK: see file_server.h. What excludes what is in file_lock.h. */
#include "lib/base/string.h"
#include "lib/server/file_server.h"

static void wake(struct file_server *server, uint32_t object)
{
    if (server->loop.park != NULL)
        park_wake(server->loop.park, PARK_LOCK | object);
}

/* Those of a handle that is closed are in the table still. */
void file_server_unlocked(struct file_server *server, uint32_t object)
{
    if (server->locks != NULL && file_locks_any(server->locks, object))
        wake(server, object);
}

/* The record, when what it says can be. */
static mnos_status_t read_lock(struct file_server *server, struct server_request *request,
                               struct file_lock *wanted)
{
    if (request->message->length != sizeof *wanted)
        return MNOS_ERR_SIZE;
    memcpy(wanted, server_body(&server->loop, request), sizeof *wanted);
    if (wanted->kind > FILE_LOCK_EXCLUSIVE || (wanted->flags & ~(uint32_t)FILE_LOCK_WAIT) != 0 ||
        (wanted->bytes != 0 && wanted->bytes - 1 > UINT64_MAX - wanted->first))
        return MNOS_ERR_ARGUMENT;
    return MNOS_OK;
}

static uint32_t right_for(uint32_t kind)
{
    return kind == FILE_LOCK_EXCLUSIVE ? FILE_WRITE_RIGHT
           : kind == FILE_LOCK_SHARED  ? FILE_READ_RIGHT
                                       : 0;
}

mnos_status_t file_server_LOCK(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_handle *handle;
    struct file_lock_entry entry;
    struct file_lock wanted;
    mnos_status_t status;

    if (server->locks == NULL)
        return MNOS_ERR_LABEL;
    status = read_lock(server, request, &wanted);
    if (status == MNOS_OK)
        status =
            file_server_handle(server, request, wanted.handle, right_for(wanted.kind), &handle);
    if (status == MNOS_OK && handle->type != FILE_TYPE_FILE)
        status = MNOS_ERR_DIRECTORY;
    if (status != MNOS_OK)
        return status;
    entry = (struct file_lock_entry){
        .badge = request->session->badge,
        .owner = wanted.owner,
        .handle = wanted.handle,
        .first = wanted.first,
        .last = wanted.bytes == 0 ? UINT64_MAX : wanted.first + (wanted.bytes - 1),
        .object = handle->object,
        .kind = (uint16_t)wanted.kind,
        .account = (uint16_t)request->session->account,
    };
    status = file_locks_change(server->locks, server->loop.sessions, &entry);
    if (status == MNOS_ERR_AGAIN && (wanted.flags & FILE_LOCK_WAIT) != 0 &&
        server->loop.park != NULL) {
        server->system.waits_for = PARK_LOCK | entry.object;
        return SERVER_PARKED;
    }
    if (status != MNOS_OK)
        return status;
    if (wanted.kind != FILE_LOCK_EXCLUSIVE) /* the one that was taken away may have been the last */
        wake(server, entry.object);
    return file_server_answer(request, NULL, 0);
}
