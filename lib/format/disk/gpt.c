// SPDX-License-Identifier: MIT
/* gpt - see gpt.h. */
#include "lib/format/disk/gpt.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"
#include "lib/format/disk/crc32.h"

/* Offsets in a header. */
enum {
    HEADER_REVISION = 8,
    HEADER_BYTES = 12,
    HEADER_CHECKSUM = 16,
    HEADER_OWN_SECTOR = 24,
    HEADER_OTHER_SECTOR = 32,
    HEADER_FIRST_USABLE = 40,
    HEADER_LAST_USABLE = 48,
    HEADER_DISK_ID = 56,
    HEADER_ENTRIES_SECTOR = 72,
    HEADER_ENTRY_COUNT = 80,
    HEADER_ENTRY_BYTES = 84,
    HEADER_ENTRIES_CHECKSUM = 88,
    HEADER_BYTES_MIN = 92,
};

/* Offsets in an entry. */
enum {
    ENTRY_TYPE = 0,
    ENTRY_ID = 16,
    ENTRY_FIRST = 32,
    ENTRY_LAST = 40,
    ENTRY_ATTRIBUTES = 48,
    ENTRY_NAME = 56,
    ENTRY_NAME_UNITS = 36,
    ENTRY_BYTES_MIN = 128,
};

/* C12A7328-F81F-11D2-BA4B-00A0C93EC93B; the first three fields are little-endian. */
const uint8_t gpt_type_efi_system[16] = {0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11,
                                         0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B};

static bool checksum_holds(const uint8_t *sector, uint32_t bytes)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc32_add(UINT32_MAX, sector, HEADER_CHECKSUM);

    crc = crc32_add(crc, zeros, sizeof zeros);
    crc = crc32_add(crc, sector + HEADER_CHECKSUM + 4, bytes - HEADER_CHECKSUM - 4);
    return ~crc == bytes_get(sector + HEADER_CHECKSUM, 4);
}

/* Usable sectors inside the disk, and the entries outside of those. */
static bool ranges_hold(const struct gpt_header *header, uint32_t sector_bytes,
                        uint64_t disk_sectors)
{
    uint64_t sectors = (gpt_entries_bytes(header) + (uint64_t)sector_bytes - 1) / sector_bytes;

    if (header->first_usable > header->last_usable || header->last_usable >= disk_sectors)
        return false;
    if (header->entries_sector < 2 || header->entries_sector >= disk_sectors ||
        sectors > disk_sectors - header->entries_sector)
        return false;
    return header->entries_sector + sectors <= header->first_usable ||
           header->entries_sector > header->last_usable;
}

enum gpt_result gpt_header(const uint8_t *sector, uint32_t sector_bytes, uint64_t number,
                           uint64_t disk_sectors, struct gpt_header *header)
{
    uint32_t bytes;

    if (memcmp(sector, "EFI PART", 8) != 0)
        return GPT_NONE;
    bytes = (uint32_t)bytes_get(sector + HEADER_BYTES, 4);
    if (bytes < HEADER_BYTES_MIN || bytes > sector_bytes)
        return GPT_FORMAT;
    if (!checksum_holds(sector, bytes))
        return GPT_CHECKSUM;
    *header = (struct gpt_header){
        .entries_sector = bytes_get(sector + HEADER_ENTRIES_SECTOR, 8),
        .first_usable = bytes_get(sector + HEADER_FIRST_USABLE, 8),
        .last_usable = bytes_get(sector + HEADER_LAST_USABLE, 8),
        .other_header = bytes_get(sector + HEADER_OTHER_SECTOR, 8),
        .entry_bytes = (uint32_t)bytes_get(sector + HEADER_ENTRY_BYTES, 4),
        .entry_count = (uint32_t)bytes_get(sector + HEADER_ENTRY_COUNT, 4),
        .entries_checksum = (uint32_t)bytes_get(sector + HEADER_ENTRIES_CHECKSUM, 4),
    };
    memcpy(header->disk_id, sector + HEADER_DISK_ID, sizeof header->disk_id);
    /* Revision 1.x; an entry is 128 times a power of two. */
    if (bytes_get(sector + HEADER_REVISION, 4) >> 16 != 1 ||
        bytes_get(sector + HEADER_OWN_SECTOR, 8) != number ||
        header->entry_bytes < ENTRY_BYTES_MIN || header->entry_count == 0 ||
        (header->entry_bytes & (header->entry_bytes - 1)) != 0 ||
        header->entry_count > GPT_ENTRIES_BYTES_MAX / header->entry_bytes ||
        !ranges_hold(header, sector_bytes, disk_sectors))
        return GPT_FORMAT;
    return GPT_OK;
}

