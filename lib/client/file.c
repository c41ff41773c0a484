// SPDX-License-Identifier: MIT
/*
 * file - open files: see file.h. Up to INLINE_BYTES travel in the message; more goes through the
 * window, where the first part serves for buffers that are elsewhere, and the rest is given out by
 * file_buffer().
 */
#include "lib/client/file.h"

#include "lib/client/file_internal.h"
#include "lib/base/string.h"

#define INLINE_BYTES 1024u
#define BOUNCE_BYTES 32768u

void *file_buffer(struct file_session *session, uint64_t bytes)
{
    void *buffer = NULL;

    bytes = (bytes + 63) & ~63ull;
    mutex_lock(&session->lock);
    if (session->window != NULL &&
        bytes <= session->window_bytes - BOUNCE_BYTES - session->buffers_used) {
        buffer = session->window + BOUNCE_BYTES + session->buffers_used;
        session->buffers_used += bytes;
    }
    mutex_unlock(&session->lock);
    return buffer;
}

static mnos_status_t simple(const struct file *file, uint32_t operation, bool once,
                            const void *record, size_t bytes, struct file_call *call)
{
    file_call_begin(call, operation, once, record, bytes);
    return file_call_on(file, call);
}

mnos_status_t file_close(struct file *file)
{
    struct file_handle record = {file->handle};
    struct file_call call;
    mnos_status_t status = simple(file, FILE_CLOSE, true, &record, sizeof record, &call);

    file->handle = 0;
    return status;
}

mnos_status_t file_attributes(const struct file *file, struct file_attr *attr)
{
    struct file_handle record = {file->handle};
    struct file_call call;
    mnos_status_t status = simple(file, FILE_ATTR, false, &record, sizeof record, &call);

    if (status == MNOS_OK)
        (void)message_get(&call.message, attr, sizeof *attr);
    return status;
}

mnos_status_t file_truncate(const struct file *file, uint64_t size)
{
    struct file_truncate record = {file->handle, size};
    struct file_call call;

    return simple(file, FILE_TRUNCATE, false, &record, sizeof record, &call);
}

mnos_status_t file_sync(const struct file *file)
{
    struct file_handle record = {file->handle};
    struct file_call call;

    return simple(file, FILE_FSYNC, false, &record, sizeof record, &call);
}

/* ---- Bytes ---- */

/* One request about a range of the window; *count becomes how many bytes it moved. */
static mnos_status_t move(const struct file *file, uint32_t operation, uint64_t offset, uint64_t at,
                          uint64_t length, uint64_t *count)
{
    struct file_io io = {file->handle, offset, at, length};
    struct file_call call;
    mnos_status_t status = simple(file, operation, false, &io, sizeof io, &call);

    *count = status == MNOS_OK ? call.message.words[0] : 0;
    return status == MNOS_OK && *count > length ? MNOS_ERR_FORMAT : status;
}

static mnos_status_t read_inline(const struct file *file, uint64_t offset, void *bytes,
                                 uint64_t length, uint64_t *count)
{
    struct file_io io = {file->handle, offset, FILE_INLINE, length};
    struct file_call call;
    struct file_count head;
    mnos_status_t status = simple(file, FILE_READ, false, &io, sizeof io, &call);
    size_t got;

    *count = 0;
    if (status != MNOS_OK)
        return status;
    got = message_get(&call.message, call.request, sizeof call.request);
    memcpy(&head, call.request, sizeof head);
    if (head.bytes > length || got != sizeof head + head.bytes)
        return MNOS_ERR_FORMAT;
    memcpy(bytes, call.request + sizeof head, head.bytes);
    *count = head.bytes;
    return MNOS_OK;
}

static mnos_status_t send_inline(const struct file *file, uint32_t operation, uint64_t offset,
                                 const void *bytes, uint64_t length, struct file_count *count)
{
    struct file_io io = {file->handle, offset, FILE_INLINE, length};
    struct file_call call;
    mnos_status_t status;

    file_call_begin(&call, operation, operation == FILE_APPEND, &io, sizeof io);
    status = file_call_add(&call, bytes, length);
    if (status == MNOS_OK)
        status = file_call_on(file, &call);
    *count = (struct file_count){0};
    if (status == MNOS_OK)
        (void)message_get(&call.message, count, sizeof *count);
    return status;
}

/* Where in the window a buffer of the program lies; false: elsewhere. */
static bool in_window(const struct file_session *session, const void *bytes, uint64_t length,
                      uint64_t *at)
{
    *at = (uint64_t)bytes - (uint64_t)session->window;
    return *at < session->window_bytes && length <= session->window_bytes - *at;
}

