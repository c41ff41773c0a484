// SPDX-License-Identifier: MIT
/* ext4_cache_scene.h - a cache of a few pages, as the tests of it begin. */
#pragma once

#include <stdlib.h>

#include "services/fs/ext4/cache.h"
#include "tests/unit/unit.h"

#define PAGES 64u

static struct cache cache;

static inline void make(void)
{
    cache_init(&cache, calloc(1, cache_table_bytes(PAGES)), malloc(PAGES * CACHE_PAGE_BYTES),
               PAGES);
}

static inline void check_all(void)
{
    const char *wrong = cache_check(&cache);

    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
}

static inline uint32_t take_one(uint32_t inode, uint32_t index)
{
    uint32_t taken, number = cache_take(&cache, inode, index, 1, &taken);

    CHECK(number != 0);
    CHECK_EQ(taken, 1);
    return number;
}
