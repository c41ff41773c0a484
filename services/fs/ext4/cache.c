// SPDX-License-Identifier: MIT
/* cache - see cache.h. */
#include "services/fs/ext4/cache.h"

#include "lib/base/string.h"
#include "lib/server/state.h"

/* So many pages of a file that goes are looked for one by one before all pages are looked at. */
#define DROP_NEAR 16u

static uint32_t bucket_count_for(uint32_t page_count)
{
    uint32_t count = 64;

    while (count < page_count)
        count *= 2;
    return count;
}

size_t cache_table_bytes(uint32_t page_count)
{
    return page_count * (sizeof(cache_blocks) + sizeof(struct cache_page)) +
           bucket_count_for(page_count) * sizeof(uint32_t);
}

void cache_init(struct cache *cache, void *tables, uint8_t *memory, uint32_t page_count)
{
    *cache = (struct cache){.blocks = tables,
                            .memory = memory,
                            .page_count = page_count,
                            .bucket_count = bucket_count_for(page_count)};
    cache->pages = (struct cache_page *)(cache->blocks + page_count);
    cache->buckets = (uint32_t *)(cache->pages + page_count);
}

void cache_grow(struct cache *cache, uint32_t page_count)
{
    cache->hand = cache->page_count;
    cache->page_count = page_count;
}

bool cache_lend(struct cache *cache, uint32_t number, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (cache_page(cache, number + i)->state != CACHE_FREE)
            return false;
    }
    for (uint32_t i = 0; i < count; i++)
        cache_page(cache, number + i)->state = CACHE_LENT;
    cache->lent_count += count;
    return true;
}

/* ---- Taking and dropping ---- */

static uint32_t *owner(struct cache *cache, uint32_t inode)
{
    return &cache->owners[inode & (CACHE_OWNERS - 1)];
}

void cache_drop(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);
    uint32_t *link = cache_bucket(cache, page->inode, page->index);

    if (page->mapped)
        cache->take_back(cache->lender, page->inode);
    (*owner(cache, page->inode))--;
    cache->active_count -= page->active;
    cache_count_held(cache, page->client, -1);
    while (*link != number)
        link = &cache_page(cache, *link)->next;
    *link = page->next;
    *page = (struct cache_page){.state = CACHE_FREE};
}

static void remove_from_dirty(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);

    if (page->dirty_previous != 0)
        cache_page(cache, page->dirty_previous)->dirty_next = page->dirty_next;
    else
        cache->dirty_first = page->dirty_next;
    if (page->dirty_next != 0)
        cache_page(cache, page->dirty_next)->dirty_previous = page->dirty_previous;
    else
        cache->dirty_last = page->dirty_previous;
    page->dirty_next = page->dirty_previous = 0;
    page->dirty = false;
    cache->dirty_count--;
    cache_count_unwritten(cache, page->client, -1);
}

static void forget_note(struct cache *cache, struct cache_page *page)
{
    cache->noted_counts[page->transaction & 1] -= page->noted;
    page->noted = false;
}

static bool not_after(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) >= 0; /* both count on for ever, modulo 2^32 */
}

/* A commit that has begun says where on the disk the page's bytes are: they are put there, even when the file has
 * become shorter since. */
static bool is_waited_for(const struct cache *cache, const struct cache_page *page)
{
    return page->noted && not_after(page->transaction, cache->waited_for);
}

static bool is_on_its_way(const struct cache *cache, const struct cache_page *page)
{
    return page->state == CACHE_READING || page->writing || is_waited_for(cache, page);
}

/* Returns the page if it has to stay for now. */
static uint32_t drop_one(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);

    if (is_waited_for(cache, page))
        return number;
    if (page->dirty)
        remove_from_dirty(cache, number);
    forget_note(cache, page);
    if (is_on_its_way(cache, page))
        return number;
    if (page->state == CACHE_FAILED)
        cache->failed_count--;
    cache_drop(cache, number);
    return 0;
}

