// SPDX-License-Identifier: MIT
/*
 * boot - see boot.h. Offsets: Microsoft, "FAT: General Overview of On-Disk Format", "Boot Sector and BPB"; "exFAT
 * file system specification", "Main and Backup Boot Sector Sub-regions".
 */
#include "services/fs/fat/boot.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"

#define SIGNATURE 510u
#define EXFAT_SECTORS 72u
#define EXFAT_SECTOR_SHIFT 108u
#define EXFAT_CLUSTER_SHIFT 109u
#define FAT_SECTOR_BYTES 11u
#define FAT_SECTORS_16 19u
#define FAT_SECTORS_32 32u

static bool read_exfat(const uint8_t *sector, struct boot_facts *facts)
{
    unsigned shift = sector[EXFAT_SECTOR_SHIFT];

    if (shift < 9 || shift > 12 || sector[EXFAT_CLUSTER_SHIFT] > 15)
        return false;
    facts->sector_bytes = 1u << shift;
    facts->volume_bytes = bytes_get(sector + EXFAT_SECTORS, 8);
    if (facts->volume_bytes > UINT64_MAX >> shift)
        return false;
    facts->volume_bytes <<= shift;
    return true;
}

bool boot_read(const uint8_t sector[BOOT_BYTES], struct boot_facts *facts)
{
    uint32_t bytes = (uint32_t)bytes_get(sector + FAT_SECTOR_BYTES, 2);
    uint32_t sectors = (uint32_t)bytes_get(sector + FAT_SECTORS_16, 2);

    if (bytes_get(sector + SIGNATURE, 2) != 0xAA55)
        return false;
    if (memcmp(sector + 3, "EXFAT   ", 8) == 0)
        return read_exfat(sector, facts);
    if (bytes < 512 || bytes > 4096 || (bytes & (bytes - 1)) != 0)
        return false;
    if (sectors == 0)
        sectors = (uint32_t)bytes_get(sector + FAT_SECTORS_32, 4);
    *facts = (struct boot_facts){bytes, (uint64_t)sectors * bytes};
    return true;
}
