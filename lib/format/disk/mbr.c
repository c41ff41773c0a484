// SPDX-License-Identifier: MIT
/* mbr - see mbr.h. */
#include "lib/format/disk/mbr.h"

#include "lib/format/bytes.h"

enum {
    MBR_SIGNATURE = 440,
    MBR_TABLE = 446,
    MBR_MAGIC = 510,
    ENTRY_BYTES = 16,
    ENTRY_STATUS = 0,
    ENTRY_TYPE = 4,
    ENTRY_FIRST = 8,
    ENTRY_SECTORS = 12,
};

#define STATUS_ACTIVE 0x80u

static const uint8_t *entry_at(const uint8_t *sector, unsigned index)
{
    return sector + MBR_TABLE + index * ENTRY_BYTES;
}

static bool has_magic(const uint8_t *sector)
{
    return sector[MBR_MAGIC] == 0x55 && sector[MBR_MAGIC + 1] == 0xAA;
}

static struct mbr_partition read_entry(const uint8_t *entry)
{
    struct mbr_partition partition = {.first = bytes_get(entry + ENTRY_FIRST, 4),
                                      .sectors = bytes_get(entry + ENTRY_SECTORS, 4),
                                      .type = entry[ENTRY_TYPE]};

    if (partition.type == 0)
        partition.sectors = 0;
    return partition;
}

bool mbr_parse(const uint8_t *sector, uint64_t disk_sectors, struct mbr *mbr)
{
    bool any = false;

    if (!has_magic(sector))
        return false;
    *mbr = (struct mbr){.signature = (uint32_t)bytes_get(sector + MBR_SIGNATURE, 4)};
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *entry = entry_at(sector, i);
        struct mbr_partition partition = read_entry(entry);

        if ((entry[ENTRY_STATUS] & ~STATUS_ACTIVE) != 0)
            return false;
        if (partition.type == MBR_TYPE_PROTECTIVE) {
            mbr->protective = true; /* its size is all ones on large disks */
            continue;
        }
        if (partition.sectors == 0)
            continue;
        if (partition.first == 0 || partition.first >= disk_sectors)
            return false;
        /* Longer than the disk: made for one that was larger. What is there is there. */
        if (partition.sectors > disk_sectors - partition.first)
            partition.sectors = disk_sectors - partition.first;
        mbr->partitions[i] = partition;
        any = true;
    }
    return any || mbr->protective;
}

bool mbr_is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0F || type == 0x85;
}

bool mbr_link(const uint8_t *sector, uint64_t number, const struct mbr_partition *extended,
              struct mbr_partition *partition, uint64_t *next)
{
    struct mbr_partition own = read_entry(entry_at(sector, 0));
    struct mbr_partition link = read_entry(entry_at(sector, 1));
    uint64_t left = extended->first + extended->sectors - number; /* from here to the end */

    *next = 0;
    if (!has_magic(sector) || number < extended->first ||
        number - extended->first >= extended->sectors)
        return false;
    *partition = (struct mbr_partition){0};
    if (own.sectors != 0 && own.first != 0 && own.first < left && own.sectors <= left - own.first)
        *partition = (struct mbr_partition){number + own.first, own.sectors, own.type};
    /* A link counts from the extended partition's first sector. */
    if (link.sectors != 0 && link.first < extended->sectors &&
        extended->first + link.first > number)
        *next = extended->first + link.first;
    return true;
}
