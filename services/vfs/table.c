// SPDX-License-Identifier: MIT
/* table - the mount table: see table.h. Host tests compile this file as it is. */
#include "services/vfs/table.h"

#include "lib/server/state.h"

#include "lib/base/string.h"

static bool is_text(const char *field, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (field[i] == 0)
            return true;
    }
    return false;
}

bool vfs_path_is_good(const char at[VFS_PATH_BYTES])
{
    const char *name = at + 1;

    if (!is_text(at, VFS_PATH_BYTES) || at[0] != '/' || name[0] == 0)
        return false;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (; *name != 0; name++) {
        if (*name == '/' || (unsigned char)*name <= ' ' || *name == 0x7F)
            return false;
    }
    return true;
}

const char *vfs_name(const struct vfs_entry *entry)
{
    return entry->at + 1;
}

struct vfs_entry *vfs_find(struct vfs_table *table, const char *name, size_t bytes)
{
    for (uint32_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct vfs_entry *entry = &table->entries[i];

        if (entry->at[0] != 0 && strlen(vfs_name(entry)) == bytes &&
            strncmp(vfs_name(entry), name, bytes) == 0)
            return entry;
    }
    return NULL;
}

struct vfs_entry *vfs_find_inode(struct vfs_table *table, uint64_t inode)
{
    for (uint32_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        if (table->entries[i].at[0] != 0 && table->entries[i].inode == inode)
            return &table->entries[i];
    }
    return NULL;
}

/* One that nothing uses: free, or made by a command whose volume has gone. */
static bool is_reusable(const struct vfs_entry *entry)
{
    return entry->at[0] == 0 ||
           (entry->by_order && (entry->state == VFS_ABSENT || entry->state == VFS_FAILED));
}

struct vfs_entry *vfs_add(struct vfs_table *table, const char *at)
{
    struct vfs_entry *found = NULL;

    for (uint32_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct vfs_entry *entry = &table->entries[i];

        if (is_reusable(entry) && (found == NULL || (found->at[0] != 0 && entry->at[0] == 0)))
            found = entry;
    }
    if (found == NULL)
        return NULL;
    *found = (struct vfs_entry){.inode = table->next_inode++, .by_order = 1};
    string_copy(found->at, at, sizeof found->at);
    return found;
}

enum vfs_order vfs_order_of(const struct vfs_entry *entry, uint32_t label, uint32_t orders,
                            uint64_t badge)
{
    if (orders == (entry == NULL ? 0 : entry->orders))
        return VFS_ORDER_NEW;
    if (entry != NULL && orders + 1 == entry->orders && label == entry->last_order &&
        badge == entry->order_badge)
        return VFS_ORDER_AGAIN;
    return VFS_ORDER_LATE;
}

void vfs_follow(struct vfs_entry *entry, uint32_t label, uint64_t badge)
{
    state_note(entry, sizeof *entry);
    entry->orders++;
    entry->last_order = label;
    entry->order_badge = badge;
}

const char *vfs_service_of(const struct vfs_table *table, const char *type)
{
    for (uint32_t i = 0; i < table->type_count; i++) {
        if (strcmp(table->types[i].type, type) == 0)
            return table->types[i].service;
    }
    return NULL;
}

static bool is_in_use(const struct vfs_entry *entry)
{
    return entry->at[0] != 0 && entry->state != VFS_ABSENT && entry->state != VFS_FAILED;
}

bool vfs_service_is_free(const struct vfs_table *table, const char *service,
                         const struct vfs_entry *but)
{
    for (uint32_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        const struct vfs_entry *entry = &table->entries[i];

        if (entry != but && is_in_use(entry) && strcmp(entry->service, service) == 0)
            return false;
    }
    return true;
}

bool vfs_volume_is_free(const struct vfs_table *table, const uint8_t volume[MOUNT_VOLUME_BYTES],
                        const struct vfs_entry *but)
{
    for (uint32_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        const struct vfs_entry *entry = &table->entries[i];

        if (entry != but && is_in_use(entry) && entry->state != VFS_PROBING &&
            memcmp(entry->volume, volume, sizeof entry->volume) == 0)
            return false;
    }
    return true;
}

