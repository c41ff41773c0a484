// SPDX-License-Identifier: MIT
/* test_ext4_cache_shares - whose pages of files go when there is no room, and who has written as much as may wait. */
#include "tests/unit/ext4_cache_scene.h"

TEST(ext4_cache, a_client_that_reads_much_takes_from_its_own_pages)
{
    uint32_t taken;

    make();
    cache.client = 1;
    for (uint32_t i = 0; i < PAGES / 2; i++)
        take_one(1, i);
    cache.client = 2;
    for (uint32_t i = 0; i < 20 * PAGES; i += 4)
        CHECK(cache_take(&cache, 2, i, 4, &taken) != 0);
    for (uint32_t i = 0; i < PAGES / 2; i++)
        CHECK(cache_find(&cache, 1, i) != 0);
    CHECK_EQ(cache.accounts[2].held, PAGES / 2);
    /* Where all of that is in use it takes others'. */
    for (uint32_t number = 1; number <= PAGES; number++)
        cache_page(&cache, number)->pinned = cache_page(&cache, number)->client == 2;
    CHECK(cache_take(&cache, 3, 0, 1, &taken) != 0);
    CHECK_EQ(cache.accounts[1].held, PAGES / 2 - 1);
    for (uint32_t number = 1; number <= PAGES; number++)
        cache_page(&cache, number)->pinned = false;
    check_all();
}

static uint16_t program(uint32_t account, uint32_t number)
{
    return (uint16_t)(account + number * CACHE_ACCOUNTS);
}

static uint32_t count_of(uint32_t inode, uint32_t count)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++)
        found += cache_find(&cache, inode, i) != 0;
    return found;
}

static void read_much(uint32_t inode)
{
    uint32_t taken;

    for (uint32_t i = 0; i < 20 * PAGES; i += 4)
        CHECK(cache_take(&cache, inode, i, 4, &taken) != 0);
}

TEST(ext4_cache, a_program_that_reads_much_takes_from_its_own_pages_not_from_others_of_its_account)
{
    make();
    cache.client = 1;
    for (uint32_t i = 0; i < PAGES / 8; i++)
        take_one(1, i);
    cache.client = program(2, 5);
    for (uint32_t i = 0; i < PAGES / 8; i++)
        take_one(2, i);
    cache.client = program(2, 6);
    read_much(3);
    CHECK_EQ(count_of(1, PAGES / 8), PAGES / 8);
    CHECK_EQ(count_of(2, PAGES / 8), PAGES / 8);
    check_all();
    /* A third takes from what the account has, and gets the half of that, and then leaves the others theirs. */
    cache.client = program(2, 7);
    read_much(4);
    CHECK(cache.programs[7].held >= PAGES / 4);
    CHECK_EQ(count_of(1, PAGES / 8), PAGES / 8);
    CHECK(cache.accounts[2].held >= PAGES / 2);
    check_all();
}

TEST(ext4_cache, a_program_that_writes_much_waits_and_others_of_its_account_do_not)
{
    make();
    cache.client = program(2, 5);
    for (uint32_t i = 0; i < PAGES && !cache_writes_enough(&cache); i++)
        cache_dirty(&cache, take_one(1, i));
    CHECK_EQ(cache.accounts[2].unwritten, PAGES * 3 / 10);
    cache.client = program(2, 6);
    CHECK(!cache_writes_enough(&cache));
    for (uint32_t i = 0; i < PAGES && !cache_writes_enough(&cache); i++)
        cache_dirty(&cache, take_one(2, i));
    CHECK_EQ(cache.programs[6].unwritten, PAGES / CACHE_LITTLE);
    cache.client = 2; /* what the account writes itself */
    CHECK(cache_writes_enough(&cache));
    cache.client = 3;
    CHECK(!cache_writes_enough(&cache));
    while (cache.dirty_first != 0)
        cache_clean(&cache, cache.dirty_first);
    check_all();
}

TEST(ext4_cache, what_is_not_written_is_the_last_writers)
{
    uint32_t number;

    make();
    cache.client = 1;
    number = take_one(1, 0);
    cache.client = 2;
    cache_dirty(&cache, number);
    CHECK_EQ(cache.accounts[1].held, 0);
    CHECK_EQ(cache.accounts[2].held, 1);
    CHECK_EQ(cache.accounts[2].unwritten, 1);
    cache_begin_write(&cache, number, 1);
    cache.client = 3;
    cache_dirty(&cache, number);
    CHECK_EQ(cache.accounts[2].unwritten, 1);
    CHECK_EQ(cache.accounts[3].unwritten, 1);
    check_all();
    CHECK(cache_part_written(&cache, number, MNOS_OK));
    CHECK_EQ(cache.accounts[2].unwritten, 0);
    cache_clean(&cache, number);
    CHECK_EQ(cache.accounts[3].unwritten, 0);
    check_all();
}
