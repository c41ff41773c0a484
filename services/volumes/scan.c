// SPDX-License-Identifier: MIT
/* scan - see scan.h. */
#include "services/volumes/scan.h"

#include "lib/base/string.h"
#include "lib/format/disk/content.h"
#include "lib/format/disk/mbr.h"

/* Links of one chain of partitions. */
#define LINKS_MAX 60u

static uint32_t whole_sectors(const struct scan *scan, uint32_t bytes)
{
    return (bytes + scan->sector_bytes - 1) / scan->sector_bytes * scan->sector_bytes;
}

/* As many of the bytes as there are before the end of the disk. */
static mnos_status_t read_some(struct scan *scan, uint64_t sector, uint32_t bytes, uint32_t *got)
{
    uint64_t left = sector < scan->sectors ? (scan->sectors - sector) * scan->sector_bytes : 0;

    *got = whole_sectors(scan, bytes);
    if (*got > left)
        *got = (uint32_t)left;
    return *got == 0 ? MNOS_ERR_END : scan->read(scan->context, sector, *got);
}

static void complain(struct scan *scan, const char *what)
{
    if (scan->complaint == NULL)
        scan->complaint = what;
}

/* A name of 16 bytes for what has none: by FNV-1a of what tells it apart. */
static void make_id(uint8_t id[VOLUME_ID_BYTES], uint64_t seed, uint64_t partition)
{
    for (unsigned i = 0; i < VOLUME_ID_BYTES; i++) {
        uint64_t hash = 0xCBF29CE484222325ull ^ i;

        for (unsigned k = 0; k < 8; k++)
            hash = (hash ^ (seed >> 8 * k & 0xFF)) * 0x100000001B3ull;
        for (unsigned k = 0; k < 8; k++)
            hash = (hash ^ (partition >> 8 * k & 0xFF)) * 0x100000001B3ull;
        id[i] = (uint8_t)(hash >> 32);
    }
    id[0] |= 1; /* never all zeros */
}

static struct volume_entry *add(struct scan *scan, uint64_t first, uint64_t sectors,
                                uint32_t partition)
{
    struct volume_entry *volume;

    if (scan->count == SCAN_VOLUMES_MAX)
        return NULL;
    volume = &scan->volumes[scan->count++];
    *volume = (struct volume_entry){.first = first,
                                    .sectors = sectors,
                                    .sector_bytes = scan->sector_bytes,
                                    .flags = scan->disk_flags,
                                    .partition = partition};
    return volume;
}

/* ---- GPT ---- */

/* A header and its entries, which are in the buffer then. */
static mnos_status_t read_gpt(struct scan *scan, uint64_t number, struct gpt_header *header,
                              enum gpt_result *result)
{
    uint32_t got;
    mnos_status_t status = read_some(scan, number, scan->sector_bytes, &got);

    if (status != MNOS_OK)
        return status;
    *result = gpt_header(scan->buffer, scan->sector_bytes, number, scan->sectors, header);
    if (*result != GPT_OK)
        return MNOS_OK;
    status = read_some(scan, header->entries_sector, gpt_entries_bytes(header), &got);
    if (status == MNOS_OK)
        *result = gpt_entries(header, scan->buffer);
    return status;
}

static void add_gpt(struct scan *scan, const struct gpt_header *header, uint32_t flags)
{
    for (uint32_t i = 0; i < header->entry_count; i++) {
        struct gpt_partition partition;
        struct volume_entry *volume;
        enum gpt_result result = gpt_partition(header, scan->buffer, i, &partition);

        if (result == GPT_UNUSED)
            continue;
        if (result != GPT_OK) {
            complain(scan, gpt_result_text(result));
            continue;
        }
        volume = add(scan, partition.first, partition.sectors, i + 1);
        if (volume == NULL)
            return;
        volume->flags |= flags;
        memcpy(volume->id, partition.id, sizeof volume->id);
        memcpy(volume->name, partition.name, sizeof volume->name);
        if (memcmp(partition.type, gpt_type_efi_system, sizeof partition.type) == 0)
            volume->flags |= VOLUME_BOOT_MEDIUM;
    }
}

/* The first copy, or else the second. *found: there is one, and its partitions are in the list. */
static mnos_status_t scan_gpt(struct scan *scan, bool *found)
{
    struct gpt_header header;
    enum gpt_result result, second;
    mnos_status_t status = read_gpt(scan, 1, &header, &result);

    *found = true;
    if (status == MNOS_OK && result == GPT_OK) {
        uint64_t other = header.other_header;
        struct gpt_header copy;

        add_gpt(scan, &header, 0);
        /* Both are checked: who changes the table later has to know. */
        if (read_gpt(scan, other, &copy, &second) != MNOS_OK || second != GPT_OK)
            complain(scan, "the second copy of the table is damaged");
        else if (copy.entries_checksum != header.entries_checksum)
            complain(scan, "the two copies of the table differ");
        return MNOS_OK;
    }
    if (status == MNOS_ERR_DEVICE || status == MNOS_OK)
        status = read_gpt(scan, scan->sectors - 1, &header, &second);
    *found = status == MNOS_OK && second == GPT_OK;
    if (*found) {
        add_gpt(scan, &header, VOLUME_BACKUP_TABLE);
        complain(scan, "the first copy of the table is damaged");
    }
    return status;
}

