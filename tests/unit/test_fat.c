// SPDX-License-Identifier: MIT
/* test_fat.c - what of the FAT service needs no disk: dates, boot sectors, and pages of a volume with what is dirty
 * by class. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/fs/fat/boot.h"
#include "services/fs/fat/volume_cache.h"
#include "services/fs/fat/time.h"
#include "tests/unit/unit.h"

#define NS 1000000000ull
#define DAY_S 86400ull

/* ---- Dates ---- */

TEST(fat, each_day_that_an_entry_can_have_is_that_of_the_c_library)
{
    for (uint64_t day = 3652; day < 3652 + 128 * 365 + 31; day++) {
        time_t seconds = (time_t)(day * DAY_S + 45679);
        uint64_t ns = (uint64_t)seconds * NS + 670000000;
        struct fatfs_time time = fat_time_from_ns(ns + 999);
        uint32_t got = time.stamp;
        struct tm parts;

        gmtime_r(&seconds, &parts);
        CHECK_EQ(got >> 25, (uint32_t)parts.tm_year - 80);
        CHECK_EQ(got >> 21 & 15, (uint32_t)parts.tm_mon + 1);
        CHECK_EQ(got >> 16 & 31, (uint32_t)parts.tm_mday);
        CHECK_EQ(got >> 11 & 31, (uint32_t)parts.tm_hour);
        CHECK_EQ(got >> 5 & 63, (uint32_t)parts.tm_min);
        CHECK_EQ((got & 31) * 2 + 1, (uint32_t)parts.tm_sec);
        CHECK_EQ(time.hundredths, 167u);
        CHECK_EQ(time.offset, 0x80u);
        CHECK_EQ(fat_time_to_ns(time), ns);
        time.hundredths = 0;
        CHECK_EQ(fat_time_to_ns(time), (uint64_t)(seconds - 1) * NS);
    }
}

TEST(fat, dates_that_an_entry_cannot_have_are_the_nearest)
{
    uint32_t last = 127u << 25 | 12u << 21 | 31u << 16 | 23u << 11 | 59u << 5 | 29u;

    CHECK_EQ(fat_time_from_ns(0).stamp, 1u << 21 | 1u << 16);
    CHECK_EQ(fat_time_from_ns(0).hundredths, 0u);
    CHECK_EQ(fat_time_from_ns(UINT64_MAX).stamp, last);
    CHECK_EQ(fat_time_from_ns(UINT64_MAX).hundredths, 199u);
    CHECK_EQ(fat_time_to_ns((struct fatfs_time){.stamp = 0}), 0u);
    CHECK_EQ(fat_time_to_ns((struct fatfs_time){.stamp = 13u << 21 | 1u << 16}), 0u);
    CHECK_EQ(fat_time_to_ns((struct fatfs_time){.stamp = 1u << 21}), 0u);
}

/* Microsoft, "exFAT file system specification", 7.4.10.1, and what 7.4.10.2 says of bit 7; 7.4.9 of hundredths. */
TEST(fat, a_date_of_exfat_is_ahead_of_utc_by_what_its_offset_says)
{
    static const struct {
        uint8_t offset;
        int minutes;
    } table[] = {
        {0xBF, 15 * 60 + 45},
        {0xBE, 15 * 60 + 30},
        {0x84, 60},
        {0x81, 15},
        {0x80, 0},
        {0xFF, -15},
        {0xFE, -30},
        {0xE0, -8 * 60},
        {0xC1, -15 * 60 - 45},
        {0xC0, -16 * 60},
        {0x00, 0},
        {0x3F, 0},
        {0x7F, 0},
        {0x40, 0},
    };
    struct fatfs_time time = fat_time_from_ns(1305296828 * NS);

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t seconds = 1305296828 - table[i].minutes * 60;

        time.offset = table[i].offset;
        CHECK_EQ(fat_time_to_ns(time), (uint64_t)seconds * NS);
    }
    time.offset = 0x80;
    time.hundredths = 199;
    CHECK_EQ(fat_time_to_ns(time), 1305296829 * NS + 990000000);
    time.hundredths = 200; /* none */
    CHECK_EQ(fat_time_to_ns(time), 1305296828 * NS);
}

/* ---- Boot sectors ---- */

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

