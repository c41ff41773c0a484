// SPDX-License-Identifier: MIT
/* lookup - names: what lib/server asks of them. Those that are known are in names.c. */
#include "services/fs/ext4/service.h"

#define MODE_FILE 0644u
#define MODE_DIRECTORY 0755u
/* Longer ways up are no file system's. */
#define DEPTH_MAX 65536u

static mnos_status_t parent(void *context, uint32_t directory, uint32_t *parent)
{
    mnos_status_t status;

    if (directory == EXT4_ROOT) {
        *parent = 0;
        return MNOS_OK;
    }
    status = ext4_lookup(service_begin(context), directory, "..", 2, parent);
    return service_end(context, status);
}

static enum file_type type_for(uint32_t type)
{
    switch (type) {
    case EXT4_TYPE_FILE: return FILE_TYPE_FILE;
    case EXT4_TYPE_DIRECTORY: return FILE_TYPE_DIRECTORY;
    case EXT4_TYPE_SYMLINK: return FILE_TYPE_SYMLINK;
    default: return FILE_TYPE_NONE;
    }
}

/* With its type, which who walks a path wants of each name. */
static mnos_status_t look(void *context, struct file_place *place)
{
    const struct known_attr *known;
    mnos_status_t status =
        names_find(context, place->directory, place->text, place->bytes, &place->inode);

    place->entry = place->inode;
    place->type = FILE_TYPE_NONE;
    if (status != MNOS_OK || place->inode == 0)
        return status;
    known = known_near(context, place->inode);
    if (known == NULL)
        status = known_kind(context, place->inode, &known);
    if (status == MNOS_OK)
        place->type = type_for(known->type);
    return status;
}

static mnos_status_t type_of(void *context, uint32_t inode, enum file_type *type)
{
    const struct known_attr *attr;
    mnos_status_t status = known_kind(context, inode, &attr);

    if (status == MNOS_OK)
        *type = type_for(attr->type);
    return status;
}

static mnos_status_t attr_of(void *context, uint32_t inode, struct file_attr *attr)
{
    const struct known_attr *known;
    mnos_status_t status = known_inode(context, inode, &known);

    if (status != MNOS_OK)
        return status;
    *attr = (struct file_attr){.inode = inode,
                               .generation = known->generation,
                               .size = known->size,
                               .allocated_bytes = known->allocated_bytes,
                               .created_ns = known->created_ns,
                               .modified_ns = known->modified_ns,
                               .changed_ns = known->changed_ns,
                               .type = type_for(known->type),
                               .links = known->links};
    return MNOS_OK;
}

static mnos_status_t size_of(void *context, uint32_t inode, uint64_t *size)
{
    const struct known_attr *known;
    mnos_status_t status = known_inode(context, inode, &known);

    *size = status == MNOS_OK ? known->size : 0;
    return status;
}

static mnos_status_t link_text(void *context, uint32_t inode, char *to, uint32_t room,
                               uint32_t *bytes)
{
    mnos_status_t status = ext4_readlink(service_begin(context), inode, to, room, bytes);

    return service_end(context, status);
}

struct emit_to {
    file_emit *emit;
    void *context;
};

static bool emit_name(void *context, const struct ext4_name *name)
{
    struct emit_to *to = context;
    struct file_entry entry = {.inode = name->inode,
                               .bytes = (uint16_t)name->bytes,
                               .type = (uint16_t)type_for(name->type),
                               .text = name->text};

    return to->emit(to->context, &entry);
}

static mnos_status_t names(void *context, uint32_t directory, uint64_t cookie, file_emit *emit,
                           void *emit_context, uint64_t *next, bool *end)
{
    struct emit_to to = {emit, emit_context};
    mnos_status_t status =
        ext4_readdir(service_begin(context), directory, cookie, emit_name, &to, next, end);

    return service_end(context, status);
}

/* ---- What changes names ---- */

/* Whether something new can have this name. */
static mnos_status_t check_new(struct ext4_service *service, const struct file_place *place,
                               bool directory)
{
    const struct known_attr *attr;
    mnos_status_t status = service_writable(service);

    if (status != MNOS_OK)
        return status;
    if (place->directory == 0 || place->inode != 0)
        return MNOS_ERR_EXISTS;
    if (place->must_be_directory && !directory)
        return MNOS_ERR_NOT_FOUND;
    status = known_kind(service, place->directory, &attr);
    if (status != MNOS_OK)
        return status;
    return attr->links == 0 ? MNOS_ERR_NOT_FOUND : MNOS_OK; /* it was removed while it is open */
}

/* A name of the place is now this inode's, 0: nobody's. */
static void renamed(struct ext4_service *service, const struct file_place *place, uint32_t inode)
{
    names_set(service, place->directory, place->text, place->bytes, inode);
    known_touch(service, place->directory);
    service_changed(service);
}

