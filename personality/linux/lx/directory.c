// SPDX-License-Identifier: MIT
/* directory - directories, of mounts and made up, and the calls that read them. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/files.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/stat.h"
#include "personality/linux/lx/status.h"

static int64_t stat_directory(struct open_file *file, struct linux_stat *stat)
{
    if (file->made_up == NULL)
        return files_stat(file, stat);
    stat_of_made_up(file->made_up, file->path, stat);
    return 0;
}

static void close_directory(struct open_file *file)
{
    if (file->made_up == NULL)
        files_close(file);
}

static int64_t read_directory(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    (void)file, (void)to, (void)count, (void)offset;
    return -LX_EISDIR;
}

const struct open_methods directory_methods = {
    .read = read_directory,
    .stat = stat_directory,
    .close = close_directory,
    .seekable = true,
};

/* ---- Names ---- */

struct name {
    const char *text;
    uint64_t inode;
    uint8_t type;
};

static uint8_t type_of(uint32_t type)
{
    return type == FILE_TYPE_DIRECTORY ? LINUX_DT_DIR
           : type == FILE_TYPE_SYMLINK ? LINUX_DT_LNK
                                       : LINUX_DT_REG;
}

/* The name that the offset is the place of: behind `.` and `..` come the names, and then the numbers, each at its own place. NULL:
 * there are no more. */
static const char *name_at(struct open_file *file)
{
    static char text[12];
    const struct made_up *directory = file->made_up;
    uint64_t count = 0, place = file->offset - 2;
    int32_t number;

    while (directory->names[count] != NULL)
        count++;
    if (place < count)
        return directory->names[place];
    number = (int32_t)(place - count);
    if (directory->next == NULL || !directory->next(&number))
        return NULL;
    file->offset = 2 + count + (uint64_t)number;
    mnos_snprintf(text, sizeof text, "%d", number);
    return text;
}

/* 1: there it is; 0: there are no more. */
static int64_t made_up_name(struct open_file *file, struct name *name)
{
    const struct made_up *made_up;
    char path[64];

    name->text = name_at(file);
    if (name->text == NULL)
        return 0;
    mnos_snprintf(path, sizeof path, "%s/%s", file->path, name->text);
    made_up = made_up_find(path);
    if (made_up == NULL) { /* a process that has ended meanwhile */
        name->inode = 1;
        name->type = LINUX_DT_DIR;
        return 1;
    }
    name->inode = 1 + made_up->device;
    name->type = made_up->names != NULL   ? LINUX_DT_DIR
                 : made_up->link != NULL  ? LINUX_DT_LNK
                 : made_up->write != NULL ? LINUX_DT_REG
                                          : LINUX_DT_CHR;
    return 1;
}

static int64_t mount_name(struct open_file *file, struct name *name)
{
    struct file_listing *listing = file->listing;
    mnos_status_t status;

    if (!file->has_name) {
        status = file_next_name(&file->file, listing);
        if (status == MNOS_ERR_END)
            return 0;
        if (status != MNOS_OK)
            return status_to_errno(status);
    }
    file->has_name = true; /* until it was handed out */
    *name = (struct name){listing->name, listing->inode, type_of(listing->type)};
    return 1;
}

static int64_t next_name(struct open_file *file, struct name *name)
{
    if (file->offset < 2) {
        *name = (struct name){file->offset == 0 ? "." : "..", 1, LINUX_DT_DIR};
        return 1;
    }
    return file->made_up != NULL ? made_up_name(file, name) : mount_name(file, name);
}

static int64_t put_name(const struct name *name, uint64_t next, uint64_t to, uint64_t room)
{
    uint8_t bytes[LINUX_DIRENT64_NAME + FILE_NAME_BYTES_MAX + 1 + 8] = {0};
    size_t length = strlen(name->text) + 1;
    struct linux_dirent64 head = {.inode = name->inode,
                                  .offset = (int64_t)next,
                                  .bytes = (uint16_t)((LINUX_DIRENT64_NAME + length + 7) & ~7ull),
                                  .type = name->type};

    if (head.bytes > room)
        return -LX_EINVAL;
    memcpy(bytes, &head, LINUX_DIRENT64_NAME);
    memcpy(bytes + LINUX_DIRENT64_NAME, name->text, length);
    return user_write(to, bytes, head.bytes) == 0 ? head.bytes : -LX_EFAULT;
}

static int64_t prepare(struct open_file *file)
{
    if (file->made_up != NULL || file->listing != NULL)
        return 0;
    file->listing = piece_allocate(sizeof *file->listing);
    if (file->listing == NULL)
        return -LX_ENOMEM;
    memset(file->listing, 0, sizeof *file->listing);
    return 0;
}

int64_t lx_getdents64(int32_t fd, uint64_t to, uint32_t size)
{
    struct open_file *file = descriptor_file(fd);
    struct name name;
    int64_t result, done = 0;

    if (file == NULL)
        return -LX_EBADF;
    if (file->methods != &directory_methods)
        return -LX_ENOTDIR;
    result = prepare(file);
    /* Ends: each round hands out a name, for which there is less room in the next. */
    while (result == 0 && (result = next_name(file, &name)) == 1) {
        result = put_name(&name, file->offset + 1, to + (uint64_t)done, size - (uint64_t)done);
        if (result < 0)
            break;
        done += result;
        file->offset++;
        file->has_name = false;
        result = 0;
    }
    return result < 0 && done == 0 ? result : done;
}

/* Only to the beginning, or to where it is. */
int64_t directory_seek(struct open_file *file, uint64_t offset)
{
    if (offset == file->offset)
        return (int64_t)offset;
    if (offset != 0)
        return -LX_EINVAL;
    piece_free(file->listing);
    file->listing = NULL;
    file->has_name = false;
    file->offset = 0;
    return 0;
}

/* ---- The working directory ---- */

int64_t lx_getcwd(uint64_t to, uint64_t size)
{
    uint64_t bytes = strlen(mounts_directory) + 1;

    if (size < bytes)
        return -LX_ERANGE;
    return user_write(to, mounts_directory, bytes) == 0 ? (int64_t)bytes : -LX_EFAULT;
}

int64_t lx_chdir(uint64_t path)
{
    static struct place place LX_SCRATCH;
    struct linux_stat stat;
    int64_t result = stat_place(PLACE_AT_WORKING_DIRECTORY, path, true, &stat);

    if (result == 0 && (stat.mode & LINUX_S_IFMT) != LINUX_S_IFDIR)
        result = -LX_ENOTDIR;
    if (result == 0)
        result = place_find(PLACE_AT_WORKING_DIRECTORY, path, true, &place);
    if (result == 0)
        string_copy(mounts_directory, place.path, sizeof mounts_directory);
    return result;
}

int64_t lx_fchdir(int32_t fd)
{
    struct open_file *file = descriptor_file(fd);

    if (file == NULL)
        return -LX_EBADF;
    if (file->methods != &directory_methods)
        return -LX_ENOTDIR;
    string_copy(mounts_directory, file->path, sizeof mounts_directory);
    return 0;
}
