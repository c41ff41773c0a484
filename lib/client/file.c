// SPDX-License-Identifier: MIT
/*
 * file - open files: see file.h. Up to INLINE_BYTES travel in the message; more goes through the
 * window, where the first part serves for buffers that are elsewhere, the last for the cells of views,
 * and the rest is given out by file_buffer().
 */
#include "lib/client/file.h"

#include "lib/client/file_internal.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

#define INLINE_BYTES 1024u
#define BOUNCE_BYTES 32768u

void *file_buffer(struct file_session *session, uint64_t bytes)
{
    void *buffer = NULL;

    bytes = (bytes + 63) & ~63ull;
    mutex_lock(&session->lock);
    if (session->window != NULL &&
        bytes <= session->window_bytes - BOUNCE_BYTES - FILE_CELLS_BYTES - session->buffers_used) {
        buffer = session->window + BOUNCE_BYTES + session->buffers_used;
        session->buffers_used += bytes;
    }
    mutex_unlock(&session->lock);
    return buffer;
}

mnos_status_t file_quick_on(const struct file_session *session, struct message *message,
                            const struct ipc_registers *regs, uint64_t rax)
{
    mnos_status_t status = MNOS_OK;

    if ((uint32_t)rax != MNOS_OK)
        status = error_record(MNOS_SYS_ipc_call, rax);
    else
        message_fill(message, regs);
    return service_call_on(session->service, message, status);
}

static __attribute__((noinline)) mnos_status_t close_on(struct file_session *session,
                                                        uint64_t handle, uint32_t lane,
                                                        struct ipc_registers regs, uint64_t rax,
                                                        uint32_t run)
{
    uint32_t label = file_label(session, FILE_CLOSE, lane);
    struct message message = {.words = {handle},
                              .info = MNOS_INFO(label, sizeof(struct file_handle))};
    mnos_status_t status = file_quick_on(session, &message, &regs, rax);

    if (status != MNOS_OK)
        return file_call_failed(session, run, lane, status);
    file_give_lane(session, lane);
    return MNOS_OK;
}

mnos_status_t file_close(struct file *file)
{
    struct file_session *session = file->session;
    uint64_t handle = file->handle, rax;
    uint32_t run, lane;
    struct ipc_registers regs;

    file->handle = 0;
    if (file->run != session->runs)
        return MNOS_ERR_LOST;
    lane = file_take_lane(session);
    run = session->runs; /* while this waited for a lane the session may have begun anew */
    regs = (struct ipc_registers){.rdx = handle};
    if (!file_quick_call(session, file_label(session, FILE_CLOSE, lane), sizeof(struct file_handle),
                         &regs, &rax))
        return close_on(session, handle, lane, regs, rax, run);
    file_give_lane(session, lane);
    return MNOS_OK;
}

mnos_status_t file_attributes(const struct file *file, struct file_attr *attr)
{
    struct file_handle record = {file->handle};
    struct message message;
    mnos_status_t status = file_ask(file, FILE_ATTR, &record, sizeof record, &message);

    if (status == MNOS_OK)
        (void)message_get(&message, attr, sizeof *attr);
    return status;
}

mnos_status_t file_truncate(const struct file *file, uint64_t size)
{
    struct file_truncate record = {file->handle, size};
    struct message message;

    return file_ask(file, FILE_TRUNCATE, &record, sizeof record, &message);
}

mnos_status_t file_set_time(const struct file *file, uint32_t flags, int64_t modified_ns)
{
    struct file_set_time record = {file->handle, modified_ns, flags};
    struct message message;

    return file_ask(file, FILE_SET_TIME, &record, sizeof record, &message);
}

mnos_status_t file_sync(const struct file *file)
{
    struct file_handle record = {file->handle};
    struct message message;

    return file_ask(file, FILE_FSYNC, &record, sizeof record, &message);
}

