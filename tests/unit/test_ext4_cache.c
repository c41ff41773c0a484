// SPDX-License-Identifier: MIT
/* test_ext4_cache - pages of files in memory: rows, heat, dirty pages, and random use with the invariants of cache.h. */
#include <sanitizer/asan_interface.h>

#include "tests/unit/ext4_cache_scene.h"

TEST(ext4_cache, pages_of_a_row_lie_one_behind_the_other)
{
    uint32_t taken, first;

    make();
    first = cache_take(&cache, 7, 100, 16, &taken);
    CHECK_EQ(taken, 16);
    for (uint32_t i = 0; i < 16; i++)
        CHECK_EQ(cache_find(&cache, 7, 100 + i), first + i);
    CHECK_EQ(cache_find(&cache, 7, 116), 0);
    CHECK_EQ(cache_find(&cache, 8, 100), 0);
    check_all();
}

static uint32_t taken_back;

static void take_back(void *context, uint32_t inode)
{
    CHECK(context == &cache);
    CHECK(cache_find(&cache, inode, 0) != 0); /* it holds what it held */
    taken_back = inode;
}

TEST(ext4_cache, what_is_lent_is_taken_back_before_it_goes)
{
    uint32_t number, taken;

    make();
    cache.take_back = take_back;
    cache.lender = &cache;
    number = take_one(7, 0);
    cache_page(&cache, number)->mapped = true;
    cache_page(&cache, number)->heat = CACHE_HEAT_MAX;
    for (uint32_t i = 0; i < 3 * PAGES && taken_back == 0; i += 8)
        CHECK(cache_take(&cache, 2, i, 8, &taken) != 0);
    CHECK_EQ(taken_back, 7);
    CHECK_EQ(cache_find(&cache, 7, 0), 0);
    number = take_one(8, 0);
    CHECK(!cache_page(&cache, number)->mapped);
    cache_page(&cache, number)->mapped = true;
    CHECK_EQ(cache_drop_range(&cache, 8, 0, 1), 0);
    CHECK_EQ(taken_back, 8);
    check_all();
}

TEST(ext4_cache, what_is_used_again_outlives_a_long_file_that_is_read_once)
{
    uint32_t number, taken;

    make();
    number = take_one(1, 0);
    for (uint32_t i = 0; i < 4; i++)
        cache_use(&cache, number);
    for (uint32_t i = 0; i < 3 * PAGES; i += 8)
        CHECK(cache_take(&cache, 2, i, 8, &taken) != 0);
    CHECK_EQ(cache_find(&cache, 1, 0), number);
    CHECK(cache.pressed);
    check_all();
}

TEST(ext4_cache, however_much_is_read_once_what_was_used_twice_stays)
{
    uint32_t taken;

    make();
    for (uint32_t i = 0; i < PAGES / 2; i++) {
        uint32_t number = take_one(1, i);

        cache_use(&cache, number);
        cache_use(&cache, number);
    }
    for (uint32_t i = 0; i < 100 * PAGES; i++) {
        uint32_t number = cache_take(&cache, 2, i, 1, &taken);

        CHECK(number != 0);
        cache_use(&cache, number);
    }
    for (uint32_t i = 0; i < PAGES / 2; i++)
        CHECK(cache_find(&cache, 1, i) != 0);
    CHECK_EQ(cache.active_count, PAGES / 2);
    check_all();
}

TEST(ext4_cache, all_may_be_used_again_and_there_is_room_for_what_is_new)
{
    uint32_t taken;

    make();
    for (uint32_t i = 0; i < 10 * PAGES; i++) {
        uint32_t number = cache_take(&cache, 1, i, 1, &taken);

        CHECK(number != 0);
        for (uint32_t k = 0; k < 5; k++)
            cache_use(&cache, number);
        CHECK(cache.active_count <= PAGES / 4 * 3); /* the second hand goes a few steps at a time */
    }
    for (uint32_t i = 0; i < PAGES; i++)
        cache_page(&cache, i + 1)->pinned = !cache_page(&cache, i + 1)->active;
    CHECK(cache_take(&cache, 2, 0, 1, &taken) != 0); /* only active ones are idle */
    for (uint32_t i = 0; i < PAGES; i++)
        cache_page(&cache, i + 1)->pinned = false;
    check_all();
}

TEST(ext4_cache, pages_on_their_way_dirty_or_pinned_are_not_given_away)
{
    uint32_t taken, count = 0;

    make();
    cache_begin_read(&cache, take_one(1, 0), 1);
    cache_dirty(&cache, take_one(1, 1));
    cache_page(&cache, take_one(1, 2))->pinned = true;
    for (uint32_t i = 0; i < 2 * PAGES; i++) {
        uint32_t number = cache_take(&cache, 2, i, 1, &taken);

        if (number == 0)
            break;
        cache_dirty(&cache, number);
        count++;
    }
    CHECK_EQ(count, PAGES - 3);
    CHECK(cache_find(&cache, 1, 0) != 0 && cache_find(&cache, 1, 1) != 0 &&
          cache_find(&cache, 1, 2) != 0);
    cache_page(&cache, cache_find(&cache, 1, 2))->pinned = false;
    check_all();
}

