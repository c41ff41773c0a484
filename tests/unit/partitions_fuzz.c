// SPDX-License-Identifier: MIT
/* partitions_fuzz.c - see partitions_fuzz.h. */
#include "tests/unit/partitions_fuzz.h"

#include <string.h>

#include "lib/format/disk/crc32.h"
#include "services/volumes/scan.h"
#include "tests/unit/unit.h"

#define SECTORS 4096u
#define SECTOR_BYTES 512u

static uint8_t disk[SECTORS * SECTOR_BYTES];
static uint8_t buffer[SCAN_BUFFER_BYTES];

static mnos_status_t read_disk(void *, uint64_t sector, uint32_t bytes)
{
    CHECK(bytes != 0 && bytes <= sizeof buffer && bytes % SECTOR_BYTES == 0);
    CHECK(sector < SECTORS && sector + bytes / SECTOR_BYTES <= SECTORS);
    if (sector >= SECTORS || sector + bytes / SECTOR_BYTES > SECTORS || bytes > sizeof buffer)
        return MNOS_ERR_DEVICE;
    memcpy(buffer, disk + sector * SECTOR_BYTES, bytes);
    return sector == SECTORS / 2 ? MNOS_ERR_DEVICE : MNOS_OK; /* one that cannot be read */
}

/* A header gets the checksums that it should have, or nothing behind them would ever be looked at. */
static void mend(uint64_t sector)
{
    uint8_t *header = disk + sector * SECTOR_BYTES;
    uint64_t entries;
    uint32_t count, size, bytes, crc;

    memcpy(&bytes, header + 12, 4);
    memcpy(&entries, header + 72, 8);
    memcpy(&count, header + 80, 4);
    memcpy(&size, header + 84, 4);
    if (memcmp(header, "EFI PART", 8) != 0 || bytes < 92 || bytes > SECTOR_BYTES)
        return;
    if (size <= 4096 && count <= SCAN_BUFFER_BYTES / 128 && entries < SECTORS &&
        (uint64_t)size * count <= (SECTORS - entries) * SECTOR_BYTES) {
        crc = crc32(disk + entries * SECTOR_BYTES, (size_t)size * count);
        memcpy(header + 88, &crc, 4);
    }
    memset(header + 16, 0, 4);
    crc = crc32(header, bytes);
    memcpy(header + 16, &crc, 4);
}

static void check_volumes(const struct scan *scan)
{
    CHECK(scan->count <= SCAN_VOLUMES_MAX);
    for (uint32_t i = 0; i < scan->count; i++) {
        const struct volume_entry *volume = &scan->volumes[i];

        CHECK(volume->sectors != 0 && volume->first < SECTORS &&
              volume->sectors <= SECTORS - volume->first);
        CHECK(memchr(volume->name, 0, sizeof volume->name) != NULL);
        CHECK(memchr(volume->content, 0, sizeof volume->content) != NULL);
    }
}

void partitions_fuzz(const uint8_t *data, size_t size)
{
    static struct scan scan;
    size_t half = size / 2;

    if (half > sizeof disk / 2)
        half = sizeof disk / 2;
    memset(disk, 0, sizeof disk);
    memcpy(disk, data, half);
    memcpy(disk + sizeof disk - half, data + half, half);
    mend(1);
    mend(SECTORS - 1);
    scan = (struct scan){
        .read = read_disk, .buffer = buffer, .sector_bytes = SECTOR_BYTES, .sectors = SECTORS};
    if (scan_disk(&scan, 7) == MNOS_OK)
        check_volumes(&scan);
}
