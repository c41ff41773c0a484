// SPDX-License-Identifier: MIT
/* files - see files.h. Host tests compile this file as it is. */
#include "services/fs/initrdfs/files.h"

#include "lib/base/string.h"

#define USTAR_BLOCK_BYTES 512u
#define USTAR_NAME_BYTES 100u

/* A plain file with a name of its own. mkarchive.py fills gaps with members that begin with a dot. */
static bool is_file(const struct ustar_entry *entry)
{
    if (entry->type != '0' || entry->path[0] == 0 || strlen(entry->path) > USTAR_NAME_BYTES)
        return false;
    for (const char *at = entry->path; *at != 0; at++) {
        if (*at == '/')
            return false;
    }
    return true;
}

/* `header` is where the archive has the name, which stays there. */
static void add(struct initrdfs *fs, const struct ustar_entry *entry, const char *header)
{
    if (entry->path[0] == '.')
        return;
    if (!is_file(entry) || fs->file_count == INITRDFS_FILES_MAX) {
        fs->left_out++;
        return;
    }
    fs->files[fs->file_count++] = (struct initrdfs_file){.name = header,
                                                         .bytes = (uint32_t)strlen(entry->path),
                                                         .data = entry->data,
                                                         .size = entry->size};
}

enum ustar_error initrdfs_open(struct initrdfs *fs, const void *archive, size_t bytes)
{
    struct ustar_entry entry;
    size_t offset = 0;

    *fs = (struct initrdfs){.bytes = bytes};
    for (;;) {
        size_t at = offset;
        enum ustar_error error = ustar_next(archive, bytes, &offset, &entry);

        /* Ends: each step goes on behind a header at least. */
        if (error != USTAR_OK)
            return error;
        add(fs, &entry, (const char *)archive + at);
    }
}

/* ---- Methods ---- */

static const struct initrdfs_file *file_of(void *context, uint32_t inode)
{
    return &((struct initrdfs *)context)->files[inode - INITRDFS_ROOT - 1];
}

static void keep(void *, uint32_t)
{
}

static mnos_status_t type_of(void *, uint32_t inode, enum file_type *type)
{
    *type = inode == INITRDFS_ROOT ? FILE_TYPE_DIRECTORY : FILE_TYPE_FILE;
    return MNOS_OK;
}

static mnos_status_t size_of(void *context, uint32_t inode, uint64_t *size)
{
    *size = inode == INITRDFS_ROOT ? 0 : file_of(context, inode)->size;
    return MNOS_OK;
}

static mnos_status_t attr(void *context, uint32_t inode, struct file_attr *attr)
{
    const struct initrdfs *fs = context;
    uint64_t size;

    (void)size_of(context, inode, &size);
    *attr = (struct file_attr){
        .inode = inode,
        .generation = 1,
        .size = size,
        .allocated_bytes = (size + USTAR_BLOCK_BYTES - 1) / USTAR_BLOCK_BYTES * USTAR_BLOCK_BYTES,
        .created_ns = fs->date_ns,
        .modified_ns = fs->date_ns,
        .changed_ns = fs->date_ns,
        .type = inode == INITRDFS_ROOT ? FILE_TYPE_DIRECTORY : FILE_TYPE_FILE,
        .links = 1};
    return MNOS_OK;
}

static mnos_status_t look(void *context, struct file_place *place)
{
    const struct initrdfs *fs = context;

    place->entry = place->inode = 0;
    place->type = FILE_TYPE_NONE;
    for (uint32_t i = 0; i < fs->file_count && place->inode == 0; i++) {
        if (fs->files[i].bytes == place->bytes &&
            memcmp(fs->files[i].name, place->text, place->bytes) == 0)
            place->entry = place->inode = INITRDFS_ROOT + 1 + i;
    }
    return MNOS_OK;
}

static mnos_status_t parent(void *, uint32_t, uint32_t *parent)
{
    *parent = 0; /* there is one directory */
    return MNOS_OK;
}

static mnos_status_t link_text(void *, uint32_t, char *, uint32_t, uint32_t *)
{
    return MNOS_ERR_STATE; /* there are no links */
}

static mnos_status_t names(void *context, uint32_t, uint64_t cookie, file_emit *emit,
                           void *emit_context, uint64_t *next, bool *end)
{
    const struct initrdfs *fs = context;

    for (*next = cookie; *next < fs->file_count; ++*next) {
        const struct initrdfs_file *file = &fs->files[*next];
        struct file_entry entry = {.inode = INITRDFS_ROOT + 1 + (uint32_t)*next,
                                   .bytes = (uint16_t)file->bytes,
                                   .type = FILE_TYPE_FILE,
                                   .text = file->name};

        if (!emit(emit_context, &entry))
            break;
    }
    *end = *next >= fs->file_count;
    return MNOS_OK;
}

static mnos_status_t create(void *, const struct file_place *place, enum file_type, uint32_t,
                            uint32_t *)
{
    return place->directory == 0 || place->inode != 0 ? MNOS_ERR_EXISTS : MNOS_ERR_DENIED;
}

static mnos_status_t symlink(void *, const struct file_place *place, const char *, uint32_t,
                             uint32_t)
{
    return place->directory == 0 || place->inode != 0 ? MNOS_ERR_EXISTS : MNOS_ERR_DENIED;
}

static mnos_status_t link(void *, uint32_t, const struct file_place *, uint32_t)
{
    return MNOS_ERR_DENIED;
}

static mnos_status_t remove(void *, const struct file_place *place)
{
    return place->directory != 0 && place->inode == 0 ? MNOS_ERR_NOT_FOUND : MNOS_ERR_DENIED;
}

static mnos_status_t rename(void *, const struct file_place *from, const struct file_place *,
                            uint32_t)
{
    return from->inode == 0 ? MNOS_ERR_NOT_FOUND : MNOS_ERR_DENIED;
}

static mnos_status_t read(void *context, uint32_t inode, uint64_t offset, void *to, uint64_t length,
                          uint64_t *count)
{
    const struct initrdfs_file *file = file_of(context, inode);

    *count = offset >= file->size ? 0 : file->size - offset;
    if (*count > length)
        *count = length;
    if (*count != 0)
        memcpy(to, file->data + offset, *count);
    return MNOS_OK;
}

static mnos_status_t write(void *, uint32_t, uint64_t, const void *, uint64_t, uint64_t *)
{
    return MNOS_ERR_DENIED;
}

static mnos_status_t truncate(void *, uint32_t, uint64_t)
{
    return MNOS_ERR_DENIED;
}

static mnos_status_t space(void *context, uint32_t, struct file_space *space)
{
    const struct initrdfs *fs = context;

    *space = (struct file_space){.total_bytes = fs->bytes,
                                 .own_bytes = 0,
                                 .total_inodes = fs->file_count + 1,
                                 .type = "initrdfs"};
    return MNOS_OK;
}

static mnos_status_t sync(void *, uint32_t, uint64_t *)
{
    return MNOS_OK;
}

const struct file_methods initrdfs_methods = {
    .hold = keep,
    .drop = keep,
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
    .unlink = remove,
    .rmdir = remove,
    .rename = rename,
    .read = read,
    .write = write,
    .truncate = truncate,
    .space = space,
    .sync = sync,
};
