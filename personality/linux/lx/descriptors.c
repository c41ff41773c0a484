// SPDX-License-Identifier: MIT
/* descriptors - calls that make, copy and close descriptors. */
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/files.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/status.h"

/* What Linux ignores in flags of open(2) is taken off. */
#define OPEN_FLAGS                                                                                 \
    (LINUX_O_ACCMODE | LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_TRUNC | LINUX_O_APPEND |             \
     LINUX_O_NONBLOCK | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_PATH)
/* What stays of them with the open file: F_GETFL. */
#define KEPT_FLAGS                                                                                 \
    (LINUX_O_ACCMODE | LINUX_O_APPEND | LINUX_O_NONBLOCK | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW |  \
     LINUX_O_PATH)

int64_t lx_openat(int32_t directory, uint64_t path, uint32_t flags, uint32_t mode)
{
    static struct place place LX_SCRATCH;
    struct open_file *file;
    int64_t result;

    (void)mode; /* who may do what is decided by the session */
    if ((flags & LINUX_O_TMPFILE_BIT) != 0)
        return -LX_EOPNOTSUPP;
    if ((flags & (LINUX_O_CREAT | LINUX_O_DIRECTORY)) == (LINUX_O_CREAT | LINUX_O_DIRECTORY))
        return -LX_EINVAL;
    if ((flags & LINUX_O_ACCMODE) == LINUX_O_ACCMODE)
        return -LX_EINVAL;
    result = place_guess(directory, path, (flags & LINUX_O_NOFOLLOW) == 0, &place);
    if (result == 0 && place.directory && (flags & LINUX_O_CREAT) != 0)
        result = -LX_EISDIR;
    if (result == 0)
        result = files_open(&place, flags & OPEN_FLAGS, &file);
    if (result != 0)
        return result;
    file->flags &= KEPT_FLAGS;
    return descriptor_add(file, 0, (flags & LINUX_O_CLOEXEC) != 0);
}

int64_t lx_open(uint64_t path, uint32_t flags, uint32_t mode)
{
    return lx_openat(PLACE_AT_WORKING_DIRECTORY, path, flags, mode);
}

int64_t lx_creat(uint64_t path, uint32_t mode)
{
    return lx_open(path, LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC, mode);
}

int64_t lx_close(int32_t fd)
{
    return descriptor_close(fd);
}

static int64_t copy(int32_t fd, int32_t lowest, bool close_on_exec)
{
    struct open_file *file = descriptor_file(fd);

    if (file == NULL)
        return -LX_EBADF;
    if (lowest < 0 || (uint32_t)lowest >= DESCRIPTORS_MAX)
        return -LX_EINVAL;
    open_file_hold(file);
    return descriptor_add(file, lowest, close_on_exec);
}

int64_t lx_dup(int32_t fd)
{
    return copy(fd, 0, false);
}

int64_t lx_dup3(int32_t fd, int32_t to, uint32_t flags)
{
    struct open_file *file = descriptor_file(fd);

    if ((flags & ~LINUX_O_CLOEXEC) != 0 || fd == to)
        return -LX_EINVAL;
    if (file == NULL)
        return -LX_EBADF;
    open_file_hold(file);
    return descriptor_set(to, file, (flags & LINUX_O_CLOEXEC) != 0);
}

int64_t lx_dup2(int32_t fd, int32_t to)
{
    if (fd == to)
        return descriptor_file(fd) == NULL ? -LX_EBADF : to;
    return lx_dup3(fd, to, 0);
}

int64_t lx_fcntl(int32_t fd, uint32_t command, uint64_t argument)
{
    static const uint32_t changeable = LINUX_O_APPEND | LINUX_O_NONBLOCK;
    struct open_file *file = descriptor_file(fd);

    if (file == NULL)
        return -LX_EBADF;
    switch (command) {
    case LINUX_F_DUPFD: return copy(fd, (int32_t)argument, false);
    case LINUX_F_DUPFD_CLOEXEC: return copy(fd, (int32_t)argument, true);
    case LINUX_F_GETFD: return descriptor_closes_on_exec(fd) ? LINUX_FD_CLOEXEC : 0;
    case LINUX_F_SETFD:
        descriptor_set_close_on_exec(fd, (argument & LINUX_FD_CLOEXEC) != 0);
        return 0;
    case LINUX_F_GETFL: return file->flags | LINUX_O_LARGEFILE;
    case LINUX_F_SETFL:
        file->flags = (file->flags & ~changeable) | ((uint32_t)argument & changeable);
        return 0;
    default: return -LX_EINVAL;
    }
}

static int64_t set_nonblocking(struct open_file *file, uint64_t from)
{
    int32_t on;
    int64_t result = user_read(&on, from, sizeof on);

    if (result == 0)
        file->flags = (file->flags & ~LINUX_O_NONBLOCK) | (on != 0 ? LINUX_O_NONBLOCK : 0);
    return result;
}

int64_t lx_ioctl(int32_t fd, uint32_t request, uint64_t argument)
{
    struct open_file *file = descriptor_file(fd);

    if (file == NULL || (file->flags & LINUX_O_PATH) != 0)
        return -LX_EBADF;
    if (request == LINUX_FIONBIO)
        return set_nonblocking(file, argument);
    return file->methods->ioctl == NULL ? -LX_ENOTTY
                                        : file->methods->ioctl(file, request, argument);
}

/* ---- Sizes, and what is safe ---- */

static int64_t file_of(int32_t fd, struct open_file **file)
{
    *file = descriptor_file(fd);
    if (*file == NULL || ((*file)->flags & LINUX_O_PATH) != 0)
        return -LX_EBADF;
    return (*file)->methods == &file_methods ? 0 : -LX_EINVAL;
}

int64_t lx_ftruncate(int32_t fd, int64_t size)
{
    struct open_file *file;
    int64_t result = file_of(fd, &file);

    if (size < 0)
        return -LX_EINVAL;
    if (result == 0 && (file->flags & LINUX_O_ACCMODE) == LINUX_O_RDONLY)
        result = -LX_EINVAL;
    return result != 0 ? result : status_to_errno(file_truncate(&file->file, (uint64_t)size));
}

int64_t lx_fsync(int32_t fd)
{
    struct open_file *file = descriptor_file(fd);

    if (file != NULL && file->methods == &directory_methods && file->made_up == NULL)
        return status_to_errno(file_sync_all(file->file.session));
    if (file_of(fd, &file) != 0)
        return file == NULL ? -LX_EBADF : -LX_EINVAL;
    return status_to_errno(file_sync(&file->file));
}

int64_t lx_fdatasync(int32_t fd)
{
    return lx_fsync(fd);
}

/* Advice: it is taken, and nothing comes of it. */
int64_t lx_fadvise64(int32_t fd, int64_t offset, uint64_t count, uint32_t advice)
{
    (void)offset, (void)count;
    if (descriptor_file(fd) == NULL)
        return -LX_EBADF;
    return advice > 5 ? -LX_EINVAL : 0;
}
