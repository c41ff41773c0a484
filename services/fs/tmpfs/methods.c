// SPDX-License-Identifier: MIT
/* methods - what lib/server asks of a file system, done in memory: see methods.h. Nothing of it waits. */
#include "services/fs/tmpfs/methods.h"

#include "lib/base/string.h"

/* Slots of a directory that are looked at at once. */
#define SLOTS_AT_ONCE 4096u

static struct tmpfs *fs_of(void *context)
{
    return ((struct tmpfs_files *)context)->fs;
}

/* For what changes something, and dates it. */
static struct tmpfs *changing(void *context)
{
    struct tmpfs_files *files = context;

    files->fs->now_ns = (int64_t)files->now_ns();
    return files->fs;
}

/* For what may need memory, too: what is nobody's any more comes first, and its account is charged no longer. */
static struct tmpfs *with_room(void *context)
{
    struct tmpfs_files *files = context;

    changing(context);
    while (tmpfs_reap(files->fs))
        continue;
    if (files->fs->free_page_count < TMPFS_PAGES_KEPT)
        files->grow(files->fs);
    return files->fs;
}

static void hold(void *context, uint32_t inode)
{
    tmpfs_hold(fs_of(context), inode);
}

static void drop(void *context, uint32_t inode)
{
    tmpfs_drop(fs_of(context), inode);
}

static mnos_status_t type_of(void *context, uint32_t inode, enum file_type *type)
{
    *type = (enum file_type)tmpfs_inode(fs_of(context), inode)->type;
    return MNOS_OK;
}

static mnos_status_t attr(void *context, uint32_t inode, struct file_attr *attr)
{
    tmpfs_attr(fs_of(context), inode, attr);
    return MNOS_OK;
}

static mnos_status_t size_of(void *context, uint32_t inode, uint64_t *size)
{
    *size = tmpfs_inode(fs_of(context), inode)->size;
    return MNOS_OK;
}

static mnos_status_t look(void *context, struct file_place *place)
{
    return tmpfs_name_look(fs_of(context), place);
}

static mnos_status_t parent(void *context, uint32_t directory, uint32_t *parent)
{
    *parent = tmpfs_inode(fs_of(context), directory)->parent;
    return MNOS_OK;
}

static mnos_status_t link_text(void *context, uint32_t inode, char *to, uint32_t room,
                               uint32_t *bytes)
{
    if (tmpfs_inode(fs_of(context), inode)->size > room)
        return MNOS_ERR_SIZE;
    *bytes = (uint32_t)tmpfs_read(fs_of(context), inode, 0, to, room);
    return MNOS_OK;
}

static mnos_status_t names(void *context, uint32_t directory, uint64_t cookie, file_emit *emit,
                           void *emit_context, uint64_t *next, bool *end)
{
    struct tmpfs *fs = fs_of(context);
    uint64_t limit = cookie > UINT64_MAX - SLOTS_AT_ONCE ? UINT64_MAX : cookie + SLOTS_AT_ONCE;
    char text[FILE_NAME_BYTES_MAX];

    for (*next = cookie; *next < limit; ++*next) {
        uint32_t unit = tmpfs_name_at(fs, directory, (uint32_t)(limit - *next), next);
        const struct tmpfs_name *name;
        struct file_entry entry;

        if (unit == 0)
            break;
        name = tmpfs_unit(fs, unit);
        entry = (struct file_entry){.inode = name->inode,
                                    .bytes = (uint16_t)tmpfs_name_text(fs, unit, text),
                                    .type = (uint16_t)tmpfs_inode(fs, name->inode)->type,
                                    .text = text};
        if (!emit(emit_context, &entry))
            break;
    }
    *end = *next >= tmpfs_inode(fs, directory)->slots;
    return MNOS_OK;
}

static mnos_status_t create(void *context, const struct file_place *place, enum file_type type,
                            uint32_t account, uint32_t *inode)
{
    return tmpfs_create(with_room(context), place, type, account, inode);
}

static mnos_status_t symlink(void *context, const struct file_place *place, const char *text,
                             uint32_t bytes, uint32_t account)
{
    return tmpfs_symlink(with_room(context), place, text, bytes, account);
}

