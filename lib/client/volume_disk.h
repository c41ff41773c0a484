// SPDX-License-Identifier: MIT
/*
 * volume_disk.h - the disk of a file system: the volume that is assigned to this program's service, through its driver.
 *
 * It is open from volume_disk_open() to volume_disk_close(). In between, `client` is block.h's. What a loop hands on
 * of its events may come when nothing is open, and is nothing then. One thread.
 *
 * Needs the capabilities "volumes" and "requests", the endpoint of the program.
 */
#pragma once

#include "lib/client/block.h"
#include "lib/client/region.h"

struct volume_disk {
    struct block_client client; /* block_submit(), block_bell() */
    const struct region *data;  /* of kind dma; pages of transfers are counted from its begin */
    const struct region *ring;  /* BLOCK_RING_PAGES */
    uint64_t events;            /* of the endpoint: something is done */
    mnos_badge_t badge;         /* what the driver's capability to it carries, see block.h */
    bool is_open;
};

/* Waits for the volume's driver. What an earlier run of the program has submitted is not carried out any more. The
 * errors are those of volume_mine(), block_open() and block_extend(); nothing is open then. */
mnos_status_t volume_disk_open(struct volume_disk *disk);
/* The volume is somebody else's to have from now on. */
void volume_disk_close(struct volume_disk *disk);

/* The rest of volume_disk_renew(), when the driver refuses what is open. */
void volume_disk_ask_again(struct volume_disk *disk);
/* Before results are taken: a session can be lost with its driver's run; `volumes` has another then, which takes its
 * place. What is outstanding lies in the ring, and is carried out by the driver that is told of it next. */
static inline void volume_disk_renew(struct volume_disk *disk)
{
    if (disk->is_open && disk->client.failure != MNOS_OK)
        volume_disk_ask_again(disk);
}

/* MNOS_ERR_END: nothing is done that was not taken, or nothing is open. */
static inline mnos_status_t volume_disk_take(struct volume_disk *disk, struct block_result *result)
{
    return disk->is_open ? block_take(&disk->client, result) : MNOS_ERR_END;
}

/* See block_deadline() and block_tick(). */
static inline uint64_t volume_disk_deadline(const struct volume_disk *disk)
{
    return disk->is_open ? block_deadline(&disk->client) : MNOS_DEADLINE_NEVER;
}

static inline void volume_disk_tick(struct volume_disk *disk, uint64_t now_ns)
{
    if (disk->is_open)
        block_tick(&disk->client, now_ns);
}

/* Whether nothing is outstanding, and the driver has refused nothing: what is called at each turn would do nothing. */
static inline bool volume_disk_is_at_rest(const struct volume_disk *disk)
{
    return !disk->is_open ||
           (disk->client.ring.outstanding == 0 && disk->client.failure == MNOS_OK &&
            disk->client.deadline_ns == MNOS_DEADLINE_NEVER);
}

/* Bits of events that were received: whether a driver was started again is among them. */
void volume_disk_told(struct volume_disk *disk, uint64_t bits);
void volume_disk_gone(struct volume_disk *disk, mnos_badge_t badge);

static inline uint64_t volume_disk_bytes(const struct volume_disk *disk)
{
    return disk->client.info.sectors * disk->client.info.sector_bytes;
}
