// SPDX-License-Identifier: MIT
/* test_elf_names - functions and code of a program's file, and that a hostile file is read a bounded number of times. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "lib/format/elf_names.h"

#define FILE_BYTES 1024u
#define SEGMENTS 64u
#define SECTIONS 256u
#define SYMBOLS 512u
#define TEXTS 768u
#define CODE 896u
#define ADDRESS 0x400000u
#define READS_MAX (1 + ELF_NAMES_SEGMENTS_MAX + 2 * ELF_NAMES_SECTIONS_MAX)

static uint8_t file[FILE_BYTES];
static unsigned reads;
static uint64_t endless; /* the file goes on so far, with zeros */

static bool read_file(void *, uint64_t offset, void *out, uint64_t bytes)
{
    reads++;
    if (offset > FILE_BYTES + endless || FILE_BYTES + endless - offset < bytes)
        return false;
    memset(out, 0, bytes);
    for (uint64_t i = 0; i < bytes && offset + i < FILE_BYTES; i++)
        ((uint8_t *)out)[i] = file[offset + i];
    return true;
}

static const struct elf_source source = {NULL, read_file};

static void put(unsigned offset, unsigned bytes, uint64_t value)
{
    memcpy(file + offset, &value, bytes);
}

static void put_symbol(unsigned index, uint32_t text, uint8_t info, uint64_t value, uint64_t size)
{
    unsigned at = SYMBOLS + index * 24;

    put(at, 4, text);
    put(at + 4, 1, info);
    put(at + 6, 2, 1);
    put(at + 8, 8, value);
    put(at + 16, 8, size);
}

static void put_section(unsigned index, uint32_t type, uint64_t offset, uint64_t bytes)
{
    unsigned at = SECTIONS + index * 64;

    put(at + 4, 4, type);
    put(at + 24, 8, offset);
    put(at + 32, 8, bytes);
}

static void make_file(void)
{
    memset(file, 0, sizeof file);
    memcpy(file, "\177ELF\2\1\1", 7);
    put(18, 2, 62);
    put(32, 8, SEGMENTS);
    put(40, 8, SECTIONS);
    put(54, 2, 56);
    put(56, 2, 2);
    put(58, 2, 64);
    put(60, 2, 3);
    put(SEGMENTS, 4, 4); /* a note */
    put(SEGMENTS + 56, 4, 1);
    put(SEGMENTS + 56 + 4, 4, 5);
    put(SEGMENTS + 56 + 8, 8, CODE);
    put(SEGMENTS + 56 + 16, 8, ADDRESS);
    put(SEGMENTS + 56 + 32, 8, 128);
    put_section(1, 2, SYMBOLS, 5 * 24);
    put(SECTIONS + 64 + 40, 4, 2);
    put(SECTIONS + 64 + 56, 8, 24);
    put_section(2, 3, TEXTS, 32);
    memcpy(file + TEXTS, "\0main\0inner\0table\0st\nart", 24);
    put_symbol(1, 1, 0x12, ADDRESS, 64);
    put_symbol(2, 6, 0x12, ADDRESS + 32, 8);
    put_symbol(3, 12, 0x11, ADDRESS + 80, 8); /* data */
    put_symbol(4, 18, 0x12, ADDRESS + 100, 0);
    memset(file + CODE, 0x90, 128);
}

static const char *name_of(uint64_t address)
{
    static char name[ELF_NAME_BYTES + 24];
    struct elf_names names;
    uint64_t offset;

    CHECK(elf_names_open(&names, &source));
    if (!elf_names_find(&names, address, name, &offset))
        return "";
    snprintf(name + strlen(name), 20, "+%llu", (unsigned long long)offset);
    return name;
}

TEST(elf_names, the_innermost_function_that_holds_an_address_is_found)
{
    make_file();
    CHECK_STR_EQ(name_of(ADDRESS), "main+0");
    CHECK_STR_EQ(name_of(ADDRESS + 31), "main+31");
    CHECK_STR_EQ(name_of(ADDRESS + 33), "inner+1");
    CHECK_STR_EQ(name_of(ADDRESS + 40), "main+40");
    CHECK_STR_EQ(name_of(ADDRESS + 82), "");
    CHECK_STR_EQ(name_of(ADDRESS + 101), "st?art+1"); /* without a size, and not printable */
    CHECK_STR_EQ(name_of(ADDRESS + 100 + 4096), "");
    CHECK_STR_EQ(name_of(ADDRESS - 1), "");
    CHECK_STR_EQ(name_of(UINT64_MAX), "");
}

TEST(elf_names, code_is_that_of_the_executable_segment)
{
    struct elf_names names;
    uint8_t bytes[8];

    make_file();
    file[CODE + 127] = 0xC3;
    CHECK(elf_names_open(&names, &source));
    CHECK(elf_names_code(&names, ADDRESS + 120, bytes, 8));
    CHECK_EQ(bytes[7], 0xC3);
    CHECK(!elf_names_code(&names, ADDRESS + 121, bytes, 8));
    CHECK(!elf_names_code(&names, ADDRESS - 1, bytes, 1));
    CHECK(!elf_names_code(&names, UINT64_MAX, bytes, 8));
}

TEST(elf_names, a_file_without_symbols_or_with_too_many_has_no_names)
{
    struct elf_names names;

    make_file();
    put(60, 2, 0);
    CHECK_STR_EQ(name_of(ADDRESS), "");
    make_file();
    put(SECTIONS + 64 + 32, 8, (ELF_NAMES_SYMBOLS_MAX + 1) * 24ull);
    CHECK_STR_EQ(name_of(ADDRESS), "");
    make_file();
    put(SECTIONS + 128 + 32, 8, 3); /* a text that has no end within its section is cut */
    CHECK_STR_EQ(name_of(ADDRESS), "ma+0");
    make_file();
    put(18, 2, 3);
    CHECK(!elf_names_open(&names, &source));
    make_file();
    put(56, 2, ELF_NAMES_SEGMENTS_MAX + 1);
    CHECK(!elf_names_open(&names, &source));
}

TEST(elf_names, a_damaged_file_is_read_so_often_and_no_more)
{
    uint64_t random = 88172645463325252ull;
    struct elf_names names;
    char name[ELF_NAME_BYTES];
    uint64_t offset;

    for (unsigned run = 0; run < 30000; run++) {
        make_file();
        for (unsigned i = 0; i < 1 + run % 8; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            file[random % SYMBOLS] = (uint8_t)(random >> 16);
            if ((random & 0x700000) == 0)
                memset(file + random % (SYMBOLS - 8), 0xFF, 8);
        }
        endless = run % 3 == 0 ? UINT64_MAX - FILE_BYTES : 0;
        reads = 0;
        if (elf_names_open(&names, &source)) {
            CHECK(reads <= READS_MAX);
            reads = 0;
            (void)elf_names_find(&names, ADDRESS + run % 128, name, &offset);
            CHECK(reads <= ELF_NAMES_SYMBOLS_MAX / 32 + 1);
            (void)elf_names_code(&names, random, name, 7);
        }
        CHECK(reads <= ELF_NAMES_SYMBOLS_MAX / 32 + 1);
    }
    endless = 0;
}