mnos_status_t file_allocate(const struct file *file, uint64_t offset, uint64_t bytes,
                            uint32_t flags)
{
    struct file_allocate record = {file->handle, offset, bytes, flags};
    mnos_status_t status = MNOS_OK;

    while (record.bytes != 0 && status == MNOS_OK) {
        struct file_count count = {0};
        struct message message;

        status = file_ask(file, FILE_ALLOCATE, &record, sizeof record, &message);
        if (status == MNOS_OK)
            (void)message_get(&message, &count, sizeof count);
        if (status == MNOS_OK && (count.bytes == 0 || count.bytes > record.bytes))
            status = MNOS_ERR_FORMAT;
        record.offset += count.bytes;
        record.bytes -= status == MNOS_OK ? count.bytes : 0;
    }
    return status;
}

mnos_status_t file_seek(const struct file *file, uint64_t offset, enum file_seek_what what,
                        uint64_t *found)
{
    struct file_seek record = {.handle = file->handle, .offset = offset, .what = what};
    struct message message;
    mnos_status_t status = file_ask(file, FILE_SEEK, &record, sizeof record, &message);

    if (status == MNOS_OK)
        *found = message.words[0];
    return status;
}

mnos_status_t file_lock(const struct file *file, const struct file_lock *lock)
{
    struct file_lock record = *lock;
    struct file_call call;

    record.handle = file->handle;
    if (file->run != file->session->runs)
        return MNOS_ERR_LOST;
    file_call_begin_once(&call, file->session, FILE_LOCK, NULL, 0);
    file_call_add(&call, &record, sizeof record);
    return file_call_send(file->session, &call);
}

static mnos_status_t watch(const struct file *file, mnos_cap_t endpoint, mnos_badge_t badge,
                           uint64_t events, enum file_watch_what what)
{
    struct file_watch record = {events, file->handle, what};
    struct file_call call;
    mnos_cap_t mine;
    mnos_status_t status;

    if (file->run != file->session->runs)
        return MNOS_ERR_LOST;
    status = sys_cap_create(MNOS_CREATE_MINT, endpoint, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, badge,
                            events, &mine);
    if (status != MNOS_OK)
        return status;
    file_call_begin(&call, FILE_WATCH, &record, sizeof record);
    message_add_cap(&call.message, mine, MNOS_RIGHT_WRITE);
    status = file_call_send(file->session, &call);
    (void)!sys_cap_delete(mine); /* the service's copy stays, and tells when the service ends */
    return status;
}

mnos_status_t file_watch(const struct file *file, mnos_cap_t endpoint, mnos_badge_t badge,
                         uint64_t events)
{
    return watch(file, endpoint, badge, events, FILE_WATCH_CHANGES);
}

mnos_status_t file_watch_opens(const struct file *directory, mnos_cap_t endpoint,
                               mnos_badge_t badge, uint64_t events)
{
    return watch(directory, endpoint, badge, events, FILE_WATCH_OPENS);
}

/* ---- Bytes ---- */

/* One request about a range of the window; *count becomes how many bytes it moved. */
static inline mnos_status_t move(const struct file *file, uint32_t operation, uint64_t offset,
                                 uint64_t at, uint64_t length, uint64_t *count)
{
    struct file_io io = {file->handle, offset, at, length};
    struct message message;
    mnos_status_t status = file_ask(file, operation, &io, sizeof io, &message);

    *count = status == MNOS_OK ? message.words[0] : 0;
    return status == MNOS_OK && *count > length ? MNOS_ERR_FORMAT : status;
}

static mnos_status_t read_inline(const struct file *file, uint64_t offset, void *bytes,
                                 uint64_t length, uint64_t *count)
{
    struct file_io io = {file->handle, offset, FILE_INLINE, length};
    struct message message;
    uint8_t reply[sizeof(struct file_count) + INLINE_BYTES];
    struct file_count head;
    mnos_status_t status = file_ask(file, FILE_READ, &io, sizeof io, &message);
    size_t got = message.length;

    *count = 0;
    if (status != MNOS_OK)
        return status;
    if (got < sizeof head || got > sizeof reply)
        return MNOS_ERR_FORMAT;
    (void)message_get(&message, reply, got);
    memcpy(&head, reply, sizeof head);
    if (head.bytes > length || got != sizeof head + head.bytes)
        return MNOS_ERR_FORMAT;
    memcpy(bytes, reply + sizeof head, head.bytes);
    *count = head.bytes;
    return MNOS_OK;
}

