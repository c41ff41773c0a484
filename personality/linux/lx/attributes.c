// SPDX-License-Identifier: MIT
/*
 * attributes - calls that change mode, owner and times of files. File systems here keep no mode, no owner and no time of
 * access: what those are already can be asked for, and anything else is refused.
 */
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
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

/* A time of modification; the time of access is that as well, and cannot be another. */
struct new_time {
    uint32_t flags; /* enum file_time_flags */
    int64_t modified_ns;
};

/* What files cannot hold is the nearest that they can. */
static struct new_time new_time(const struct linux_timespec *time)
{
    const int64_t second_ns = 1000000000, last = INT64_MAX / second_ns - 1;

    if (time->nanoseconds == UTIME_NOW)
        return (struct new_time){FILE_TIME_NOW, 0};
    if (time->seconds > last)
        return (struct new_time){0, INT64_MAX};
    if (time->seconds < -last)
        return (struct new_time){0, INT64_MIN};
    return (struct new_time){0, time->seconds * second_ns + time->nanoseconds};
}

static int64_t set_time(const struct file *file, const struct new_time *time,
                        const struct linux_stat *stat)
{
    mnos_status_t status = file_set_time(file, time->flags, time->modified_ns);

    /* Some have no times, and a file that is open to be read alone cannot be changed. */
    return status == MNOS_ERR_LABEL || status == MNOS_ERR_DENIED ? refused(stat)
                                                                 : status_to_errno(status);
}

static int64_t set_time_of_descriptor(int32_t fd, const struct new_time *time)
{
    struct open_file *file = descriptor_file(fd);
    struct linux_stat stat;
    int64_t result = stat_descriptor(fd, &stat);

    if (result != 0)
        return result;
    return file->methods == &file_methods ? set_time(&file->file, time, &stat) : refused(&stat);
}

static int64_t set_time_of_path(int32_t directory, uint64_t path, bool follow,
                                const struct new_time *time)
{
    static struct place place LX_SCRATCH;
    uint32_t flags = FILE_BENEATH | FILE_NO_FOLLOW;
    struct linux_stat stat;
    struct file file;
    mnos_status_t status;
    int64_t result = stat_place(directory, path, follow, &stat);

    if (result == 0 && (stat.mode & 0200) == 0)
        result = -LX_EROFS;
    if (result == 0)
        result = place_find(directory, path, follow, &place);
    if (result == 0 && (place.mount == NULL || (stat.mode & LINUX_S_IFMT) == LINUX_S_IFLNK))
        result = refused(&stat); /* a link cannot be opened */
    if (result != 0)
        return result;
    if ((stat.mode & LINUX_S_IFMT) == LINUX_S_IFDIR)
        flags |= FILE_ONLY_DIRECTORY;
    status = file_open(&place.mount->session, NULL, place.below, flags, FILE_WRITE_RIGHT, &file);
    if (status != MNOS_OK)
        return status == MNOS_ERR_DENIED ? refused(&stat) : status_to_errno(status);
    result = set_time(&file, time, &stat);
    (void)!file_close(&file);
    return result;
}

/* The file may be missing, which is said first. */
static int64_t refuse_time_of_access(int32_t directory, uint64_t path, bool by_path, bool follow)
{
    struct linux_stat stat;
    int64_t result =
        by_path ? stat_place(directory, path, follow, &stat) : stat_descriptor(directory, &stat);

    return result != 0 ? result : refused(&stat);
}

int64_t lx_utimensat(int32_t directory, uint64_t path, uint64_t times, uint32_t flags)
{
    struct linux_timespec wanted[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    bool by_path = path != 0 || directory == PLACE_AT_WORKING_DIRECTORY;
    struct new_time time;

    if (times != 0 && user_read(wanted, times, sizeof wanted) != 0)
        return -LX_EFAULT;
    if (!is_time(&wanted[0]) || !is_time(&wanted[1]) || (flags & ~LINUX_AT_SYMLINK_NOFOLLOW) != 0)
        return -LX_EINVAL;
    if (wanted[0].nanoseconds == UTIME_OMIT && wanted[1].nanoseconds == UTIME_OMIT)
        return 0;
    /* Without a path it is of the descriptor, but for AT_FDCWD. */
    if (!by_path && flags != 0)
        return -LX_EINVAL;
    time = new_time(&wanted[1]);
    if (wanted[1].nanoseconds == UTIME_OMIT)
        return refuse_time_of_access(directory, path, by_path, flags == 0);
    return by_path ? set_time_of_path(directory, path, flags == 0, &time)
                   : set_time_of_descriptor(directory, &time);
}
