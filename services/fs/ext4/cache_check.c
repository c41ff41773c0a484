// SPDX-License-Identifier: MIT
/* cache_check - whether the invariants of cache.h hold, and what a run finds that goes on with the cache of one that
 * died. */
#include "lib/base/string.h"
#include "services/fs/ext4/cache.h"

/* ---- After a death ---- */

/* A page that was being written is written again; which transaction waits for it is known from before. It stays dirty
 * and noted from each store to the next: this run may die as well, and the next has to find the page so. */
static void recover_page(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);
    uint32_t *bucket = cache_bucket(cache, page->inode, page->index);

    if (page->writing_noted)
        page->transaction = page->writing_transaction; /* the earlier one */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    page->noted = page->noted || page->writing_noted;
    page->dirty = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    page->writing = page->writing_noted = page->pinned = page->active = page->mapped = false;
    page->parts = page->heat = 0;
    page->client %= CACHE_ACCOUNTS * CACHE_PROGRAMS;
    page->writing_client = 0;
    page->status = MNOS_OK;
    page->dirty_next = page->dirty_previous = 0;
    page->writing_next = page->writing_previous = 0;
    page->next = *bucket;
    *bucket = number;
    cache->owners[page->inode & (CACHE_OWNERS - 1)]++;
    cache_count_held(cache, page->client, 1);
    cache->used_count = number;
    cache->noted_counts[page->transaction & 1] += page->noted;
    cache_list_dirty(cache, number);
}

const char *cache_recover(struct cache *cache, void *tables, uint8_t *memory, uint32_t table_pages,
                          uint32_t page_count, uint64_t block_limit)
{
    cache_init(cache, tables, memory, table_pages);
    cache->page_count = page_count;
    memset(cache->buckets, 0, cache->bucket_count * sizeof *cache->buckets);
    for (uint32_t number = 1; number <= table_pages; number++) {
        const struct cache_page *page = cache_page(cache, number);
        bool stays = page->state == CACHE_VALID && (page->dirty || page->writing);

        for (unsigned i = 0; stays && i < CACHE_BLOCKS_MAX; i++) {
            if (cache_blocks_of(cache, number)[i] >= block_limit)
                return "C5: a page lies behind the end of the disk";
        }
        if (stays && number > page_count)
            return "C4: a page is used behind the last";
        if (stays)
            recover_page(cache, number);
        else
            *cache_page(cache, number) = (struct cache_page){.state = CACHE_FREE};
    }
    return cache_check(cache);
}

/* ---- Invariants ---- */

static const char *check_page(const struct cache *cache, uint32_t number)
{
    const struct cache_page *page = cache_page(cache, number);

    if (page->state == CACHE_LENT)
        return page->dirty || page->writing ? "C2: a page that the core has is to be written"
                                            : NULL;
    if (page->state != CACHE_FREE && cache_find(cache, page->inode, page->index) != number)
        return "C1: a page is not found by its inode and index";
    if (page->pinned ||
        (page->state == CACHE_FREE && (page->dirty || page->writing || page->parts != 0)))
        return "C2: a page is pinned, or is free and dirty or on its way";
    if ((page->state == CACHE_READING || page->writing) != (page->parts != 0))
        return "C2: a page is on its way without a request";
    if ((page->noted && !page->dirty) || (page->writing_noted && !page->writing))
        return "C3: a transaction waits for a page that is not to be written";
    return NULL;
}

static bool is_used(const struct cache_page *page)
{
    return page->state != CACHE_FREE && page->state != CACHE_LENT;
}

/* Of each account and program, what it holds and what of that is not written. */
static bool clients_are_counted(const struct cache *cache)
{
    static struct cache counted;
    uint32_t active = 0;

    memset(counted.accounts, 0, sizeof counted.accounts);
    memset(counted.programs, 0, sizeof counted.programs);
    for (uint32_t number = 1; number <= cache->page_count; number++) {
        const struct cache_page *page = cache_page(cache, number);

        if (page->client >= CACHE_ACCOUNTS * CACHE_PROGRAMS ||
            page->writing_client >= CACHE_ACCOUNTS * CACHE_PROGRAMS)
            return false;
        active += page->active;
        cache_count_held(&counted, page->client, is_used(page));
        cache_count_unwritten(&counted, page->client, page->dirty);
        cache_count_unwritten(&counted, page->writing_client, page->writing);
    }
    return active == cache->active_count &&
           memcmp(counted.accounts, cache->accounts, sizeof counted.accounts) == 0 &&
           memcmp(counted.programs, cache->programs, sizeof counted.programs) == 0;
}

static const char *check_lists(const struct cache *cache)
{
    uint32_t listed = 0, before = 0;

    for (uint32_t number = cache->dirty_first; number != 0 && listed <= cache->dirty_count;
         number = cache_page(cache, number)->dirty_next) {
        if (!cache_page(cache, number)->dirty ||
            cache_page(cache, number)->dirty_previous != before)
            return "C3: the list of dirty pages is broken";
        before = number;
        listed++;
    }
    if (listed != cache->dirty_count)
        return "C4: the counts are wrong";
    listed = before = 0;
    for (uint32_t number = cache->writing_first; number != 0 && listed <= cache->writing_count;
         number = cache_page(cache, number)->writing_next) {
        if (!cache_page(cache, number)->writing ||
            cache_page(cache, number)->writing_previous != before)
            return "C3: the list of pages that are being written is broken";
        before = number;
        listed++;
    }
    return listed != cache->writing_count ? "C4: the counts are wrong" : NULL;
}

const char *cache_check(const struct cache *cache)
{
    uint32_t used = 0, owned = 0, lent = 0, dirty = 0, writing = 0, reading = 0, failed = 0,
             noted[2] = {0};

    for (uint32_t number = 1; number <= cache->page_count; number++) {
        const struct cache_page *page = cache_page(cache, number);
        const char *wrong = check_page(cache, number);

        if (wrong != NULL)
            return wrong;
        used += is_used(page);
        lent += page->state == CACHE_LENT;
        dirty += page->dirty;
        writing += page->writing;
        reading += page->state == CACHE_READING;
        failed += page->state == CACHE_FAILED;
        noted[page->transaction & 1] += page->noted;
        noted[page->writing_transaction & 1] += page->writing_noted;
        if (is_used(page) && number > cache->used_count)
            return "C4: a page is used behind the last";
    }
    for (uint32_t i = 0; i < CACHE_OWNERS; i++)
        owned += cache->owners[i];
    return owned != used || lent != cache->lent_count || dirty != cache->dirty_count ||
                   writing != cache->writing_count || reading != cache->reading_count ||
                   failed != cache->failed_count || noted[0] != cache->noted_counts[0] ||
                   noted[1] != cache->noted_counts[1] || !clients_are_counted(cache)
               ? "C4: the counts are wrong"
               : check_lists(cache);
}
