// SPDX-License-Identifier: MIT
/* Tests of lib/format/elf: a sound file, then everything that can be wrong with it. */
#include <stdlib.h>
#include <string.h>

#include "lib/format/elf.h"
#include "unit.h"

#define FILE_SIZE 0x3000
#define BASE UINT64_C(0xffffffff80200000)
#define PHDR(i) (64 + 56 * (i))

static const struct elf_limits kernel_limits = {
    .lowest_vaddr = UINT64_C(0xffffffff80000000),
    .highest_vaddr = UINT64_C(0xffffffffffffefff),
    .allow_dynamic = true,
};

static uint8_t file[FILE_SIZE];

static void put(unsigned offset, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        file[offset + i] = (uint8_t)(value >> (8 * i));
}

static void put_segment(unsigned index, uint32_t flags, uint64_t offset, uint64_t vaddr,
                        uint64_t file_size, uint64_t memory_size)
{
    put(PHDR(index), 4, 1);
    put(PHDR(index) + 4, 4, flags);
    put(PHDR(index) + 8, 8, offset);
    put(PHDR(index) + 16, 8, vaddr);
    put(PHDR(index) + 32, 8, file_size);
    put(PHDR(index) + 40, 8, memory_size);
    put(PHDR(index) + 48, 8, 0x1000);
}

