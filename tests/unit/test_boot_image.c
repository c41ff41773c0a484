// SPDX-License-Identifier: MIT
/* Tests of boot/core/image and requests: loading a kernel and finding what it asks for. */
#include <string.h>

#include "boot/core/requests.h"
#include "unit.h"

#define BASE UINT64_C(0xffffffff80200000)
#define FILE_SIZE 0x3000
#define WORDS 512

/* An ELF file with a page of code and a page of data, made by make_kernel(). */
static uint8_t file[FILE_SIZE];
static _Alignas(4096) uint8_t memory[0x4000];
static struct boot_image image;
static struct boot_requests requests;
static uint64_t *data; /* the data segment inside the file */

static void put(unsigned offset, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        file[offset + i] = (uint8_t)(value >> (8 * i));
}

static void put_segment(unsigned at, uint32_t flags, uint64_t offset, uint64_t vaddr,
                        uint64_t file_size, uint64_t memory_size)
{
    put(at, 4, 1);
    put(at + 4, 4, flags);
    put(at + 8, 8, offset);
    put(at + 16, 8, vaddr);
    put(at + 32, 8, file_size);
    put(at + 40, 8, memory_size);
}

static void make_kernel(uint64_t base, unsigned type)
{
    memset(file, 0, sizeof file);
    memcpy(file,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(16, 2, type);
    put(18, 2, 62);
    put(20, 4, 1);
    put(24, 8, base);
    put(32, 8, 64);
    put(52, 2, 64);
    put(54, 2, 56);
    put(56, 2, 2);
    put_segment(64, 5, 0x1000, base, 0x1000, 0x1000);
    put_segment(120, 6, 0x2000, base + 0x1000, 0x1000, 0x2800);
    memset(file + 0x1000, 0xcc, 0x1000);
    data = (uint64_t *)(void *)(file + 0x2000);
}

static const char *load(void)
{
    static const struct elf_limits limits = {BOOT_KERNEL_LOWEST, BOOT_KERNEL_HIGHEST, true};

    image = (struct boot_image){.memory = memory};
    memset(memory, 0xaa, sizeof memory);
    CHECK_EQ(elf_open(&image.elf, file, sizeof file, &limits), ELF_OK);
    return boot_image_load(&image);
}

static const char *scan(void)
{
    const char *reason = load();

    return reason != NULL ? reason : boot_requests_scan(&requests, &image);
}

static const uint64_t start_marker[] = LIMINE_START_MARKER;
static const uint64_t end_marker[] = LIMINE_END_MARKER;
static const uint64_t hhdm[] = {LIMINE_COMMON_0, LIMINE_COMMON_1, 0x48dcf1cb8ad2b852,
                                0x63984e959a98244b};
static const uint64_t rsdp[] = {LIMINE_COMMON_0, LIMINE_COMMON_1, 0xc5e77b6b397e7b43,
                                0x27637845accdcf3c};
static const uint64_t mp[] = {LIMINE_COMMON_0, LIMINE_COMMON_1, 0x95a67b819a1b857e,
                              0xa0b61b723b6a73e0};
static const uint64_t unknown[] = {LIMINE_COMMON_0, LIMINE_COMMON_1, 1, 2};

static void place(unsigned word, const uint64_t *words, unsigned count)
{
    memcpy(data + word, words, count * sizeof *words);
}

static void make_requests(void)
{
    static const uint64_t base_revision[] = {LIMINE_BASE_MAGIC_0, LIMINE_BASE_MAGIC_1, 3};

    make_kernel(BASE, 2);
    place(0, start_marker, 4);
    place(8, base_revision, 3);
    place(16, hhdm, 4);
    place(32, unknown, 4);
    place(48, end_marker, 2);
}

TEST(boot_image, copies_segments_and_zeroes_the_rest)
{
    make_kernel(BASE, 2);
    data[0] = 1234;
    CHECK_PTR_EQ(load(), NULL);
    CHECK_EQ(boot_image_base(&image), BASE);
    CHECK_EQ(memory[0xfff], 0xcc);
    CHECK_EQ(*(uint64_t *)(void *)(memory + 0x1000), 1234);
    for (unsigned i = 0x2000; i < 0x4000; i++)
        CHECK_EQ(memory[i], 0);
}

TEST(boot_image, translates_only_what_is_inside_a_segment)
{
    make_kernel(BASE, 2);
    CHECK_PTR_EQ(load(), NULL);
    CHECK_PTR_EQ(boot_image_at(&image, BASE, 0x1000), memory);
    CHECK_PTR_EQ(boot_image_at(&image, BASE, 0x1001), NULL); /* no read across two segments */
    CHECK_PTR_EQ(boot_image_at(&image, BASE + 0x1000, 0x2800), memory + 0x1000);
    CHECK_PTR_EQ(boot_image_at(&image, BASE + 0x1000, 0x2801), NULL);
    CHECK_PTR_EQ(boot_image_at(&image, BASE + 0x1008, UINT64_MAX), NULL);
    CHECK_PTR_EQ(boot_image_at(&image, BASE - 1, 1), NULL);
    CHECK_PTR_EQ(boot_image_at(&image, 0, 1), NULL);
    CHECK_PTR_EQ(boot_image_at(&image, UINT64_MAX, 1), NULL);
    CHECK(boot_image_is_code(&image, BASE + 0xfff));
    CHECK(!boot_image_is_code(&image, BASE + 0x1000));
}

TEST(boot_image, reads_strings_with_an_end)
{
    make_kernel(BASE, 2);
    memcpy(data, "abc", 4);
    memset(file + 0x1ffe, 'x', 2);
    CHECK_PTR_EQ(load(), NULL);
    CHECK_STR_EQ(boot_image_string(&image, BASE + 0x1000, 4), "abc");
    CHECK_PTR_EQ(boot_image_string(&image, BASE + 0x1000, 3), NULL);
    CHECK_PTR_EQ(boot_image_string(&image, BASE + 0xffe, 100), NULL);
    CHECK_PTR_EQ(boot_image_string(&image, 0, 100), NULL);
}

/* A dynamic section at word 0 of the data and a table at word 64. */
static void make_dynamic(void)
{
    static const uint64_t dynamic[] = {7, 0x1200, 8, 48, 9, 24, 0, 0};
    static const uint64_t table[] = {0x1300, 8, 0x40, 0x1308, 8, 0x1000};

    make_kernel(0, 3);
    put(56, 2, 3);
    put_segment(176, 6, 0x2000, 0x1000, sizeof dynamic, sizeof dynamic);
    put(176, 4, 2);
    place(0, dynamic, 8);
    place(64, table, 6);
}

TEST(boot_image, applies_relative_relocations)
{
    make_dynamic();
    CHECK_PTR_EQ(load(), NULL);
    CHECK_EQ(boot_image_base(&image), BOOT_KERNEL_LOWEST);
    CHECK_EQ(*(uint64_t *)(void *)(memory + 0x1300), BOOT_KERNEL_LOWEST + 0x40);
    CHECK_EQ(*(uint64_t *)(void *)(memory + 0x1308), BOOT_KERNEL_LOWEST + 0x1000);
}

TEST(boot_image, refuses_hostile_relocations)
{
    static const struct {
        unsigned word;
        uint64_t value;
    } bad[] = {
        {64, 0x4000},
        {64, UINT64_MAX},
        {64, UINT64_C(0x80000000)},
        {65, 1},
        {65, 37},
        {1, 0x3800},
        {1, UINT64_MAX - 7},
        {3, 47},
        {3, 0x2400 * 24},
        {3, UINT64_MAX / 24 * 24},
        {5, 16},
        {2, 17},
        {0, 36},
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make_dynamic();
        data[bad[i].word] = bad[i].value;
        CHECK(load() != NULL);
    }
}

TEST(boot_requests, finds_requests_and_answers_the_base_revision)
{
    make_requests();
    CHECK_PTR_EQ(scan(), NULL);
    CHECK_PTR_EQ(requests.found[BOOT_REQUEST_HHDM], memory + 0x1000 + 128);
    CHECK_PTR_EQ(requests.found[BOOT_REQUEST_RSDP], NULL);
    CHECK_EQ(((uint64_t *)(void *)(memory + 0x1000))[9], 3);
    CHECK_EQ(((uint64_t *)(void *)(memory + 0x1000))[10], 0);
}

TEST(boot_requests, refuses_old_and_loads_new_base_revisions)
{
    make_requests();
    data[10] = 2;
    CHECK_STR_EQ(scan(), "kernel wants a base revision older than 3");
    make_requests();
    data[8] = 0;
    CHECK_STR_EQ(scan(), "kernel wants a base revision older than 3");
    make_requests();
    data[10] = 4;
    CHECK_PTR_EQ(scan(), NULL);
    CHECK_EQ(((uint64_t *)(void *)(memory + 0x1000))[9], 3);
    CHECK_EQ(((uint64_t *)(void *)(memory + 0x1000))[10], 4);
}

TEST(boot_requests, refuses_duplicates_known_or_not)
{
    make_requests();
    place(40, hhdm, 4);
    CHECK_STR_EQ(scan(), "duplicate request");
    make_requests();
    place(40, unknown, 4);
    CHECK_STR_EQ(scan(), "duplicate request");
}

TEST(boot_requests, honours_markers)
{
    make_requests();
    place(60, hhdm, 4); /* behind the end */
    place(70, rsdp, 4);
    CHECK_PTR_EQ(scan(), NULL);
    CHECK_PTR_EQ(requests.found[BOOT_REQUEST_RSDP], NULL);

    make_requests();
    place(0, rsdp, 4);
    data[7] = start_marker[0]; /* only half a marker */
    CHECK_PTR_EQ(scan(), NULL);
    CHECK(requests.found[BOOT_REQUEST_RSDP] != NULL); /* no start marker: from the beginning */

    make_requests();
    place(100, start_marker, 4);
    CHECK_STR_EQ(scan(), "request start marker comes after the end marker");
}

TEST(boot_requests, bounds_requests_at_the_end_of_a_segment)
{
    make_requests();
    data[48] = data[49] = 0;
    place(WORDS - 6, rsdp, 4);
    put(120 + 40, 8, 0x1000); /* no zeroed tail */
    CHECK_PTR_EQ(scan(), NULL);
    CHECK(requests.found[BOOT_REQUEST_RSDP] != NULL);
    place(WORDS - 6, mp, 4); /* has a field after its header */
    CHECK_STR_EQ(scan(), "request lies across the end of its segment");
    data[WORDS - 6] = 0;
    place(WORDS - 4, unknown, 4);
    data[32] = 0;
    CHECK_STR_EQ(scan(), "request lies across the end of its segment");
    data[WORDS - 4] = 0;
    place(WORDS - 2, unknown, 2); /* not even its identifier fits */
    CHECK_STR_EQ(scan(), "request lies across the end of its segment");
}

TEST(boot_requests, bounds_their_number)
{
    make_requests();
    for (unsigned i = 0; i < 70; i++) {
        place(50 + 6 * i, unknown, 4);
        data[50 + 6 * i + 2] = 100 + i;
    }
    CHECK_PTR_EQ(scan(), NULL); /* all behind the end marker */
    data[48] = data[49] = 0;
    CHECK_STR_EQ(scan(), "too many requests");
}

static uint64_t random_state = 0x0123456789abcdef;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

TEST(boot_requests, survives_20000_scrambled_images)
{
    static const uint64_t *const parts[] = {start_marker, end_marker, hhdm, rsdp, mp, unknown};

    for (unsigned round = 0; round < 20000; round++) {
        make_requests();
        for (unsigned i = 0; i < 8; i++)
            place((unsigned)(random_number() % (WORDS - 4)), parts[random_number() % 6],
                  1 + (unsigned)(random_number() % 2));
        for (unsigned i = 0; i < 8; i++)
            place((unsigned)(random_number() % (WORDS - 4)), parts[2 + random_number() % 4], 4);
        if (scan() == NULL) {
            for (unsigned kind = 0; kind < BOOT_REQUEST_COUNT; kind++) {
                const uint8_t *found = (const uint8_t *)requests.found[kind];

                CHECK(found == NULL || (found >= memory + 0x1000 && found + 48 <= memory + 0x4000));
            }
        }
    }
}
