// SPDX-License-Identifier: MIT
/*
 * volume_cache.h - pages of the volume in memory that the disk reaches. What was written stays here until it is
 * written out, all of one class at a time, so that the order on the medium is the caller's: docs/fat.md.
 *
 * C1  A page that is used is found by its index; no two have the same.
 * C2  A part that is dirty is of one class, and its page is used.
 * C3  `dirty[class]` is the number of pages with parts of that class.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

#define CACHE_PAGE_BYTES 4096u
#define CACHE_PART_BYTES 512u
#define CACHE_PARTS (CACHE_PAGE_BYTES / CACHE_PART_BYTES)
#define CACHE_AHEAD_PAGES 32u /* read at once when pages follow each other */
#define CACHE_BATCH 64u       /* requests given to the disk at once */
#define CACHE_FREE UINT32_MAX

/* As enum fatfs_class has them. */
enum cache_class { CACHE_BYTES, CACHE_TABLES, CACHE_ENTRIES, CACHE_MARK, CACHE_CLASSES };

/* Between memory and disk: `bytes` from `offset` of a page on, which may go on in the pages behind it. */
struct disk_transfer {
    bool write;
    uint32_t page, offset, bytes;
    uint64_t position; /* on the volume, in bytes */
};

/* Both return when the disk has done it. An error: one of the transfers failed. */
struct fat_disk {
    void *context;
    mnos_status_t (*transfer)(void *context, const struct disk_transfer *transfers, uint32_t count);
    mnos_status_t (*flush)(void *context);
};

struct volume_page {
    uint32_t index;               /* of the volume, in pages; CACHE_FREE */
    uint32_t next;                /* in the bucket, plus 1 */
    bool hot, busy;               /* used since the hand passed; being read, or just taken */
    uint8_t dirty[CACHE_CLASSES]; /* parts, by class */
};

struct volume_cache {
    const struct fat_disk *disk;
    uint8_t *memory;
    uint64_t volume_bytes;
    uint32_t page_count, bucket_mask;
    struct volume_page *pages;
    uint32_t *buckets; /* number of a page, plus 1 */
    uint32_t hand;
    uint32_t dirty[CACHE_CLASSES];
    uint32_t last_miss; /* index behind the pages that were read last */
    bool unflushed;     /* something was written since the last flush */
};

size_t volume_cache_table_bytes(uint32_t page_count);
/* `table` is zeroed. */
void volume_cache_init(struct volume_cache *cache, void *table, uint8_t *memory,
                       uint32_t page_count, const struct fat_disk *disk, uint64_t volume_bytes);
/* MNOS_ERR_ARGUMENT: not on the volume. Else what the disk said. */
mnos_status_t volume_cache_read(struct volume_cache *cache, uint64_t position, void *to,
                                uint64_t bytes);
/* `position` and `bytes` are multiples of CACHE_PART_BYTES. */
mnos_status_t volume_cache_write(struct volume_cache *cache, uint64_t position, const void *from,
                                 uint64_t bytes, unsigned class);
/* All that is dirty of a class. What fails stays dirty. */
mnos_status_t volume_cache_write_out(struct volume_cache *cache, unsigned class);
/* What was written out is on the medium. */
mnos_status_t volume_cache_flush(struct volume_cache *cache);
/* NULL, or which of C1 to C3 does not hold. */
const char *volume_cache_check(const struct volume_cache *cache);