/* Text, then data with a zeroed tail. */
static void make_file(void)
{
    memset(file, 0, sizeof file);
    memcpy(file,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(16, 2, 2);
    put(18, 2, 62);
    put(20, 4, 1);
    put(24, 8, BASE + 0x10);
    put(32, 8, 64);
    put(52, 2, 64);
    put(54, 2, 56);
    put(56, 2, 2);
    put_segment(0, 5, 0x1000, BASE, 0x800, 0x800);
    put_segment(1, 6, 0x2000, BASE + 0x1000, 0x400, 0x2100);
}

static enum elf_error open_file(void)
{
    struct elf_image image;

    return elf_open(&image, file, sizeof file, &kernel_limits);
}

/* The error after one field of a sound file has been changed. */
static enum elf_error with(unsigned offset, unsigned bytes, uint64_t value)
{
    make_file();
    put(offset, bytes, value);
    return open_file();
}

TEST(elf, lists_the_segments_of_a_sound_file)
{
    struct elf_image image;
    struct elf_segment segment;
    unsigned cursor = 0;

    make_file();
    CHECK_EQ(elf_open(&image, file, sizeof file, &kernel_limits), ELF_OK);
    CHECK_EQ(image.load_count, 2);
    CHECK_EQ(image.base, BASE);
    CHECK_EQ(image.span, 0x4000);
    CHECK_EQ(image.slide, 0);
    CHECK_EQ(image.entry, BASE + 0x10);
    CHECK(elf_next_load(&image, &cursor, &segment));
    CHECK(segment.read && segment.execute && !segment.write);
    CHECK_PTR_EQ(segment.data, file + 0x1000);
    CHECK(elf_next_load(&image, &cursor, &segment));
    CHECK(segment.read && segment.write && !segment.execute);
    CHECK_EQ(segment.memory_size, 0x2100);
    CHECK(!elf_next_load(&image, &cursor, &segment));
}

TEST(elf, refuses_every_truncation)
{
    struct elf_image image;

    make_file();
    for (size_t size = 1; size < 0x2400; size++) {
        uint8_t *exact = memcpy(malloc(size), file, size); /* so that one byte more is seen */

        CHECK(elf_open(&image, exact, size, &kernel_limits) != ELF_OK);
        free(exact);
    }
    CHECK_EQ(elf_open(&image, file, 0x2400, &kernel_limits), ELF_OK);
}

TEST(elf, refuses_a_wrong_header)
{
    CHECK_EQ(with(0, 1, 0x7e), ELF_MAGIC);
    CHECK_EQ(with(4, 1, 1), ELF_CLASS);
    CHECK_EQ(with(5, 1, 2), ELF_CLASS);
    CHECK_EQ(with(6, 1, 0), ELF_VERSION);
    CHECK_EQ(with(16, 2, 1), ELF_TYPE);
    CHECK_EQ(with(18, 2, 3), ELF_MACHINE);
    CHECK_EQ(with(20, 4, 2), ELF_VERSION);
    CHECK_EQ(with(52, 2, 63), ELF_VERSION);
    CHECK_EQ(with(54, 2, 32), ELF_VERSION);
}

TEST(elf, refuses_program_headers_outside_the_file)
{
    CHECK_EQ(with(32, 8, FILE_SIZE - 111), ELF_TRUNCATED);
    CHECK_EQ(with(32, 8, UINT64_MAX), ELF_TRUNCATED);
    CHECK_EQ(with(32, 8, UINT64_MAX - 55), ELF_TRUNCATED);
    CHECK_EQ(with(56, 2, 0), ELF_SEGMENT_COUNT);
    CHECK_EQ(with(56, 2, 0xffff), ELF_SEGMENT_COUNT);
}

TEST(elf, refuses_segments_outside_the_file)
{
    CHECK_EQ(with(PHDR(0) + 8, 8, FILE_SIZE), ELF_SEGMENT_FILE);
    CHECK_EQ(with(PHDR(0) + 8, 8, UINT64_MAX & ~UINT64_C(0xfff)), ELF_SEGMENT_FILE);
    CHECK_EQ(with(PHDR(0) + 32, 8, UINT64_MAX), ELF_SEGMENT_FILE);
    CHECK_EQ(with(PHDR(1) + 32, 8, 0x1001), ELF_SEGMENT_FILE);
    CHECK_EQ(with(PHDR(0) + 40, 8, 0x7ff), ELF_SEGMENT_SIZE);
}

TEST(elf, refuses_addresses_that_wrap_or_leave_the_limits)
{
    CHECK_EQ(with(PHDR(1) + 40, 8, UINT64_MAX), ELF_SEGMENT_ADDRESS);
    CHECK_EQ(with(PHDR(1) + 40, 8, 0x7fe00000), ELF_SEGMENT_ADDRESS);
    CHECK_EQ(with(PHDR(1) + 40, 8, 0x7fdfe000), ELF_OK); /* up to the last permitted page */
    CHECK_EQ(with(PHDR(1) + 40, 8, 0x7fdfe001), ELF_SEGMENT_ADDRESS);
    CHECK_EQ(with(PHDR(1) + 16, 8, UINT64_MAX & ~UINT64_C(0xfff)), ELF_SEGMENT_ADDRESS);
    CHECK_EQ(with(PHDR(0) + 16, 8, UINT64_C(0xffffffff7ffff000)), ELF_ENTRY);
    make_file();
    put(24, 8, 0x200010);
    put(PHDR(0) + 16, 8, 0x200000);
    put(PHDR(1) + 16, 8, 0x201000);
    CHECK_EQ(open_file(), ELF_SEGMENT_ADDRESS);
}

TEST(elf, refuses_overlap_and_shared_pages)
{
    CHECK_EQ(with(PHDR(1) + 16, 8, BASE), ELF_SEGMENT_OVERLAP);
    CHECK_EQ(with(PHDR(0) + 40, 8, 0x1001), ELF_SEGMENT_OVERLAP);
    CHECK_EQ(with(PHDR(0) + 40, 8, 0x1000), ELF_OK);
    make_file();
    put(PHDR(1) + 48, 8, 1);
    put(PHDR(1) + 16, 8, BASE + 0xc00);
    CHECK_EQ(open_file(), ELF_SEGMENT_OVERLAP);
}

TEST(elf, refuses_wrong_alignment_and_rights)
{
    CHECK_EQ(with(PHDR(0) + 48, 8, 0x1001), ELF_SEGMENT_ALIGNMENT);
    CHECK_EQ(with(PHDR(0) + 8, 8, 0x1008), ELF_SEGMENT_ALIGNMENT);
    CHECK_EQ(with(PHDR(0) + 4, 4, 7), ELF_SEGMENT_RIGHTS);
    CHECK_EQ(with(PHDR(0) + 4, 4, 0), ELF_SEGMENT_RIGHTS);
}

TEST(elf, refuses_an_entry_outside_of_code)
{
    CHECK_EQ(with(24, 8, 0), ELF_ENTRY);
    CHECK_EQ(with(24, 8, BASE + 0x800), ELF_ENTRY);
    CHECK_EQ(with(24, 8, BASE - 1), ELF_ENTRY);
    CHECK_EQ(with(24, 8, BASE + 0x1000), ELF_ENTRY); /* data */
}

TEST(elf, refuses_an_interpreter_and_a_dynamic_section_elsewhere)
{
    make_file();
    put(56, 2, 3);
    put_segment(2, 4, 0x1000, BASE, 16, 16);
    put(PHDR(2), 4, 3);
    CHECK_EQ(open_file(), ELF_INTERPRETER);
    put(PHDR(2), 4, 2);
    CHECK_EQ(open_file(), ELF_OK);
    put(PHDR(2) + 16, 8, BASE + 0x3100 - 8);
    CHECK_EQ(open_file(), ELF_DYNAMIC);
    put(PHDR(2) + 16, 8, UINT64_MAX - 7);
    CHECK_EQ(open_file(), ELF_DYNAMIC);
}

TEST(elf, slides_a_position_independent_file_into_the_limits)
{
    struct elf_image image;
    struct elf_limits fixed_only = kernel_limits;

    make_file();
    put(16, 2, 3);
    put(24, 8, 0x10);
    put(PHDR(0) + 16, 8, 0);
    put(PHDR(1) + 16, 8, 0x1000);
    CHECK_EQ(elf_open(&image, file, sizeof file, &kernel_limits), ELF_OK);
    CHECK_EQ(image.slide, UINT64_C(0xffffffff80000000));
    fixed_only.allow_dynamic = false;
    CHECK_EQ(elf_open(&image, file, sizeof file, &fixed_only), ELF_TYPE);
    put(PHDR(1) + 40, 8, UINT64_C(0x80000000));
    CHECK_EQ(elf_open(&image, file, sizeof file, &kernel_limits), ELF_SEGMENT_ADDRESS);
}

/* What elf.h promises of every accepted file. */
static void check_promises(const struct elf_image *image)
{
    struct elf_segment segment;
    unsigned cursor = 0, count = 0;
    uint64_t end = image->base;

    while (elf_next_load(image, &cursor, &segment)) {
        uint64_t last = segment.vaddr + image->slide + segment.memory_size - 1;

        CHECK(segment.file_size <= segment.memory_size);
        CHECK(segment.file_size == 0 ||
              (segment.data >= file && segment.data <= file + FILE_SIZE &&
               segment.file_size <= (size_t)(file + FILE_SIZE - segment.data)));
        CHECK(segment.vaddr >= end && last >= segment.vaddr + image->slide);
        CHECK(segment.vaddr + image->slide >= kernel_limits.lowest_vaddr);
        CHECK(last <= kernel_limits.highest_vaddr);
        CHECK(!(segment.write && segment.execute));
        end = (segment.vaddr + segment.memory_size + 4095) & ~UINT64_C(4095);
        count++;
    }
    CHECK_EQ(count, image->load_count);
    CHECK_EQ(end - image->base, image->span);
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

TEST(elf, keeps_its_promises_for_300000_mutated_files)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   0x7fffffff,
                                   0x80000000,
                                   UINT64_MAX,
                                   UINT64_MAX - 4095,
                                   UINT64_C(0xffffffff80000000),
                                   FILE_SIZE,
                                   BASE};
    unsigned accepted = 0;

    for (unsigned round = 0; round < 300000; round++) {
        struct elf_image image;
        unsigned changes = 1 + (unsigned)random_number() % 4;

        make_file();
        while (changes-- > 0) {
            unsigned at = (unsigned)random_number() % PHDR(2);

            if (random_number() % 4 == 0)
                put(at & ~7u, 8, odd[random_number() % 9]);
            else
                file[at] = (uint8_t)random_number();
        }
        if (elf_open(&image, file, sizeof file, &kernel_limits) == ELF_OK) {
            check_promises(&image);
            accepted++;
        }
    }
    CHECK(accepted > 1000); /* the mutations are not so wild that nothing is tested */
}

TEST(elf, has_a_text_for_each_error)
{
    for (unsigned i = 0; i <= ELF_ERROR_COUNT; i++)
        CHECK(elf_error_text((enum elf_error)i)[0] != 0);
}
