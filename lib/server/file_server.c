// SPDX-License-Identifier: MIT
/* file_server - sessions and handles: see file_server.h. Bytes are in file_bytes.c, paths in file_paths.c. */
#include "lib/server/file_server.h"

#include "lib/base/string.h"
#include "lib/server/export.h"
#include "lib/server/state.h"
#include "protocols/manager.h"

static const struct server_operation operations[LABEL_OPERATIONS] = {
#define REQUEST(label, name, class, request, reply, text)                                          \
    [label] = {file_server_##name, SERVER_CLASS_##class, (label) == FILE_WATCH, false},
#include "protocols/file.def"
#undef REQUEST
    [MOUNT_MOUNT] = {file_server_mount, SERVER_CLASS_I, false, true},
    [MOUNT_UNMOUNT] = {file_server_unmount, SERVER_CLASS_I, false, false},
    [MOUNT_STATUS] = {file_server_status, SERVER_CLASS_I, false, true},
    [MOUNT_LISTEN] = {file_server_listen, SERVER_CLASS_I, true, true},
};

static void drop(void *context, uint32_t object)
{
    struct file_server *server = context;

    if (server->locks != NULL && server->locks->used != 0)
        file_server_unlocked(server, object);
    if (server->views.used != 0)
        file_server_end_views(server, object);
    server->system.methods->drop(server->system.fs, object);
}

static void ended(void *context, uint32_t number)
{
    struct file_server *server = context;
    struct window *window = &server->windows[number - 1];

    struct server_session *session = session_at(server->loop.sessions, number);

    server->window_bytes[session->account] -= window_bytes(window);
    if (server->window_memory == NULL)
        window_close(window);
    else if (window_bytes(window) != 0)
        server->window_memory->close(server->window_memory->context, window);
    *window = (struct window){0};
    if (session->window != 0)
        STATE_SET(session->window, 0);
}

static bool is_gone(void *context, mnos_badge_t badge)
{
    const struct file_server *server = context;

    return ipc_client_is_gone(server->loop.endpoint, 0, badge);
}

/* Its client has mapped a window that cannot be had: it begins anew, and gets another. */
static void lose_without_window(struct file_server *server)
{
    struct sessions *sessions = server->loop.sessions;

    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        struct server_session *session = session_at(sessions, i);

        if (session->badge != 0 && !session->gone && session->window != 0 &&
            window_bytes(&server->windows[i - 1]) == 0)
            session_lose(sessions, session, &server->loop.owner);
    }
}

void file_server_lose(struct file_server *server, struct server_session *session, bool root)
{
    server_forget_parked(&server->loop, session->badge, true);
    if (root && (session->badge & SESSION_EXPORTED) != 0)
        session_gone(server->loop.sessions, session, &server->loop.owner);
    else
        session_lose(server->loop.sessions, session, &server->loop.owner);
}

void file_server_lose_all(struct file_server *server)
{
    struct sessions *sessions = server->loop.sessions;

    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        if (session_at(sessions, i)->badge != 0 && !session_at(sessions, i)->gone)
            file_server_lose(server, session_at(sessions, i), false);
    }
}

unsigned file_server_recover(struct file_server *server, const struct window_memory *memory,
                             bool ordered)
{
    struct sessions *sessions = server->loop.sessions;
    unsigned running;

    server->window_memory = memory;
    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        const struct server_session *session = session_at(sessions, i);
        struct window *window = &server->windows[i - 1];

        if (session->badge == 0 || session->window == 0)
            continue;
        if (memory->find(memory->context, session->window, window) != MNOS_OK)
            continue;
        server->window_bytes[session->account] += window_bytes(window);
        file_server_clear_cells(window);
    }
    running = sessions_recover(sessions, &server->loop.owner, is_gone, ordered);
    lose_without_window(server);
    return running;
}

/* Without a volume there are sessions, and nothing in them. */
static mnos_status_t admit(void *context, uint32_t operation)
{
    struct file_server *server = context;

    switch (operation) {
    case MOUNT_MOUNT:
    case MOUNT_UNMOUNT:
    case MOUNT_STATUS:
    case MOUNT_LISTEN:
    case FILE_OPEN_SESSION:
    case FILE_SESSION_INFO:
    case FILE_CLOSE_TREE:
    case FILE_CLOSE: return MNOS_OK;
    default: return server->system.methods->ready(server->system.fs);
    }
}

void file_server_init(struct file_server *server, const struct file_system *system,
                      struct sessions *sessions, mnos_cap_t endpoint, struct park *park)
{
    server->system = *system;
    server->loop = (struct server_loop){
        .endpoint = endpoint,
        .sessions = sessions,
        .operations = operations,
        .open_session = FILE_OPEN_SESSION,
        .owner = {.context = server, .drop = drop, .ended = ended},
        .park = park,
        .waits_for = &server->system.waits_for,
        .body = server->request,
    };
    file_server_is_ready(server, false);
}

void file_server_is_ready(struct file_server *server, bool ready)
{
    server->loop.admit = ready || server->system.methods->ready == NULL ? NULL : admit;
}

