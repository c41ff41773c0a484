// SPDX-License-Identifier: MIT
/* names - calls that make, remove and move names. Their paths are walked by lx, as the file system follows no link at the
 * end of them. */
#include "lib/base/string.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/path.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/stat.h"
#include "personality/linux/lx/status.h"

#define CHANGES (FILE_LOOKUP | FILE_CREATE_RIGHT)

/* A path whose last name is to be changed. Names that lx makes up, and those of mounts, stay. */
static int64_t name_at(int32_t directory, uint64_t path, struct place *place)
{
    int64_t result;

    place->path[0] = 0;
    result = place_find(directory, path, false, place);
    if (result == 0 && place->made_up == NULL && place->mount == NULL)
        result = -LX_ENOENT;
    if (result != 0)
        return denied_path("change", place->path, CHANGES, result);
    if (place->made_up != NULL)
        return -LX_EROFS;
    return place->below[0] == 0 ? -LX_EBUSY : 0;
}

/* What Linux looks at before it finds that nothing may be changed. */
static int64_t denied(const struct place *place, bool makes)
{
    struct file_attr attr;
    mnos_status_t status =
        file_stat(&place->mount->session, place->below, FILE_NO_FOLLOW | FILE_BENEATH, &attr);

    if (makes && status == MNOS_OK)
        return -LX_EEXIST;
    if (status != MNOS_OK && (!makes || status != MNOS_ERR_NOT_FOUND || !stat_has_parent(place)))
        return status_to_errno(status);
    return denied_path("change", place->path, CHANGES,
                       mount_is_writable(place->mount) ? -LX_EACCES : -LX_EROFS);
}

static int64_t answer(mnos_status_t status, const struct place *place, bool makes)
{
    return status == MNOS_ERR_DENIED ? denied(place, makes) : status_to_errno(status);
}

int64_t lx_mkdirat(int32_t directory, uint64_t path, uint32_t mode)
{
    static struct place place LX_SCRATCH;
    int64_t result = name_at(directory, path, &place);

    (void)mode;
    if (result == -LX_EROFS || result == -LX_EBUSY)
        return -LX_EEXIST;
    if (result != 0)
        return result;
    return answer(file_make_directory(&place.mount->session, place.below), &place, true);
}

int64_t lx_mkdir(uint64_t path, uint32_t mode)
{
    return lx_mkdirat(PLACE_AT_WORKING_DIRECTORY, path, mode);
}

int64_t lx_unlinkat(int32_t directory, uint64_t path, uint32_t flags)
{
    static struct place place LX_SCRATCH;
    int64_t result;

    if ((flags & ~LINUX_AT_REMOVEDIR) != 0)
        return -LX_EINVAL;
    result = name_at(directory, path, &place);
    if (result != 0)
        return result;
    if ((flags & LINUX_AT_REMOVEDIR) != 0)
        return answer(file_remove_directory(&place.mount->session, place.below), &place, false);
    if (place.directory)
        return -LX_ENOTDIR;
    return answer(file_unlink(&place.mount->session, place.below), &place, false);
}

int64_t lx_unlink(uint64_t path)
{
    return lx_unlinkat(PLACE_AT_WORKING_DIRECTORY, path, 0);
}

int64_t lx_rmdir(uint64_t path)
{
    return lx_unlinkat(PLACE_AT_WORKING_DIRECTORY, path, LINUX_AT_REMOVEDIR);
}

int64_t lx_symlinkat(uint64_t text, int32_t directory, uint64_t path)
{
    static struct place place LX_SCRATCH;
    static char target[LX_PATH_BYTES] LX_SCRATCH;
    int64_t result = user_path(target, text);

    if (result >= 0)
        result = name_at(directory, path, &place);
    if (result == -LX_EROFS || result == -LX_EBUSY)
        return -LX_EEXIST;
    if (result < 0)
        return result;
    return answer(file_symlink(&place.mount->session, target, place.below), &place, true);
}

int64_t lx_symlink(uint64_t text, uint64_t path)
{
    return lx_symlinkat(text, PLACE_AT_WORKING_DIRECTORY, path);
}

