// SPDX-License-Identifier: MIT
/*
 * test_launcher - whose programs the launcher knows and which it forgets; and what the loader makes of files that are
 * meant to do harm.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mnos/layout.h"
#include "programs/loader/plan.c"
#include "services/launcher/programs.c"

/* ---- The table ---- */

static struct programs programs;
static unsigned dropped;
static uint64_t last_dropped;

static void drop_program(struct program *program)
{
    dropped++;
    last_dropped = program->number;
}

static struct program *add_program(uint64_t owner, const char *name, uint64_t number)
{
    struct program *program = programs_place(&programs, drop_program);

    if (program == NULL)
        return NULL;
    program->owner = owner;
    program->number = number;
    strcpy(program->name, name);
    programs_add(&programs, program);
    return program;
}

TEST(launcher, a_client_finds_its_own_programs_in_the_order_of_their_start)
{
    (void)add_program(1, "one", 10);
    (void)add_program(2, "other", 11);
    (void)add_program(1, "two", 12);
    CHECK_EQ(programs_at(&programs, 1, 0)->number, 10);
    CHECK_EQ(programs_at(&programs, 1, 1)->number, 12);
    CHECK(programs_at(&programs, 1, 2) == NULL);
    CHECK(programs_at(&programs, 1, UINT64_MAX) == NULL);
    CHECK(programs_find(&programs, 1, 11) == NULL);
    CHECK(programs_find(&programs, 2, 11) != NULL);
    CHECK(programs_at(&programs, 3, 0) == NULL);
}

TEST(launcher, a_name_means_the_only_one_that_runs)
{
    struct program *found = NULL, *first = add_program(1, "ls", 10);

    first->state = PROGRAM_RUNNING;
    CHECK_EQ(programs_named(&programs, 1, "ls", &found), MNOS_OK);
    CHECK_EQ(found->number, 10);
    add_program(1, "ls", 20)->state = PROGRAM_RUNNING;
    CHECK_EQ(programs_named(&programs, 1, "ls", &found), MNOS_ERR_NOT_FOUND);
    CHECK_EQ(programs_named(&programs, 1, "ls#20", &found), MNOS_OK);
    CHECK_EQ(found->number, 20);
    CHECK_EQ(programs_named(&programs, 2, "ls#20", &found), MNOS_ERR_NOT_FOUND);
    first->state = PROGRAM_ENDED;
    CHECK_EQ(programs_named(&programs, 1, "ls", &found), MNOS_OK);
    CHECK_EQ(found->number, 20);
    CHECK_EQ(programs_named(&programs, 1, "ls#10", &found), MNOS_OK);
    CHECK_EQ(found->number, 10);
    programs_find(&programs, 1, 20)->state = PROGRAM_ENDED;
    CHECK_EQ(programs_named(&programs, 1, "ls", &found), MNOS_OK);
    CHECK_EQ(programs_named(&programs, 1, "l", &found), MNOS_ERR_NOT_FOUND);
}

TEST(launcher, a_start_that_is_repeated_is_known_by_its_number_and_its_run)
{
    struct program *program = add_program(1, "ls", 10);

    program->badge = 0x10001;
    program->request = 7;
    CHECK(programs_made_by(&programs, 0x10001, 7) == program);
    CHECK(programs_made_by(&programs, 0x10001, 8) == NULL);
    CHECK(programs_made_by(&programs, 0x20001, 7) == NULL);
    program->state = PROGRAM_FREE;
    CHECK(programs_made_by(&programs, 0x10001, 7) == NULL);
}

TEST(launcher, the_oldest_that_has_ended_makes_room_and_none_that_runs)
{
    for (unsigned i = 0; i < LAUNCHER_PROGRAMS_MAX; i++)
        CHECK(add_program(1, "p", 100 + i) != NULL);
    CHECK(add_program(1, "p", 999) == NULL);
    /* Those that end are remembered as long as there is room beside as many as may run. */
    for (unsigned i = 0; i < PROGRAMS_ENDED; i++) {
        programs_find(&programs, 1, 100 + i)->state = PROGRAM_ENDED;
        CHECK(add_program(1, "p", 200 + i) != NULL);
        CHECK_EQ(dropped, 0);
    }
    CHECK(add_program(1, "p", 999) == NULL);
    programs_find(&programs, 1, 150)->state = PROGRAM_ENDED;
    CHECK(add_program(1, "p", 300) != NULL);
    CHECK_EQ(dropped, 1);
    CHECK_EQ(last_dropped, 100);
    CHECK(programs_find(&programs, 1, 100) == NULL);
    CHECK(programs_find(&programs, 1, 150) != NULL);
}

