// SPDX-License-Identifier: MIT
/* content - see content.h. */
#include "lib/format/disk/content.h"

#include <stdbool.h>

#include "lib/base/string.h"
#include "lib/format/bytes.h"

/* Linux, Documentation/filesystems/ext4: "The Super Block". */
#define EXT_SUPER_BLOCK 1024u
#define EXT_MAGIC 0x38u
#define EXT_COMPATIBLE 0x5Cu
#define EXT_INCOMPATIBLE 0x60u
#define EXT_HAS_JOURNAL 0x4u
/* Extents, 64 bit, flexible groups and whatever came later. */
#define EXT_ONLY_EXT4 0xFFFFFFC0u

/* ECMA-119, "Volume Descriptor Set": from sector 16 of 2,048 bytes on. */
#define ISO_DESCRIPTOR 32768u

static const char *ext_of(const uint8_t *super)
{
    if (bytes_get(super + EXT_MAGIC, 2) != 0xEF53)
        return NULL;
    if ((bytes_get(super + EXT_INCOMPATIBLE, 4) & EXT_ONLY_EXT4) != 0)
        return "ext4";
    return (bytes_get(super + EXT_COMPATIBLE, 4) & EXT_HAS_JOURNAL) != 0 ? "ext3" : "ext2";
}

/* Microsoft, "FAT: General Overview of On-Disk Format": the kind is a matter of how many clusters there are. */
static const char *fat_of(const uint8_t *boot)
{
    uint32_t sector_bytes = (uint32_t)bytes_get(boot + 11, 2), per_cluster = boot[13];
    uint32_t reserved = (uint32_t)bytes_get(boot + 14, 2), fats = boot[16];
    uint32_t entries = (uint32_t)bytes_get(boot + 17, 2);
    uint64_t sectors = bytes_get(boot + 19, 2), fat = bytes_get(boot + 22, 2), used;

    if (boot[510] != 0x55 || boot[511] != 0xAA || sector_bytes < 512 || sector_bytes > 4096 ||
        (sector_bytes & (sector_bytes - 1)) != 0 || per_cluster == 0 ||
        (per_cluster & (per_cluster - 1)) != 0 || fats == 0 || fats > 2 || reserved == 0)
        return NULL;
    if (sectors == 0)
        sectors = bytes_get(boot + 32, 4);
    if (fat == 0)
        fat = bytes_get(boot + 36, 4);
    used = reserved + fats * fat + (entries * 32 + sector_bytes - 1) / sector_bytes;
    if (fat == 0 || sectors <= used)
        return NULL;
    sectors = (sectors - used) / per_cluster;
    return sectors < 4085 ? "fat12" : sectors < 65525 ? "fat16" : "fat32";
}

const char *content_of(const uint8_t *bytes, size_t count)
{
    const char *kind = NULL;

    if (count >= EXT_SUPER_BLOCK + 1024)
        kind = ext_of(bytes + EXT_SUPER_BLOCK);
    if (kind == NULL && count >= 512 && memcmp(bytes + 3, "EXFAT   ", 8) == 0)
        kind = "exfat";
    if (kind == NULL && count >= 512)
        kind = fat_of(bytes);
    if (kind == NULL && count >= ISO_DESCRIPTOR + 2048 &&
        memcmp(bytes + ISO_DESCRIPTOR + 1, "CD001", 5) == 0)
        kind = "iso9660";
    return kind == NULL ? "" : kind;
}
