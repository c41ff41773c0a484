// SPDX-License-Identifier: MIT
/* names - the methods that look names up and change them: see service.h. */
#include "lib/base/string.h"
#include "services/fs/fat/service.h"

#define NAMES_AT_ONCE 1024u /* of a directory, for one request */

static mnos_status_t copy_name(const struct file_place *place, char name[FATFS_NAME_BYTES + 1])
{
    if (place->bytes > FATFS_NAME_BYTES)
        return MNOS_ERR_SIZE;
    memcpy(name, place->text, place->bytes);
    name[place->bytes] = 0;
    return strlen(name) == place->bytes ? MNOS_OK : MNOS_ERR_ARGUMENT;
}

/* A directory that has no entry any more has no names, and gets none. */
static bool is_gone(struct fat_service *service, uint32_t directory)
{
    return node_of(service, directory)->gone;
}

mnos_status_t fat_look(void *context, struct file_place *place)
{
    struct fat_service *service = context;
    struct fat_node *directory = node_of(service, place->directory), *node;
    char name[FATFS_NAME_BYTES + 1];
    struct fatfs_object object;
    enum fatfs_result found;
    mnos_status_t status;

    place->inode = 0;
    place->entry = 0;
    place->type = FILE_TYPE_NONE;
    directory->request = service->request;
    if (directory->gone || copy_name(place, name) != MNOS_OK)
        return MNOS_OK; /* nothing has this name */
    found = fatfs_find(&directory->object, name, &object);
    if (found == FATFS_NONE || found == FATFS_NAME)
        return MNOS_OK;
    status = fat_status(found);
    if (status == MNOS_OK)
        status = node_get(service, place->directory, &object, &node);
    if (status != MNOS_OK)
        return status;
    place->inode = node_number(service, node);
    place->entry = object.entry;
    place->type = node->object.is_directory ? FILE_TYPE_DIRECTORY : FILE_TYPE_FILE;
    return MNOS_OK;
}

/* Whether something new can have this name. */
static mnos_status_t check_new(struct fat_service *service, const struct file_place *place,
                               char name[FATFS_NAME_BYTES + 1])
{
    mnos_status_t status = volume_writable(service);

    if (place->directory == 0 || place->inode != 0)
        return MNOS_ERR_EXISTS;
    if (status == MNOS_OK && is_gone(service, place->directory))
        return MNOS_ERR_NOT_FOUND;
    return status != MNOS_OK ? status : copy_name(place, name);
}

/* What is not free now may be after a commit. */
static mnos_status_t create(struct fat_service *service, struct fat_node *directory,
                            const char *name, bool is_directory, struct fatfs_object *object)
{
    struct fatfs_time now = fat_time_from_ns(service->date_ns(service->tick_ns));
    enum fatfs_result result = fatfs_create(&directory->object, name, is_directory, now, object);

    if (result == FATFS_FULL && service->gone_count != 0 && volume_commit(service) == MNOS_OK)
        result = fatfs_create(&directory->object, name, is_directory, now, object);
    return fat_status(result);
}

