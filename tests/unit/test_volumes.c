// SPDX-License-Identifier: MIT
/* test_volumes - what is found on disks with GPT, MBR and neither, whole and damaged; and who has which volume. */
#include <stdlib.h>
#include <string.h>

#include "lib/format/disk/content.h"
#include "lib/format/disk/crc32.h"
#include "services/volumes/assign.h"
#include "services/volumes/scan.h"
#include "tests/unit/partitions_fuzz.h"
#include "tests/unit/unit.h"

#define SECTORS 8192u

static uint8_t image[SECTORS * 512];
static uint8_t buffer[SCAN_BUFFER_BYTES];
static struct scan scan;
static uint64_t bad_sector = UINT64_MAX;

static mnos_status_t read_image(void *, uint64_t sector, uint32_t bytes)
{
    CHECK(bytes <= sizeof buffer && (sector + bytes / 512) <= SECTORS);
    memcpy(buffer, image + sector * 512, bytes);
    return bad_sector - sector < bytes / 512 ? MNOS_ERR_DEVICE : MNOS_OK;
}

static mnos_status_t look(void)
{
    scan = (struct scan){
        .read = read_image, .buffer = buffer, .sector_bytes = 512, .sectors = SECTORS};
    return scan_disk(&scan, 99);
}

static void put(uint64_t sector, unsigned offset, uint64_t value, unsigned bytes)
{
    memcpy(image + sector * 512 + offset, &value, bytes);
}

/* ---- GPT, made by hand from the UEFI specification ---- */

static void put_entry(uint64_t table, uint32_t index, uint64_t first, uint64_t last,
                      const char *name)
{
    uint64_t at = table * 512 + index * 128;

    memset(image + at, 0x11, 16);                     /* type */
    memset(image + at + 16, (int)(0x20 + index), 16); /* id */
    memcpy(image + at + 32, &first, 8);
    memcpy(image + at + 40, &last, 8);
    for (unsigned i = 0; name[i] != 0; i++)
        image[at + 56 + 2 * i] = (uint8_t)name[i];
}

static void put_header(uint64_t own, uint64_t other, uint64_t table)
{
    uint32_t crc;

    memset(image + own * 512, 0, 512);
    memcpy(image + own * 512, "EFI PART", 8);
    put(own, 8, 0x10000, 4);
    put(own, 12, 92, 4);
    put(own, 24, own, 8);
    put(own, 32, other, 8);
    put(own, 40, 34, 8);
    put(own, 48, SECTORS - 34, 8);
    put(own, 72, table, 8);
    put(own, 80, 128, 4);
    put(own, 84, 128, 4);
    crc = crc32(image + table * 512, 128 * 128);
    put(own, 88, crc, 4);
    crc = crc32(image + own * 512, 92);
    put(own, 16, crc, 4);
}

static void put_headers(void)
{
    memcpy(image + (SECTORS - 33) * 512, image + 2 * 512, 128 * 128);
    put_header(1, SECTORS - 1, 2);
    put_header(SECTORS - 1, 1, SECTORS - 33);
}

static void protective_mbr(void)
{
    put(0, 446 + 4, 0xEE, 1);
    put(0, 446 + 8, 1, 4);
    put(0, 446 + 12, UINT32_MAX, 4);
    put(0, 510, 0xAA55, 2);
}

static void make_gpt(void)
{
    memset(image, 0, sizeof image);
    bad_sector = UINT64_MAX;
    protective_mbr();
    put_entry(2, 0, 2048, 4095, "first");
    put_entry(2, 5, 4096, 4096, "one sector");
    put_headers();
}

static void expect_both(uint32_t flags)
{
    CHECK_EQ(scan.count, 2);
    CHECK_EQ(scan.volumes[0].first, 2048);
    CHECK_EQ(scan.volumes[0].sectors, 2048);
    CHECK_EQ(scan.volumes[0].partition, 1);
    CHECK_EQ(scan.volumes[0].flags, flags);
    CHECK_EQ(scan.volumes[0].id[7], 0x20);
    CHECK_STR_EQ(scan.volumes[0].name, "first");
    CHECK_EQ(scan.volumes[1].sectors, 1);
    CHECK_EQ(scan.volumes[1].partition, 6);
    CHECK_STR_EQ(scan.volumes[1].name, "one sector");
}

