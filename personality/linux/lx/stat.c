// SPDX-License-Identifier: MIT
/* stat - see stat.h, and the calls that only look. */
#include "personality/linux/lx/stat.h"

#include "lib/base/string.h"
#include "lib/base/unix_time.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/path.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/status.h"

#define BLOCK_BYTES 4096

static void set_time(int64_t ns, uint64_t *seconds, uint64_t *rest)
{
    struct unix_time time = unix_time_of(ns);

    *seconds = (uint64_t)time.seconds;
    *rest = time.ns;
}

static uint32_t mode_of(uint32_t type, bool writable)
{
    uint32_t may = writable ? 0755u : 0555u;

    switch (type) {
    case FILE_TYPE_DIRECTORY: return LINUX_S_IFDIR | may;
    case FILE_TYPE_SYMLINK: return LINUX_S_IFLNK | 0777u;
    default: return LINUX_S_IFREG | may;
    }
}

void stat_of_attributes(const struct file_attr *attr, uint32_t mount, bool writable,
                        struct linux_stat *stat)
{
    *stat = (struct linux_stat){
        .device = mount,
        .inode = attr->inode,
        .links = attr->links,
        .mode = mode_of(attr->type, writable),
        .size = (int64_t)attr->size,
        .block_bytes = BLOCK_BYTES,
        .blocks = (int64_t)(attr->allocated_bytes / 512),
    };
    set_time(attr->modified_ns, &stat->modified_s, &stat->modified_ns);
    set_time(attr->changed_ns, &stat->changed_s, &stat->changed_ns);
    stat->accessed_s = stat->modified_s; /* the protocol has none: as with noatime */
    stat->accessed_ns = stat->modified_ns;
}

void stat_of_made_up(const struct made_up *made_up, const char *path, struct linux_stat *stat)
{
    *stat = (struct linux_stat){
        .inode = 1 + made_up->device,
        .links = made_up->names != NULL ? 2 : 1,
        .mode = made_up->names != NULL   ? LINUX_S_IFDIR | 0555u
                : made_up->link != NULL  ? LINUX_S_IFLNK | 0777u
                : made_up->write != NULL ? LINUX_S_IFREG | 0444u
                                         : LINUX_S_IFCHR | 0666u,
        .rdev = made_up->device,
        .block_bytes = BLOCK_BYTES,
        .size = made_up->link != NULL ? (int64_t)strlen(made_up->link(path)) : 0,
    };
}

static int64_t stat_there(const struct place *place, bool follow, mnos_status_t *status,
                          struct linux_stat *stat)
{
    struct file_attr attr;

    *status = MNOS_OK;
    if (place->made_up != NULL) {
        struct open_file *pipe = follow ? made_up_pipe(place->path) : NULL;

        if (pipe != NULL)
            return pipe->methods->stat(pipe, stat);
        stat_of_made_up(place->made_up, place->path, stat);
        return 0;
    }
    if (place->mount == NULL)
        return -LX_ENOENT;
    *status = file_stat(&place->mount->session, place->below,
                        FILE_BENEATH | (follow ? 0 : FILE_NO_FOLLOW), &attr);
    if (*status != MNOS_OK)
        return status_to_errno(*status);
    stat_of_attributes(&attr, mount_number(place->mount), mount_is_writable(place->mount), stat);
    return 0;
}

static int64_t stat_guessed(struct place *place, bool follow, struct linux_stat *stat)
{
    mnos_status_t status = MNOS_OK;
    int64_t result = 0;

    if (place->made_up != NULL && place->made_up->link != NULL && follow)
        result = place_follow(place, true);
    if (result == 0)
        result = stat_there(place, follow, &status, stat);
    if (result != 0 && status == MNOS_ERR_REST) {
        result = place_follow(place, follow);
        if (result == 0)
            result = stat_there(place, follow, &status, stat);
    }
    if (result == 0 && place->directory && (stat->mode & LINUX_S_IFMT) != LINUX_S_IFDIR)
        return -LX_ENOTDIR;
    return result;
}

int64_t stat_place(int32_t directory, uint64_t path, bool follow, struct linux_stat *stat)
{
    static struct place place LX_SCRATCH;
    int64_t result;

    place.path[0] = 0;
    result = place_guess(directory, path, follow, &place);
    if (result == 0)
        result = stat_guessed(&place, follow || place.directory, stat);
    return denied_path("stat", place.path, FILE_LOOKUP | FILE_READ_RIGHT, result);
}

bool stat_has_parent(const struct place *place)
{
    static char parent[LX_PATH_BYTES] LX_SCRATCH;
    struct file_attr attr;
    size_t bytes = (size_t)(path_last(place->below) - place->below);

    memcpy(parent, place->below, bytes);
    parent[bytes == 0 ? 0 : bytes - 1] = 0;
    return file_stat(&place->mount->session, parent, FILE_BENEATH, &attr) == MNOS_OK;
}

