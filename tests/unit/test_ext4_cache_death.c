// SPDX-License-Identifier: MIT
/* test_ext4_cache_death - a run of the ext4 service that dies while it changes the tables of pages of files, and what the
 * next one finds in them: cache_recover(). */
#include <stdlib.h>
#include <string.h>

#include "services/fs/ext4/cache.h"
#include "tests/unit/step_by_step.h"
#include "tests/unit/unit.h"

#define FEW 4u
#define MOMENTS_MAX 256u

/* What outlives the process: the tables of a few pages. */
struct tables {
    _Alignas(64) uint8_t bytes[1024];
};

static struct cache cache;
static uint8_t few_pages[FEW * CACHE_PAGE_BYTES];

static const char *recover(struct tables *tables)
{
    return cache_recover(&cache, tables, few_pages, FEW, FEW, 1000);
}

static void recover_again(void *tables)
{
    (void)recover(tables);
}

static void begin_to_write(void *)
{
    cache_begin_write(&cache, 3, 1);
}

/* Nobody has read or written pages 1 to 3 yet; transactions wait for 2 and 3. */
static void check_recovered(const struct tables *moment)
{
    struct tables tables = *moment; /* which becomes the cache's */
    const char *wrong = recover(&tables);

    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
    CHECK_EQ(cache.dirty_count, 3);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQ(cache_find(&cache, 1, i), i + 1);
    CHECK_EQ(cache.noted_counts[0] + cache.noted_counts[1], 2);
    CHECK_EQ(cache_page(&cache, 2)->transaction, 5);
    CHECK(cache_is_noted(&cache, 5));
    CHECK_EQ(cache_page(&cache, 3)->transaction, 6);
}

TEST(ext4_cache, a_death_at_any_store_of_writing_or_recovering_loses_no_page)
{
    static struct tables tables, before;
    struct tables *moments = calloc(MOMENTS_MAX, sizeof *moments);
    unsigned moment_count;
    uint32_t taken;

    CHECK(cache_table_bytes(FEW) <= sizeof tables);
    memset(&tables, 0, sizeof tables);
    cache_init(&cache, &tables, few_pages, FEW);
    for (uint32_t i = 0; i < FEW; i++)
        CHECK_EQ(cache_take(&cache, 1, i, 1, &taken), i + 1);
    for (uint32_t number = 1; number <= 3; number++)
        cache_dirty(&cache, number);
    cache_note(&cache, 2, 5);
    cache_begin_write(&cache, 2, 1);
    cache_dirty(&cache, 2); /* once more meanwhile, and a later transaction waits for that */
    cache_note(&cache, 2, 7);
    cache_note(&cache, 3, 6);
    moment_count = step_by_step(moments, MOMENTS_MAX, &tables, sizeof tables, begin_to_write, NULL);
    CHECK(moment_count > 5);
    before = tables;
    for (unsigned i = 0; i < moment_count; i++)
        check_recovered(&moments[i]);
    moment_count =
        step_by_step(moments, MOMENTS_MAX, &before, sizeof before, recover_again, &before);
    CHECK(moment_count > 5);
    for (unsigned i = 0; i < moment_count; i++)
        check_recovered(&moments[i]);
    free(moments);
}