/* ---- MBR ---- */

static bool is_taken(const struct scan *scan, const struct mbr_partition *partition)
{
    for (uint32_t i = 0; i < scan->count; i++) {
        const struct volume_entry *volume = &scan->volumes[i];

        if (volume->first < partition->first + partition->sectors &&
            partition->first < volume->first + volume->sectors)
            return true;
    }
    return false;
}

static void add_mbr(struct scan *scan, const struct mbr *mbr, const struct mbr_partition *partition,
                    uint32_t number)
{
    struct volume_entry *volume;

    if (is_taken(scan, partition)) {
        complain(scan, gpt_result_text(GPT_OVERLAP));
        return;
    }
    volume = add(scan, partition->first, partition->sectors, number);
    if (volume == NULL)
        return;
    make_id(volume->id, mbr->signature, number);
    if (partition->type == MBR_TYPE_EFI_SYSTEM)
        volume->flags |= VOLUME_BOOT_MEDIUM;
}

static mnos_status_t scan_chain(struct scan *scan, const struct mbr *mbr,
                                const struct mbr_partition *extended)
{
    uint64_t at = extended->first, next;

    for (uint32_t i = 0; at != 0 && i < LINKS_MAX; i++, at = next) {
        struct mbr_partition partition;
        uint32_t got;
        mnos_status_t status = read_some(scan, at, scan->sector_bytes, &got);

        if (status != MNOS_OK)
            return status;
        if (!mbr_link(scan->buffer, at, extended, &partition, &next)) {
            complain(scan, "the extended partition is damaged");
            return MNOS_OK;
        }
        if (partition.sectors != 0)
            add_mbr(scan, mbr, &partition, MBR_ENTRIES + 1 + i);
    }
    return MNOS_OK;
}

static mnos_status_t scan_mbr(struct scan *scan, const struct mbr *mbr)
{
    mnos_status_t status = MNOS_OK;

    for (uint32_t i = 0; i < MBR_ENTRIES && status == MNOS_OK; i++) {
        const struct mbr_partition *partition = &mbr->partitions[i];

        if (partition->sectors == 0)
            continue;
        if (mbr_is_extended(partition->type))
            status = scan_chain(scan, mbr, partition);
        else
            add_mbr(scan, mbr, partition, i + 1);
    }
    return status;
}

/* ---- All of it ---- */

static void add_whole(struct scan *scan, uint64_t seed)
{
    struct volume_entry *volume = add(scan, 0, scan->sectors, 0);

    make_id(volume->id, seed ^ scan->sectors, 0);
    volume->flags |= VOLUME_WHOLE_DISK;
}

/* A volume that cannot be read is listed, with unknown content. */
static void look_inside(struct scan *scan)
{
    for (uint32_t i = 0; i < scan->count; i++) {
        struct volume_entry *volume = &scan->volumes[i];
        uint64_t bytes = volume->sectors * scan->sector_bytes;
        uint32_t got = bytes < CONTENT_BYTES ? (uint32_t)bytes : CONTENT_BYTES;
        const char *content;

        if (read_some(scan, volume->first, got, &got) != MNOS_OK)
            continue;
        content = content_of(scan->buffer, got);
        memcpy(volume->content, content, strlen(content)); /* far shorter than its place */
        if (strcmp(content, "iso9660") == 0)
            volume->flags |= VOLUME_BOOT_MEDIUM;
    }
}

mnos_status_t scan_disk(struct scan *scan, uint64_t seed)
{
    struct mbr mbr;
    bool has_mbr, found = false;
    uint32_t got;
    mnos_status_t status;

    scan->count = 0;
    scan->complaint = NULL;
    if (scan->sectors < 4)
        return MNOS_OK; /* not even a table has room */
    status = read_some(scan, 0, scan->sector_bytes, &got);
    if (status != MNOS_OK)
        return status;
    has_mbr = mbr_parse(scan->buffer, scan->sectors, &mbr);
    /* A GPT counts only where the first sector says so: an old one may lie under a file system. */
    if (has_mbr && mbr.protective)
        status = scan_gpt(scan, &found);
    else if (has_mbr)
        status = scan_mbr(scan, &mbr);
    if (status != MNOS_OK)
        return status;
    if (has_mbr && mbr.protective && !found)
        complain(scan, "both copies of the table are damaged");
    if (!has_mbr)
        add_whole(scan, seed);
    look_inside(scan);
    return MNOS_OK;
}