/* A few pages are looked up, and for many it is cheaper to look at all there are. */
uint32_t cache_on_its_way(const struct cache *cache, uint32_t inode, uint64_t index, uint64_t end)
{
    bool few = index < end && end - index <= cache->used_count / 8;

    for (; few && index < end; index++) {
        uint32_t number = cache_find(cache, inode, (uint32_t)index);

        if (number != 0 && is_on_its_way(cache, cache_page(cache, number)))
            return number;
    }
    for (uint32_t number = 1; index < end && number <= cache->used_count; number++) {
        const struct cache_page *page = cache_page(cache, number);

        if (is_on_its_way(cache, page) && page->inode == inode && page->index >= index &&
            page->index < end)
            return number;
    }
    return 0;
}

uint32_t cache_drop_range(struct cache *cache, uint32_t inode, uint64_t index, uint64_t end)
{
    uint32_t stays = 0, stayed;
    uint64_t near;

    if (index >= end)
        return 0;
    /* Most files that go have few pages here, or none, and those are the first. */
    near =
        end - index <= cache->used_count / 8 || end - index <= DROP_NEAR ? end : index + DROP_NEAR;
    for (; index < near && *owner(cache, inode) != 0; index++) {
        uint32_t number = cache_find(cache, inode, (uint32_t)index);

        stayed = number == 0 ? 0 : drop_one(cache, number);
        stays = stayed != 0 ? stayed : stays;
    }
    if (index >= end)
        return stays;
    for (uint32_t number = 1; *owner(cache, inode) != 0 && number <= cache->used_count; number++) {
        const struct cache_page *page = cache_page(cache, number);

        if (page->state == CACHE_FREE || page->inode != inode || page->index < index ||
            page->index >= end)
            continue;
        stayed = drop_one(cache, number);
        stays = stayed != 0 ? stayed : stays;
    }
    return stays;
}

/* ---- Reading ---- */

void cache_begin_read(struct cache *cache, uint32_t number, uint32_t parts)
{
    struct cache_page *page = cache_page(cache, number);

    page->state = CACHE_READING;
    page->parts = (uint8_t)parts;
    cache->reading_count++;
}

bool cache_part_read(struct cache *cache, uint32_t number, mnos_status_t status)
{
    struct cache_page *page = cache_page(cache, number);

    if (status != MNOS_OK)
        page->status = (uint8_t)status;
    if (--page->parts != 0)
        return false;
    cache->reading_count--;
    page->state = page->status == MNOS_OK ? CACHE_VALID : CACHE_FAILED;
    cache->failed_count += page->state == CACHE_FAILED;
    return true;
}

void cache_forget_failed(struct cache *cache)
{
    for (uint32_t number = 1; cache->failed_count != 0 && number <= cache->used_count; number++) {
        if (cache_page(cache, number)->state != CACHE_FAILED)
            continue;
        cache->failed_count--;
        cache_drop(cache, number);
    }
}

/* ---- Writing ---- */

void cache_keep(const struct cache *cache, uint32_t number)
{
    state_note(cache_page(cache, number), sizeof(struct cache_page));
    state_note(cache_blocks_of(cache, number), sizeof(cache_blocks));
}

void cache_dirty(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);

    if (page->dirty)
        return;
    cache_count_held(cache, page->client, -1);
    page->client = cache->client; /* who writes it has to wait for it */
    cache_count_held(cache, page->client, 1);
    page->dirty = true;
    cache_list_dirty(cache, number);
}

void cache_list_dirty(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);

    page->serial = ++cache->serial;
    page->dirty_previous = cache->dirty_last;
    if (cache->dirty_last != 0)
        cache_page(cache, cache->dirty_last)->dirty_next = number;
    else
        cache->dirty_first = number;
    cache->dirty_last = number;
    cache->dirty_count++;
    cache_count_unwritten(cache, page->client, 1);
}