/* A new inode is known at once, while its block is at hand; whoever cannot be known is asked for later. */
static void created(struct ext4_service *service, const struct file_place *place, bool directory,
                    uint32_t inode)
{
    const struct known_attr *attr;

    if (directory)
        known_forget(service, place->directory); /* it has a link more */
    known_forget(service, inode);                /* an earlier one with this number */
    (void)!known_inode(service, inode, &attr);
    renamed(service, place, inode);
}

/* The end of making a name: what was removed and is still being taken away makes room, of inodes as well. */
static mnos_status_t end_making(struct ext4_service *service, mnos_status_t status)
{
    status = service_end(service, status);
    if (status == MNOS_ERR_FULL && open_leaving_count(service) != 0)
        return service_wait(service, service_key(KEY_LEFT, 0));
    return status;
}

static mnos_status_t create(void *context, const struct file_place *place, enum file_type type,
                            uint32_t, uint32_t *inode)
{
    struct ext4_service *service = context;
    bool directory = type == FILE_TYPE_DIRECTORY;
    mnos_status_t status = check_new(service, place, directory);

    if (status != MNOS_OK)
        return status;
    if (directory)
        status = ext4_mkdir(service_begin(service), place->directory, place->text, place->bytes,
                            MODE_DIRECTORY, inode);
    else
        status = ext4_create(service_begin(service), place->directory, place->text, place->bytes,
                             MODE_FILE, inode);
    status = end_making(service, status);
    if (status != MNOS_OK)
        return status;
    created(service, place, directory, *inode);
    return MNOS_OK;
}

static mnos_status_t symlink(void *context, const struct file_place *place, const char *text,
                             uint32_t bytes, uint32_t)
{
    struct ext4_service *service = context;
    mnos_status_t status = check_new(service, place, false);
    uint32_t inode;

    if (status != MNOS_OK)
        return status;
    status = ext4_symlink(service_begin(service), place->directory, place->text, place->bytes, text,
                          bytes, &inode);
    status = end_making(service, status);
    if (status != MNOS_OK)
        return status;
    created(service, place, false, inode);
    return MNOS_OK;
}

static mnos_status_t link(void *context, uint32_t inode, const struct file_place *place, uint32_t)
{
    struct ext4_service *service = context;
    struct known_attr attr;
    mnos_status_t status = known_attr(service, inode, &attr);

    if (status == MNOS_OK && attr.type == EXT4_TYPE_DIRECTORY)
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK)
        status = check_new(service, place, false);
    if (status == MNOS_OK && attr.links == 0)
        status = MNOS_ERR_NOT_FOUND; /* what was removed while it is open does not come back */
    if (status == MNOS_OK && attr.links >= EXT4_LINKS_MAX)
        status = MNOS_ERR_LINKS;
    if (status != MNOS_OK)
        return status;
    status = ext4_link(service_begin(service), inode, place->directory, place->text, place->bytes);
    status = end_making(service, status);
    if (status != MNOS_OK)
        return status;
    known_forget(service, inode);
    renamed(service, place, inode);
    return MNOS_OK;
}

/* Removing waits while too many wait to be taken away. */
static mnos_status_t may_remove(struct ext4_service *service)
{
    if (open_leaving_count(service) >= SERVICE_LEAVING_MAX)
        return service_wait(service, service_key(KEY_LEFT, 0));
    return service_writable(service);
}

typedef mnos_status_t remove_operation(struct ext4_op *op, uint32_t directory, const char *name,
                                       uint32_t bytes, uint32_t *gone);

static mnos_status_t remove_name(struct ext4_service *service, const struct file_place *place,
                                 remove_operation *operation)
{
    uint32_t gone = 0;
    mnos_status_t status = may_remove(service);

    if (status == MNOS_OK && place->inode == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status != MNOS_OK)
        return status;
    status = operation(service_begin(service), place->directory, place->text, place->bytes, &gone);
    status = service_end(service, status);
    if (status != MNOS_OK)
        return status;
    known_forget(service, place->inode);
    if (operation == ext4_rmdir)
        known_forget(service, place->directory); /* it has a link less */
    renamed(service, place, 0);
    if (gone != 0)
        open_gone(service, gone);
    return MNOS_OK;
}

