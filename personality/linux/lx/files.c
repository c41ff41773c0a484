// SPDX-License-Identifier: MIT
/* files - what an open file of a mount does, and how it is opened. */
#include "lib/base/string.h"
#include "lib/mnos/memory.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/files.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/stat.h"
#include "personality/linux/lx/status.h"

/* Between the file system and the program: neither can be trusted to leave the other's bytes where they are while they
 * are copied, and the program's address may be none. */
static uint8_t between[65536] LX_SCRATCH;

static uint64_t part_of(uint64_t count)
{
    return count < sizeof between ? count : sizeof between;
}

/* ---- Views: a file that is read again and again is read where its file system keeps it (lib/client/file_view.h) ---- */

#define VIEW_READS 4u         /* from so many reads on: making one costs about as many */
#define VIEW_BYTES_MAX 16384u /* of one read: more at once is moved as well by a request */

static void drop_view(struct open_file *file)
{
    if (file->view == NULL)
        return;
    file_view_close(file->view);
    piece_free(file->view);
    file->view = NULL;
}

/* What is mapped there is the parent's alone; of the copy it is only an address. */
void files_forked(struct open_file *file)
{
    if (file->view == NULL)
        return;
    if (file->view->address != 0)
        address_release(file->view->address, FILE_VIEW_PART_PAGES);
    piece_free(file->view);
    file->view = NULL;
    file->reads = 0;
}

/* Whether the file has a view, and is to be read by it. */
static bool has_view(struct open_file *file)
{
    if (file->view != NULL)
        return true;
    if (++file->reads < VIEW_READS)
        return false;
    file->reads = 0;
    file->view = piece_allocate(sizeof *file->view);
    if (file->view == NULL)
        return false;
    file_view_open(file->view, &file->file);
    return true;
}

static int64_t read_view(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    uint64_t read, copied;
    mnos_status_t status;

    if (to < LX_BASE && count <= LX_BASE - to &&
        file_view_read_now(file->view, offset, (void *)to, count, &read))
        return (int64_t)read;
    status = file_view_read(file->view, offset, between, count, &read);
    if (status != MNOS_OK)
        return status_to_errno(status);
    copied = user_write_some(to, between, read);
    return copied != 0 || read == 0 ? (int64_t)copied : -LX_EFAULT;
}

static int64_t read_file(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    uint64_t done = 0;

    if (count != 0 && count <= VIEW_BYTES_MAX && has_view(file))
        return read_view(file, to, count, offset);
    while (done < count) {
        uint64_t wanted = part_of(count - done), copied;
        int64_t read = open_file_read_at(file, offset + done, between, wanted);

        if (read < 0)
            return done != 0 ? (int64_t)done : read;
        copied = user_write_some(to + done, between, (uint64_t)read);
        done += copied;
        if (copied < (uint64_t)read)
            return done != 0 ? (int64_t)done : -LX_EFAULT;
        if ((uint64_t)read < wanted)
            break;
    }
    return (int64_t)done;
}

static mnos_status_t write_part(struct open_file *file, uint64_t offset, uint64_t bytes,
                                uint64_t *written)
{
    uint64_t part = bytes;
    mnos_status_t status;

    if ((file->flags & LINUX_O_APPEND) == 0)
        return file_write(&file->file, offset, between, bytes, written);
    if (part > FILE_INLINE_BYTES_MAX)
        part = FILE_INLINE_BYTES_MAX;
    status = file_append(&file->file, between, part, &file->offset);
    *written = part;
    return status;
}

static int64_t write_file(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset)
{
    uint64_t done = 0, written;

    while (done < count) {
        uint64_t bytes = user_read_some(between, from + done, part_of(count - done));
        mnos_status_t status;

        if (bytes == 0)
            return done != 0 ? (int64_t)done : -LX_EFAULT;
        status = write_part(file, offset + done, bytes, &written);
        if (status != MNOS_OK)
            return done != 0 ? (int64_t)done : status_to_errno(status);
        if (written == 0)
            return done != 0 ? (int64_t)done : -LX_ENOSPC;
        done += written;
        /* Where it was appended, the caller goes on behind: it adds what it has written. */
        if ((file->flags & LINUX_O_APPEND) != 0)
            file->offset -= done - written;
    }
    return (int64_t)done;
}

