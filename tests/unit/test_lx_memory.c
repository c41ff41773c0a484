// SPDX-License-Identifier: MIT
/* test_lx_memory - what lx knows of the program's memory: areas, held against a map of bytes, and the table of pages. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "personality/linux/lx/page_table.c"
#include "personality/linux/lx/vma.c"

void *piece_allocate(size_t bytes)
{
    return malloc(bytes);
}

void piece_free(void *piece)
{
    free(piece);
}

#define PAGES 64u
#define FILES 3u
#define AT(page) ((uint64_t)(page)*4096)

static struct vma_set set;
static int references[FILES];

static void count_hold(struct open_file *file)
{
    references[(uintptr_t)file - 1]++;
}

static void count_release(struct open_file *file)
{
    references[(uintptr_t)file - 1]--;
}

static void begin(void)
{
    set = (struct vma_set){.limit = 40, .hold = count_hold, .release = count_release};
}

static struct vma area(unsigned first, unsigned end, uint32_t protection)
{
    return (struct vma){.start = AT(first), .end = AT(end), .protection = protection};
}

static bool insert(unsigned first, unsigned end, uint32_t protection)
{
    struct vma made = area(first, end, protection);

    return vma_insert(&set, &made);
}

TEST(lx_memory, neighbours_of_one_kind_become_one_area)
{
    begin();
    CHECK(insert(4, 6, 3) && insert(8, 10, 3) && insert(6, 8, 3));
    CHECK_EQ(set.count, 1);
    CHECK_EQ(set.areas[0].start, AT(4));
    CHECK_EQ(set.areas[0].end, AT(10));
    CHECK(insert(10, 12, 1));
    CHECK_EQ(set.count, 2);
}

TEST(lx_memory, taking_the_middle_out_leaves_both_ends)
{
    begin();
    CHECK(insert(4, 20, 3) && vma_remove(&set, AT(8), AT(10)));
    CHECK_EQ(set.count, 2);
    CHECK_EQ(set.areas[0].end, AT(8));
    CHECK_EQ(set.areas[1].start, AT(10));
    CHECK(vma_find(&set, AT(9)) == NULL);
    CHECK_PTR_EQ(vma_find(&set, AT(10)), &set.areas[1]);
    CHECK(!vma_covers(&set, AT(7), AT(11)));
    CHECK(vma_covers(&set, AT(10), AT(20)));
}

TEST(lx_memory, an_area_that_cannot_be_split_for_want_of_room_stays_as_it_is)
{
    begin();
    set.limit = 1;
    CHECK(insert(4, 20, 3));
    CHECK(!vma_remove(&set, AT(8), AT(10)) && !vma_protect(&set, AT(4), AT(10), 1));
    CHECK_EQ(set.count, 1);
    CHECK_EQ(set.areas[0].protection, 3);
    CHECK(vma_remove(&set, AT(4), AT(10)));
    CHECK_EQ(set.areas[0].start, AT(10));
}

/* Neither the middle nor an end is lost where there can be no more areas; a whole one needs no other. */
TEST(lx_memory, what_cannot_be_moved_for_want_of_room_stays_where_it_is)
{
    struct vma moved = area(40, 44, 3);

    for (uint32_t limit = 1; limit <= 2; limit++) {
        begin();
        set.limit = limit;
        CHECK(insert(4, 20, 3));
        CHECK(!vma_move(&set, AT(8), AT(10), &moved));
        CHECK(limit == 2 || !vma_move(&set, AT(8), AT(20), &moved));
        CHECK(set.count == 1 && vma_covers(&set, AT(4), AT(20)));
    }
    CHECK(vma_move(&set, AT(8), AT(20), &moved));
    CHECK(set.count == 2 && vma_covers(&set, AT(4), AT(8)) && vma_covers(&set, AT(40), AT(44)));
    CHECK(vma_find(&set, AT(8)) == NULL);
    moved = area(50, 51, 3);
    CHECK(vma_move(&set, AT(4), AT(8), &moved) && set.count == 2);
}

TEST(lx_memory, a_gap_is_the_highest_that_is_large_enough)
{
    begin();
    CHECK_EQ(vma_gap(&set, AT(1), AT(40), AT(4)), AT(36));
    CHECK(insert(30, 40, 1) && insert(20, 27, 1));
    CHECK_EQ(vma_gap(&set, AT(1), AT(40), AT(3)), AT(27));
    CHECK_EQ(vma_gap(&set, AT(1), AT(40), AT(4)), AT(16));
    CHECK_EQ(vma_gap(&set, AT(1), AT(40), AT(19)), AT(1));
    CHECK_EQ(vma_gap(&set, AT(1), AT(40), AT(20)), 0);
    CHECK_EQ(vma_gap(&set, AT(1), AT(35), AT(3)), AT(27));
}

