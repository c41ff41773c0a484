// SPDX-License-Identifier: MIT
/*
 * disk.h - a disk for host tests that answers late, in any order, and loses what was not flushed when its power is
 * cut.
 *
 * A write is in `now` when it is done, and in `durable` when it was durable, or a flush that was submitted after it was
 * done is done. After a cut the image is `durable` with any part of the rest: each sector of a write that was done or
 * outstanding is there or is not.
 */
#pragma once

#include "services/fs/ext4/queue.h"

#define DISK_ENTRIES 256u
#define DISK_SECTOR 512u

struct disk_request {
    struct queue_request request;
    uint64_t tag;
    uint64_t mark; /* a flush: writes before this one are made durable */
};

/* A write that is done and may be lost. */
struct disk_write {
    uint64_t position, number;
    uint32_t bytes;
    uint8_t *data;
};

struct disk {
    uint8_t *now, *durable;
    uint64_t bytes;
    uint8_t *memory; /* that pages are in */
    struct disk_request outstanding[DISK_ENTRIES];
    uint32_t count;
    struct disk_write *writes;
    uint32_t write_count, write_room;
    uint64_t next_number;
    uint64_t random;
    uint64_t done_count; /* of all requests */
    uint32_t fail_reads; /* one of so many fails; 0: none */
    uint32_t fail_writes;
    uint64_t dead_from; /* position: everything behind it fails; UINT64_MAX: nothing */
};

struct queue_port disk_port(struct disk *disk);
bool disk_open(struct disk *disk, const char *path, uint8_t *memory, uint64_t seed);
/* Does one of the outstanding requests; false: there is none. */
/* Whoever was served is dead: of what is outstanding some is done, and nothing is any more. */
void disk_forget(struct disk *disk);
bool disk_step(struct disk *disk, uint64_t *tag, mnos_status_t *status);
/* Writes the image that is there after the power was cut now, or, `orderly`, all that was written. */
bool disk_save(struct disk *disk, const char *path, bool orderly);
uint64_t disk_pick(struct disk *disk, uint64_t below);
