// SPDX-License-Identifier: MIT
/*
 * disk.h - requests of lib/server/block.h as commands of an NVMe controller, and back.
 *
 *   WORKS --it says so, its queue is broken, or it is silent--> reset --> WORKS, all given again
 *   reset --it failed, another disk is there, or NVME_RESETS_MAX in a row--> FAILED: everything is
 *   MNOS_ERR_DEVICE
 */
#pragma once

#include "drivers/block/nvme/controller.h"
#include "lib/server/block.h"

/* With nothing done between them. */
#define NVME_RESETS_MAX 3u
/* How long the device may have a request. */
#define NVME_SILENCE_NS 10000000000ull
/* A request of 128 pages that begins inside a page touches 129; the first is named in the
 * command. */
#define NVME_LIST_ENTRIES 128u

/* What a command refers to, in memory that the device reads. 1,024 bytes: it crosses no page. */
union nvme_slot_memory {
    uint64_t list[NVME_LIST_ENTRIES];
    struct nvme_range range;
};
_Static_assert(sizeof(union nvme_slot_memory) == 1024, "4 in a page");

/* A request with the device; its number is the command's identifier. */
struct nvme_slot {
    uint32_t flight;      /* its number */
    uint16_t next;        /* of the free ones */
    uint64_t block, left; /* what comes after the part that the device has, in blocks */
    uint32_t done_bytes;  /* of the data, up to that part's end */
};

struct nvme_disk {
    struct block_device device;
    struct block_server *server;
    struct nvme_controller controller;
    bool failed;
    uint32_t resets;                /* with nothing done since */
    uint32_t resets_ever;           /* for the log */
    union nvme_slot_memory *memory; /* of each slot */
    uint64_t memory_bus;
    uint16_t free_first;
    struct nvme_slot slots[NVME_ENTRIES_MAX];
    uint64_t (*reach)(void *context, mnos_cap_t memory); /* 0: the device may not */
    void (*cut_off)(void *context); /* the device reaches no memory any more, from now on */
    void *context;                  /* of these two */
};

/* Starts the controller behind `registers`, with queues in `memory`. `disk` has server, reach,
 * cut_off and context. Errors as of nvme_open() and nvme_start(). */
mnos_status_t nvme_disk_open(struct nvme_disk *disk, const struct mmio *registers,
                             struct dma_memory *memory);
/* After an interrupt, or to look: takes what is done. */
void nvme_disk_take_done(struct nvme_disk *disk);
/* When nvme_disk_check() is to be called at the latest. */
uint64_t nvme_disk_deadline(const struct nvme_disk *disk);
/* Resets a device that has failed, or has been silent for too long. */
void nvme_disk_check(struct nvme_disk *disk, uint64_t now_ns);