int64_t files_stat(struct open_file *file, struct linux_stat *stat)
{
    struct file_attr attr;
    mnos_status_t status = file_attributes(&file->file, &attr);

    if (status != MNOS_OK)
        return status_to_errno(status);
    stat_of_attributes(&attr, file->mount,
                       (file->file.session->rights & (FILE_WRITE_RIGHT | FILE_CREATE_RIGHT)) != 0,
                       stat);
    return 0;
}

static uint32_t ready_file(struct open_file *file, uint32_t events)
{
    (void)file;
    return events & (LINUX_POLLIN | LINUX_POLLOUT);
}

void files_close(struct open_file *file)
{
    drop_view(file);
    (void)!file_close(&file->file); /* what the service does not know any more is closed */
}

const struct open_methods file_methods = {
    .read = read_file,
    .write = write_file,
    .stat = files_stat,
    .ready = ready_file,
    .close = files_close,
    .seekable = true,
};

/* ---- Opening ---- */

static uint32_t rights_of(uint32_t flags)
{
    switch (flags & LINUX_O_ACCMODE) {
    case LINUX_O_RDONLY: return FILE_READ_RIGHT;
    case LINUX_O_WRONLY: return FILE_WRITE_RIGHT;
    default: return FILE_READ_RIGHT | FILE_WRITE_RIGHT;
    }
}

static uint32_t flags_of(const struct place *place, uint32_t flags)
{
    uint32_t file_flags = FILE_BENEATH;

    if ((flags & LINUX_O_CREAT) != 0)
        file_flags |= FILE_CREATE | ((flags & LINUX_O_EXCL) != 0 ? FILE_EXCLUSIVE : 0);
    if ((flags & LINUX_O_TRUNC) != 0)
        file_flags |= FILE_TRUNCATE_FIRST;
    if ((flags & LINUX_O_DIRECTORY) != 0 || place->directory)
        file_flags |= FILE_ONLY_DIRECTORY;
    if ((flags & (LINUX_O_NOFOLLOW | LINUX_O_EXCL)) != 0 && !place->directory)
        file_flags |= FILE_NO_FOLLOW;
    return file_flags;
}

/* Whether a path that could not be opened for want of a right would not be there at all, or cannot be written to by
 * anybody: Linux looks in this order. */
static int64_t why_denied(const struct place *place, uint32_t flags)
{
    struct file_attr attr;
    mnos_status_t status = file_stat(&place->mount->session, place->below, FILE_BENEATH, &attr);

    if (status == MNOS_ERR_NOT_FOUND && ((flags & LINUX_O_CREAT) == 0 || !stat_has_parent(place)))
        return -LX_ENOENT;
    if (status == MNOS_OK && attr.type == FILE_TYPE_DIRECTORY)
        return -LX_EISDIR;
    if (status == MNOS_OK && (flags & LINUX_O_CREAT) != 0 && (flags & LINUX_O_EXCL) != 0)
        return -LX_EEXIST;
    if (status != MNOS_OK && status != MNOS_ERR_NOT_FOUND)
        return status_to_errno(status);
    return mount_is_writable(place->mount) ? -LX_EACCES : -LX_EROFS;
}

static mnos_status_t open_there(const struct place *place, uint32_t flags, struct file *file)
{
    uint32_t rights = rights_of(flags), file_flags = flags_of(place, flags);
    mnos_status_t status;

    if ((flags & LINUX_O_PATH) != 0)
        rights = 0;
    status = file_open(&place->mount->session, NULL, place->below, file_flags, rights, file);
    if (status == MNOS_ERR_DENIED && (flags & (LINUX_O_CREAT | LINUX_O_EXCL)) == LINUX_O_CREAT) {
        /* Who may not make a file may open one that is there. */
        status = file_open(&place->mount->session, NULL, place->below,
                           file_flags & ~(uint32_t)FILE_CREATE, rights, file);
        return status == MNOS_ERR_NOT_FOUND ? MNOS_ERR_DENIED : status;
    }
    if ((rights & FILE_WRITE_RIGHT) != 0 || (flags & LINUX_O_CREAT) != 0)
        return status;
    if (status == MNOS_OK && file->type == FILE_TYPE_DIRECTORY)
        (void)!file_close(file);
    else if (status != MNOS_ERR_DIRECTORY && status != MNOS_ERR_DENIED)
        return status;
    /* A directory is opened to look into it, which another right is for. */
    return file_open(&place->mount->session, NULL, place->below, file_flags | FILE_ONLY_DIRECTORY,
                     FILE_LOOKUP, file);
}

