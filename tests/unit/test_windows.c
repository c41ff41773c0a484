// SPDX-License-Identifier: MIT
/*
 * test_windows - windows in a region that is kept (lib/server/windows.h): whatever a run knows of those before it, no page
 * is of two clients. The service manager's part is a model of PART and RELEASE; what clients have mapped is a list.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/mnos/syscall.h"

/* What is inline there has to get another name after it. */
#define sys_cap_delete windows_cap_delete
static mnos_status_t sys_cap_delete(mnos_cap_t)
{
    return MNOS_OK;
}

#include "lib/server/windows.c"

#define UNIT WINDOWS_UNIT_PAGES
#define UNIT_SIZE ((uint64_t)UNIT * MNOS_PAGE_BYTES)
#define ALL ((64 + REGION_PIECE_PAGES) / UNIT) /* units of the region when it has grown */
#define PARTS (WINDOWS_UNITS_MAX + 1)

/* ---- The service manager and its clients ---- */

struct part {
    uint32_t first, count; /* pages of the region; count 0: none */
    bool is_mapped;        /* by the client that had it first */
};

static struct part parts[PARTS];
static uint32_t floor_pages = 64, piece_count = 1; /* of all runs */
static bool may_grow = true, fails;
static uint8_t *memory;

static uint32_t page_of(uint32_t piece, uint32_t first)
{
    return piece == 0 ? first : floor_pages + first;
}

static struct part *part_in(uint32_t first, uint32_t count, const struct part *behind)
{
    for (struct part *part = behind == NULL ? parts : parts + (behind - parts) + 1;
         part < parts + PARTS; part++)
        if (part->count != 0 && part->first < first + count && first < part->first + part->count)
            return part;
    return NULL;
}

static void map(struct windows *windows)
{
    windows->pieces[0] = (struct region_piece){.page_count = floor_pages};
    windows->pieces[1] =
        (struct region_piece){.first_page = floor_pages, .page_count = REGION_PIECE_PAGES};
    windows->region.piece_count = piece_count;
    windows->region.bytes =
        (floor_pages + (piece_count - 1ull) * REGION_PIECE_PAGES) * MNOS_PAGE_BYTES;
}

mnos_status_t region_open(struct region *region, struct bootstrap_name, struct region_piece *pieces,
                          uint32_t piece_max)
{
    if (memory == NULL)
        memory = calloc(floor_pages + REGION_PIECE_PAGES, MNOS_PAGE_BYTES);
    *region = (struct region){.address = memory, .pieces = pieces, .piece_max = piece_max};
    return MNOS_OK;
}

static struct windows windows;

mnos_status_t region_grow(struct region *)
{
    if (!may_grow || piece_count == 2)
        return MNOS_ERR_QUOTA;
    piece_count++;
    map(&windows);
    return MNOS_OK;
}

static mnos_status_t make_part(uint32_t first, uint32_t count, mnos_cap_t *cap)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        if (parts[i].count != 0)
            continue;
        parts[i] = (struct part){first, count, false};
        *cap = i + 1;
        return MNOS_OK;
    }
    return MNOS_ERR_QUOTA;
}

mnos_status_t region_part(const struct region *, uint32_t piece, uint32_t first_page,
                          uint32_t count, mnos_cap_t *cap)
{
    uint32_t first = page_of(piece, first_page);
    const struct part *part = part_in(first, count, NULL);

    if (fails)
        return MNOS_ERR_MEMORY;
    if (part == NULL)
        return make_part(first, count, cap);
    if (part->first != first || part->count != count)
        return MNOS_ERR_EXISTS;
    *cap = (mnos_cap_t)(part - parts) + 1;
    return MNOS_OK;
}

mnos_status_t region_new_part(const struct region *, uint32_t piece, uint32_t first_page,
                              uint32_t count, mnos_cap_t *cap)
{
    uint32_t first = page_of(piece, first_page);

    return part_in(first, count, NULL) != NULL ? MNOS_ERR_EXISTS : make_part(first, count, cap);
}

mnos_status_t region_release(const struct region *, uint32_t piece, uint32_t first_page,
                             uint32_t count)
{
    uint32_t first = page_of(piece, first_page);

    if (fails)
        return MNOS_ERR_MEMORY;
    for (const struct part *part = NULL; (part = part_in(first, count, part)) != NULL;)
        if (part->first < first || part->first + part->count > first + count)
            return MNOS_ERR_ARGUMENT;
    for (struct part *part = NULL; (part = part_in(first, count, part)) != NULL;)
        *part = (struct part){0};
    return MNOS_OK;
}

/* ---- The service ---- */

/* A run that knows of nothing before it, until it finds it. */
static void begin_run(void)
{
    windows = (struct windows){0};
    CHECK_EQ(windows_open(&windows, bootstrap_listed("windows")), MNOS_OK);
    map(&windows);
}

