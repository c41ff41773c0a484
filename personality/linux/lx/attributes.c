// SPDX-License-Identifier: MIT
/*
 * attributes - calls that change mode, owner and times of files. File systems here keep no mode and owner, and take no times:
 * what they are already can be asked for, and the present as the time of a file. Anything else is refused.
 */
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/files.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/stat.h"
#include "personality/linux/lx/status.h"

#define PERMISSIONS 07777u
#define LEAVE 0xFFFFFFFFu /* an owner of -1: as it is */

/* A file system that nobody may write to says so; else the program may not. */
static int64_t refused(const struct linux_stat *stat)
{
    return (stat->mode & 0200) == 0 ? -LX_EROFS : -LX_EPERM;
}

static int64_t stat_descriptor(int32_t fd, struct linux_stat *stat)
{
    struct open_file *file = descriptor_file(fd);

    return file == NULL || (file->flags & LINUX_O_PATH) != 0 ? -LX_EBADF
                                                             : file->methods->stat(file, stat);
}

static int64_t set_mode(int64_t result, const struct linux_stat *stat, uint32_t mode)
{
    if (result != 0)
        return result;
    return (stat->mode & PERMISSIONS) == (mode & PERMISSIONS) ? 0 : refused(stat);
}

int64_t lx_fchmodat(int32_t directory, uint64_t path, uint32_t mode)
{
    struct linux_stat stat;

    return set_mode(stat_place(directory, path, true, &stat), &stat, mode);
}

int64_t lx_chmod(uint64_t path, uint32_t mode)
{
    return lx_fchmodat(PLACE_AT_WORKING_DIRECTORY, path, mode);
}

int64_t lx_fchmod(int32_t fd, uint32_t mode)
{
    struct linux_stat stat;

    return set_mode(stat_descriptor(fd, &stat), &stat, mode);
}

static int64_t set_owner(int64_t result, const struct linux_stat *stat, uint32_t user,
                         uint32_t group)
{
    if (result != 0)
        return result;
    return (user == LEAVE || user == stat->user) && (group == LEAVE || group == stat->group)
               ? 0
               : refused(stat);
}

int64_t lx_fchownat(int32_t directory, uint64_t path, uint32_t user, uint32_t group, uint32_t flags)
{
    struct linux_stat stat;

    if ((flags & ~(LINUX_AT_SYMLINK_NOFOLLOW)) != 0)
        return -LX_EINVAL;
    return set_owner(stat_place(directory, path, flags == 0, &stat), &stat, user, group);
}

int64_t lx_chown(uint64_t path, uint32_t user, uint32_t group)
{
    return lx_fchownat(PLACE_AT_WORKING_DIRECTORY, path, user, group, 0);
}

int64_t lx_lchown(uint64_t path, uint32_t user, uint32_t group)
{
    return lx_fchownat(PLACE_AT_WORKING_DIRECTORY, path, user, group, LINUX_AT_SYMLINK_NOFOLLOW);
}

int64_t lx_fchown(int32_t fd, uint32_t user, uint32_t group)
{
    struct linux_stat stat;

    return set_owner(stat_descriptor(fd, &stat), &stat, user, group);
}

/* ---- Times ---- */

#define UTIME_NOW 0x3FFFFFFF
#define UTIME_OMIT 0x3FFFFFFE

static bool is_time(const struct linux_timespec *time)
{
    return time->nanoseconds == UTIME_NOW || time->nanoseconds == UTIME_OMIT ||
           (time->nanoseconds >= 0 && time->nanoseconds < 1000000000);
}

/* Bytes are taken out of a file where it has none, which changes its time and nothing else. No file that is larger is known to
 * have none there. */
#define EMPTY_PLACE (1ull << 41)
#define EMPTY_BYTES 65536u /* a block of every file system */

static int64_t set_now(struct open_file *file)
{
    struct linux_stat stat;
    int64_t result = file->methods->stat(file, &stat);
    mnos_status_t status = MNOS_ERR_LABEL;

    if (result != 0)
        return result;
    if (file->methods == &file_methods && (uint64_t)stat.size <= EMPTY_PLACE)
        status = file_allocate(&file->file, EMPTY_PLACE, EMPTY_BYTES, FILE_ALLOCATE_PUNCH);
    /* FAT cannot, and who may not write may not. */
    return status == MNOS_ERR_LABEL || status == MNOS_ERR_DENIED ? refused(&stat)
                                                                 : status_to_errno(status);
}

static int64_t set_now_at(int32_t directory, uint64_t path, bool follow)
{
    struct linux_stat stat;
    struct open_file *file;
    static struct place place LX_SCRATCH;
    int64_t result = stat_place(directory, path, follow, &stat);

    if (result == 0 && (stat.mode & LINUX_S_IFMT) != LINUX_S_IFREG)
        result = refused(&stat);
    if (result == 0)
        result = place_find(directory, path, follow, &place);
    if (result == 0)
        result = files_open(&place, LINUX_O_WRONLY, &file);
    if (result != 0)
        return result;
    result = set_now(file);
    open_file_release(file);
    return result;
}

int64_t lx_utimensat(int32_t directory, uint64_t path, uint64_t times, uint32_t flags)
{
    struct linux_timespec wanted[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    struct linux_stat stat;
    bool follow = flags == 0, by_path = path != 0 || directory == PLACE_AT_WORKING_DIRECTORY;
    struct open_file *file;
    int64_t result;

    if (times != 0 && user_read(wanted, times, sizeof wanted) != 0)
        return -LX_EFAULT;
    if (!is_time(&wanted[0]) || !is_time(&wanted[1]) || (flags & ~LINUX_AT_SYMLINK_NOFOLLOW) != 0)
        return -LX_EINVAL;
    if (wanted[0].nanoseconds == UTIME_OMIT && wanted[1].nanoseconds == UTIME_OMIT)
        return 0;
    /* Without a path it is of the descriptor, but for AT_FDCWD. */
    if (!by_path && flags != 0)
        return -LX_EINVAL;
    /* The time of access is that of modification, and cannot be another. */
    if (wanted[0].nanoseconds == UTIME_NOW && wanted[1].nanoseconds == UTIME_NOW) {
        if (by_path)
            return set_now_at(directory, path, follow);
        file = descriptor_file(directory);
        return file == NULL || (file->flags & LINUX_O_PATH) != 0 ? -LX_EBADF : set_now(file);
    }
    result =
        by_path ? stat_place(directory, path, follow, &stat) : stat_descriptor(directory, &stat);
    return result != 0 ? result : refused(&stat);
}