TEST(ext4_cache, a_page_that_is_changed_while_it_is_written_is_written_again)
{
    uint32_t number, serial;

    make();
    number = take_one(1, 0);
    cache_dirty(&cache, number);
    cache_note(&cache, number, 5);
    CHECK(!cache_is_noted(&cache, 4));
    serial = cache.serial;
    cache_begin_write(&cache, number, 1);
    cache_dirty(&cache, number);
    cache_note(&cache, number, 6);
    CHECK(cache_is_pending(&cache, 1, serial));
    CHECK(!cache_is_pending(&cache, 2, serial));
    CHECK(cache_is_noted(&cache, 5));
    CHECK(cache_part_written(&cache, number, MNOS_OK));
    CHECK(!cache_is_pending(&cache, 1, serial));
    CHECK(cache_is_pending(&cache, 1, cache.serial));
    CHECK(!cache_is_noted(&cache, 5));
    CHECK(cache_is_noted(&cache, 6));
    check_all();
}

TEST(ext4_cache, a_page_that_a_commit_waits_for_stays_whatever_becomes_of_its_file)
{
    uint32_t waits, later;

    make();
    waits = take_one(1, 0);
    later = take_one(1, 1);
    cache_dirty(&cache, waits);
    cache_note(&cache, waits, 5);
    cache_dirty(&cache, later);
    cache_note(&cache, later, 6);
    CHECK_EQ(cache_on_its_way(&cache, 1, 0, 2), 0);
    cache.waited_for = 5; /* its commit begins */
    CHECK_EQ(cache_on_its_way(&cache, 1, 0, 2), waits);
    CHECK_EQ(cache_drop_range(&cache, 1, 0, UINT64_MAX), waits);
    CHECK(cache_page(&cache, waits)->dirty && cache_is_noted(&cache, 5));
    CHECK_EQ(cache_find(&cache, 1, 1), 0);
    cache_begin_write(&cache, waits, 1);
    CHECK_EQ(cache_drop_range(&cache, 1, 0, UINT64_MAX), waits);
    CHECK(cache_part_written(&cache, waits, MNOS_OK));
    CHECK(!cache_is_noted(&cache, 5));
    CHECK_EQ(cache_drop_range(&cache, 1, 0, UINT64_MAX), 0);
    CHECK_EQ(cache_find(&cache, 1, 0), 0);
    check_all();
}

TEST(ext4_cache, a_transaction_waits_for_what_is_pending_when_it_is_asked_to)
{
    uint32_t writing, dirty, serial;

    make();
    writing = take_one(1, 0);
    dirty = take_one(1, 1);
    cache_dirty(&cache, writing);
    cache_begin_write(&cache, writing, 1);
    cache_dirty(&cache, dirty);
    cache_dirty(&cache, take_one(2, 0));
    serial = cache.serial;
    cache_dirty(&cache, take_one(1, 2)); /* later than what is asked for */
    cache_note_pending(&cache, 1, serial, 7);
    CHECK_EQ(cache.noted_counts[1], 2);
    check_all();
    CHECK(cache_part_written(&cache, writing, MNOS_OK));
    cache_begin_write(&cache, dirty, 1);
    CHECK(cache_is_noted(&cache, 7));
    CHECK(cache_part_written(&cache, dirty, MNOS_OK));
    CHECK(!cache_is_noted(&cache, 7));
    check_all();
}

/* Pages that are neither dirty nor being written cannot even be looked at. */
static void hide_the_others(bool hidden)
{
    for (uint32_t number = 1; number <= PAGES; number++) {
        struct cache_page *page = cache_page(&cache, number);

        if (!hidden)
            ASAN_UNPOISON_MEMORY_REGION(page, sizeof *page);
        else if (!page->dirty && !page->writing)
            ASAN_POISON_MEMORY_REGION(page, sizeof *page);
    }
}