bool file_server_is_service(const struct server_request *request)
{
    return request->session->parent == 0 && (request->session->rights & FILE_REVOKE) != 0;
}

/* ---- Sessions ---- */

/* The first request of a client that the service manager gave a capability to. What the session has
 * stays its window: the client may have mapped it already. */
static mnos_status_t begin_session(struct file_server *server, struct server_request *request)
{
    mnos_badge_t badge = request->message->badge;
    uint32_t root = server->system.root, rights = FILE_RIGHTS_ALL;
    mnos_status_t status = MNOS_OK;

    if (request->session != NULL) {
        server_forget_parked(&server->loop, badge, true);
        session_begin_anew(server->loop.sessions, request->session, &server->loop.owner);
        return MNOS_OK;
    }
    if (badge == 0)
        return MNOS_ERR_DENIED; /* who it is cannot be told */
    if (badge & SESSION_EXPORTED)
        return MNOS_ERR_LOST; /* it was closed */
    if (server->enter != NULL)
        status =
            server->enter(server->system.fs, (uint32_t)manager_index_of(badge), &root, &rights);
    if (status != MNOS_OK)
        return status;
    request->session = session_make(server->loop.sessions, badge, NULL, root, rights);
    if (request->session == NULL)
        return MNOS_ERR_QUOTA;
    request->session->type = FILE_TYPE_DIRECTORY;
    server->system.methods->hold(server->system.fs, root);
    return MNOS_OK;
}

/* One that could not be had when this run began is looked for again; if that fails too, nobody names it any more, and it
 * rests (lib/server/windows.h). */
static mnos_status_t get_window(const struct file_server *server, struct server_session *session,
                                uint64_t bytes, struct window *window)
{
    const struct window_memory *memory = server->window_memory;
    mnos_status_t status;

    if (memory == NULL)
        return window_open(window, bytes);
    if (session->window != 0 && memory->find(memory->context, session->window, window) == MNOS_OK) {
        file_server_clear_cells(window);
        return MNOS_OK;
    }
    status = memory->open(memory->context, bytes, window);
    if (status == MNOS_OK)
        STATE_SET(session->window, window->place);
    return status;
}

static mnos_status_t give_window(struct file_server *server, const struct server_request *request,
                                 uint64_t bytes, struct window **given)
{
    struct window *window = &server->windows[request->session->number - 1];
    uint64_t *charged = &server->window_bytes[request->session->account];
    mnos_status_t status;

    *given = window;
    if (window_bytes(window) != 0)
        return MNOS_OK;
    if (bytes < FILE_WINDOW_BYTES_MIN)
        bytes = FILE_WINDOW_BYTES_MIN;
    if (bytes > FILE_WINDOW_BYTES_MAX)
        bytes = FILE_WINDOW_BYTES_MAX;
    if (*charged + bytes > FILE_SERVER_WINDOW_SHARE_BYTES)
        return MNOS_ERR_QUOTA;
    status = get_window(server, request->session, bytes, window);
    *charged += window_bytes(window);
    return status;
}

mnos_status_t file_server_OPEN_SESSION(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct file_open_session wanted;
    struct file_limits limits;
    struct window *window;
    uint32_t rights = MNOS_RIGHT_READ | MNOS_RIGHT_WRITE;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK && (wanted.flags & ~(uint64_t)FILE_SESSION_HANDED_ON) != 0)
        return MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = begin_session(server, request);
    if (status == MNOS_OK)
        status = give_window(server, request, wanted.window_bytes, &window);
    if (status != MNOS_OK)
        return status;
    limits = (struct file_limits){.window_bytes = window_bytes(window),
                                  .rights = request->session->rights,
                                  .lanes = LABEL_LANES,
                                  .handles = FILE_SERVER_HANDLES / SESSION_SHARE,
                                  .type = request->session->type,
                                  .root = request->session->object};
    (void)file_server_answer(request, &limits, sizeof limits);
    if (wanted.flags != 0)
        rights |= MNOS_RIGHT_GRANT;
    message_add_cap(request->message, window->memory.memory, rights);
    return MNOS_OK;
}

mnos_status_t file_server_EXPORT(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct sessions *sessions = server->loop.sessions;
    struct server_session *made;
    struct server_handle *handle;
    struct file_export wanted;
    mnos_badge_t badge = sessions->next_badge;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, wanted.rights & ~FILE_REVOKE,
                                    &handle);
    if (status == MNOS_OK && (wanted.rights & ~request->session->rights) != 0)
        status = MNOS_ERR_DENIED;
    if (status != MNOS_OK)
        return status;
    if (wanted.account != 0 && !file_server_is_service(request))
        return MNOS_ERR_DENIED;
    made = wanted.account == 0
               ? session_make(sessions, badge, request->session, handle->object, wanted.rights)
               : session_make_for(sessions, badge, request->session, handle->object, wanted.rights,
                                  wanted.account);
    if (made == NULL)
        return MNOS_ERR_QUOTA;
    made->type = handle->type;
    state_note(&sessions->next_badge, sizeof sessions->next_badge);
    sessions->next_badge++;
    server->system.methods->hold(server->system.fs, handle->object);
    state_step(); /* a session that nobody got is closed when its badge goes; one that is got is there */
    status = server_export(server->loop.endpoint, request->message, badge);
    if (status == MNOS_OK)
        return SERVER_ASIDE; /* answered */
    session_gone(sessions, made, &server->loop.owner);
    return status;
}