mnos_status_t fat_create(void *context, const struct file_place *place, enum file_type type,
                         uint32_t, uint32_t *inode)
{
    struct fat_service *service = context;
    char name[FATFS_NAME_BYTES + 1];
    struct fatfs_object object;
    struct fat_node *node;
    mnos_status_t status = check_new(service, place, name);

    if (status == MNOS_OK && place->must_be_directory && type != FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_NOT_FOUND;
    if (status != MNOS_OK)
        return status;
    volume_changed(service);
    status = create(service, node_of(service, place->directory), name, type == FILE_TYPE_DIRECTORY,
                    &object);
    if (status == MNOS_OK)
        status = node_get(service, place->directory, &object, &node);
    if (status == MNOS_OK)
        *inode = node_number(service, node);
    return status;
}

static mnos_status_t remove_entry(struct fat_service *service, struct fat_node *node)
{
    mnos_status_t status = fat_status(fatfs_remove_entry(&node->object));

    if (status == MNOS_OK)
        node_gone(service, node);
    volume_changed(service);
    return status;
}

mnos_status_t fat_unlink(void *context, const struct file_place *place)
{
    struct fat_service *service = context;
    mnos_status_t status = volume_writable(service);

    if (place->directory == 0)
        return MNOS_ERR_DIRECTORY;
    if (place->inode == 0)
        return MNOS_ERR_NOT_FOUND;
    if (node_of(service, place->inode)->object.is_directory)
        return MNOS_ERR_DIRECTORY;
    return status != MNOS_OK ? status : remove_entry(service, node_of(service, place->inode));
}

static bool stop(void *context, const char *, const struct fatfs_object *, uint32_t)
{
    *(bool *)context = true;
    return false;
}

static mnos_status_t check_empty(const struct fat_node *node)
{
    bool found = false;
    enum fatfs_result result = fatfs_list(&node->object, 0, stop, &found);

    if (result != FATFS_OK && result != FATFS_NONE)
        return fat_status(result);
    return found ? MNOS_ERR_NOT_EMPTY : MNOS_OK;
}

mnos_status_t fat_rmdir(void *context, const struct file_place *place)
{
    struct fat_service *service = context;
    mnos_status_t status = volume_writable(service);
    struct fat_node *node;

    if (place->directory == 0)
        return MNOS_ERR_ARGUMENT; /* a path that ends with "." or nothing */
    if (place->inode == 0)
        return MNOS_ERR_NOT_FOUND;
    node = node_of(service, place->inode);
    if (!node->object.is_directory)
        return MNOS_ERR_NOT_DIRECTORY;
    if (status == MNOS_OK)
        status = check_empty(node);
    return status != MNOS_OK ? status : remove_entry(service, node);
}

/* ---- Renaming ---- */

static bool is_in(struct fat_service *service, uint32_t directory, uint32_t moved)
{
    while (directory != 0 && directory != moved)
        directory = node_of(service, directory)->directory;
    return directory == moved;
}

static mnos_status_t check_replaced(const struct fat_node *moved, const struct fat_node *there)
{
    if (!there->object.is_directory)
        return moved->object.is_directory ? MNOS_ERR_NOT_DIRECTORY : MNOS_OK;
    return moved->object.is_directory ? check_empty(there) : MNOS_ERR_DIRECTORY;
}

/* A death between the two steps of a rename leaves two entries for one content, and its client asks for it again. */
static bool is_one_content(const struct fat_node *a, const struct fat_node *b)
{
    return a->object.cluster != 0 && a->object.cluster == b->object.cluster;
}

static mnos_status_t check_rename(struct fat_service *service, const struct file_place *from,
                                  const struct file_place *to)
{
    const struct fat_node *moved;
    mnos_status_t status = volume_writable(service);

    if (from->directory == 0 || to->directory == 0)
        return MNOS_ERR_ARGUMENT;
    if (from->inode == 0 || is_gone(service, to->directory))
        return MNOS_ERR_NOT_FOUND;
    moved = node_of(service, from->inode);
    if (to->must_be_directory && !moved->object.is_directory)
        return MNOS_ERR_NOT_DIRECTORY;
    if (moved->object.is_directory && is_in(service, to->directory, from->inode))
        return MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK && to->inode != 0 && to->inode != from->inode &&
        !is_one_content(moved, node_of(service, to->inode)))
        status = check_replaced(moved, node_of(service, to->inode));
    return status;
}

/* The entry of what is replaced becomes that of what is moved, in one sector. What it led to goes. */
static mnos_status_t take_over(struct fat_service *service, struct fat_node *moved,
                               struct fat_node *there, struct fatfs_object *place)
{
    uint32_t directory = there->directory;
    mnos_status_t status;

    *place = moved->object;
    place->directory = &node_of(service, directory)->object;
    place->entry = there->object.entry;
    place->first_entry = there->object.first_entry;
    status = fat_status(fatfs_update(place));
    if (status == MNOS_OK && is_one_content(moved, there)) /* what it led to stays */
        there->object.cluster = 0;
    if (status == MNOS_OK)
        node_gone(service, there);
    return status;
}