TEST(launcher, names_are_cut_for_their_number_and_hold_nothing_odd)
{
    struct program program = {.name = "a_name_of_twenty_three_", .number = 1234567};
    char out[MNOS_NAME_BYTES];

    programs_name(&program, out);
    CHECK_STR_EQ(out, "a_name_of_twent#1234567");
    program.number = UINT64_MAX;
    programs_name(&program, out);
    CHECK_EQ(strlen(out), MNOS_NAME_BYTES - 1);
    CHECK(programs_clean_name((char[MNOS_NAME_BYTES]){"a b#\x1b[c"}, out));
    CHECK_STR_EQ(out, "a?b??[c");
    CHECK(!programs_clean_name((char[MNOS_NAME_BYTES]){""}, out));
    memset(out, 'x', sizeof out);
    CHECK(programs_clean_name((char[MNOS_NAME_BYTES]){"xxxxxxxxxxxxxxxxxxxxxxxx"}, out));
    CHECK_EQ(strlen(out), MNOS_NAME_BYTES - 1);
}

/* ---- The loader ---- */

#define FILE_BYTES 0x5000u
#define HEADERS 3u

static _Alignas(4096) uint8_t file[FILE_BYTES];

struct header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, file_size, memory_size, alignment;
};

static struct header *headers(void)
{
    return (struct header *)(file + 64);
}

static void put(unsigned offset, unsigned bytes, uint64_t value)
{
    memcpy(file + offset, &value, bytes);
}

