// SPDX-License-Identifier: MIT
/* test_symbols - names of functions by build ID and address, from a sound file and from damaged ones. */
#include "tests/unit/unit.h"

#include <string.h>

#include "lib/format/symbols.h"

/* Two programs with three functions and one, and their names. */
#define FUNCTIONS_AT (16 + 2 * 40)
#define NAMES_AT (FUNCTIONS_AT + 4 * 8)
#define FILE_BYTES (NAMES_AT + sizeof names)

static const char names[] = "alpha\0beta\0main";
static uint8_t file[NAMES_AT + sizeof names];

static void put(unsigned offset, unsigned bytes, uint64_t value)
{
    memcpy(file + offset, &value, bytes);
}

#define CODE_BYTES 0x140u

static void put_program(unsigned index, uint8_t id, uint32_t count, uint32_t first, uint64_t base)
{
    unsigned at = 16 + index * 40;

    memset(file + at, id, 20);
    put(at + 20, 4, count);
    put(at + 24, 4, first);
    put(at + 28, 4, CODE_BYTES);
    put(at + 32, 8, base);
}

static void put_function(unsigned index, uint32_t distance, uint32_t name)
{
    put(FUNCTIONS_AT + index * 8, 4, distance);
    put(FUNCTIONS_AT + index * 8 + 4, 4, name);
}

static void make_file(void)
{
    memset(file, 0, sizeof file);
    memcpy(file, "MNOSYMS1", 8);
    put(8, 4, 2);
    put(12, 4, NAMES_AT);
    put_program(0, 0x11, 3, FUNCTIONS_AT, 0x400000);
    put_program(1, 0x22, 1, FUNCTIONS_AT + 24, 0x7FF000000000);
    put_function(0, 0x40, 11);
    put_function(1, 0x80, 0);
    put_function(2, 0x100, 6);
    put_function(3, 0, 6);
    memcpy(file + NAMES_AT, names, sizeof names);
}

static bool open_program(uint8_t id_byte, struct symbols *symbols, struct symbols_program *program)
{
    uint8_t id[ELF_BUILD_ID_BYTES];

    memset(id, id_byte, sizeof id);
    return symbols_open(symbols, file, sizeof file) && symbols_program(symbols, id, program);
}

static void says(const struct symbols_program *program, uint64_t address, const char *name,
                 uint64_t offset)
{
    uint64_t found = 0;
    const char *text = symbols_find(program, address, &found);

    CHECK(text != NULL && strcmp(text, name) == 0);
    CHECK_EQ(found, offset);
}

TEST(symbols, the_last_function_that_begins_before_an_address_is_found)
{
    struct symbols_program program;
    struct symbols symbols;
    uint64_t offset;

    make_file();
    CHECK(open_program(0x11, &symbols, &program));
    CHECK(symbols_find(&program, 0x3FFFFF, &offset) == NULL);
    CHECK(symbols_find(&program, 0x40003F, &offset) == NULL);
    says(&program, 0x400040, "main", 0);
    says(&program, 0x40007F, "main", 0x3F);
    says(&program, 0x400080, "alpha", 0);
    says(&program, 0x400123, "beta", 0x23);
    says(&program, 0x40013F, "beta", 0x3F);
    CHECK(symbols_find(&program, 0x400000 + CODE_BYTES, &offset) == NULL);
    CHECK(symbols_find(&program, 0x7FFFFFFFE000, &offset) == NULL); /* a stack, say */
    CHECK(open_program(0x22, &symbols, &program));
    says(&program, 0x7FF000000010, "beta", 0x10);
    CHECK(!open_program(0x33, &symbols, &program));
}

TEST(symbols, a_damaged_file_has_no_names_and_is_not_left)
{
    struct symbols_program program;
    struct symbols symbols;
    uint64_t offset;

    make_file();
    put(NAMES_AT + sizeof names - 1, 1, 'x'); /* a name without an end */
    CHECK(!symbols_open(&symbols, file, sizeof file));
    make_file();
    put(8, 4, UINT32_MAX); /* more programs than there is room for */
    CHECK(!symbols_open(&symbols, file, sizeof file));
    make_file();
    put(12, 4, sizeof file); /* no names */
    CHECK(!symbols_open(&symbols, file, sizeof file));
    make_file();
    put(16 + 20, 4, 0x20000000); /* more functions than the file has */
    CHECK(!open_program(0x11, &symbols, &program));
    make_file();
    put(16 + 24, 4, UINT32_MAX); /* elsewhere */
    CHECK(!open_program(0x11, &symbols, &program));
    make_file();
    put_function(0, 0x40, sizeof names); /* a name behind the names */
    CHECK(open_program(0x11, &symbols, &program));
    CHECK(symbols_find(&program, 0x400050, &offset) == NULL);
    for (size_t size = 0; size < 16; size++)
        CHECK(!symbols_open(&symbols, file, size));
}
