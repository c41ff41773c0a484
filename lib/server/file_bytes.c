// SPDX-License-Identifier: MIT
/*
 * file_bytes - reading and writing, and the time of that: see file_server.h. A request for more than is in memory goes
 * on where it was when it runs again; meanwhile it holds the file against others that write, so that bytes that are
 * appended stay together.
 *
 * Bytes are written in parts, and after each the state is sound (server_keep_progress()). A WRITE that is sent again
 * after a death of the service writes the same bytes once more; an APPEND goes on behind those that it has written.
 */
#include "lib/base/string.h"
#include "lib/server/file_server.h"

/* progress[0] is how many bytes are done, progress[1] the offset of the first; that of READ is the request's. */
enum { DONE, BEGIN };

/* The open file of a request, and where its bytes are: in the window, or NULL: in the message. */
static inline mnos_status_t prepare(struct file_server *server,
                                    const struct server_request *request, uint32_t right,
                                    struct file_io *io, uint32_t *inode, uint8_t **bytes)
{
    struct server_handle *handle;
    mnos_status_t status;

    if (request->message->length < sizeof *io)
        return MNOS_ERR_SIZE;
    memcpy(io, request->message->words, sizeof *io);
    status = file_server_handle(server, request, io->handle, right, &handle);
    if (status == MNOS_OK && handle->type != FILE_TYPE_FILE)
        status = MNOS_ERR_DIRECTORY;
    if (status != MNOS_OK)
        return status;
    *inode = handle->object;
    *bytes = NULL;
    if (io->window_offset == FILE_INLINE)
        return io->length > FILE_INLINE_BYTES_MAX ? MNOS_ERR_SIZE : MNOS_OK;
    *bytes =
        window_range(&server->windows[request->session->number - 1], io->window_offset, io->length);
    return *bytes == NULL ? MNOS_ERR_ARGUMENT : MNOS_OK;
}

/* Ends at the length, at the end of the file, or at what has to be waited for. */
static inline mnos_status_t read_on(struct file_server *server, uint32_t inode,
                                    const struct file_io *io, uint8_t *to, uint64_t *done)
{
    mnos_status_t status = MNOS_OK;
    uint64_t at = *done, count = 1;

    while (at < io->length && count != 0) {
        status = server->system.methods->read(server->system.fs, inode, io->offset + at, to + at,
                                              io->length - at, &count);
        if (status != MNOS_OK)
            break;
        at += count;
    }
    *done = at;
    return status == SERVER_PARKED || at == 0 ? status : MNOS_OK;
}

mnos_status_t file_server_READ(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct file_count count = {0};
    struct file_io io;
    uint32_t inode;
    uint8_t *to;
    mnos_status_t status = prepare(server, request, FILE_READ_RIGHT, &io, &inode, &to);
    bool in_window = to != NULL;

    if (status != MNOS_OK)
        return status;
    if (io.length > UINT64_MAX - io.offset)
        io.length = UINT64_MAX - io.offset;
    if (!in_window) { /* what was read before it waited is not there any more */
        to = (uint8_t *)server->reply + sizeof count;
        request->progress[DONE] = 0;
    }
    status = read_on(server, inode, &io, to, &request->progress[DONE]);
    if (status != MNOS_OK)
        return status;
    count = (struct file_count){.bytes = request->progress[DONE], .offset = io.offset};
    if (in_window)
        return file_server_answer(request, &count, sizeof count);
    memcpy(server->reply, &count, sizeof count);
    return file_server_answer(request, server->reply, sizeof count + count.bytes);
}

static inline mnos_status_t hold_to_write(struct file_server *server,
                                          struct server_request *request, uint32_t inode,
                                          uint64_t offset, bool append, bool *ends)
{
    uint64_t size = 0;
    mnos_status_t status = MNOS_OK;
    bool goes_on = append && request->resumed && request->progress[DONE] != 0;

    *ends = false;
    if (request->holds == inode)
        return MNOS_OK;
    if (append && server->loop.park != NULL && request->parked == NULL &&
        !park_has_room(server->loop.park, request->session->account)) {
        /* What was appended before it had to wait could not be taken back: MNOS_ERR_AGAIN would be a lie, and what was
         * there before a death is told as it is. Writing the same bytes to the same place again is harmless. */
        request->had_no_effect = !goes_on;
        *ends = goes_on;
        return goes_on ? MNOS_OK : MNOS_ERR_AGAIN;
    }
    if (server->loop.park != NULL && park_held(server->loop.park, inode, request->parked)) {
        server->system.waits_for = PARK_OBJECT | inode;
        return SERVER_PARKED;
    }
    if (append)
        status = server->system.methods->size(server->system.fs, inode, &size);
    if (status != MNOS_OK)
        return status;
    request->holds = inode;
    if (goes_on) {
        /* The file was not held while the service was away: behind what others have appended meanwhile nothing is
         * added, and the answer says how much there is. */
        *ends = size != request->progress[BEGIN] + request->progress[DONE];
        return MNOS_OK;
    }
    request->progress[DONE] = 0;
    request->progress[BEGIN] = append ? size : offset;
    return MNOS_OK;
}