TEST(volumes, the_checksum_is_that_of_gpt)
{
    CHECK_EQ(crc32("123456789", 9), 0xCBF43926);
}

TEST(volumes, partitions_of_a_gpt)
{
    make_gpt();
    CHECK_EQ(look(), MNOS_OK);
    expect_both(0);
    CHECK_PTR_EQ(scan.complaint, NULL);
}

TEST(volumes, each_copy_of_a_gpt_is_checked_and_either_is_enough)
{
    make_gpt();
    image[512 + 60] ^= 1; /* the first header */
    CHECK_EQ(look(), MNOS_OK);
    expect_both(VOLUME_BACKUP_TABLE);
    CHECK(scan.complaint != NULL);
    make_gpt();
    image[2 * 512 + 700] ^= 1; /* the first entries */
    CHECK_EQ(look(), MNOS_OK);
    expect_both(VOLUME_BACKUP_TABLE);
    make_gpt();
    bad_sector = 1; /* it cannot be read */
    CHECK_EQ(look(), MNOS_OK);
    expect_both(VOLUME_BACKUP_TABLE);
    make_gpt();
    image[(SECTORS - 1) * 512 + 60] ^= 1; /* the second header */
    CHECK_EQ(look(), MNOS_OK);
    expect_both(0);
    CHECK_STR_EQ(scan.complaint, "the second copy of the table is damaged");
    image[512 + 60] ^= 1; /* both: nothing is guessed */
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 0);
    CHECK_STR_EQ(scan.complaint, "both copies of the table are damaged");
    make_gpt();
    put_entry(2, 9, 5000, 5999, "newer"); /* a tool died between the copies */
    put_header(1, SECTORS - 1, 2);
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 3);
    CHECK_STR_EQ(scan.complaint, "the two copies of the table differ");
}

TEST(volumes, partitions_outside_the_disk_or_over_another_are_left_out)
{
    make_gpt();
    put_entry(2, 6, 4000, 4100, "overlaps both");
    put_entry(2, 7, SECTORS - 33, SECTORS - 1, "over the table");
    put_entry(2, 8, 10, 40, "over the other");
    put_entry(2, 9, 6000, 5999, "backwards");
    put_entry(2, 10, UINT64_MAX - 1, UINT64_MAX, "far");
    put_entry(2, 11, 7000, 7999, "good");
    put_headers();
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 3);
    CHECK_STR_EQ(scan.volumes[2].name, "good");
    CHECK(scan.complaint != NULL);
}

TEST(volumes, headers_that_say_what_cannot_be_are_refused)
{
    static const struct {
        unsigned offset, bytes;
        uint64_t value;
    } wrong[] = {
        {8, 4, 0x20000},     {12, 4, 91},      {12, 4, 513},        {24, 8, 2},
        {40, 8, SECTORS},    {48, 8, SECTORS}, {48, 8, UINT64_MAX}, {72, 8, 0},
        {72, 8, 100},        {72, 8, SECTORS}, {72, 8, UINT64_MAX}, {80, 4, 0},
        {80, 4, UINT32_MAX}, {84, 4, 64},      {84, 4, 129},        {84, 4, 0x80000000},
    };

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct gpt_header header;
        uint32_t crc, bytes;

        make_gpt();
        put(1, wrong[i].offset, wrong[i].value, wrong[i].bytes);
        put(1, 16, 0, 4);
        memcpy(&bytes, image + 512 + 12, 4);
        crc = crc32(image + 512, bytes <= 512 ? bytes : 512);
        put(1, 16, crc, 4);
        CHECK_EQ(gpt_header(image + 512, 512, 1, SECTORS, &header), GPT_FORMAT);
    }
}

TEST(volumes, names_are_utf_8_and_cut_at_whole_characters)
{
    uint16_t name[36];

    make_gpt();
    for (unsigned i = 0; i < 36; i++)
        name[i] = 0x20AC; /* three bytes each */
    name[0] = 0xE9;
    name[1] = 7;
    name[2] = 0xD800;
    memcpy(image + 2 * 512 + 56, name, sizeof name);
    put_headers();
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(memcmp(scan.volumes[0].name, "\xC3\xA9??\xE2\x82\xAC", 7), 0);
    CHECK_EQ(strlen(scan.volumes[0].name), 2 + 2 + 11 * 3);
}

