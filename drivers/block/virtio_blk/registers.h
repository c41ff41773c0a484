// SPDX-License-Identifier: MIT
/*
 * registers.h - a virtio block device: numbers of "Virtual I/O Device (VIRTIO) Version 1.1", section 5.2 (Block
 * Device). Sectors are of 512 bytes there, whatever the disk's own are.
 */
#pragma once

#include <stdint.h>

#define VIRTIO_BLK_SECTOR_BYTES 512u

/* Section 5.2.3, "Feature bits". */
#define VIRTIO_BLK_F_SIZE_MAX (1ull << 1)
#define VIRTIO_BLK_F_SEG_MAX (1ull << 2)
#define VIRTIO_BLK_F_RO (1ull << 5)
#define VIRTIO_BLK_F_BLK_SIZE (1ull << 6)
#define VIRTIO_BLK_F_FLUSH (1ull << 9)
#define VIRTIO_BLK_F_TOPOLOGY (1ull << 10)
#define VIRTIO_BLK_F_DISCARD (1ull << 13)
#define VIRTIO_BLK_F_WRITE_ZEROES (1ull << 14)

/* Section 5.2.4, "Device configuration layout". */
enum {
    VIRTIO_BLK_CAPACITY = 0, /* 64 bits */
    VIRTIO_BLK_SIZE_MAX = 8,
    VIRTIO_BLK_SEG_MAX = 12,
    VIRTIO_BLK_BLK_SIZE = 20,
    VIRTIO_BLK_PHYSICAL_EXPONENT = 24, /* 8 bits */
    VIRTIO_BLK_MAX_DISCARD_SECTORS = 36,
    VIRTIO_BLK_MAX_ZEROES_SECTORS = 48,
    VIRTIO_BLK_CONFIG_BYTES = 60,
};

/* Section 5.2.6, "Device Operation". */
enum virtio_blk_type {
    VIRTIO_BLK_T_IN = 0,
    VIRTIO_BLK_T_OUT = 1,
    VIRTIO_BLK_T_FLUSH = 4,
    VIRTIO_BLK_T_GET_ID = 8,
    VIRTIO_BLK_T_DISCARD = 11,
    VIRTIO_BLK_T_WRITE_ZEROES = 13,
};

#define VIRTIO_BLK_ID_BYTES 20u

enum virtio_blk_status { VIRTIO_BLK_S_OK = 0, VIRTIO_BLK_S_IOERR = 1, VIRTIO_BLK_S_UNSUPP = 2 };

/* What the device reads first. */
struct virtio_blk_header {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};
_Static_assert(sizeof(struct virtio_blk_header) == 16, "the device reads it");

/* DISCARD and WRITE_ZEROES read one of these instead of data. */
struct virtio_blk_range {
    uint64_t sector;
    uint32_t sectors;
    uint32_t flags; /* bit 0: WRITE_ZEROES may give the sectors back */
};
_Static_assert(sizeof(struct virtio_blk_range) == 16, "the device reads it");