static mnos_status_t link(void *context, uint32_t inode, const struct file_place *place,
                          uint32_t account)
{
    return tmpfs_link(with_room(context), inode, place, account);
}

static mnos_status_t unlink(void *context, const struct file_place *place)
{
    return tmpfs_unlink(changing(context), place);
}

static mnos_status_t rmdir(void *context, const struct file_place *place)
{
    return tmpfs_rmdir(changing(context), place);
}

static mnos_status_t rename(void *context, const struct file_place *from,
                            const struct file_place *to, uint32_t account)
{
    return tmpfs_rename(with_room(context), from, to, account);
}

static mnos_status_t read(void *context, uint32_t inode, uint64_t offset, void *to, uint64_t length,
                          uint64_t *count)
{
    *count = tmpfs_read(fs_of(context), inode, offset, to, length);
    return MNOS_OK;
}

static mnos_status_t write(void *context, uint32_t inode, uint64_t offset, const void *from,
                           uint64_t length, uint64_t *count)
{
    return tmpfs_write(with_room(context), inode, offset, from, length, count);
}

static mnos_status_t truncate(void *context, uint32_t inode, uint64_t size)
{
    return tmpfs_truncate(changing(context), inode, size);
}

static mnos_status_t set_time(void *context, uint32_t inode, bool now, int64_t modified_ns)
{
    struct tmpfs *fs = changing(context);

    tmpfs_set_modified(fs, inode, now ? fs->now_ns : modified_ns);
    return MNOS_OK;
}

static mnos_status_t seek(void *context, uint32_t inode, uint64_t offset, bool hole,
                          uint64_t *found)
{
    *found = tmpfs_seek(fs_of(context), inode, offset, hole);
    return MNOS_OK;
}

static mnos_status_t allocate(void *context, uint32_t inode, uint64_t offset, uint64_t length,
                              uint32_t flags, uint64_t *done)
{
    if ((flags & FILE_ALLOCATE_PUNCH) == 0)
        return tmpfs_allocate(with_room(context), inode, offset, length,
                              (flags & FILE_ALLOCATE_KEEP_SIZE) != 0, done);
    tmpfs_punch(changing(context), inode, offset, length, done);
    return MNOS_OK;
}

static mnos_status_t pages(void *context, uint32_t number, uint64_t index, uint32_t most,
                           struct file_pages *pages)
{
    struct tmpfs_files *files = context;
    uint64_t in_memory;
    uint32_t page = tmpfs_tree_run(files->fs, tmpfs_inode(files->fs, number), index, most,
                                   &pages->index, &pages->count);

    if (page == 0)
        return MNOS_OK;
    pages->memory = files->memory(tmpfs_page(files->fs, page), &pages->first_page, &in_memory);
    if (pages->count <= in_memory)
        return MNOS_OK;
    /* They go on in another piece of the region. */
    pages->count = (uint32_t)in_memory;
    if (index >= pages->index + in_memory)
        *pages = (struct file_pages){0};
    return MNOS_OK;
}

static mnos_status_t space(void *context, uint32_t account, struct file_space *space)
{
    while (tmpfs_reap(fs_of(context)))
        continue;
    tmpfs_space(fs_of(context), account, space);
    return MNOS_OK;
}

/* Memory is all there is, so everything is as safe as it can become. */
static mnos_status_t sync(void *, uint32_t, uint64_t *)
{
    return MNOS_OK;
}

const struct file_methods tmpfs_methods = {
    .hold = hold,
    .drop = drop,
    .type = type_of,
    .attr = attr,
    .size = size_of,
    .look = look,
    .parent = parent,
    .link_text = link_text,
    .names = names,
    .create = create,
    .symlink = symlink,
    .link = link,
    .unlink = unlink,
    .rmdir = rmdir,
    .rename = rename,
    .read = read,
    .write = write,
    .truncate = truncate,
    .set_time = set_time,
    .seek = seek,
    .allocate = allocate,
    .pages = pages,
    .space = space,
    .sync = sync,
};