uint32_t gpt_entries_bytes(const struct gpt_header *header)
{
    return header->entry_bytes * header->entry_count;
}

enum gpt_result gpt_entries(const struct gpt_header *header, const uint8_t *entries)
{
    return crc32(entries, gpt_entries_bytes(header)) == header->entries_checksum ? GPT_OK
                                                                                 : GPT_CHECKSUM;
}

static const uint8_t *entry_at(const struct gpt_header *header, const uint8_t *entries,
                               uint32_t index)
{
    return entries + (size_t)index * header->entry_bytes;
}

static bool is_unused(const uint8_t *entry)
{
    for (unsigned i = 0; i < 16; i++)
        if (entry[ENTRY_TYPE + i] != 0)
            return false;
    return true;
}

static bool range_of(const struct gpt_header *header, const uint8_t *entry, uint64_t *first,
                     uint64_t *last)
{
    *first = bytes_get(entry + ENTRY_FIRST, 8);
    *last = bytes_get(entry + ENTRY_LAST, 8);
    return *first <= *last && *first >= header->first_usable && *last <= header->last_usable;
}

/* UTF-16 to UTF-8, whole characters only. A surrogate, which names do not need, or a control is '?'. */
static void copy_name(const uint8_t *entry, char name[GPT_NAME_BYTES])
{
    unsigned length = 0;

    for (unsigned i = 0; i < ENTRY_NAME_UNITS; i++) {
        uint32_t code = (uint32_t)bytes_get(entry + ENTRY_NAME + 2 * i, 2);
        unsigned bytes;

        if (code == 0)
            break;
        if (code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0xD800 && code < 0xE000))
            code = '?';
        bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
        if (length + bytes >= GPT_NAME_BYTES)
            break;
        if (bytes == 1) {
            name[length] = (char)code;
        } else if (bytes == 2) {
            name[length] = (char)(0xC0 | code >> 6);
            name[length + 1] = (char)(0x80 | (code & 0x3F));
        } else {
            name[length] = (char)(0xE0 | code >> 12);
            name[length + 1] = (char)(0x80 | (code >> 6 & 0x3F));
            name[length + 2] = (char)(0x80 | (code & 0x3F));
        }
        length += bytes;
    }
    memset(name + length, 0, GPT_NAME_BYTES - length);
}

enum gpt_result gpt_partition(const struct gpt_header *header, const uint8_t *entries,
                              uint32_t index, struct gpt_partition *partition)
{
    const uint8_t *entry = entry_at(header, entries, index);
    uint64_t first, last, other_first, other_last;

    if (is_unused(entry))
        return GPT_UNUSED;
    if (!range_of(header, entry, &first, &last))
        return GPT_RANGE;
    for (uint32_t i = 0; i < index; i++) {
        const uint8_t *other = entry_at(header, entries, i);

        if (!is_unused(other) && range_of(header, other, &other_first, &other_last) &&
            first <= other_last && other_first <= last)
            return GPT_OVERLAP;
    }
    memcpy(partition->type, entry + ENTRY_TYPE, sizeof partition->type);
    memcpy(partition->id, entry + ENTRY_ID, sizeof partition->id);
    partition->first = first;
    partition->sectors = last - first + 1;
    partition->attributes = bytes_get(entry + ENTRY_ATTRIBUTES, 8);
    copy_name(entry, partition->name);
    return GPT_OK;
}

const char *gpt_result_text(enum gpt_result result)
{
    static const char *const texts[GPT_RESULT_COUNT] = {
        [GPT_OK] = "sound",
        [GPT_NONE] = "no header",
        [GPT_CHECKSUM] = "wrong checksum",
        [GPT_FORMAT] = "says what cannot be",
        [GPT_UNUSED] = "unused",
        [GPT_RANGE] = "outside the disk",
        [GPT_OVERLAP] = "overlaps another partition",
    };

    return (unsigned)result < GPT_RESULT_COUNT ? texts[result] : "unknown";
}
