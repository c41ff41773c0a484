// SPDX-License-Identifier: MIT
/* setup - what the device offers, its queue, and resets: see disk.h. */
#include "drivers/block/virtio_blk/internal.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"
#include "lib/mnos/time.h"

#define WANTED                                                                                     \
    (VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | VIRTIO_F_PACKED | VIRTIO_BLK_F_SIZE_MAX |          \
     VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_RO | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH |         \
     VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES)
#define QUEUE 0u
#define VECTOR 0u
#define NAME_LOOK_NS 1000000ull

/* Of the configuration's first bytes that the device has; the others are 0. */
static bool read_config(const struct disk *disk, uint8_t config[VIRTIO_BLK_CONFIG_BYTES])
{
    uint64_t bytes = disk->transport->device.bytes;

    memset(config, 0, VIRTIO_BLK_CONFIG_BYTES);
    if (bytes > VIRTIO_BLK_CONFIG_BYTES)
        bytes = VIRTIO_BLK_CONFIG_BYTES;
    return bytes >= 8 && transport_config(disk->transport, 0, config, (uint32_t)bytes);
}

static bool has(const struct disk *disk, uint64_t feature)
{
    return (disk->transport->features & feature) != 0;
}

/* A limit that the device may state; 0 or no feature: `otherwise`. */
static uint32_t limit_of(const struct disk *disk, const uint8_t *config, uint64_t feature,
                         unsigned offset, uint32_t otherwise)
{
    uint32_t value = has(disk, feature) ? (uint32_t)bytes_get(config + offset, 4) : 0;

    return value == 0 || value > otherwise ? otherwise : value;
}

static uint32_t flags_of(const struct disk *disk)
{
    return (has(disk, VIRTIO_BLK_F_FLUSH) ? BLOCK_CAN_FLUSH : 0u) |
           (has(disk, VIRTIO_BLK_F_DISCARD) && disk->discard_max != 0 ? BLOCK_CAN_DISCARD : 0u) |
           (has(disk, VIRTIO_BLK_F_WRITE_ZEROES) && disk->zeroes_max != 0 ? BLOCK_CAN_ZERO : 0u) |
           (has(disk, VIRTIO_BLK_F_RO) ? BLOCK_READ_ONLY : 0u);
}

static mnos_status_t read_info(struct disk *disk)
{
    struct block_info *info = &disk->device.info;
    uint8_t config[VIRTIO_BLK_CONFIG_BYTES];
    uint32_t sector_bytes;
    uint64_t capacity;
    uint8_t exponent;

    if (!read_config(disk, config))
        return MNOS_ERR_FORMAT;
    capacity = bytes_get(config + VIRTIO_BLK_CAPACITY, 8);
    sector_bytes = has(disk, VIRTIO_BLK_F_BLK_SIZE)
                       ? (uint32_t)bytes_get(config + VIRTIO_BLK_BLK_SIZE, 4)
                       : VIRTIO_BLK_SECTOR_BYTES;
    exponent = has(disk, VIRTIO_BLK_F_TOPOLOGY) ? config[VIRTIO_BLK_PHYSICAL_EXPONENT] : 0;
    disk->segments_max =
        limit_of(disk, config, VIRTIO_BLK_F_SEG_MAX, VIRTIO_BLK_SEG_MAX, disk->queue.segments - 2);
    disk->segment_bytes_max = limit_of(disk, config, VIRTIO_BLK_F_SIZE_MAX, VIRTIO_BLK_SIZE_MAX,
                                       BLOCK_PAGES_MAX * MNOS_PAGE_BYTES);
    disk->discard_max = bytes_get(config + VIRTIO_BLK_MAX_DISCARD_SECTORS, 4);
    disk->zeroes_max = bytes_get(config + VIRTIO_BLK_MAX_ZEROES_SECTORS, 4);
    if (sector_bytes < VIRTIO_BLK_SECTOR_BYTES || sector_bytes > MNOS_PAGE_BYTES ||
        (sector_bytes & (sector_bytes - 1)) != 0 || capacity > UINT64_MAX / 1024 ||
        disk->segment_bytes_max < VIRTIO_BLK_SECTOR_BYTES)
        return MNOS_ERR_FORMAT;
    info->sector_bytes = sector_bytes;
    info->physical_bytes = exponent < 8 ? sector_bytes << exponent : sector_bytes;
    info->sectors = capacity / (sector_bytes / VIRTIO_BLK_SECTOR_BYTES);
    info->flags = flags_of(disk);
    return MNOS_OK;
}

/* From a device that is reset and agreed on features to one that works, with an empty queue. */
static bool start(struct disk *disk)
{
    disk_free_all(disk);
    if (!transport_queue(disk->transport, QUEUE, &disk->queue, VECTOR, &disk->bell) ||
        !transport_config_vector(disk->transport, VECTOR))
        return false;
    transport_go(disk->transport);
    (void)queue_arm(&disk->queue);
    return true;
}