/* ---- MBR ---- */

static void mbr_entry(uint64_t sector, unsigned index, uint8_t type, uint32_t first,
                      uint32_t sectors)
{
    put(sector, 446 + 16 * index + 4, type, 1);
    put(sector, 446 + 16 * index + 8, first, 4);
    put(sector, 446 + 16 * index + 12, sectors, 4);
    put(sector, 510, 0xAA55, 2);
}

TEST(volumes, partitions_of_an_mbr_and_its_chain)
{
    memset(image, 0, sizeof image);
    bad_sector = UINT64_MAX;
    put(0, 440, 0x12345678, 4);
    mbr_entry(0, 0, 0x83, 100, 900);
    mbr_entry(0, 1, 0x05, 1000, 4000);
    mbr_entry(0, 3, 0xEF, 6000, 99999); /* of a larger disk once */
    mbr_entry(1000, 0, 0x83, 10, 90);
    mbr_entry(1000, 1, 0x05, 500, 400); /* counted from 1000 */
    mbr_entry(1500, 0, 0x83, 10, 90);
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 4);
    CHECK_EQ(scan.volumes[0].first, 100);
    CHECK_EQ(scan.volumes[1].first, 1010);
    CHECK_EQ(scan.volumes[1].partition, 5);
    CHECK_EQ(scan.volumes[2].first, 1510);
    CHECK_EQ(scan.volumes[2].partition, 6);
    CHECK_EQ(scan.volumes[3].sectors, SECTORS - 6000);
    CHECK_EQ(scan.volumes[3].flags, VOLUME_BOOT_MEDIUM);
    CHECK(memcmp(scan.volumes[0].id, scan.volumes[1].id, VOLUME_ID_BYTES) != 0);
    mbr_entry(1500, 1, 0x05, 0, 400); /* back to the first link: the chain ends */
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 4);
    mbr_entry(1500, 0, 0x83, 10, 99999); /* outside of the extended partition */
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 3);
}

TEST(volumes, partitions_of_an_mbr_that_overlap_are_left_out)
{
    memset(image, 0, sizeof image);
    bad_sector = UINT64_MAX;
    mbr_entry(0, 0, 0x83, 100, 900);
    mbr_entry(0, 1, 0x83, 1000, 1000); /* right behind it */
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 2);
    CHECK_PTR_EQ(scan.complaint, NULL);
    mbr_entry(0, 1, 0x83, 999, 1000);
    mbr_entry(0, 2, 0x05, 50, 2000); /* what holds others is no volume itself */
    mbr_entry(50, 0, 0x83, 10, 41);  /* one sector too many */
    mbr_entry(50, 1, 0x05, 1500, 400);
    mbr_entry(1550, 0, 0x83, 10, 90);
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 2);
    CHECK_EQ(scan.volumes[0].first, 100);
    CHECK_EQ(scan.volumes[1].first, 1560);
    CHECK_STR_EQ(scan.complaint, "overlaps another partition");
}

TEST(volumes, a_disk_without_a_table_is_one_volume)
{
    uint8_t id[VOLUME_ID_BYTES];

    memset(image, 0, sizeof image);
    bad_sector = UINT64_MAX;
    CHECK_EQ(look(), MNOS_OK);
    CHECK_EQ(scan.count, 1);
    CHECK_EQ(scan.volumes[0].sectors, SECTORS);
    CHECK_EQ(scan.volumes[0].flags, VOLUME_WHOLE_DISK);
    CHECK_STR_EQ(scan.volumes[0].content, "");
    memcpy(id, scan.volumes[0].id, sizeof id);
    put(2, 0x38, 0xEF53, 2);
    CHECK_EQ(look(), MNOS_OK);
    CHECK_STR_EQ(scan.volumes[0].content, "ext2");
    CHECK_EQ(memcmp(id, scan.volumes[0].id, sizeof id), 0);
    put(2, 0x5C, 4, 4);
    CHECK_EQ(look(), MNOS_OK);
    CHECK_STR_EQ(scan.volumes[0].content, "ext3");
    put(2, 0x60, 0x40, 4);
    CHECK_EQ(look(), MNOS_OK);
    CHECK_STR_EQ(scan.volumes[0].content, "ext4");
    bad_sector = 0; /* then nothing is known */
    CHECK_EQ(look(), MNOS_ERR_DEVICE);
    bad_sector = UINT64_MAX;
}

