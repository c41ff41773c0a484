// SPDX-License-Identifier: MIT
/*
 * disk.h - a virtio block device: requests of lib/server/block.h into its queue and back. Knows registers and
 * memory by lib/driver only, so a host test has a model of the device behind it.
 *
 *   WORKS --it wants a reset, its queue is broken, or it is silent--> disk_reset() --> WORKS, all given again
 *   disk_reset() --it failed, or RESETS_MAX in a row--> FAILED: it is cut off, and everything is MNOS_ERR_DEVICE
 */
#pragma once

#include "drivers/block/virtio_blk/registers.h"
#include "lib/driver/virtio/queue.h"
#include "lib/driver/virtio/transport.h"
#include "lib/server/block.h"

#define DISK_QUEUE_SIZE 128u
/* Header, status, and the runs of data of one request. */
#define DISK_SEGMENTS (BLOCK_SEGMENTS_MAX + 2)
/* With nothing done between them. */
#define DISK_RESETS_MAX 3u
/* How long the device may have a request. */
#define DISK_SILENCE_NS 10000000000ull

/* What a request has in memory that the device reaches. */
struct disk_shared {
    struct virtio_blk_header header;
    struct virtio_blk_range range;
    uint8_t id[VIRTIO_BLK_ID_BYTES];
    volatile uint8_t status;
    uint8_t reserved[11];
};
_Static_assert(sizeof(struct disk_shared) == 64, "a cache line");

/* A request in the queue; its number is the queue's token. */
struct disk_request {
    uint32_t flight;       /* its number */
    uint32_t next;         /* of the free ones */
    uint64_t sector, left; /* DISCARD and ZERO: what comes after the part that the device has */
};

struct disk {
    struct block_device device;
    struct block_server *server;
    struct virtio_transport *transport;
    struct virtio_queue queue;
    struct virtio_bell bell;
    bool failed;
    bool suspicious; /* its status register is to be looked at: that is a read across the bus */
    uint32_t resets;
    uint32_t segments_max, segment_bytes_max; /* of data, in one request */
    uint64_t discard_max, zeroes_max;         /* sectors of the device, in one request */
    struct disk_shared *shared;
    uint64_t shared_bus;
    uint32_t free_first;
    struct disk_request requests[DISK_QUEUE_SIZE];
    uint64_t (*reach)(void *context, mnos_cap_t memory); /* 0: the device may not */
    mnos_status_t (*reset)(void *context);
    void (*cut_off)(void *context); /* the device reaches no memory any more, from now on */
    void *context;                  /* of these three */
};

/* Agrees on features with a device that is reset, makes the queue in `memory`, and lets it work. `disk` has
 * server, transport, reach, reset, cut_off and context. MNOS_ERR_DEVICE: the device does not take part;
 * MNOS_ERR_FORMAT: what it says of itself cannot be; MNOS_ERR_MEMORY: `memory` is too small. */
mnos_status_t disk_open(struct disk *disk, struct dma_memory *memory);
/* The text by which the device calls itself, before clients are served; waits for it until the deadline. */
void disk_ask_name(struct disk *disk, uint64_t deadline_ns);
/* After an interrupt: takes what is done. */
void disk_take_done(struct disk *disk);
/* When disk_check() is to be called at the latest. */
uint64_t disk_deadline(const struct disk *disk);
/* After an interrupt, or when the deadline has passed: resets a device that wants it, or has been silent for too
 * long. */
void disk_check(struct disk *disk, uint64_t now_ns);
