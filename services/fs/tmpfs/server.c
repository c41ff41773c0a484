// SPDX-License-Identifier: MIT
/* server - sessions, handles and bytes: see server.h. Requests with paths are in paths.c. */
#include "services/fs/tmpfs/server.h"

#include "lib/server/export.h"
#include "lib/base/string.h"

static const struct server_operation operations[LABEL_OPERATIONS] = {
#define REQUEST(label, name, class, request, reply, text)                                          \
    [label] = {tmpfs_handle_##name, SERVER_CLASS_##class},
#include "protocols/file.def"
#undef REQUEST
};

static void drop(void *context, uint32_t object)
{
    struct tmpfs_server *server = context;

    tmpfs_drop(server->fs, object);
}

static void ended(void *context, uint32_t number)
{
    struct tmpfs_server *server = context;
    struct window *window = &server->windows[number - 1];

    server->window_bytes[session_at(server->loop.sessions, number)->account] -=
        window_bytes(window);
    window_close(window);
}

void tmpfs_server_init(struct tmpfs_server *server, struct tmpfs *fs, struct sessions *sessions,
                       mnos_cap_t endpoint, void (*grow)(struct tmpfs_server *server))
{
    server->fs = fs;
    server->grow = grow;
    server->loop = (struct server_loop){
        .endpoint = endpoint,
        .sessions = sessions,
        .operations = operations,
        .open_session = FILE_OPEN_SESSION,
        .owner = {.context = server, .drop = drop, .ended = ended},
    };
}

mnos_status_t tmpfs_record(const struct server_request *request, void *record, size_t bytes)
{
    if (request->message->length != bytes)
        return MNOS_ERR_SIZE;
    memcpy(record, request->message->words, bytes);
    return MNOS_OK;
}

mnos_status_t tmpfs_answer(struct server_request *request, const void *record, size_t bytes)
{
    message_put(request->message, MNOS_OK, record, bytes);
    return MNOS_OK;
}

void tmpfs_make_room(struct tmpfs_server *server)
{
    if (server->fs->free_page_count < SERVER_PAGES_KEPT)
        server->grow(server);
}

mnos_status_t tmpfs_handle(struct tmpfs_server *server, const struct server_request *request,
                           uint64_t number, uint32_t rights, struct server_handle **handle)
{
    *handle = handle_of(server->loop.sessions, request->session, number);
    if (*handle == NULL)
        return MNOS_ERR_FILE;
    return ((*handle)->rights & rights) == rights ? MNOS_OK : MNOS_ERR_DENIED;
}

/* ---- Sessions ---- */

/* The first request of a client that the service manager gave a capability to. What the session has
 * stays its window: the client may have mapped it already. */
static mnos_status_t begin_session(struct tmpfs_server *server, struct server_request *request)
{
    mnos_badge_t badge = request->message->badge;

    if (request->session != NULL) {
        session_reset(server->loop.sessions, request->session, &server->loop.owner);
        return MNOS_OK;
    }
    if (badge == 0)
        return MNOS_ERR_DENIED; /* who it is cannot be told */
    if (badge & SESSION_EXPORTED)
        return MNOS_ERR_LOST; /* it was closed */
    request->session =
        session_make(server->loop.sessions, badge, NULL, TMPFS_ROOT, FILE_RIGHTS_ALL);
    if (request->session == NULL)
        return MNOS_ERR_QUOTA;
    tmpfs_hold(server->fs, TMPFS_ROOT);
    return MNOS_OK;
}

static mnos_status_t give_window(struct tmpfs_server *server, const struct server_request *request,
                                 uint64_t bytes, struct window **given)
{
    struct window *window =
        &server->windows[session_number(server->loop.sessions, request->session) - 1];
    uint64_t *charged = &server->window_bytes[request->session->account];
    mnos_status_t status = MNOS_OK;

    *given = window;
    if (window_bytes(window) != 0)
        return MNOS_OK;
    if (bytes < FILE_WINDOW_BYTES_MIN)
        bytes = FILE_WINDOW_BYTES_MIN;
    if (bytes > FILE_WINDOW_BYTES_MAX)
        bytes = FILE_WINDOW_BYTES_MAX;
    if (*charged + bytes > SERVER_WINDOW_SHARE_BYTES)
        return MNOS_ERR_QUOTA;
    status = window_open(window, bytes);
    *charged += window_bytes(window);
    return status;
}

mnos_status_t tmpfs_handle_OPEN_SESSION(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct file_open_session wanted;
    struct file_limits limits;
    struct window *window;
    mnos_status_t status = tmpfs_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = begin_session(server, request);
    if (status == MNOS_OK)
        status = give_window(server, request, wanted.window_bytes, &window);
    if (status != MNOS_OK)
        return status;
    limits = (struct file_limits){.window_bytes = window_bytes(window),
                                  .rights = request->session->rights,
                                  .lanes = LABEL_LANES,
                                  .handles = SERVER_HANDLES / SESSION_SHARE,
                                  .type = tmpfs_inode(server->fs, request->session->object)->type,
                                  .root = request->session->object};
    (void)tmpfs_answer(request, &limits, sizeof limits);
    message_add_cap(request->message, window->memory.memory, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    return MNOS_OK;
}

mnos_status_t tmpfs_handle_EXPORT(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct sessions *sessions = server->loop.sessions;
    struct server_session *made;
    struct server_handle *handle;
    struct file_export wanted;
    mnos_badge_t badge = sessions->next_badge;
    mnos_status_t status = tmpfs_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status =
            tmpfs_handle(server, request, wanted.handle, wanted.rights & ~FILE_REVOKE, &handle);
    if (status == MNOS_OK && (wanted.rights & ~request->session->rights) != 0)
        status = MNOS_ERR_DENIED;
    if (status != MNOS_OK)
        return status;
    made = session_make(sessions, badge, request->session, handle->object, wanted.rights);
    if (made == NULL)
        return MNOS_ERR_QUOTA;
    sessions->next_badge++;
    tmpfs_hold(server->fs, handle->object);
    status = server_export(server->loop.endpoint, request->message, badge);
    if (status == MNOS_OK)
        return SERVER_ASIDE; /* answered */
    session_gone(sessions, made, &server->loop.owner);
    return status;
}

/* The session that a request names by its capability; without one the asker's own. */
static struct server_session *named_session(struct tmpfs_server *server,
                                            const struct server_request *request)
{
    if (request->message->cap_count == 0)
        return request->session;
    return session_of(server->loop.sessions, message_cap_badge(request->message, 0));
}

mnos_status_t tmpfs_handle_CLOSE_TREE(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct server_session *session = named_session(server, request);

    if ((request->session->rights & FILE_REVOKE) == 0)
        return MNOS_ERR_DENIED;
    if (session == NULL)
        return MNOS_ERR_NOT_FOUND;
    if (request->message->cap_count == 0)
        return MNOS_ERR_ARGUMENT; /* none was named */
    session_close_tree(server->loop.sessions, session, &server->loop.owner);
    return tmpfs_answer(request, NULL, 0);
}

mnos_status_t tmpfs_handle_SESSION_INFO(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct server_session *session = named_session(server, request);
    struct file_session_info info;

    if (session == NULL)
        return MNOS_ERR_NOT_FOUND;
    info = (struct file_session_info){.root = session->object,
                                      .rights = session->rights,
                                      .handles = session->handle_count,
                                      .below = session_count_below(server->loop.sessions, session)};
    return tmpfs_answer(request, &info, sizeof info);
}

/* ---- Handles ---- */

mnos_status_t tmpfs_handle_CLOSE(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct server_handle *handle;
    struct file_handle wanted;
    mnos_status_t status = tmpfs_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = tmpfs_handle(server, request, wanted.handle, 0, &handle);
    if (status != MNOS_OK)
        return status;
    handle_close(server->loop.sessions, handle, &server->loop.owner);
    return tmpfs_answer(request, NULL, 0);
}

mnos_status_t tmpfs_handle_ATTR(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct server_handle *handle;
    struct file_handle wanted;
    struct file_attr attr;
    mnos_status_t status = tmpfs_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = tmpfs_handle(server, request, wanted.handle, 0, &handle);
    if (status != MNOS_OK)
        return status;
    tmpfs_attr(server->fs, handle->object, &attr);
    return tmpfs_answer(request, &attr, sizeof attr);
}

/* Memory is all there is, so everything is as safe as it can become. */
mnos_status_t tmpfs_handle_FSYNC(void *context, struct server_request *request)
{
    struct server_handle *handle;
    struct file_handle wanted;
    mnos_status_t status = tmpfs_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = tmpfs_handle(context, request, wanted.handle, 0, &handle);
    return status != MNOS_OK ? status : tmpfs_answer(request, NULL, 0);
}

mnos_status_t tmpfs_handle_SYNC(void *, struct server_request *request)
{
    return tmpfs_answer(request, NULL, 0);
}

mnos_status_t tmpfs_handle_STATFS(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct file_space space;

    tmpfs_space(server->fs, request->session->account, &space);
    return tmpfs_answer(request, &space, sizeof space);
}

/* ---- Bytes ---- */

/* The open file of a request, and where its bytes are: in the window, or NULL: in the message. */
static mnos_status_t prepare(struct tmpfs_server *server, const struct server_request *request,
                             uint32_t right, struct file_io *io, struct server_handle **handle,
                             void **bytes)
{
    uint32_t number = session_number(server->loop.sessions, request->session);
    mnos_status_t status;

    if (request->message->length < sizeof *io)
        return MNOS_ERR_SIZE;
    memcpy(io, request->message->words, sizeof *io);
    status = tmpfs_handle(server, request, io->handle, right, handle);
    if (status != MNOS_OK)
        return status;
    if (tmpfs_inode(server->fs, (*handle)->object)->type != FILE_TYPE_FILE)
        return MNOS_ERR_DIRECTORY;
    *bytes = NULL;
    if (io->window_offset == FILE_INLINE)
        return io->length > FILE_INLINE_BYTES_MAX ? MNOS_ERR_SIZE : MNOS_OK;
    *bytes = window_range(&server->windows[number - 1], io->window_offset, io->length);
    return *bytes == NULL ? MNOS_ERR_ARGUMENT : MNOS_OK;
}

mnos_status_t tmpfs_handle_READ(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct file_count count = {0};
    struct server_handle *handle;
    struct file_io io;
    void *to;
    mnos_status_t status = prepare(server, request, FILE_READ_RIGHT, &io, &handle, &to);

    if (status != MNOS_OK)
        return status;
    count.offset = io.offset;
    count.bytes = tmpfs_read(server->fs, handle->object, io.offset,
                             to != NULL ? to : server->reply + sizeof count, io.length);
    if (to != NULL)
        return tmpfs_answer(request, &count, sizeof count);
    memcpy(server->reply, &count, sizeof count);
    return tmpfs_answer(request, server->reply, sizeof count + count.bytes);
}

static mnos_status_t write_bytes(struct tmpfs_server *server, struct server_request *request,
                                 bool append)
{
    struct server_handle *handle;
    struct file_count count;
    struct file_io io;
    void *from;
    mnos_status_t status = prepare(server, request, FILE_WRITE_RIGHT, &io, &handle, &from);

    if (status != MNOS_OK)
        return status;
    if (request->message->length != sizeof io + (from == NULL ? io.length : 0))
        return MNOS_ERR_SIZE;
    if (from == NULL) {
        (void)message_get(request->message, server->request, request->message->length);
        from = server->request + sizeof io;
    }
    tmpfs_make_room(server);
    count.offset = append ? tmpfs_inode(server->fs, handle->object)->size : io.offset;
    status = tmpfs_write(server->fs, handle->object, count.offset, from, io.length, &count.bytes);
    return status != MNOS_OK ? status : tmpfs_answer(request, &count, sizeof count);
}

mnos_status_t tmpfs_handle_WRITE(void *context, struct server_request *request)
{
    return write_bytes(context, request, false);
}

mnos_status_t tmpfs_handle_APPEND(void *context, struct server_request *request)
{
    return write_bytes(context, request, true);
}

mnos_status_t tmpfs_handle_TRUNCATE(void *context, struct server_request *request)
{
    struct tmpfs_server *server = context;
    struct server_handle *handle;
    struct file_truncate wanted;
    mnos_status_t status = tmpfs_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = tmpfs_handle(server, request, wanted.handle, FILE_WRITE_RIGHT, &handle);
    if (status == MNOS_OK && tmpfs_inode(server->fs, handle->object)->type != FILE_TYPE_FILE)
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK)
        status = tmpfs_truncate(server->fs, handle->object, wanted.size);
    return status != MNOS_OK ? status : tmpfs_answer(request, NULL, 0);
}
