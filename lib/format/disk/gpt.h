// SPDX-License-Identifier: MIT
/*
 * gpt - reads a GUID partition table (UEFI specification, "GUID Partition Table (GPT) Disk Layout"). The bytes are
 * hostile: whatever they hold, a partition that is returned lies inside the disk, and overlaps no other.
 *
 * A table has two copies, at the beginning of the disk and at its end. The caller reads the sector of a header, asks
 * gpt_header() about it, then reads the entries that it names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPT_ENTRIES_BYTES_MAX 65536u /* of one table; the usual one has 16,384 */
#define GPT_NAME_BYTES 40u           /* a name longer than that is cut */

struct gpt_header {
    uint64_t entries_sector, first_usable, last_usable, other_header;
    uint32_t entry_bytes, entry_count;
    uint32_t entries_checksum;
    uint8_t disk_id[16];
};

struct gpt_partition {
    uint8_t type[16], id[16];
    uint64_t first, sectors;
    uint64_t attributes;
    char name[GPT_NAME_BYTES]; /* UTF-8; what cannot be shown is '?' */
};

enum gpt_result {
    GPT_OK = 0,
    GPT_NONE,     /* no header is here */
    GPT_CHECKSUM, /* its checksum is wrong */
    GPT_FORMAT,   /* it says what cannot be */
    GPT_UNUSED,   /* this entry is empty */
    GPT_RANGE,    /* the partition is not inside the disk's usable part */
    GPT_OVERLAP,  /* the partition overlaps an earlier one */
    GPT_RESULT_COUNT
};

/* `sector` is the disk's sector number `number`, with `sector_bytes` bytes, at least 512. */
enum gpt_result gpt_header(const uint8_t *sector, uint32_t sector_bytes, uint64_t number,
                           uint64_t disk_sectors, struct gpt_header *header);
/* Bytes that the entries take, at most GPT_ENTRIES_BYTES_MAX; they lie inside the disk. */
uint32_t gpt_entries_bytes(const struct gpt_header *header);
/* Whether the entries are those of the header. */
enum gpt_result gpt_entries(const struct gpt_header *header, const uint8_t *entries);
/* The entry number `index`, below header->entry_count, of entries that are the header's. */
enum gpt_result gpt_partition(const struct gpt_header *header, const uint8_t *entries,
                              uint32_t index, struct gpt_partition *partition);
/* A short reason for a message. Never NULL. */
const char *gpt_result_text(enum gpt_result result);

/* Types: an EFI system partition. */
extern const uint8_t gpt_type_efi_system[16];