/* At most FILE_INLINE_BYTES_MAX. */
static mnos_status_t send_inline(const struct file *file, uint32_t operation, uint64_t offset,
                                 const void *bytes, uint64_t length, struct file_count *count)
{
    struct file_io io = {file->handle, offset, FILE_INLINE, length};
    struct file_call call;
    mnos_status_t status;

    *count = (struct file_count){0};
    if (file->run != file->session->runs)
        return MNOS_ERR_LOST;
    if (operation == FILE_APPEND)
        file_call_begin_once(&call, file->session, operation, &io, sizeof io);
    else
        file_call_begin(&call, operation, &io, sizeof io);
    file_call_add(&call, bytes, length);
    status = file_call_send(file->session, &call);
    if (status == MNOS_OK)
        (void)message_get(&call.message, count, sizeof *count);
    return status;
}

/* Where in the window a buffer of the program lies; false: elsewhere. */
static inline bool in_window(const struct file_session *session, const void *bytes, uint64_t length,
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

/* A buffer outside of the window, through its first part. */
static mnos_status_t transfer(const struct file *file, uint32_t operation, uint64_t offset,
                              uint8_t *to, const uint8_t *from, uint64_t length, uint64_t *count)
{
    mnos_status_t status = MNOS_OK;
    uint64_t moved;

    for (*count = 0; *count < length; *count += moved) {
        status = bounce(file, operation, offset + *count, to == NULL ? NULL : to + *count,
                        from == NULL ? NULL : from + *count, length - *count, &moved);
        if (status != MNOS_OK || moved == 0)
            break;
    }
    if (status == MNOS_ERR_LOST) {
        struct file_attr attr;

        (void)!file_attributes(file, &attr); /* lets the session begin anew */
    }
    return *count != 0 && status != MNOS_ERR_LOST ? MNOS_OK : status;
}

/* A buffer in the window, at `at`: one copy, which the service makes. */
static inline mnos_status_t transfer_direct(const struct file *file, uint32_t operation,
                                            uint64_t offset, uint64_t at, uint64_t length,
                                            uint64_t *count)
{
    mnos_status_t status = MNOS_OK;
    uint64_t moved;

    for (*count = 0; *count < length; *count += moved) {
        status = move(file, operation, offset + *count, at + *count, length - *count, &moved);
        if (status != MNOS_OK || moved == 0)
            break;
    }
    return *count != 0 && status != MNOS_ERR_LOST ? MNOS_OK : status;
}

mnos_status_t file_read(const struct file *file, uint64_t offset, void *bytes, uint64_t length,
                        uint64_t *count)
{
    uint64_t at;

    if (in_window(file->session, bytes, length, &at))
        return transfer_direct(file, FILE_READ, offset, at, length, count);
    if (length <= INLINE_BYTES)
        return read_inline(file, offset, bytes, length, count);
    return transfer(file, FILE_READ, offset, bytes, NULL, length, count);
}

mnos_status_t file_write(const struct file *file, uint64_t offset, const void *bytes,
                         uint64_t length, uint64_t *count)
{
    struct file_count written;
    mnos_status_t status;
    uint64_t at;

    if (in_window(file->session, bytes, length, &at))
        return transfer_direct(file, FILE_WRITE, offset, at, length, count);
    if (length > INLINE_BYTES)
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
    struct message message;
    mnos_status_t status = file_ask(directory, FILE_READDIR, &record, sizeof record, &message);

    if (status != MNOS_OK)
        return status;
    if (message_get(&message, listing->bytes, sizeof listing->bytes) < sizeof names)
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