TEST(fat, a_boot_sector_says_how_large_sectors_and_volume_are)
{
    uint8_t sector[BOOT_BYTES] = {0};
    struct boot_facts facts;

    CHECK(!boot_read(sector, &facts));
    put(sector + 510, 0xAA55, 2);
    CHECK(!boot_read(sector, &facts)); /* sectors of no bytes */
    put(sector + 11, 1024, 2);
    put(sector + 19, 2000, 2);
    CHECK(boot_read(sector, &facts));
    CHECK_EQ(facts.sector_bytes, 1024u);
    CHECK_EQ(facts.volume_bytes, 2000u * 1024);
    put(sector + 19, 0, 2);
    put(sector + 32, UINT32_MAX, 4);
    CHECK(boot_read(sector, &facts));
    CHECK_EQ(facts.volume_bytes, UINT32_MAX * 1024ull);
    put(sector + 11, 1000, 2);
    CHECK(!boot_read(sector, &facts));
}

TEST(fat, a_boot_sector_of_exfat_with_shifts_that_cannot_be_is_refused)
{
    uint8_t sector[BOOT_BYTES] = {0};
    struct boot_facts facts;

    memcpy(sector + 3, "EXFAT   ", 8);
    put(sector + 510, 0xAA55, 2);
    put(sector + 72, 5000, 8);
    sector[109] = 3;
    for (unsigned shift = 0; shift < 256; shift++) {
        sector[108] = (uint8_t)shift;
        CHECK_EQ(boot_read(sector, &facts), shift >= 9 && shift <= 12);
    }
    sector[108] = 12;
    CHECK(boot_read(sector, &facts));
    CHECK_EQ(facts.volume_bytes, 5000ull << 12);
    put(sector + 72, UINT64_MAX, 8);
    CHECK(!boot_read(sector, &facts)); /* more bytes than can be counted */
    put(sector + 72, 5000, 8);
    sector[109] = 16;
    CHECK(!boot_read(sector, &facts));
}

/* ---- Pages ---- */

enum { PAGES = 64, VOLUME = 200 * 4096 + 1536 };

static struct {
    struct volume_cache cache;
    struct fat_disk disk;
    uint8_t *memory, *volume;
    void *table;
    unsigned transfers, flushes;
    bool fails;
} scene;

static mnos_status_t transfer(void *, const struct disk_transfer *transfers, uint32_t count)
{
    scene.transfers += count;
    for (uint32_t i = 0; i < count; i++) {
        const struct disk_transfer *at = &transfers[i];
        uint8_t *page = scene.memory + (size_t)at->page * CACHE_PAGE_BYTES + at->offset;

        CHECK(at->position + at->bytes <= VOLUME);
        CHECK((size_t)at->page * CACHE_PAGE_BYTES + at->offset + at->bytes <=
              (size_t)PAGES * CACHE_PAGE_BYTES);
        if (scene.fails)
            return MNOS_ERR_DEVICE;
        if (at->write)
            memcpy(scene.volume + at->position, page, at->bytes);
        else
            memcpy(page, scene.volume + at->position, at->bytes);
    }
    return MNOS_OK;
}

static mnos_status_t flush(void *)
{
    scene.flushes++;
    return MNOS_OK;
}

static void begin(void)
{
    memset(&scene, 0, sizeof scene);
    scene.disk = (struct fat_disk){.transfer = transfer, .flush = flush};
    scene.memory = calloc(PAGES, CACHE_PAGE_BYTES);
    scene.volume = malloc(VOLUME);
    for (size_t i = 0; i < VOLUME; i++)
        scene.volume[i] = (uint8_t)(i * 7 + i / 4096);
    scene.table = calloc(1, volume_cache_table_bytes(PAGES));
    volume_cache_init(&scene.cache, scene.table, scene.memory, PAGES, &scene.disk, VOLUME);
}

static void end(void)
{
    const char *wrong = volume_cache_check(&scene.cache);

    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
    free(scene.memory);
    free(scene.volume);
    free(scene.table);
}

TEST(fat, what_is_read_is_the_volumes_and_nothing_is_behind_its_end)
{
    static uint8_t bytes[VOLUME];

    begin();
    CHECK_EQ(volume_cache_read(&scene.cache, 0, bytes, VOLUME), MNOS_OK);
    CHECK(memcmp(bytes, scene.volume, VOLUME) == 0);
    CHECK(scene.transfers < 20); /* pages that follow each other are read at once */
    CHECK_EQ(volume_cache_read(&scene.cache, VOLUME, bytes, 1), MNOS_ERR_ARGUMENT);
    CHECK_EQ(volume_cache_read(&scene.cache, UINT64_MAX, bytes, 2), MNOS_ERR_ARGUMENT);
    CHECK_EQ(volume_cache_write(&scene.cache, VOLUME - 512, bytes, 1024, CACHE_BYTES),
             MNOS_ERR_ARGUMENT);
    end();
}