TEST(ext4_cache, who_waits_for_a_page_looks_only_at_those_that_are_to_be_written)
{
    uint32_t first, second, dirty;

    make();
    for (uint32_t i = 0; i < PAGES - 3; i++)
        take_one(2, i);
    first = take_one(1, 0);
    second = take_one(1, 1);
    dirty = take_one(1, 2);
    cache_dirty(&cache, first);
    cache_begin_write(&cache, first, 1);
    cache_dirty(&cache, second);
    cache_begin_write(&cache, second, 1);
    cache_dirty(&cache, dirty);
    check_all();
    hide_the_others(true);
    CHECK(cache_is_pending(&cache, 1, cache.serial));
    CHECK(!cache_is_pending(&cache, 2, cache.serial));
    cache_note_pending(&cache, 1, cache.serial, 7);
    CHECK_EQ(cache.noted_counts[1], 3);
    CHECK(cache_part_written(&cache, first, MNOS_OK));
    CHECK_EQ(cache.noted_counts[1], 2);
    hide_the_others(false);
    check_all();
}

TEST(ext4_cache, nobody_waits_for_a_page_that_has_nothing_to_write)
{
    uint32_t number;

    make();
    number = take_one(1, 0);
    cache_dirty(&cache, number);
    cache_note(&cache, number, 5);
    cache_clean(&cache, number);
    CHECK(!cache_is_pending(&cache, 1, cache.serial));
    CHECK(!cache_is_noted(&cache, 5));
    cache_clean(&cache, number);
    check_all();
}

TEST(ext4_cache, what_could_not_be_read_is_told_and_forgotten)
{
    uint32_t number;

    make();
    number = take_one(1, 0);
    cache_begin_read(&cache, number, 2);
    CHECK(!cache_part_read(&cache, number, MNOS_ERR_DEVICE));
    CHECK(cache_part_read(&cache, number, MNOS_OK));
    CHECK_EQ(cache_page(&cache, number)->state, CACHE_FAILED);
    CHECK_EQ(cache_page(&cache, number)->status, MNOS_ERR_DEVICE);
    cache_forget_failed(&cache);
    CHECK_EQ(cache_find(&cache, 1, 0), 0);
    check_all();
}

TEST(ext4_cache, a_page_on_its_way_is_found_and_the_others_are_left_alone)
{
    uint32_t number;

    make();
    for (uint32_t i = 0; i < PAGES; i++)
        cache_dirty(&cache, take_one(1, i));
    CHECK_EQ(cache_on_its_way(&cache, 1, 0, PAGES), 0);
    number = cache_find(&cache, 1, 3);
    cache_begin_write(&cache, number, 1);
    CHECK_EQ(cache_on_its_way(&cache, 1, 0, PAGES), number);
    CHECK_EQ(cache_on_its_way(&cache, 1, 3, 4), number);
    CHECK_EQ(cache_on_its_way(&cache, 1, 4, 5), 0);
    CHECK_EQ(cache_on_its_way(&cache, 1, 4, PAGES), 0);
    CHECK_EQ(cache_on_its_way(&cache, 1, 4, 3), 0);
    CHECK_EQ(cache_on_its_way(&cache, 2, 0, PAGES), 0);
    CHECK_EQ(cache.dirty_count, PAGES - 1);
    CHECK(cache_part_written(&cache, number, MNOS_OK));
    CHECK_EQ(cache_on_its_way(&cache, 1, 0, PAGES), 0);
    check_all();
}

static uint64_t random_state = 88172645463325252ull;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 20) % below);
}

/* One step for a page that may or may not be in the cache. */
static void step(uint32_t inode, uint32_t index)
{
    uint32_t number = cache_find(&cache, inode, index), taken;
    struct cache_page *page = number == 0 ? NULL : cache_page(&cache, number);

    cache.client = (uint16_t)(pick(3) + pick(3) * CACHE_ACCOUNTS);
    if (page != NULL && page->state == CACHE_VALID)
        cache_use(&cache, number);
    if (page == NULL) {
        number = cache_take(&cache, inode, index, 1, &taken);
        if (number != 0 && pick(2) == 0)
            cache_begin_read(&cache, number, 1 + pick(4));
    } else if (page->state == CACHE_READING) {
        (void)cache_part_read(&cache, number, pick(9) == 0 ? MNOS_ERR_DEVICE : MNOS_OK);
    } else if (page->writing && pick(2)) {
        (void)cache_part_written(&cache, number, MNOS_OK);
    } else if (page->state == CACHE_VALID && page->dirty && !page->writing && pick(2)) {
        cache_begin_write(&cache, number, 1 + pick(4));
    } else if (page->state == CACHE_VALID) {
        cache_dirty(&cache, number);
        if (pick(3) == 0)
            cache_note(&cache, number, pick(10));
    }
}

TEST(ext4_cache, random_use_breaks_no_invariant)
{
    make();
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t from = pick(40);

        step(1 + pick(3), pick(40));
        if (pick(100) == 0)
            (void)cache_drop_range(&cache, 1 + pick(3), from, from + 1 + pick(40));
        if (pick(50) == 0)
            cache_forget_failed(&cache);
        if (i % 16 == 0)
            check_all();
    }
}