static mnos_status_t new_place(struct fat_service *service, struct fat_node *moved,
                               const struct file_place *to, struct fatfs_object *place)
{
    struct fatfs_object *directory = &node_of(service, to->directory)->object;
    char name[FATFS_NAME_BYTES + 1];
    enum fatfs_result result;
    mnos_status_t status = copy_name(to, name);

    if (status != MNOS_OK)
        return status;
    if (to->inode != 0 && to->inode != node_number(service, moved))
        return take_over(service, moved, node_of(service, to->inode), place);
    result = fatfs_copy_entry(&moved->object, directory, name, place);
    if (result == FATFS_FULL && service->gone_count != 0 && volume_commit(service) == MNOS_OK)
        result = fatfs_copy_entry(&moved->object, directory, name, place);
    return fat_status(result);
}

static bool is_same_text(const struct file_place *a, const struct file_place *b)
{
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

/* Whether both entries, with their long names, are in one sector, which is written at once. */
static bool is_one_sector(const struct fat_service *service, const struct fatfs_object *a,
                          const struct fatfs_object *b)
{
    uint32_t bytes = service->port.sector_bytes, sector = a->entry / bytes;
    uint32_t first_a = a->first_entry == FATFS_NO_LONG_NAME ? a->entry : a->first_entry;
    uint32_t first_b = b->first_entry == FATFS_NO_LONG_NAME ? b->entry : b->first_entry;

    return a->directory == b->directory && b->entry / bytes == sector &&
           first_a / bytes == sector && first_b / bytes == sector;
}

/* First there are two entries, on the medium; then the old one goes. A power cut between leaves both, so the second
 * step is not put off. In one sector there is nothing between. */
mnos_status_t fat_rename(void *context, const struct file_place *from, const struct file_place *to,
                         uint32_t)
{
    struct fat_service *service = context;
    struct fatfs_object place, old;
    struct fat_node *moved;
    mnos_status_t status;

    if (kept_was_renamed(service, from, to)) {
        service->request_renamed = true;
        return MNOS_OK;
    }
    service->kept->renamed.is_one = false;
    status = check_rename(service, from, to);
    /* A name that differs in large and small letters alone is written anew. */
    if (status != MNOS_OK || (from->inode == to->inode && is_same_text(from, to)))
        return status;
    moved = node_of(service, from->inode);
    old = moved->object;
    volume_changed(service);
    status = new_place(service, moved, to, &place);
    if (status != MNOS_OK)
        return status;
    node_move(service, moved, to->directory, &place);
    moved->dirty = false; /* both entries say what it says */
    if (moved->object.is_directory && old.directory != moved->object.directory)
        status = fat_status(fatfs_set_parent(&moved->object));
    if (status == MNOS_OK && !is_one_sector(service, &old, &moved->object))
        status = volume_commit(service);
    kept_note_renamed(service, &moved->object);
    if (status == MNOS_OK)
        status = fat_status(fatfs_remove_entry(&old));
    return status != MNOS_OK ? status : volume_commit(service);
}

/* ---- The other methods ---- */

static mnos_status_t type_of(void *context, uint32_t inode, enum file_type *type)
{
    *type = node_of(context, inode)->object.is_directory ? FILE_TYPE_DIRECTORY : FILE_TYPE_FILE;
    return MNOS_OK;
}

static uint64_t cluster_bytes(void)
{
    struct fatfs_space space;

    return fat_status(fatfs_space(&space)) == MNOS_OK ? space.cluster_bytes : 1;
}

static mnos_status_t size_of(void *context, uint32_t inode, uint64_t *size)
{
    const struct fatfs_object *object = &node_of(context, inode)->object;

    *size = object->is_directory ? 0 : object->size;
    return MNOS_OK;
}

static mnos_status_t attr(void *context, uint32_t inode, struct file_attr *attr)
{
    struct fat_service *service = context;
    const struct fat_node *node = node_of(service, inode);
    const struct fatfs_object *object = &node->object;
    uint64_t cluster = cluster_bytes(), size;

    (void)size_of(context, inode, &size);
    *attr = (struct file_attr){.inode = inode,
                               .generation = node->generation,
                               .size = size,
                               .allocated_bytes = (size + cluster - 1) / cluster * cluster,
                               .created_ns = fat_time_to_ns(object->created),
                               .modified_ns = fat_time_to_ns(object->modified),
                               .changed_ns = fat_time_to_ns(object->modified),
                               .type = object->is_directory ? FILE_TYPE_DIRECTORY : FILE_TYPE_FILE,
                               .links = node->gone ? 0 : 1};
    return MNOS_OK;
}

static mnos_status_t parent(void *context, uint32_t directory, uint32_t *parent)
{
    *parent = node_of(context, directory)->directory;
    return MNOS_OK;
}

static mnos_status_t link_text(void *, uint32_t, char *, uint32_t, uint32_t *)
{
    return MNOS_ERR_STATE; /* there are no links */
}

struct listing {
    file_emit *emit;
    void *context;
    uint32_t next, count;
    bool stopped;
};

static bool give(void *context, const char *name, const struct fatfs_object *object, uint32_t next)
{
    struct listing *listing = context;
    /* What a number of an inode would be is said by no entry: where it is is as good. */
    struct file_entry entry = {.inode = object->entry / 32 + FAT_ROOT + 1,
                               .bytes = (uint16_t)strlen(name),
                               .type = object->is_directory ? FILE_TYPE_DIRECTORY : FILE_TYPE_FILE,
                               .text = name};

    listing->stopped =
        listing->count++ == NAMES_AT_ONCE || !listing->emit(listing->context, &entry);
    if (!listing->stopped)
        listing->next = next;
    return !listing->stopped;
}

static mnos_status_t names(void *context, uint32_t directory, uint64_t cookie, file_emit *emit,
                           void *emit_context, uint64_t *next, bool *end)
{
    struct fat_service *service = context;
    struct fat_node *node = node_of(service, directory);
    struct listing listing = {.emit = emit, .context = emit_context, .next = (uint32_t)cookie};
    enum fatfs_result result = FATFS_NONE;

    if (!node->gone && cookie <= UINT32_MAX)
        result = fatfs_list(&node->object, (uint32_t)cookie & ~31u, give, &listing);
    *next = listing.next;
    *end = !listing.stopped;
    return result == FATFS_NONE ? MNOS_OK : fat_status(result);
}

static mnos_status_t symlink(void *, const struct file_place *place, const char *, uint32_t,
                             uint32_t)
{
    return place->directory == 0 || place->inode != 0 ? MNOS_ERR_EXISTS : MNOS_ERR_DENIED;
}

static mnos_status_t link(void *, uint32_t, const struct file_place *, uint32_t)
{
    return MNOS_ERR_DENIED; /* a file has one entry */
}

static mnos_status_t space(void *, uint32_t, struct file_space *space)
{
    static const char *const types[] = {"", "fat12", "fat16", "fat32", "exfat"};
    struct fatfs_space found;
    mnos_status_t status = fat_status(fatfs_space(&found));

    *space = (struct file_space){.total_bytes = found.clusters * found.cluster_bytes,
                                 .free_bytes = found.free_clusters * found.cluster_bytes};
    string_copy(space->type, types[fatfs_type()], sizeof space->type);
    return status;
}

static mnos_status_t sync(void *context, uint32_t, uint64_t *)
{
    struct fat_service *service = context;

    if (service->read_only) /* what could not be written will not be any more */
        return service->asked_read_only ? MNOS_OK : MNOS_ERR_DEVICE;
    return volume_commit(service); /* everything, as the tables are everybody's */
}

static mnos_status_t ready(void *context)
{
    struct fat_service *service = context;

    service->request++;
    service->request_changed = service->request_renamed = false;
    service->kept->in_request = true;
    return service->state == FAT_MOUNTED ? MNOS_OK : MNOS_ERR_STATE;
}

const struct file_methods fat_methods = {
    .hold = node_hold,
    .drop = node_drop,
    .type = type_of,
    .attr = attr,
    .size = size_of,
    .look = fat_look,
    .parent = parent,
    .link_text = link_text,
    .names = names,
    .create = fat_create,
    .symlink = symlink,
    .link = link,
    .unlink = fat_unlink,
    .rmdir = fat_rmdir,
    .rename = fat_rename,
    .read = fat_read,
    .write = fat_write,
    .truncate = fat_truncate,
    .set_time = fat_set_time,
    .space = space,
    .sync = sync,
    .ready = ready,
};