static mnos_status_t open_units(uint32_t units, struct window *window)
{
    *window = (struct window){0};
    return windows.memory.open(&windows, units * UNIT_SIZE, window);
}

static struct part *part_of(const struct window *window)
{
    return &parts[window->memory.memory - 1];
}

/* A client gets a window, which nobody else may have mapped. */
static struct window open_for_client(uint32_t units)
{
    struct window window;

    CHECK_EQ(open_units(units, &window), MNOS_OK);
    CHECK(!part_of(&window)->is_mapped);
    CHECK_EQ(part_of(&window)->count, units * UNIT);
    part_of(&window)->is_mapped = true;
    return window;
}

static uint32_t mapped_count(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < PARTS; i++)
        count += parts[i].count != 0 && parts[i].is_mapped;
    return count;
}

/* ---- Tests ---- */

TEST(windows, those_of_dropped_sessions_are_neither_given_out_nor_taken_back)
{
    begin_run();
    for (uint32_t i = 0; i < 3; i++)
        (void)open_for_client(1);
    begin_run();
    for (uint32_t i = 0; i < 3; i++)
        (void)open_for_client(1);
    begin_run();
    (void)open_for_client(4); /* of another size */
    (void)open_for_client(2);
    CHECK_EQ(mapped_count(), 8);
}

TEST(windows, what_rests_is_taken_back_when_there_is_no_other_room)
{
    struct window window;

    begin_run();
    for (uint32_t i = 0; i < ALL / 2; i++)
        (void)open_for_client(1);
    begin_run();
    for (uint32_t i = 0; i < ALL / 2; i++)
        (void)open_for_client(1);
    CHECK_EQ(mapped_count(), ALL); /* the region is full, and all of them are there */
    for (uint32_t i = 0; i < ALL / 2; i++)
        (void)open_for_client(1);
    CHECK_EQ(mapped_count(), ALL);
    CHECK_EQ(open_units(1, &window), MNOS_ERR_QUOTA); /* those of this run stay */
}

TEST(windows, what_rests_is_taken_back_whole_though_it_is_larger_or_smaller_than_what_is_asked_for)
{
    may_grow = false;
    begin_run();
    (void)open_for_client(3);
    begin_run();
    (void)open_for_client(1);
    (void)open_for_client(2);
    CHECK_EQ(mapped_count(), 2);
    begin_run();
    (void)open_for_client(4);
    CHECK_EQ(mapped_count(), 1);
}

TEST(windows, a_region_that_has_more_than_can_be_used_is_used_as_far_as_that)
{
    struct window window;
    uint32_t count = 0;

    floor_pages = (WINDOWS_UNITS_MAX + 1) * UNIT;
    may_grow = false;
    begin_run();
    while (count <= WINDOWS_UNITS_MAX && open_units(1, &window) == MNOS_OK)
        count++;
    CHECK_EQ(count, WINDOWS_UNITS_MAX);
}

TEST(windows, what_a_later_run_finds_is_not_given_to_another)
{
    struct window first, second, found = {0};

    begin_run();
    first = open_for_client(2);
    second = open_for_client(2);
    begin_run();
    CHECK_EQ(windows.memory.find(&windows, second.place, &found), MNOS_OK);
    CHECK_EQ(found.memory.memory, second.memory.memory);
    (void)open_for_client(1);
    CHECK(part_of(&first)->is_mapped && part_of(&second)->is_mapped);
    windows.memory.close(&windows, &found);
    CHECK_EQ(mapped_count(), 2);
}

TEST(windows, a_place_that_two_sessions_name_is_found_for_one)
{
    struct window window, found = {0}, other = {0};

    begin_run();
    window = open_for_client(2);
    begin_run();
    CHECK_EQ(windows.memory.find(&windows, window.place, &found), MNOS_OK);
    CHECK_EQ(windows.memory.find(&windows, window.place, &other), MNOS_ERR_EXISTS);
    CHECK_EQ(windows.memory.find(&windows, 1u << 16 | 2, &other), MNOS_ERR_EXISTS);
    CHECK_EQ(windows.memory.find(&windows, 0xFFFF0000, &other), MNOS_ERR_ARGUMENT);
}

TEST(windows, one_that_cannot_be_found_or_released_is_not_given_to_another)
{
    struct window lost, window, found = {0};

    begin_run();
    lost = open_for_client(1);
    begin_run();
    fails = true;
    CHECK_EQ(windows.memory.find(&windows, lost.place, &found), MNOS_ERR_MEMORY);
    fails = false;
    window = open_for_client(1);
    CHECK(window.place != lost.place);
    CHECK_EQ(windows.memory.find(&windows, lost.place, &found), MNOS_OK);
    fails = true;
    windows.memory.close(&windows, &found);
    fails = false;
    for (uint32_t i = 0; i < 2; i++)
        CHECK(open_for_client(1).place != lost.place);
    CHECK(part_of(&lost)->is_mapped);
}