/* ---- assignments ---- */

TEST(volumes, a_volume_is_one_services)
{
    static struct assignments table;
    uint8_t a[VOLUME_ID_BYTES] = {1}, b[VOLUME_ID_BYTES] = {2};

    CHECK_EQ(assignment_set(&table, 7, a), MNOS_OK);
    CHECK_EQ(assignment_set(&table, 7, a), MNOS_OK);
    CHECK_EQ(assignment_set(&table, 8, a), MNOS_ERR_EXISTS);
    CHECK_EQ(assignment_set(&table, 7, b), MNOS_OK); /* in its place */
    CHECK(!assignment_has(&table, a));
    CHECK_EQ(memcmp(assignment_of(&table, 7)->volume, b, sizeof b), 0);
    CHECK_EQ(assignment_set(&table, 8, a), MNOS_OK);
    CHECK_EQ(assignment_set(&table, 7, NULL), MNOS_OK);
    CHECK_PTR_EQ(assignment_of(&table, 7), NULL);
    CHECK_PTR_EQ(assignment_of(&table, 0), NULL);
    for (unsigned i = 3; i < 3 + ASSIGNMENTS_MAX - 1; i++) {
        a[0] = (uint8_t)i;
        CHECK_EQ(assignment_set(&table, 50 + i, a), MNOS_OK);
    }
    CHECK_EQ(assignment_set(&table, 0, b), MNOS_ERR_NOT_FOUND);
    CHECK_EQ(assignment_set(&table, ASSIGN_SERVICES_MAX, b), MNOS_ERR_NOT_FOUND);
    a[0] = 200;
    CHECK_EQ(assignment_set(&table, 99, a), MNOS_ERR_QUOTA);
    CHECK_EQ(assignment_set(&table, 99, NULL), MNOS_OK);
}

TEST(volumes, sessions_of_a_volume_that_is_taken_away_are_closed_at_every_disk)
{
    static struct assignments table;
    uint8_t a[VOLUME_ID_BYTES] = {1}, b[VOLUME_ID_BYTES] = {2};

    CHECK_EQ(assignment_set(&table, 70, a), MNOS_OK);
    CHECK_EQ(assignment_set(&table, 70, a), MNOS_OK);
    CHECK_EQ(assignment_set(&table, 7, a), MNOS_ERR_EXISTS);
    CHECK_EQ(assignment_set(&table, 7, NULL), MNOS_OK);
    CHECK_EQ(assignment_closing(&table, 0), 0); /* nobody has lost anything */
    CHECK_EQ(assignment_set(&table, 70, b), MNOS_OK);
    CHECK_EQ(assignment_set(&table, 7, a), MNOS_OK);
    CHECK_EQ(assignment_set(&table, 7, NULL), MNOS_OK);
    for (uint32_t disk = 0; disk < ASSIGN_DISKS_MAX; disk++) {
        CHECK_EQ(assignment_closing(&table, disk), 7);
        CHECK(assignment_is_closing(&table, disk, 70));
        assignment_closed(&table, disk, 7);
        CHECK_EQ(assignment_closing(&table, disk), 70);
        assignment_closed(&table, disk, 70);
        CHECK_EQ(assignment_closing(&table, disk), 0);
    }
}

/* ---- whatever the bytes are ---- */

TEST(volumes, tables_with_any_bytes_changed_lead_nowhere)
{
    static uint8_t bytes[80 * 512];
    uint64_t state = 88172645463325252ull;

    for (unsigned i = 0; i < 3000; i++) {
        make_gpt();
        memcpy(bytes, image, 40 * 512);
        memcpy(bytes + 40 * 512, image + sizeof image - 40 * 512, 40 * 512);
        for (unsigned k = 0; k < 4; k++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[(state >> 8) % 2000] = (uint8_t)state;
            bytes[79 * 512 + (state >> 20) % 100] ^= (uint8_t)(state >> 50);
        }
        partitions_fuzz(bytes, sizeof bytes);
    }
}