/* The session that a request names by its capability; without one the asker's own. */
static struct server_session *named_session(struct file_server *server,
                                            const struct server_request *request)
{
    if (request->message->cap_count == 0)
        return request->session;
    return session_of(server->loop.sessions, message_cap_badge(request->message, 0));
}

/* One more handle of the request's session, to what `from` is to another. 0: `from` is none. */
static mnos_status_t inherit(struct file_server *server, const struct server_request *request,
                             const struct server_handle *from, uint64_t *handle)
{
    const struct file_system *system = &server->system;
    mnos_status_t status;

    *handle = 0;
    if (from == NULL)
        return MNOS_OK;
    status = handle_make(server->loop.sessions, request->session, from->object,
                         from->rights & request->session->rights, from->type, handle);
    if (status != MNOS_OK)
        return status;
    handle_of(server->loop.sessions, request->session, *handle)->failures = from->failures;
    system->methods->hold(system->fs, from->object);
    state_step(); /* one that nobody is told of is closed with its session */
    return MNOS_OK;
}

mnos_status_t file_server_INHERIT(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_session *from = named_session(server, request);
    uint64_t handles[FILE_INHERIT_MAX];
    uint32_t bytes = request->message->length;
    mnos_status_t status = MNOS_OK;

    if (bytes > sizeof handles || bytes % sizeof handles[0] != 0)
        return MNOS_ERR_SIZE;
    (void)message_get(request->message, handles, bytes);
    if (from == NULL)
        return MNOS_ERR_NOT_FOUND;
    if (request->message->cap_count == 0 || from->object != request->session->object)
        return MNOS_ERR_ARGUMENT;
    for (uint32_t i = 0; i < bytes / sizeof handles[0] && status == MNOS_OK; i++)
        status = inherit(server, request, handle_of(server->loop.sessions, from, handles[i]),
                         &handles[i]);
    return status != MNOS_OK ? status : file_server_answer(request, handles, bytes);
}

mnos_status_t file_server_CLOSE_TREE(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_session *session = named_session(server, request);

    if (session == NULL)
        return MNOS_ERR_NOT_FOUND;
    if ((request->session->rights & FILE_REVOKE) == 0 &&
        !session_is_below(server->loop.sessions, session, request->session))
        return MNOS_ERR_DENIED;
    if (request->message->cap_count == 0)
        return MNOS_ERR_ARGUMENT; /* none was named */
    session_close_tree(server->loop.sessions, session, &server->loop.owner);
    return file_server_answer(request, NULL, 0);
}

mnos_status_t file_server_SESSION_INFO(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_session *session = named_session(server, request);
    struct file_session_info info;

    if (session == NULL)
        return MNOS_ERR_NOT_FOUND;
    info = (struct file_session_info){.root = session->object,
                                      .rights = session->rights,
                                      .handles = session->handle_count,
                                      .below = session_count_below(server->loop.sessions, session)};
    return file_server_answer(request, &info, sizeof info);
}

/* ---- Handles ---- */

mnos_status_t file_server_CLOSE(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_handle *handle;
    struct file_handle wanted;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, 0, &handle);
    if (status != MNOS_OK)
        return status;
    handle_close(server->loop.sessions, handle, &server->loop.owner);
    return file_server_answer(request, NULL, 0);
}

mnos_status_t file_server_ATTR(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_handle *handle;
    struct file_handle wanted;
    struct file_attr attr;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, 0, &handle);
    if (status != MNOS_OK)
        return status;
    status = server->system.methods->attr(server->system.fs, handle->object, &attr);
    return status != MNOS_OK ? status : file_server_answer(request, &attr, sizeof attr);
}

/* Bytes of the file could not be written since this handle was told of it last. */
static mnos_status_t tell_of_failures(struct file_server *server, struct server_handle *handle)
{
    const struct file_methods *methods = server->system.methods;
    uint16_t failures;

    if (methods->failures == NULL)
        return MNOS_OK;
    failures = methods->failures(server->system.fs, handle->object);
    if (failures == handle->failures)
        return MNOS_OK;
    STATE_SET(handle->failures, failures);
    return MNOS_ERR_DEVICE;
}

mnos_status_t file_server_FSYNC(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_handle *handle;
    struct file_handle wanted;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, 0, &handle);
    if (status == MNOS_OK)
        status =
            server->system.methods->sync(server->system.fs, handle->object, &request->progress[0]);
    if (status == MNOS_OK)
        status = tell_of_failures(server, handle);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}

mnos_status_t file_server_SYNC(void *context, struct server_request *request)
{
    struct file_server *server = context;
    mnos_status_t status =
        server->system.methods->sync(server->system.fs, 0, &request->progress[0]);

    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}