/* ---- Calls ---- */

static int64_t give(int64_t result, const struct linux_stat *stat, uint64_t to)
{
    return result == 0 ? user_write(to, stat, sizeof *stat) : result;
}

int64_t lx_stat(uint64_t path, uint64_t to)
{
    struct linux_stat stat;

    return give(stat_place(PLACE_AT_WORKING_DIRECTORY, path, true, &stat), &stat, to);
}

int64_t lx_lstat(uint64_t path, uint64_t to)
{
    struct linux_stat stat;

    return give(stat_place(PLACE_AT_WORKING_DIRECTORY, path, false, &stat), &stat, to);
}

static int64_t stat_open(int32_t fd, struct linux_stat *stat)
{
    struct open_file *file = descriptor_file(fd);

    return file == NULL ? -LX_EBADF : file->methods->stat(file, stat);
}

int64_t lx_fstat(int32_t fd, uint64_t to)
{
    struct linux_stat stat;

    return give(stat_open(fd, &stat), &stat, to);
}

static bool is_empty(uint64_t path)
{
    char first;

    return path != 0 && user_read(&first, path, 1) == 0 && first == 0;
}

static int64_t stat_at(int32_t fd, uint64_t path, uint32_t flags, struct linux_stat *stat)
{
    if ((flags & LINUX_AT_EMPTY_PATH) == 0 || !is_empty(path))
        return stat_place(fd, path, (flags & LINUX_AT_SYMLINK_NOFOLLOW) == 0, stat);
    return fd == PLACE_AT_WORKING_DIRECTORY ? -LX_ENOENT : stat_open(fd, stat);
}

int64_t lx_newfstatat(int32_t fd, uint64_t path, uint64_t to, uint32_t flags)
{
    struct linux_stat stat;

    if ((flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH)) != 0)
        return -LX_EINVAL;
    return give(stat_at(fd, path, flags, &stat), &stat, to);
}

/* The program is user 0, which may do all that the mode allows anybody; but a file system that cannot be written to
 * cannot by anybody. */
static int64_t access_at(int32_t fd, uint64_t path, uint32_t mode, uint32_t flags)
{
    struct linux_stat stat;
    int64_t result;

    if ((mode & ~7u) != 0)
        return -LX_EINVAL;
    if ((flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EACCESS | LINUX_AT_EMPTY_PATH)) != 0)
        return -LX_EINVAL;
    result = stat_at(fd, path, flags, &stat);
    if (result != 0)
        return result;
    if ((mode & 2) != 0 && (stat.mode & LINUX_S_IFMT) != LINUX_S_IFCHR && (stat.mode & 0200) == 0)
        return -LX_EROFS;
    if ((mode & 1) != 0 && (stat.mode & 0111) == 0)
        return -LX_EACCES;
    return 0;
}

int64_t lx_access(uint64_t path, uint32_t mode)
{
    return access_at(PLACE_AT_WORKING_DIRECTORY, path, mode, 0);
}

int64_t lx_faccessat(int32_t fd, uint64_t path, uint32_t mode)
{
    return access_at(fd, path, mode, 0);
}

int64_t lx_faccessat2(int32_t fd, uint64_t path, uint32_t mode, uint32_t flags)
{
    return access_at(fd, path, mode, flags);
}

int64_t lx_readlinkat(int32_t fd, uint64_t path, uint64_t to, uint32_t size)
{
    static char text[LX_PATH_BYTES] LX_SCRATCH;
    static struct place place LX_SCRATCH;
    uint64_t bytes;
    mnos_status_t status;
    int64_t result;

    if (size == 0 || size > INT32_MAX)
        return -LX_EINVAL;
    result = place_find(fd, path, false, &place);
    if (result != 0)
        return result;
    if (place.made_up != NULL) {
        if (place.made_up->link == NULL)
            return -LX_EINVAL;
        bytes = string_copy(text, place.made_up->link(place.path), sizeof text);
    } else {
        if (place.mount == NULL)
            return -LX_ENOENT;
        status = place.below[0] == 0 ? MNOS_ERR_STATE
                                     : file_read_link(&place.mount->session, place.below, text,
                                                      sizeof text, &bytes);
        if (status != MNOS_OK)
            return status_to_errno(status);
    }
    if (bytes > size)
        bytes = size;
    result = user_write(to, text, bytes);
    return result == 0 ? (int64_t)bytes : result;
}

int64_t lx_readlink(uint64_t path, uint64_t to, uint32_t size)
{
    return lx_readlinkat(PLACE_AT_WORKING_DIRECTORY, path, to, size);
}