/* Code and constants in whole pages, and data whose pages are the program's own. */
static void make_program(void)
{
    static const struct header all[HEADERS] = {
        {1, 5, 0x1000, 0x400000, 0, 0x1000, 0x1000, 0x1000},
        {1, 4, 0x2000, 0x401000, 0, 0x2000, 0x2000, 0x1000},
        {1, 6, 0x4008, 0x403008, 0, 0x20, 0x2000, 0x1000},
    };

    memset(file, 0, sizeof file);
    memcpy(file,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(16, 2, 2);
    put(18, 2, 62);
    put(20, 4, 1);
    put(24, 8, 0x400000);
    put(32, 8, 64);
    put(52, 2, 64);
    put(54, 2, sizeof(struct header));
    put(56, 2, HEADERS);
    memcpy(headers(), all, sizeof all);
}

static void make_program_at(uint64_t address)
{
    make_program();
    put(24, 8, address);
    for (unsigned i = 0; i < HEADERS; i++)
        headers()[i].vaddr += address - 0x400000;
}

TEST(loader, whole_pages_are_mapped_where_they_are_and_the_rest_is_copied)
{
    struct plan_piece piece;
    struct elf_image image;
    unsigned cursor = 0;

    make_program();
    CHECK_EQ(plan_open(&image, file, sizeof file), ELF_OK);
    CHECK(plan_next(&image, &cursor, &piece));
    CHECK(piece.is_in_file && piece.execute && !piece.write);
    CHECK_EQ(piece.address, 0x400000);
    CHECK_EQ(piece.file_page, 1);
    CHECK_EQ(piece.page_count, 1);
    CHECK(plan_next(&image, &cursor, &piece));
    CHECK(piece.is_in_file && !piece.execute && !piece.write);
    CHECK_EQ(piece.page_count, 2);
    CHECK(plan_next(&image, &cursor, &piece));
    CHECK(!piece.is_in_file && !piece.execute && piece.write);
    CHECK_EQ(piece.address, 0x403000);
    CHECK_EQ(piece.data_offset, 8);
    CHECK_EQ(piece.data_bytes, 0x20);
    CHECK_EQ(piece.page_count, 3); /* 0x403008 to 0x405007 */
    CHECK(!plan_next(&image, &cursor, &piece));
}

/* Whatever the loader would do with a piece stays inside the program's addresses, the file and the new pages. */
static void check_piece(const struct plan_piece *piece, uint64_t *end)
{
    uint64_t bytes = piece->page_count * MNOS_PAGE_BYTES;

    bool above = piece->address >= LAYOUT_PERSONALITY;

    CHECK(piece->page_count != 0 && piece->page_count <= LAYOUT_PERSONALITY_END / MNOS_PAGE_BYTES);
    CHECK(piece->address >= *end && piece->address % MNOS_PAGE_BYTES == 0);
    CHECK(piece->address >= LAYOUT_PROGRAM_LOWEST);
    CHECK(piece->address + bytes <= (above ? LAYOUT_PERSONALITY_END : LAYOUT_PROGRAM_END));
    CHECK(!piece->write || !piece->execute);
    if (piece->is_in_file) {
        CHECK(!piece->write);
        CHECK((piece->file_page + piece->page_count) * MNOS_PAGE_BYTES <= FILE_BYTES);
    } else if (piece->data_bytes != 0) {
        CHECK(piece->data >= file && piece->data_bytes <= FILE_BYTES);
        CHECK(piece->data + piece->data_bytes <= file + FILE_BYTES);
        CHECK(piece->data_offset + piece->data_bytes <= bytes);
    }
    *end = piece->address + bytes;
}

static unsigned check_file(void)
{
    struct plan_piece piece;
    struct elf_image image;
    unsigned cursor = 0, count = 0;
    uint64_t end = 0;

    if (plan_open(&image, file, sizeof file) != ELF_OK)
        return 0;
    while (plan_next(&image, &cursor, &piece)) {
        check_piece(&piece, &end);
        count++;
    }
    CHECK(image.entry >= LAYOUT_PROGRAM_LOWEST && image.entry < end);
    return count;
}

static uint64_t odd_number(void)
{
    static const uint64_t odd[] = {
        0,
        1,
        0xFFF,
        0x1000,
        0x1001,
        0x4000,
        FILE_BYTES,
        0x400000,
        LAYOUT_PROGRAM_END - 0x1000,
        LAYOUT_PROGRAM_END,
        LAYOUT_LOADER,
        LAYOUT_ARGUMENTS,
        LAYOUT_BOOTSTRAP,
        LAYOUT_STACK_TOP,
        LAYOUT_PERSONALITY,
        LAYOUT_PERSONALITY_END,
        INT64_MAX,
        1ull << 63,
        UINT64_MAX - 0xFFF,
        UINT64_MAX,
    };
    uint64_t value = odd[(unsigned)rand() % (sizeof odd / sizeof odd[0])];

    return rand() % 4 == 0 ? value + (uint64_t)(rand() % 33) - 16 : value;
}

TEST(loader, what_begins_programs_of_another_system_lies_above_them_or_where_programs_lie)
{
    static const struct {
        uint64_t address;
        enum elf_error error;
    } cases[] = {
        {LAYOUT_PROGRAM_LOWEST, ELF_OK},
        {LAYOUT_PROGRAM_END, ELF_SEGMENT_ADDRESS},
        {LAYOUT_PERSONALITY - MNOS_PAGE_BYTES, ELF_SEGMENT_ADDRESS},
        {LAYOUT_PERSONALITY, ELF_OK},
        {LAYOUT_PERSONALITY_END, ELF_SEGMENT_ADDRESS},
    };
    struct elf_image image;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_program_at(cases[i].address);
        CHECK_EQ(plan_open(&image, file, sizeof file), cases[i].error);
    }
}

TEST(loader, a_hostile_file_reaches_nothing_but_its_own_addresses)
{
    unsigned loaded = 0, refused = 0;

    srand(8);
    for (unsigned round = 0; round < 300000; round++) {
        make_program();
        for (int changes = rand() % 3 + 1; changes-- > 0;) {
            struct header *header = &headers()[rand() % HEADERS];

            switch (rand() % 7) {
            case 0: header->offset = odd_number(); break;
            case 1: header->vaddr = odd_number(); break;
            case 2: header->file_size = odd_number(); break;
            case 3: header->memory_size = odd_number(); break;
            case 4: header->flags = (uint32_t)rand() % 8; break;
            case 5: header->alignment = odd_number(); break;
            default: file[rand() % (64 + HEADERS * sizeof *header)] = (uint8_t)rand(); break;
            }
        }
        if (check_file() != 0)
            loaded++;
        else
            refused++;
    }
    CHECK(loaded > 1000 && refused > 1000); /* both were tried */
}