mnos_status_t file_server_begin_write(struct file_server *server, struct server_request *request,
                                      uint32_t inode, uint64_t offset, bool append, bool *ends)
{
    mnos_status_t status = hold_to_write(server, request, inode, offset, append, ends);

    if (status == MNOS_OK)
        request->touched = inode; /* whatever becomes of it from here on */
    return status;
}

/* Ends at the length, when there is no room, or at what has to be waited for. */
static mnos_status_t write_on(struct file_server *server, struct server_request *request,
                              uint32_t inode, const uint8_t *from, uint64_t length)
{
    uint64_t *done = &request->progress[DONE], first = *done;

    while (*done < length) {
        uint64_t count;
        mnos_status_t status;

        if (*done != first)
            server_keep_progress(request);
        status = server->system.methods->write(server->system.fs, inode,
                                               request->progress[BEGIN] + *done, from + *done,
                                               length - *done, &count);

        if (status != MNOS_OK)
            return status == SERVER_PARKED || *done == 0 ? status : MNOS_OK;
        if (count == 0)
            break;
        *done += count;
    }
    return MNOS_OK;
}

static mnos_status_t write_bytes(struct file_server *server, struct server_request *request,
                                 bool append)
{
    struct file_count count;
    struct file_io io;
    uint32_t inode;
    uint8_t *from;
    bool ends;
    mnos_status_t status = prepare(server, request, FILE_WRITE_RIGHT, &io, &inode, &from);

    if (status != MNOS_OK)
        return status;
    if (request->message->length != sizeof io + (from == NULL ? io.length : 0))
        return MNOS_ERR_SIZE;
    if (from == NULL)
        from = (uint8_t *)server_body(&server->loop, request) + sizeof io;
    status = file_server_begin_write(server, request, inode, io.offset, append, &ends);
    if (status == MNOS_OK && io.length > UINT64_MAX - request->progress[BEGIN])
        status = MNOS_ERR_SIZE;
    if (status == MNOS_OK && !ends)
        status = write_on(server, request, inode, from, io.length);
    if (status != MNOS_OK)
        return status;
    count = (struct file_count){request->progress[DONE], request->progress[BEGIN]};
    return file_server_answer(request, &count, sizeof count);
}

mnos_status_t file_server_WRITE(void *context, struct server_request *request)
{
    return write_bytes(context, request, false);
}

mnos_status_t file_server_APPEND(void *context, struct server_request *request)
{
    return write_bytes(context, request, true);
}

mnos_status_t file_server_TRUNCATE(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_handle *handle;
    struct file_truncate wanted;
    bool ends;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, FILE_WRITE_RIGHT, &handle);
    if (status == MNOS_OK && handle->type != FILE_TYPE_FILE)
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK)
        status = file_server_begin_write(server, request, handle->object, 0, false, &ends);
    if (status == MNOS_OK)
        status = file_server_truncate(server, handle->object, wanted.size);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}

mnos_status_t file_server_SET_TIME(void *context, struct server_request *request)
{
    struct file_server *server = context;
    const struct file_methods *methods = server->system.methods;
    struct server_handle *handle;
    struct file_set_time wanted;
    bool ends;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (methods->set_time == NULL)
        return MNOS_ERR_LABEL;
    if (status == MNOS_OK && (wanted.flags & ~(uint64_t)FILE_TIME_NOW) != 0)
        status = MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, FILE_WRITE_RIGHT, &handle);
    /* Who is in the middle of writing there would set it again. */
    if (status == MNOS_OK)
        status = file_server_begin_write(server, request, handle->object, 0, false, &ends);
    if (status == MNOS_OK)
        status = methods->set_time(server->system.fs, handle->object,
                                   (wanted.flags & FILE_TIME_NOW) != 0, wanted.modified_ns);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}
