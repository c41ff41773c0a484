// SPDX-License-Identifier: MIT
/*
 * mbr - reads the table of partitions in a disk's first sector, and the chain of further ones in an extended
 * partition. The bytes are hostile; a partition that is returned lies inside the disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MBR_ENTRIES 4u
#define MBR_TYPE_PROTECTIVE 0xEEu /* the disk has a GPT */
#define MBR_TYPE_EFI_SYSTEM 0xEFu

struct mbr_partition {
    uint64_t first, sectors; /* sectors 0: unused */
    uint8_t type;
};

struct mbr {
    uint32_t signature; /* of the disk */
    bool protective;
    struct mbr_partition partitions[MBR_ENTRIES];
};

/* False: the sector holds no table: no signature, or entries that cannot be, as in the boot sector of a file
 * system. */
bool mbr_parse(const uint8_t *sector, uint64_t disk_sectors, struct mbr *mbr);

/* Whether a partition holds further ones. */
bool mbr_is_extended(uint8_t type);

/* One link of the chain inside the extended partition `extended`: `sector` is the disk's sector `number`. False: it
 * is none. *next is the following link, or 0; it always lies behind `number`, so a chain ends. */
bool mbr_link(const uint8_t *sector, uint64_t number, const struct mbr_partition *extended,
              struct mbr_partition *partition, uint64_t *next);
