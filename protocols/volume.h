// SPDX-License-Identifier: MIT
/* volume.h - labels and records of the volume protocol; what they mean is in volume.def. */
#pragma once

#include <stdint.h>

#include "abi/types.h"

enum volume_label {
#define REQUEST(label, name, class, request, reply, text) VOLUME_##name = (label),
#include "protocols/volume.def"
#undef REQUEST
};

#define VOLUME_ID_BYTES 16

enum volume_flags {
    VOLUME_READ_ONLY = 1,
    VOLUME_WHOLE_DISK = 2, /* the disk has no table of partitions */
    VOLUME_ASSIGNED = 4,   /* to a service */
    VOLUME_BOOT_MEDIUM =
        8, /* it holds what firmware boots: an EFI system partition, or a CD's file system */
    VOLUME_BACKUP_TABLE =
        16 /* the first copy of the disk's table is damaged; this is from the second */
};

struct volume_index {
    uint64_t index;
};

struct volume_entry {
    uint8_t id[VOLUME_ID_BYTES];
    uint64_t first, sectors; /* of the disk */
    uint32_t sector_bytes;
    uint32_t flags;       /* enum volume_flags */
    uint32_t disk_number; /* the same for all volumes of a disk */
    uint32_t partition;   /* from 1 as the table has them; 0: the whole disk */
    char content
        [16]; /* "ext4", "ext3", "ext2", "fat12", "fat16", "fat32", "exfat", "iso9660"; empty: unknown */
    char name[40];              /* of the partition; UTF-8 */
    char disk[MNOS_NAME_BYTES]; /* the service of its driver */
    char disk_name[32];         /* what the disk calls itself */
};
_Static_assert(sizeof(struct volume_entry) == 160, "shared between programs");

struct volume_assign {
    uint8_t volume[VOLUME_ID_BYTES];
    char service[MNOS_NAME_BYTES];
};
_Static_assert(sizeof(struct volume_assign) == 40, "shared between programs");

struct volume_status {
    uint32_t disks, volumes;
    uint32_t scanned; /* 1: every disk whose driver runs has been read */
    uint32_t reserved;
};