static mnos_status_t unlink(void *context, const struct file_place *place)
{
    enum file_type type = FILE_TYPE_NONE;
    mnos_status_t status = MNOS_OK;

    if (place->directory == 0)
        return MNOS_ERR_DIRECTORY;
    if (place->inode != 0)
        status = type_of(context, place->inode, &type);
    if (status == MNOS_OK && type == FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_DIRECTORY;
    return status != MNOS_OK ? status : remove_name(context, place, ext4_unlink);
}

static mnos_status_t rmdir(void *context, const struct file_place *place)
{
    enum file_type type = FILE_TYPE_DIRECTORY;
    mnos_status_t status = MNOS_OK;

    if (place->directory == 0)
        return MNOS_ERR_ARGUMENT; /* a path that ends with "." or nothing */
    if (place->inode != 0)
        status = type_of(context, place->inode, &type);
    if (status == MNOS_OK && type != FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_NOT_DIRECTORY;
    return status != MNOS_OK ? status : remove_name(context, place, ext4_rmdir);
}

/* Whether `into` is `moved` or below it. */
static mnos_status_t check_inside(struct ext4_service *service, uint32_t moved, uint32_t into)
{
    for (uint32_t steps = 0; into != 0 && steps < DEPTH_MAX; steps++) {
        mnos_status_t status;

        if (into == moved)
            return MNOS_ERR_ARGUMENT;
        status = parent(service, into, &into);
        if (status != MNOS_OK)
            return status;
    }
    return MNOS_OK;
}

static mnos_status_t check_rename(struct ext4_service *service, const struct file_place *from,
                                  const struct file_place *to)
{
    enum file_type type, there = FILE_TYPE_NONE;
    struct known_attr attr;
    mnos_status_t status;

    if (from->directory == 0 || to->directory == 0)
        return MNOS_ERR_ARGUMENT;
    if (from->inode == 0)
        return MNOS_ERR_NOT_FOUND;
    status = known_attr(service, to->directory, &attr);
    if (status == MNOS_OK && attr.links == 0)
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK)
        status = type_of(service, from->inode, &type);
    if (status == MNOS_OK && to->inode != 0)
        status = type_of(service, to->inode, &there);
    if (status != MNOS_OK)
        return status;
    if (to->must_be_directory && type != FILE_TYPE_DIRECTORY)
        return MNOS_ERR_NOT_DIRECTORY;
    if (type == FILE_TYPE_DIRECTORY)
        status = check_inside(service, from->inode, to->directory);
    if (status == MNOS_OK && to->inode != 0 && to->inode != from->inode &&
        (type == FILE_TYPE_DIRECTORY) != (there == FILE_TYPE_DIRECTORY))
        status = there == FILE_TYPE_DIRECTORY ? MNOS_ERR_DIRECTORY : MNOS_ERR_NOT_DIRECTORY;
    return status;
}

static mnos_status_t rename(void *context, const struct file_place *from,
                            const struct file_place *to, uint32_t)
{
    struct ext4_service *service = context;
    struct ext4_place old = {from->directory, from->text, from->bytes},
                      new = {to->directory, to->text, to->bytes};
    uint32_t gone = 0;
    mnos_status_t status = may_remove(service);

    if (status == MNOS_OK)
        status = check_rename(service, from, to);
    if (status != MNOS_OK || from->inode == to->inode)
        return status; /* two names of one file stay as they are */
    status = ext4_rename(service_begin(service), &old, &new, &gone);
    status = end_making(service, status);
    if (status != MNOS_OK)
        return status;
    renamed(service, from, 0);
    renamed(service, to, from->inode);
    known_forget(service, from->inode);
    /* If it is a directory, these have other links now. */
    known_forget(service, from->directory);
    known_forget(service, to->directory);
    if (to->inode != 0)
        known_forget(service, to->inode);
    if (gone != 0)
        open_gone(service, gone);
    return MNOS_OK;
}

static mnos_status_t space(void *context, uint32_t, struct file_space *space)
{
    struct ext4_service *service = context;
    struct ext4_space there;

    ext4_statfs(service->fs, &there);
    *space = (struct file_space){
        .total_bytes = there.blocks * service->block_bytes,
        .free_bytes = there.free_blocks * service->block_bytes,
        .own_bytes = (there.blocks - there.free_blocks) * service->block_bytes,
        .own_limit = there.blocks * service->block_bytes,
        .total_inodes = there.inodes,
        .free_inodes = there.free_inodes,
        .type = "ext4",
    };
    return MNOS_OK;
}

/* Whether there is a volume. */
static mnos_status_t ready(void *context)
{
    struct ext4_service *service = context;

    if (service->state == SERVICE_RETURNING)
        return service_wait(service, service_key(KEY_RETURNED, 0));
    return service->state == SERVICE_MOUNTED ? MNOS_OK : MNOS_ERR_STATE;
}

const struct file_methods ext4_methods = {
    .hold = open_hold,
    .drop = open_drop,
    .type = type_of,
    .attr = attr_of,
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
    .read = service_read,
    .write = service_write,
    .truncate = service_truncate,
    .set_time = service_set_time,
    .seek = service_seek,
    .allocate = service_allocate,
    .pages = service_pages,
    .space = space,
    .sync = service_sync,
    .failures = service_failures,
    .ready = ready,
};