/* ---- Held against a map ---- */

static struct {
    uint8_t protection, file; /* 0xFF: not mapped */
    uint64_t offset;
} map[PAGES];

static void check_map(void)
{
    int counted[FILES] = {0};
    uint64_t end = 0;

    for (uint32_t i = 0; i < set.count; i++) {
        const struct vma *at = &set.areas[i];

        CHECK(at->start >= end && at->end > at->start && at->start % 4096 == 0);
        end = at->end;
        if (at->file != NULL)
            counted[(uintptr_t)at->file - 1]++;
    }
    CHECK(memcmp(counted, references, sizeof counted) == 0);
    for (unsigned page = 0; page < PAGES; page++) {
        const struct vma *at = vma_find(&set, AT(page));

        CHECK_EQ(at != NULL, map[page].protection != 0xFF);
        if (at == NULL)
            continue;
        CHECK_EQ(at->protection, map[page].protection);
        CHECK_EQ((uintptr_t)at->file, map[page].file);
        if (at->file != NULL)
            CHECK_EQ(at->offset + (AT(page) - at->start), map[page].offset);
    }
}

static void map_set(unsigned first, unsigned end, uint32_t protection, uintptr_t file,
                    uint64_t offset)
{
    for (unsigned page = first; page < end; page++) {
        map[page].protection = (uint8_t)protection;
        map[page].file = (uint8_t)file;
        map[page].offset = offset + AT(page - first);
    }
}

static void random_step(void)
{
    unsigned first = (unsigned)rand() % PAGES, end = first + 1 + (unsigned)rand() % (PAGES - first);
    uint32_t protection = (uint32_t)rand() % 4;
    struct vma made = area(first, end, protection);

    if (rand() % 3 == 0) {
        if (!vma_covers(&set, AT(first), AT(end)) ||
            !vma_protect(&set, AT(first), AT(end), protection))
            return;
        for (unsigned page = first; page < end; page++)
            map[page].protection = (uint8_t)protection;
        return;
    }
    if (!vma_remove(&set, AT(first), AT(end)))
        return;
    map_set(first, end, 0xFF, 0, 0);
    made.file = (struct open_file *)(uintptr_t)((unsigned)rand() % (FILES + 1));
    made.offset = AT(rand() % 4 == 0 ? first : (unsigned)rand() % 100);
    made.data_end = VMA_NO_END;
    if (rand() % 2 == 0 && vma_insert(&set, &made))
        map_set(first, end, protection, (uintptr_t)made.file, made.offset);
}

TEST(lx_memory, areas_are_what_a_map_of_pages_says_after_any_changes)
{
    begin();
    map_set(0, PAGES, 0xFF, 0, 0);
    for (unsigned i = 0; i < 20000; i++) {
        random_step();
        check_map();
    }
}

/* ---- The table of pages ---- */

TEST(lx_memory, pages_are_found_in_order_wherever_they_are)
{
    static struct page_table table;
    static const uint64_t pages[] = {0, 1, 511, 512, 0x555555554, 0x7FEFFFFFF};
    uint64_t *word, at = 0;

    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        CHECK(page_table_word(&table, pages[i], false) == NULL || i == 1 || i == 2);
        *page_table_word(&table, pages[i], true) = i + 1;
    }
    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        at = page_table_next(&table, at, 0x7FF000000, &word);
        CHECK_EQ(at, pages[i]);
        CHECK_EQ(*word, i + 1);
        at++;
    }
    CHECK_EQ(page_table_next(&table, at, 0x7FF000000, &word), 0x7FF000000);
    CHECK_EQ(page_table_next(&table, 2, 500, &word), 500);
}

/* Pages of a few of the lowest levels, one of which belongs to another level above. */
TEST(lx_memory, the_next_page_is_what_a_list_of_all_says)
{
    enum { COUNT = 3 * PAGE_TABLE_WORDS };
    static struct page_table table;
    static bool is_there[COUNT];
    const uint64_t first = (1u << 2 * PAGE_TABLE_BITS) - PAGE_TABLE_WORDS;
    uint64_t *word;

    for (unsigned i = 0; i < 2000; i++) {
        unsigned page = (unsigned)rand() % COUNT, from = (unsigned)rand() % COUNT,
                 end = from + (unsigned)rand() % (COUNT - from), next = from;

        is_there[page] = !is_there[page];
        *page_table_word(&table, first + page, true) = is_there[page] ? page + 1 : 0;
        while (next < end && !is_there[next])
            next++;
        CHECK_EQ(page_table_next(&table, first + from, first + end, &word), first + next);
        if (next < end)
            CHECK_EQ(*word, next + 1);
    }
}
