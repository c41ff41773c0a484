// SPDX-License-Identifier: MIT
/* cache_take - which page is given to another file: see cache.h. */
#include "lib/base/string.h"
#include "services/fs/ext4/cache.h"

/* How far the hand goes for pages that lie one behind the other, before a shorter row is taken. */
#define ROWS_TRIED 4u
/* Pages that the hand of the active ones passes for each that becomes active. */
#define STEPS_AT_ONCE 64u

/* ---- Active and not ---- */

/* Cools active pages until one of them is active no more, as long as there are more than `limit`. */
static void calm(struct cache *cache, uint32_t limit, uint32_t steps)
{
    for (; cache->active_count > limit && steps != 0; steps--) {
        struct cache_page *page;

        if (cache->active_hand >= cache->page_count)
            cache->active_hand = 0;
        page = cache_page(cache, ++cache->active_hand);
        if (!page->active)
            continue;
        page->heat -= page->heat != 0;
        if (page->heat != 0)
            continue;
        page->active = false;
        cache->active_count--;
    }
}

void cache_used_again(struct cache *cache, uint32_t number)
{
    cache_page(cache, number)->active = true;
    cache->active_count++;
    calm(cache, cache_size(cache) / 3 * 2, STEPS_AT_ONCE);
}

/* ---- Taking ---- */

static bool is_idle(const struct cache_page *page)
{
    return page->state == CACHE_FREE ||
           (page->state == CACHE_VALID && !page->dirty && !page->writing && !page->pinned);
}

/* Of whose pages that hold something one is taken for who asks. */
enum whose { OF_ANYBODY, OF_THE_ACCOUNT, OF_THE_PROGRAM };

static bool is_one_of(const struct cache *cache, const struct cache_page *page, enum whose whose)
{
    switch (whose) {
    case OF_THE_ACCOUNT: return page->client % CACHE_ACCOUNTS == cache->client % CACHE_ACCOUNTS;
    case OF_THE_PROGRAM: return page->client == cache->client;
    default: return true;
    }
}

static bool may_take(const struct cache *cache, const struct cache_page *page, enum whose whose)
{
    return is_idle(page) && !page->active &&
           (page->state == CACHE_FREE || is_one_of(cache, page, whose));
}

static void put(struct cache *cache, uint32_t number, uint32_t inode, uint32_t index)
{
    struct cache_page *page = cache_page(cache, number);
    uint32_t *bucket = cache_bucket(cache, inode, index);

    if (page->state != CACHE_FREE) {
        cache_drop(cache, number);
        cache->pressed = true;
    }
    *page = (struct cache_page){.inode = inode,
                                .index = index,
                                .next = *bucket,
                                .state = CACHE_VALID,
                                .client = cache->client};
    *bucket = number;
    cache->owners[inode & (CACHE_OWNERS - 1)]++;
    cache_count_held(cache, page->client, 1);
    memset(cache_blocks_of(cache, number), 0, sizeof(cache_blocks));
}

/* How many pages from the hand on may be taken, at most `count`; moves the hand behind them, or over one that may not. */
static uint32_t row_at_hand(struct cache *cache, uint32_t count, enum whose whose, uint32_t *first)
{
    uint32_t length = 0;

    if (cache->hand >= cache->page_count)
        cache->hand = 0;
    *first = cache->hand + 1;
    while (length < count && cache->hand < cache->page_count) {
        bool taken = may_take(cache, cache_page(cache, cache->hand + 1), whose);

        cache->hand++;
        if (!taken)
            break;
        length++;
    }
    return length;
}

/* The longest row of the first few in one round of the hand. */
static uint32_t find_row(struct cache *cache, uint32_t count, enum whose whose, uint32_t *first)
{
    uint32_t best = 0, rows = 0, steps = cache->page_count;

    while (steps != 0 && best < count && (best == 0 || rows < ROWS_TRIED)) {
        uint32_t from, before = cache->hand, length = row_at_hand(cache, count, whose, &from);
        uint32_t passed = cache->hand >= before ? cache->hand - before : cache->hand;

        steps -= passed < steps ? passed : steps;
        rows += best != 0;
        if (length > best) {
            best = length;
            *first = from;
        }
    }
    return best;
}

/* Who has the half of all takes from what its account has, and from what it has itself if that is the half of its
 * account's. */
static enum whose whose_to_take(struct cache *cache)
{
    uint32_t account = cache_account(cache, cache->client)->held;
    bool program = cache->client >= CACHE_ACCOUNTS;

    if (account < cache_size(cache) / CACHE_SHARE)
        return OF_ANYBODY;
    return program && cache_program(cache, cache->client)->held >= account / CACHE_SHARE
               ? OF_THE_PROGRAM
               : OF_THE_ACCOUNT;
}

/* When all of what may be taken first is in use, and when only active pages are left, others go as well. */
uint32_t cache_take(struct cache *cache, uint32_t inode, uint32_t index, uint32_t count,
                    uint32_t *taken)
{
    enum whose whose = whose_to_take(cache);
    uint32_t first = 0, best = find_row(cache, count, whose, &first);

    while (best == 0 && whose != OF_ANYBODY)
        best = find_row(cache, count, --whose, &first);
    if (best == 0 && cache->active_count != 0) {
        calm(cache, cache->active_count - 1, cache->page_count * (CACHE_HEAT_MAX + 1));
        best = find_row(cache, count, OF_ANYBODY, &first);
    }
    *taken = best;
    for (uint32_t i = 0; i < best; i++)
        put(cache, first + i, inode, index + i);
    if (best != 0 && first + best - 1 > cache->used_count)
        cache->used_count = first + best - 1;
    return best == 0 ? 0 : first;
}