/* ---- The compiled table ---- */

static const char *check_entry(const struct mounts_entry *entry)
{
    if (!vfs_path_is_good(entry->at))
        return "a mount point is not `/` and a name";
    if (!is_text(entry->service, sizeof entry->service) || entry->want > MOUNTS_WANT_VOLUME ||
        (entry->service[0] != 0) != (entry->want == MOUNTS_WANT_NOTHING))
        return "a mount has a bad service or volume";
    for (uint32_t i = 0; i < MOUNTS_TYPES_OF_MOUNT; i++) {
        if (!is_text(entry->types[i], sizeof entry->types[i]))
            return "a mount has a bad type";
    }
    return NULL;
}

static const char *take_entry(struct vfs_table *table, const struct mounts_entry *from)
{
    const char *wrong = check_entry(from);
    struct vfs_entry *entry;

    if (wrong != NULL)
        return wrong;
    if (vfs_find(table, from->at + 1, strlen(from->at + 1)) != NULL)
        return "two mounts have the same mount point";
    entry = vfs_add(table, from->at);
    entry->by_order = 0;
    entry->want = from->want;
    entry->flags = from->flags;
    entry->state = VFS_PROBING;
    memcpy(entry->volume, from->volume, sizeof entry->volume);
    memcpy(entry->service, from->service, sizeof entry->service);
    memcpy(entry->types, from->types, sizeof entry->types);
    return NULL;
}

static const char *check_header(const struct mounts_header *header, size_t bytes)
{
    if (bytes < sizeof *header || header->magic != MOUNTS_MAGIC)
        return "it is no compiled mount table";
    if (header->version != MOUNTS_VERSION)
        return "its version is not the one that this program knows";
    if (header->mount_count > VFS_MOUNTS_MAX || header->type_count > MOUNTS_TYPES_MAX)
        return "it has too many entries";
    if (header->size_bytes != bytes ||
        bytes != sizeof *header + header->mount_count * sizeof(struct mounts_entry) +
                     header->type_count * sizeof(struct mounts_type))
        return "its size is not what its header says";
    return NULL;
}

const char *vfs_table_format(struct vfs_table *table, const void *mounts, size_t bytes)
{
    const struct mounts_header *header = mounts;
    const struct mounts_entry *entries = (const void *)(header + 1);
    const struct mounts_type *types;
    const char *wrong = check_header(header, bytes);

    *table = (struct vfs_table){.layout = VFS_TABLE_LAYOUT, .next_inode = VFS_ROOT_INODE + 1};
    for (uint32_t i = 0; wrong == NULL && i < header->mount_count; i++)
        wrong = take_entry(table, &entries[i]);
    if (wrong != NULL)
        return wrong;
    types = (const void *)(entries + header->mount_count);
    for (; table->type_count < header->type_count; table->type_count++) {
        const struct mounts_type *type = &types[table->type_count];

        if (!is_text(type->type, sizeof type->type) ||
            !is_text(type->service, sizeof type->service))
            return "a type has a bad name or service";
        table->types[table->type_count] = *type;
    }
    table->magic = VFS_TABLE_MAGIC; /* the last store: what has it is whole */
    return NULL;
}

const char *vfs_table_check(const struct vfs_table *table)
{
    for (uint32_t i = 0; i < VFS_MOUNTS_MAX; i++) {
        const struct vfs_entry *a = &table->entries[i];

        if (a->at[0] == 0)
            continue;
        if (!vfs_path_is_good(a->at) || a->state > VFS_FAILED || a->inode >= table->next_inode)
            return "V2: an entry is malformed";
        for (uint32_t j = i + 1; j < VFS_MOUNTS_MAX; j++) {
            const struct vfs_entry *b = &table->entries[j];

            if (b->at[0] == 0)
                continue;
            if (strcmp(a->at, b->at) == 0 || a->inode == b->inode)
                return "V2: two entries have the same mount point";
            if (vfs_is_on_its_way(a) && vfs_is_on_its_way(b) && a->service[0] != 0 &&
                strcmp(a->service, b->service) == 0)
                return "V3: a service serves two entries";
        }
    }
    return NULL;
}
