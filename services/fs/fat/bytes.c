// SPDX-License-Identifier: MIT
/* bytes - reading, writing and truncating, and the time of that: see service.h. */
#include "lib/base/string.h"
#include "services/fs/fat/service.h"

static const uint8_t zeros[CACHE_PAGE_BYTES * 4];

mnos_status_t fat_read(void *context, uint32_t inode, uint64_t offset, void *to, uint64_t length,
                       uint64_t *count)
{
    struct fat_service *service = context;
    struct fatfs_object *object = &node_of(service, inode)->object;
    uint32_t done = 0;
    mnos_status_t status = MNOS_OK;

    *count = offset >= object->size ? 0 : object->size - offset;
    if (*count > length)
        *count = length;
    if (*count > FAT_ZEROS_AT_ONCE)
        *count = FAT_ZEROS_AT_ONCE;
    if (*count == 0)
        return MNOS_OK;
    if (offset >= object->valid) { /* never written */
        memset(to, 0, *count);
        return MNOS_OK;
    }
    if (*count > object->valid - offset)
        *count = object->valid - offset;
    status = fat_status(fatfs_read(object, offset, to, (uint32_t)*count, &done));
    *count = done;
    return status;
}

static mnos_status_t write_some(struct fatfs_object *object, uint64_t offset, const void *from,
                                uint32_t length, uint32_t *done)
{
    return fat_status(fatfs_write(object, offset, from, length, done));
}

/* Zeros between what is valid and `to`; with SERVER_PARKED there are more to come. */
static mnos_status_t zero_up_to(struct fat_service *service, struct fat_node *node, uint64_t to)
{
    struct fatfs_object *object = &node->object;
    uint32_t written = 0, done;

    while (object->valid < to) {
        uint64_t left = to - object->valid;
        uint32_t length = left < sizeof zeros ? (uint32_t)left : (uint32_t)sizeof zeros;
        mnos_status_t status;

        if (written >= FAT_ZEROS_AT_ONCE) {
            service->files->system.waits_for = KEY_NEXT_ROUND;
            return SERVER_PARKED;
        }
        status = write_some(object, object->valid, zeros, length, &done);
        if (status == MNOS_OK && done == 0)
            status = MNOS_ERR_FULL;
        if (status != MNOS_OK)
            return status;
        written += done;
    }
    return MNOS_OK;
}

/* Whether so large a file has room; what others had may be free after a commit. */
static mnos_status_t check_room(struct fat_service *service, const struct fatfs_object *object,
                                uint64_t size)
{
    mnos_status_t status = MNOS_OK;

    if (size > FAT_SIZE_MAX && fatfs_type() != FATFS_EXFAT)
        return MNOS_ERR_SIZE;
    for (unsigned tries = 0; tries < 2; tries++) {
        struct fatfs_space space;
        uint64_t needed, has;

        status = fat_status(fatfs_space(&space));
        if (status != MNOS_OK)
            return status;
        needed = size / space.cluster_bytes + (size % space.cluster_bytes != 0);
        has = object->cluster == 0 ? 0
                                   : (object->size + space.cluster_bytes - 1) / space.cluster_bytes;
        if (needed <= has || needed - has <= space.free_clusters)
            return MNOS_OK;
        if (service->gone_count == 0)
            break;
        status = volume_commit(service);
        if (status != MNOS_OK)
            return status;
    }
    return MNOS_ERR_FULL;
}

static void changed(struct fat_service *service, struct fat_node *node)
{
    kept_forget(service, node);
    node->object.modified = fatfs_modified(fat_time_from_ns(service->date_ns(service->tick_ns)));
    node->dirty = !node->gone;
    volume_changed(service);
}

mnos_status_t fat_write(void *context, uint32_t inode, uint64_t offset, const void *from,
                        uint64_t length, uint64_t *count)
{
    struct fat_service *service = context;
    struct fat_node *node = node_of(service, inode);
    uint32_t done = 0, wanted = length < FAT_ZEROS_AT_ONCE ? (uint32_t)length : FAT_ZEROS_AT_ONCE;
    mnos_status_t status = volume_writable(service);

    *count = 0;
    if (status == MNOS_OK && node->object.is_read_only)
        status = MNOS_ERR_DENIED;
    if (status == MNOS_OK && wanted != 0 && fatfs_type() != FATFS_EXFAT) {
        if (offset >= FAT_SIZE_MAX)
            status = MNOS_ERR_SIZE;
        else if (wanted > FAT_SIZE_MAX - offset)
            wanted = (uint32_t)(FAT_SIZE_MAX - offset);
    }
    /* What fits is written: only what lies before it has to be there as a whole. */
    if (status == MNOS_OK && wanted != 0)
        status = check_room(service, &node->object, offset + 1);
    if (status != MNOS_OK || wanted == 0)
        return status;
    changed(service, node);
    status = zero_up_to(service, node, offset);
    if (status == MNOS_OK)
        status = write_some(&node->object, offset, from, wanted, &done);
    if (status == MNOS_OK && done == 0 && service->gone_count != 0) {
        status = volume_commit(service);
        if (status == MNOS_OK)
            status = write_some(&node->object, offset, from, wanted, &done);
        changed(service, node);
    }
    *count = done;
    return status == MNOS_OK && done == 0 ? MNOS_ERR_FULL : status;
}

/* What a file had is freed when its entry, on the medium, leads to it no longer. */
static mnos_status_t make_empty(struct fat_service *service, struct fat_node *node)
{
    mnos_status_t status = node_for_clusters(service, &node->object);

    if (status != MNOS_OK)
        return status;
    node->object.cluster = 0;
    node->object.size = node->object.valid = node->object.at = 0;
    node->object.in_one_piece = false;
    return MNOS_OK;
}

static mnos_status_t make_shorter(struct fat_service *service, struct fat_node *node, uint64_t size)
{
    uint64_t before = node->object.size;
    mnos_status_t status;

    node->object.size = size;
    if (node->object.valid > size)
        node->object.valid = size;
    status = volume_commit(service);
    if (status == MNOS_OK)
        status = fat_status(fatfs_cut(&node->object, before));
    changed(service, node); /* that it is in one piece may be new */
    return status;
}

mnos_status_t fat_truncate(void *context, uint32_t inode, uint64_t size)
{
    struct fat_service *service = context;
    struct fat_node *node = node_of(service, inode);
    mnos_status_t status = volume_writable(service);

    if (status == MNOS_OK && node->object.is_read_only)
        status = MNOS_ERR_DENIED;
    if (status == MNOS_OK && size > node->object.size)
        status = check_room(service, &node->object, size);
    if (status != MNOS_OK || size == node->object.size)
        return status;
    changed(service, node);
    if (size == 0)
        return make_empty(service, node);
    return size < node->object.size ? make_shorter(service, node, size)
                                    : zero_up_to(service, node, size);
}

/* The root has no entry that could hold it. */
mnos_status_t fat_set_time(void *context, uint32_t inode, bool now, int64_t modified_ns)
{
    struct fat_service *service = context;
    struct fat_node *node = node_of(service, inode);
    mnos_status_t status = volume_writable(service);

    if (status == MNOS_OK && inode == FAT_ROOT)
        status = MNOS_ERR_LABEL;
    if (status == MNOS_OK && node->object.is_read_only)
        status = MNOS_ERR_DENIED;
    if (status != MNOS_OK)
        return status;
    changed(service, node);
    if (!now)
        node->object.modified =
            fatfs_modified(fat_time_from_ns(modified_ns < 0 ? 0 : (uint64_t)modified_ns));
    return MNOS_OK;
}