static int64_t open_place(struct place *place, uint32_t flags, struct open_file **opened);

static int64_t open_in_mount(struct place *place, uint32_t flags, struct open_file **opened)
{
    bool follow = (flags & LINUX_O_NOFOLLOW) == 0;
    struct file file;
    mnos_status_t status = open_there(place, flags, &file);
    int64_t result;

    if (status == MNOS_ERR_REST) {
        result = place_follow(place, follow);
        if (result != 0)
            return result;
        if (place->mount == NULL)
            return open_place(place, flags, opened);
        status = open_there(place, flags, &file);
    }
    if (status == MNOS_ERR_DENIED)
        return why_denied(place, flags);
    if (status != MNOS_OK)
        return status_to_errno(status);
    *opened = open_file_make(file.type == FILE_TYPE_DIRECTORY ? &directory_methods : &file_methods,
                             flags, place->path);
    if (*opened == NULL) {
        (void)!file_close(&file);
        return -LX_ENOMEM;
    }
    (*opened)->file = file;
    (*opened)->mount = mount_number(place->mount);
    return 0;
}

/* A pipe by the link of /proc to it is the open file that the descriptor refers to: it has no other way in. */
static int64_t open_pipe(struct open_file *pipe, uint32_t flags, struct open_file **opened)
{
    if ((flags & LINUX_O_CREAT) != 0 && (flags & LINUX_O_EXCL) != 0)
        return -LX_EEXIST;
    if ((flags & LINUX_O_DIRECTORY) != 0)
        return -LX_ENOTDIR;
    if ((pipe->flags & LINUX_O_ACCMODE) != (flags & LINUX_O_ACCMODE))
        return -LX_EACCES;
    open_file_hold(pipe);
    *opened = pipe;
    return 0;
}

static int64_t open_place(struct place *place, uint32_t flags, struct open_file **opened)
{
    const struct made_up *made_up = place->made_up;

    if (made_up != NULL && made_up->link != NULL) {
        int64_t result = (flags & LINUX_O_NOFOLLOW) != 0 ? -LX_ELOOP : place_follow(place, true);

        if (result != 0)
            return result;
        made_up = place->made_up;
        if (made_up_pipe(place->path) != NULL)
            return open_pipe(made_up_pipe(place->path), flags, opened);
    }
    if (made_up == NULL)
        return place->mount == NULL ? -LX_ENOENT : open_in_mount(place, flags, opened);
    if ((flags & LINUX_O_CREAT) != 0 && (flags & LINUX_O_EXCL) != 0)
        return -LX_EEXIST;
    if (made_up->names == NULL && ((flags & LINUX_O_DIRECTORY) != 0 || place->directory))
        return -LX_ENOTDIR;
    if (made_up->names != NULL &&
        ((flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY || (flags & LINUX_O_CREAT) != 0))
        return -LX_EISDIR;
    if (made_up->write != NULL && (flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY)
        return -LX_EACCES;
    *opened = open_file_make(made_up->methods, flags, place->path);
    if (*opened == NULL)
        return -LX_ENOMEM;
    (*opened)->made_up = made_up;
    return 0;
}

int64_t files_open(struct place *place, uint32_t flags, struct open_file **opened)
{
    uint32_t rights = FILE_LOOKUP | rights_of(flags);

    if ((flags & LINUX_O_CREAT) != 0)
        rights |= FILE_CREATE_RIGHT;
    if ((flags & LINUX_O_TRUNC) != 0)
        rights |= FILE_WRITE_RIGHT;
    return denied_path("open", place->path, rights, open_place(place, flags, opened));
}