static bool make_queue(struct disk *disk, struct dma_memory *memory, uint32_t size)
{
    bool indirect = has(disk, VIRTIO_F_INDIRECT);
    uint16_t segments = !indirect && size < DISK_SEGMENTS ? (uint16_t)size : DISK_SEGMENTS;

    if (!queue_create(&disk->queue, memory, (uint16_t)size, segments, disk->transport->features))
        return false;
    disk->shared = dma_take(memory, size * sizeof(struct disk_shared), 64);
    if (disk->shared == NULL)
        return false;
    disk->shared_bus = dma_bus(memory, disk->shared);
    return true;
}

mnos_status_t disk_open(struct disk *disk, struct dma_memory *memory)
{
    uint32_t size;
    mnos_status_t status;

    disk->device.operations = &disk_operations;
    disk->device.context = disk;
    if (!transport_features(disk->transport, WANTED, 0))
        return MNOS_ERR_DEVICE;
    size = transport_queue_size(disk->transport, QUEUE);
    if (size < 4)
        return MNOS_ERR_DEVICE; /* no queue, or not one request fits */
    if (size > DISK_QUEUE_SIZE)
        size = DISK_QUEUE_SIZE;
    if (!make_queue(disk, memory, size))
        return MNOS_ERR_MEMORY;
    status = read_info(disk);
    if (status != MNOS_OK)
        return status;
    return start(disk) ? MNOS_OK : MNOS_ERR_DEVICE;
}

/* The same features as before: a device that offers others now is not the one that clients know. */
static bool begin_anew(struct disk *disk)
{
    uint64_t features = disk->transport->features;
    struct block_info info = disk->device.info;

    if (disk->reset(disk->context) != MNOS_OK ||
        !transport_features(disk->transport, WANTED, features) ||
        disk->transport->features != features || read_info(disk) != MNOS_OK ||
        memcmp(&info, &disk->device.info, sizeof info) != 0)
        return false;
    queue_begin(&disk->queue);
    return start(disk);
}

void disk_reset(struct disk *disk)
{
    if (disk->resets++ < DISK_RESETS_MAX && begin_anew(disk)) {
        block_server_repeat(disk->server);
        return;
    }
    disk->failed = true;
    /* What it has would still land in memory that clients use for something else once they are told that it failed, so
     * it is kept from memory in any case. But if it can be reset, it is first: a device that is cut off in the middle of
     * its work may never come to an end of it (docs/devices.md, "Death of a driver"). */
    (void)!disk->reset(disk->context);
    transport_fail(disk->transport);
    disk->cut_off(disk->context);
    block_server_fail(disk->server);
}

/* ---- Its name ---- */

/* Printable ASCII, as clients will show it. */
static void keep_name(struct disk *disk, const uint8_t *id)
{
    uint32_t count = 0;

    while (count < VIRTIO_BLK_ID_BYTES && id[count] >= 0x20 && id[count] < 0x7F)
        count++;
    if (count != 0) {
        memcpy(disk->device.info.name, id, count);
        disk->device.info.name[count] = 0;
    }
}

void disk_ask_name(struct disk *disk, uint64_t deadline_ns)
{
    struct disk_shared *shared = &disk->shared[0];
    uint64_t bus = disk->shared_bus, token;
    struct queue_segment segments[3] = {
        {bus + offsetof(struct disk_shared, header), sizeof shared->header, 0},
        {bus + offsetof(struct disk_shared, id), sizeof shared->id, 1},
        {bus + offsetof(struct disk_shared, status), 1, 1},
    };
    enum queue_result result;
    uint32_t bytes;

    string_copy(disk->device.info.name, "virtio disk", sizeof disk->device.info.name);
    shared->header = (struct virtio_blk_header){.type = VIRTIO_BLK_T_GET_ID};
    memset(shared->id, 0, sizeof shared->id);
    shared->status = DISK_NO_STATUS;
    disk->free_first = disk->requests[0].next;
    disk->requests[0].flight = BLOCK_FLIGHT_NUMBERS; /* nobody's */
    if (!queue_add(&disk->queue, segments, 3, 0))
        return;
    if (queue_publish(&disk->queue))
        transport_notify(&disk->bell);
    while ((result = queue_take(&disk->queue, &token, &bytes)) == QUEUE_NOTHING) {
        if (kinfo_time_ns() >= deadline_ns)
            return; /* it comes later, and nobody asks any more */
        sleep_until(deadline_after_ns(NAME_LOOK_NS));
    }
    if (result == QUEUE_BROKEN) {
        disk_reset(disk); /* it keeps the name that it has */
        return;
    }
    if (shared->status == VIRTIO_BLK_S_OK)
        keep_name(disk, shared->id);
    disk_free_all(disk);
    (void)queue_arm(&disk->queue);
}