/* Two names in one mount. */
static int64_t two_names(int32_t from_directory, uint64_t from, bool follow, int32_t to_directory,
                         uint64_t to, struct place places[2])
{
    int64_t result = follow ? place_find(from_directory, from, true, &places[0])
                            : name_at(from_directory, from, &places[0]);

    if (result == 0 && follow && places[0].mount == NULL)
        result = places[0].made_up != NULL ? -LX_EXDEV : -LX_ENOENT;
    if (result == 0)
        result = name_at(to_directory, to, &places[1]);
    if (result != 0)
        return result;
    return places[0].mount == places[1].mount ? 0 : -LX_EXDEV;
}

int64_t lx_linkat(int32_t from_directory, uint64_t from, int32_t to_directory, uint64_t to,
                  uint32_t flags)
{
    static struct place places[2] LX_SCRATCH;
    int64_t result;

    if ((flags & ~(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH)) != 0)
        return -LX_EINVAL;
    result = two_names(from_directory, from, (flags & LINUX_AT_SYMLINK_FOLLOW) != 0, to_directory,
                       to, places);
    if (result != 0)
        return result;
    result = answer(file_link(&places[0].mount->session, places[0].below, places[1].below),
                    &places[1], true);
    return result == -LX_EISDIR ? -LX_EPERM : result;
}

int64_t lx_link(uint64_t from, uint64_t to)
{
    return lx_linkat(PLACE_AT_WORKING_DIRECTORY, from, PLACE_AT_WORKING_DIRECTORY, to, 0);
}

#define RENAME_NOREPLACE 1u

int64_t lx_renameat2(int32_t from_directory, uint64_t from, int32_t to_directory, uint64_t to,
                     uint32_t flags)
{
    static struct place places[2] LX_SCRATCH;
    struct file_attr attr;
    int64_t result;

    if ((flags & ~RENAME_NOREPLACE) != 0)
        return -LX_EINVAL;
    result = two_names(from_directory, from, false, to_directory, to, places);
    if (result != 0)
        return result;
    if (flags != 0 && file_stat(&places[1].mount->session, places[1].below,
                                FILE_NO_FOLLOW | FILE_BENEATH, &attr) == MNOS_OK)
        return -LX_EEXIST;
    return answer(file_rename(&places[0].mount->session, places[0].below, places[1].below),
                  &places[0], false);
}

int64_t lx_renameat(int32_t from_directory, uint64_t from, int32_t to_directory, uint64_t to)
{
    return lx_renameat2(from_directory, from, to_directory, to, 0);
}

int64_t lx_rename(uint64_t from, uint64_t to)
{
    return lx_renameat2(PLACE_AT_WORKING_DIRECTORY, from, PLACE_AT_WORKING_DIRECTORY, to, 0);
}

/* ---- Whole file systems ---- */

#define SUPER_MAGIC 0x4D4E4F53 /* no file system of Linux: "MNOS" */
#define BLOCK_BYTES 4096

static int64_t give_space(struct file_session *session, uint32_t mount, uint64_t to)
{
    struct file_space space;
    struct linux_statfs result;
    mnos_status_t status = file_space(session, &space);

    if (status != MNOS_OK)
        return status_to_errno(status);
    result = (struct linux_statfs){
        .type = SUPER_MAGIC,
        .block_bytes = BLOCK_BYTES,
        .fragment_bytes = BLOCK_BYTES,
        .blocks = space.total_bytes / BLOCK_BYTES,
        .blocks_free = space.free_bytes / BLOCK_BYTES,
        .blocks_available = space.free_bytes / BLOCK_BYTES,
        .files = space.total_inodes,
        .files_free = space.free_inodes,
        .id = {(int32_t)mount, 0},
        .name_bytes = FILE_NAME_BYTES_MAX,
    };
    return user_write(to, &result, sizeof result);
}

int64_t lx_statfs(uint64_t path, uint64_t to)
{
    static struct place place LX_SCRATCH;
    int64_t result = place_find(PLACE_AT_WORKING_DIRECTORY, path, true, &place);

    if (result != 0)
        return result;
    if (place.mount == NULL)
        return place.made_up != NULL ? -LX_ENOSYS : -LX_ENOENT;
    return give_space(&place.mount->session, mount_number(place.mount), to);
}

int64_t lx_fstatfs(int32_t fd, uint64_t to)
{
    struct open_file *file = descriptor_file(fd);

    if (file == NULL)
        return -LX_EBADF;
    return file->mount == 0 ? -LX_ENOSYS : give_space(file->file.session, file->mount, to);
}
