// SPDX-License-Identifier: MIT
/*
 * scan.h - what is on a disk: reads its tables of partitions and the first bytes of each. Knows a disk only by a
 * function that reads, so a host test has an image behind it; and what is read is hostile.
 */
#pragma once

#include "lib/format/disk/gpt.h"
#include "protocols/volume.h"

#define SCAN_VOLUMES_MAX 64u /* of one disk; further ones are not seen */
#define SCAN_BUFFER_BYTES 65536u

struct scan {
    /* Reads `bytes`, whole sectors and at most SCAN_BUFFER_BYTES, into `buffer`. */
    mnos_status_t (*read)(void *context, uint64_t sector, uint32_t bytes);
    void *context;
    const uint8_t *buffer;
    uint32_t sector_bytes;
    uint64_t sectors;
    uint32_t disk_flags; /* that each volume gets */
    /* Found: disk and disk_name are the caller's to fill in. */
    uint32_t count;
    struct volume_entry volumes[SCAN_VOLUMES_MAX];
    const char *complaint; /* what is wrong with the tables, or NULL */
};

/* `seed` tells disks without a signature of their own apart. An error is one of reading: then nothing is known. */
mnos_status_t scan_disk(struct scan *scan, uint64_t seed);
