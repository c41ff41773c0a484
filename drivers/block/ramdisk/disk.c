// SPDX-License-Identifier: MIT
/* disk - see disk.h. */
#include "drivers/block/ramdisk/disk.h"

#include "lib/base/string.h"

static void copy_data(const struct disk *disk, const struct block_flight *flight, uint8_t *at)
{
    struct block_segment segments[BLOCK_SEGMENTS_MAX];
    uint32_t count = block_segments(disk->server, flight, segments, BLOCK_SEGMENTS_MAX);

    for (uint32_t i = 0; i < count; i++) {
        if (flight->op == BLOCK_READ)
            memcpy(segments[i].address, at, segments[i].bytes);
        else
            memcpy(at, segments[i].address, segments[i].bytes);
        at += segments[i].bytes;
    }
}

static mnos_status_t submit(void *context, struct block_flight *flight)
{
    struct disk *disk = context;
    uint8_t *at = disk->bytes + flight->sector * DISK_SECTOR_BYTES;

    switch (flight->op) {
    case BLOCK_READ:
    case BLOCK_WRITE: copy_data(disk, flight, at); break;
    case BLOCK_DISCARD:
    case BLOCK_ZERO: memset(at, 0, flight->bytes); break;
    default: break; /* FLUSH: what is written is there */
    }
    block_server_done(disk->server, flight, MNOS_OK, 0);
    return MNOS_OK;
}

static void kick(void *)
{
}

static mnos_status_t attach_data(void *, struct block_piece *piece)
{
    return guard_map(&piece->guard, piece->memory, piece->pages) == MNOS_OK ? MNOS_OK
                                                                            : MNOS_ERR_ARGUMENT;
}

static void detach_data(void *, struct block_piece *piece)
{
    guard_unmap(&piece->guard);
}

static const struct block_device_operations operations = {submit, kick, attach_data, detach_data};

void disk_open(struct disk *disk, struct block_server *server, void *memory, uint64_t bytes)
{
    disk->server = server;
    disk->bytes = memory;
    disk->device = (struct block_device){
        .operations = &operations,
        .context = disk,
        .info = {.sector_bytes = DISK_SECTOR_BYTES,
                 .physical_bytes = DISK_SECTOR_BYTES,
                 .sectors = bytes / DISK_SECTOR_BYTES,
                 .flags = BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO,
                 .name = "memory"},
    };
}