void cache_clean(struct cache *cache, uint32_t number)
{
    forget_note(cache, cache_page(cache, number));
    if (cache_page(cache, number)->dirty)
        remove_from_dirty(cache, number);
}

void cache_note(struct cache *cache, uint32_t number, uint32_t transaction)
{
    struct cache_page *page = cache_page(cache, number);

    if (page->noted)
        return; /* the earlier transaction has to wait for it */
    page->transaction = transaction;
    page->noted = true;
    cache->noted_counts[transaction & 1]++;
}

static bool is_of(const struct cache_page *page, uint32_t inode)
{
    return inode == 0 || page->inode == inode;
}

void cache_note_pending(struct cache *cache, uint32_t inode, uint32_t serial, uint32_t transaction)
{
    for (uint32_t number = cache->dirty_first; number != 0;
         number = cache_page(cache, number)->dirty_next) {
        if (!not_after(cache_page(cache, number)->serial, serial))
            break; /* those behind it are later */
        if (is_of(cache_page(cache, number), inode))
            cache_note(cache, number, transaction);
    }
    for (uint32_t number = cache->writing_first; number != 0;
         number = cache_page(cache, number)->writing_next) {
        struct cache_page *page = cache_page(cache, number);

        if (page->writing_noted || !not_after(page->writing_serial, serial) || !is_of(page, inode))
            continue;
        page->writing_transaction = transaction;
        page->writing_noted = true;
        cache->noted_counts[transaction & 1]++;
    }
}

static void add_to_writing(struct cache *cache, uint32_t number)
{
    uint32_t next = cache->writing_first;

    cache_page(cache, number)->writing_next = next;
    cache_page(cache, number)->writing_previous = 0;
    if (next != 0)
        cache_page(cache, next)->writing_previous = number;
    cache->writing_first = number;
    cache->writing_count++;
}

static void remove_from_writing(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);

    if (page->writing_previous != 0)
        cache_page(cache, page->writing_previous)->writing_next = page->writing_next;
    else
        cache->writing_first = page->writing_next;
    if (page->writing_next != 0)
        cache_page(cache, page->writing_next)->writing_previous = page->writing_previous;
    page->writing_next = page->writing_previous = 0;
    cache->writing_count--;
}

void cache_begin_write(struct cache *cache, uint32_t number, uint32_t parts)
{
    struct cache_page *page = cache_page(cache, number);

    page->parts = (uint8_t)parts;
    page->writing_serial = page->serial;
    page->writing_transaction = page->transaction;
    page->writing_noted = page->noted;
    page->writing = true;
    /* It is one of the two at every moment: whoever finds it after a death writes it. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    page->noted = false;
    page->writing_client = page->client;
    cache_count_unwritten(cache, page->client, 1);
    remove_from_dirty(cache, number);
    add_to_writing(cache, number);
}

bool cache_part_written(struct cache *cache, uint32_t number, mnos_status_t status)
{
    struct cache_page *page = cache_page(cache, number);

    if (status != MNOS_OK)
        page->status = (uint8_t)status;
    if (--page->parts != 0)
        return false;
    page->writing = false;
    cache->noted_counts[page->writing_transaction & 1] -= page->writing_noted;
    page->writing_noted = false;
    page->status = MNOS_OK;
    remove_from_writing(cache, number);
    cache_count_unwritten(cache, page->writing_client, -1);
    return true;
}

bool cache_is_pending(const struct cache *cache, uint32_t inode, uint32_t serial)
{
    for (uint32_t number = cache->dirty_first; number != 0;
         number = cache_page(cache, number)->dirty_next) {
        const struct cache_page *page = cache_page(cache, number);

        if (!not_after(page->serial, serial))
            break; /* those behind it are later */
        if (is_of(page, inode))
            return true;
    }
    for (uint32_t number = cache->writing_first; number != 0;
         number = cache_page(cache, number)->writing_next) {
        const struct cache_page *page = cache_page(cache, number);

        if (not_after(page->writing_serial, serial) && is_of(page, inode))
            return true;
    }
    return false;
}