TEST(fat, each_class_is_written_out_by_itself)
{
    uint8_t one[512], two[512];

    begin();
    memset(one, 1, sizeof one);
    memset(two, 2, sizeof two);
    CHECK_EQ(volume_cache_write(&scene.cache, 4096, one, 512, CACHE_ENTRIES), MNOS_OK);
    CHECK_EQ(volume_cache_write(&scene.cache, 4096 + 512, two, 512, CACHE_TABLES), MNOS_OK);
    CHECK_EQ(volume_cache_write_out(&scene.cache, CACHE_TABLES), MNOS_OK);
    CHECK(memcmp(scene.volume + 4096 + 512, two, 512) == 0);
    CHECK(memcmp(scene.volume + 4096, one, 512) != 0);
    CHECK_EQ(volume_cache_flush(&scene.cache), MNOS_OK);
    CHECK_EQ(volume_cache_flush(&scene.cache), MNOS_OK); /* nothing was written since */
    CHECK_EQ(scene.flushes, 1u);
    CHECK_EQ(volume_cache_write_out(&scene.cache, CACHE_ENTRIES), MNOS_OK);
    CHECK(memcmp(scene.volume + 4096, one, 512) == 0);
    end();
}

TEST(fat, a_new_cluster_of_a_directory_is_written_empty_before_it_has_an_entry)
{
    uint8_t zeros[512] = {0}, entry[512];

    begin();
    memset(entry, 3, sizeof entry);
    CHECK_EQ(volume_cache_write(&scene.cache, 8192, zeros, 512, CACHE_BYTES), MNOS_OK);
    CHECK_EQ(volume_cache_write(&scene.cache, 8192, entry, 512, CACHE_ENTRIES), MNOS_OK);
    CHECK(memcmp(scene.volume + 8192, zeros, 512) == 0);
    CHECK_EQ(scene.cache.dirty[CACHE_BYTES], 0u);
    CHECK_EQ(volume_cache_write_out(&scene.cache, CACHE_ENTRIES), MNOS_OK);
    CHECK(memcmp(scene.volume + 8192, entry, 512) == 0);
    end();
}

TEST(fat, with_more_changed_than_there_is_room_bytes_and_tables_are_written_and_entries_are_not)
{
    uint8_t bytes[4096], there[4096];

    begin();
    memset(bytes, 9, sizeof bytes);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(volume_cache_write(&scene.cache, i * 4096, bytes, 4096, CACHE_ENTRIES), MNOS_OK);
    for (unsigned i = 10; i < 150; i++)
        CHECK_EQ(volume_cache_write(&scene.cache, i * 4096, bytes, 4096,
                                    i % 2 ? CACHE_BYTES : CACHE_TABLES),
                 MNOS_OK);
    CHECK(memcmp(scene.volume, bytes, 4096) != 0);
    CHECK_EQ(scene.cache.dirty[CACHE_ENTRIES], 10u);
    for (unsigned i = 0; i < 150; i++) {
        CHECK_EQ(volume_cache_read(&scene.cache, i * 4096, there, 4096), MNOS_OK);
        CHECK(memcmp(there, bytes, 4096) == 0);
    }
    for (unsigned i = 100; i < 160; i++) /* no more of these than there are pages */
        (void)!volume_cache_write(&scene.cache, i * 4096, bytes, 4096, CACHE_ENTRIES);
    CHECK_EQ(volume_cache_write(&scene.cache, 170 * 4096, bytes, 4096, CACHE_ENTRIES),
             MNOS_ERR_QUOTA);
    end();
}

TEST(fat, what_could_not_be_written_stays_dirty_and_what_could_not_be_read_is_not_there)
{
    uint8_t bytes[512] = {5};

    begin();
    CHECK_EQ(volume_cache_write(&scene.cache, 512, bytes, 512, CACHE_BYTES), MNOS_OK);
    scene.fails = true;
    CHECK_EQ(volume_cache_write_out(&scene.cache, CACHE_BYTES), MNOS_ERR_DEVICE);
    CHECK_EQ(scene.cache.dirty[CACHE_BYTES], 1u);
    CHECK_EQ(volume_cache_read(&scene.cache, 40960, bytes, 512), MNOS_ERR_DEVICE);
    scene.fails = false;
    CHECK_EQ(volume_cache_read(&scene.cache, 40960, bytes, 512), MNOS_OK);
    CHECK(memcmp(scene.volume + 40960, bytes, 512) == 0);
    CHECK_EQ(volume_cache_write_out(&scene.cache, CACHE_BYTES), MNOS_OK);
    end();
}