/* A part of a transfer whose buffer lies outside of the window: a second copy. */
static mnos_status_t bounce(const struct file *file, uint32_t operation, uint64_t offset,
                            uint8_t *to, const uint8_t *from, uint64_t length, uint64_t *count)
{
    struct file_session *session = file->session;
    mnos_status_t status = MNOS_ERR_LOST;

    *count = 0;
    if (length > BOUNCE_BYTES)
        length = BOUNCE_BYTES;
    mutex_lock(&session->lock);
    if (session->window == NULL) {
        status = MNOS_ERR_DIRECTORY; /* the service has nothing else */
    } else if (file->run == session->runs) {
        struct file_io io = {file->handle, offset, 0, length};
        struct message message = {0};

        if (from != NULL)
            memcpy(session->window, from, length);
        /* Not by file_call_send(), which would want the lock when the session is lost. */
        do {
            message_put(&message, operation, &io, sizeof io);
            status = ipc_request(session->service, &message);
        } while (status == MNOS_ERR_PEER);
        if (file_is_lost(status))
            status = MNOS_ERR_LOST;
        if (status == MNOS_OK)
            *count = message.words[0] <= length ? message.words[0] : 0;
        if (to != NULL)
            memcpy(to, session->window, *count);
    }
    mutex_unlock(&session->lock);
    return status;
}

static mnos_status_t transfer(const struct file *file, uint32_t operation, uint64_t offset,
                              uint8_t *to, const uint8_t *from, uint64_t length, uint64_t *count)
{
    uint64_t at, moved;
    bool direct = in_window(file->session, to != NULL ? to : from, length, &at);
    mnos_status_t status = MNOS_OK;

    for (*count = 0; *count < length; *count += moved) {
        uint64_t left = length - *count;

        if (direct)
            status = move(file, operation, offset + *count, at + *count, left, &moved);
        else
            status = bounce(file, operation, offset + *count, to == NULL ? NULL : to + *count,
                            from == NULL ? NULL : from + *count, left, &moved);
        if (status != MNOS_OK || moved == 0)
            break;
    }
    if (status == MNOS_ERR_LOST) {
        struct file_attr attr;

        (void)!file_attributes(file, &attr); /* lets the session begin anew */
    }
    return *count != 0 && status != MNOS_ERR_LOST ? MNOS_OK : status;
}

mnos_status_t file_read(const struct file *file, uint64_t offset, void *bytes, uint64_t length,
                        uint64_t *count)
{
    uint64_t at;

    if (length <= INLINE_BYTES && !in_window(file->session, bytes, length, &at))
        return read_inline(file, offset, bytes, length, count);
    return transfer(file, FILE_READ, offset, bytes, NULL, length, count);
}

mnos_status_t file_write(const struct file *file, uint64_t offset, const void *bytes,
                         uint64_t length, uint64_t *count)
{
    struct file_count written;
    mnos_status_t status;
    uint64_t at;

    if (length > INLINE_BYTES || in_window(file->session, bytes, length, &at))
        return transfer(file, FILE_WRITE, offset, NULL, bytes, length, count);
    status = send_inline(file, FILE_WRITE, offset, bytes, length, &written);
    *count = written.bytes;
    return status;
}

mnos_status_t file_append(const struct file *file, const void *bytes, uint64_t length,
                          uint64_t *offset)
{
    struct file_count written;
    mnos_status_t status = length > FILE_INLINE_BYTES_MAX
                               ? MNOS_ERR_SIZE
                               : send_inline(file, FILE_APPEND, 0, bytes, length, &written);

    if (status == MNOS_OK && written.bytes != length)
        status = MNOS_ERR_FULL;
    if (status == MNOS_OK)
        *offset = written.offset;
    return status;
}

/* ---- Directories ---- */

static mnos_status_t more_names(const struct file *directory, struct file_listing *listing)
{
    struct file_readdir record = {directory->handle, listing->cookie};
    struct file_names names;
    struct file_call call;
    mnos_status_t status = simple(directory, FILE_READDIR, false, &record, sizeof record, &call);

    if (status != MNOS_OK)
        return status;
    if (message_get(&call.message, listing->bytes, sizeof listing->bytes) < sizeof names)
        return MNOS_ERR_FORMAT;
    memcpy(&names, listing->bytes, sizeof names);
    listing->at = sizeof names;
    listing->count = names.count;
    listing->cookie = names.next;
    listing->end = names.end != 0;
    return MNOS_OK;
}

mnos_status_t file_next_name(const struct file *directory, struct file_listing *listing)
{
    struct file_name record;

    while (listing->count == 0) {
        mnos_status_t status = listing->end ? MNOS_ERR_END : more_names(directory, listing);

        if (status != MNOS_OK)
            return status;
    }
    if (listing->at > sizeof listing->bytes - sizeof record)
        return MNOS_ERR_FORMAT;
    memcpy(&record, listing->bytes + listing->at, sizeof record);
    if (record.bytes > FILE_NAME_BYTES_MAX ||
        record.bytes > sizeof listing->bytes - listing->at - sizeof record)
        return MNOS_ERR_FORMAT;
    memcpy(listing->name, listing->bytes + listing->at + sizeof record, record.bytes);
    listing->name[record.bytes] = 0;
    listing->type = record.type;
    listing->inode = record.inode;
    listing->at += (uint32_t)(sizeof record + record.bytes + 7) & ~7u;
    listing->count--;
    return MNOS_OK;
}
