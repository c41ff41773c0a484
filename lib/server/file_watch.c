// SPDX-License-Identifier: MIT
/* file_watch - see file_watch.h, and the request WATCH. */
#include "lib/server/file_watch.h"

#include "lib/base/string.h"
#include "lib/server/file_server.h"

static void forget(struct file_watches *watches, uint32_t number)
{
    listener_forget(&watches->entries[number].listener);
    watches->entries[number].handle = 0;
    watches->used--;
}

static void forget_dead(struct file_watches *watches, struct sessions *sessions)
{
    for (uint32_t i = 0; watches->used != 0 && i < FILE_WATCHES_MAX; i++)
        if (watches->entries[i].handle != 0 &&
            !handle_is_open(sessions, watches->entries[i].badge, watches->entries[i].handle))
            forget(watches, i);
}

/* The watch of a handle, or a free place within the account's share; FILE_WATCHES_MAX: neither. */
static uint32_t place_for(const struct file_watches *watches, const struct server_session *session,
                          uint64_t handle)
{
    uint32_t own = 0, chosen = FILE_WATCHES_MAX;

    for (uint32_t i = 0; i < FILE_WATCHES_MAX; i++) {
        if (watches->entries[i].handle == handle && watches->entries[i].badge == session->badge)
            return i;
        if (watches->entries[i].handle == 0)
            chosen = chosen == FILE_WATCHES_MAX
                         ? i
                         : chosen; /* the first: who looks for them ends there */
        else
            own += watches->entries[i].account == session->account;
    }
    return own < FILE_WATCHES_MAX / FILE_WATCHES_SHARE ? chosen : FILE_WATCHES_MAX;
}

mnos_status_t file_watches_add(struct file_watches *watches, struct sessions *sessions,
                               const struct server_session *session, uint64_t handle,
                               enum file_watch_what what, const struct message *message)
{
    const struct server_handle *open = handle_of(sessions, session, handle);
    mnos_status_t status;
    uint32_t place;

    forget_dead(watches, sessions);
    place = place_for(watches, session, handle);
    if (place == FILE_WATCHES_MAX)
        return MNOS_ERR_QUOTA;
    status = listener_accept(&watches->entries[place].listener, message);
    if (status != MNOS_OK)
        return status;
    watches->used += watches->entries[place].handle == 0;
    watches->entries[place].badge = session->badge;
    watches->entries[place].handle = handle;
    watches->entries[place].object = open->object;
    watches->entries[place].what = what;
    watches->entries[place].account = session->account;
    return MNOS_OK;
}

void file_watches_tell(struct file_watches *watches, struct sessions *sessions, uint32_t object,
                       enum file_watch_what what, mnos_badge_t but)
{
    uint32_t left = object == 0 ? 0 : watches->used;

    for (uint32_t i = 0; left != 0 && i < FILE_WATCHES_MAX; i++) {
        mnos_badge_t badge = watches->entries[i].badge;

        left -= watches->entries[i].handle != 0;
        if (watches->entries[i].handle == 0 || watches->entries[i].object != object ||
            watches->entries[i].what != what || badge == but)
            continue;
        if (handle_is_open(sessions, badge, watches->entries[i].handle))
            listener_tell(&watches->entries[i].listener);
        else
            forget(watches, i);
    }
}

/* ---- Requests ---- */

static mnos_status_t watch(struct file_server *server, struct server_request *request)
{
    struct server_handle *handle;
    struct file_watch wanted;
    enum file_type type;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, 0, &handle);
    if (status == MNOS_OK)
        status = server->system.methods->type(server->system.fs, handle->object, &type);
    if (status == SERVER_PARKED) /* the capability cannot be kept that long */
        return MNOS_ERR_AGAIN;
    if (status == MNOS_OK && wanted.what == FILE_WATCH_OPENS && type != FILE_TYPE_DIRECTORY)
        return MNOS_ERR_NOT_DIRECTORY;
    if (status == MNOS_OK && wanted.what > FILE_WATCH_OPENS)
        return MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle,
                                    type == FILE_TYPE_DIRECTORY ? FILE_LOOKUP : FILE_READ_RIGHT,
                                    &handle);
    return status != MNOS_OK
               ? status
               : file_watches_add(&server->watches, server->loop.sessions, request->session,
                                  wanted.handle, (enum file_watch_what)wanted.what,
                                  request->message);
}

mnos_status_t file_server_WATCH(void *context, struct server_request *request)
{
    struct file_server *server = context;
    mnos_status_t status = watch(server, request);

    if (status != MNOS_OK) {
        message_refuse_caps(request->message);
        return status;
    }
    server->loop.done = file_server_done;
    return file_server_answer(request, NULL, 0);
}

/* Names of a file are among its attributes. */
static void write_cells(struct file_server *server, uint32_t operation, uint32_t touched)
{
    bool two = operation == FILE_RENAME || operation == FILE_LINK;

    if (operation == 0) {
        file_server_end_cells(server, touched);
        return;
    }
    file_server_write_cells(server, touched);
    if (two || operation == FILE_UNLINK)
        file_server_write_cells(server, server->walks[0].place.inode);
    if (two)
        file_server_write_cells(server, server->walks[1].place.inode);
}

/* Names that a request has changed are those that it has looked up. */
void file_server_done(void *context, uint32_t operation, const struct server_request *request)
{
    struct file_server *server = context;
    const struct file_place *first = &server->walks[0].place, *second = &server->walks[1].place;
    uint32_t changed[3] = {request->touched},
             opened = operation == FILE_OPEN ? first->directory : 0;

    if (server->views.used != 0)
        write_cells(server, operation, request->touched);
    switch (operation) {
    case FILE_OPEN: changed[1] = first->inode == 0 ? first->directory : 0; break; /* it was made */
    case FILE_MKDIR:
    case FILE_UNLINK:
    case FILE_RMDIR: changed[1] = first->directory; break;
    case FILE_RENAME: changed[1] = first->directory; [[fallthrough]];
    case FILE_LINK:
    case FILE_SYMLINK: changed[2] = second->directory; break;
    default: break;
    }
    for (unsigned i = 0; i < 3; i++)
        file_watches_tell(&server->watches, server->loop.sessions, changed[i], FILE_WATCH_CHANGES,
                          0);
    file_watches_tell(&server->watches, server->loop.sessions, opened, FILE_WATCH_OPENS,
                      request->message->badge);
    if (server->watches.used == 0 && server->views.used == 0)
        server->loop.done = NULL;
}
