// SPDX-License-Identifier: MIT
/* volume_cache - see volume_cache.h. */
#include "services/fs/fat/volume_cache.h"

#include "lib/base/string.h"

static uint32_t bucket_count(uint32_t page_count)
{
    uint32_t count = 64;

    while (count < page_count)
        count *= 2;
    return count;
}

size_t volume_cache_table_bytes(uint32_t page_count)
{
    return page_count * sizeof(struct volume_page) + bucket_count(page_count) * sizeof(uint32_t);
}

void volume_cache_init(struct volume_cache *cache, void *table, uint8_t *memory,
                       uint32_t page_count, const struct fat_disk *disk, uint64_t volume_bytes)
{
    *cache = (struct volume_cache){.disk = disk,
                                   .memory = memory,
                                   .volume_bytes = volume_bytes,
                                   .page_count = page_count,
                                   .bucket_mask = bucket_count(page_count) - 1,
                                   .pages = table,
                                   .last_miss = CACHE_FREE};
    cache->buckets = (uint32_t *)(cache->pages + page_count);
    for (uint32_t i = 0; i < page_count; i++)
        cache->pages[i].index = CACHE_FREE;
}

/* ---- Which page is where ---- */

static uint32_t *bucket_of(const struct volume_cache *cache, uint32_t index)
{
    return &cache->buckets[(index * 0x9E3779B1u >> 7) & cache->bucket_mask];
}

static struct volume_page *find(struct volume_cache *cache, uint32_t index)
{
    uint32_t at = *bucket_of(cache, index);

    while (at != 0 && cache->pages[at - 1].index != index)
        at = cache->pages[at - 1].next;
    return at == 0 ? NULL : &cache->pages[at - 1];
}

static uint32_t number_of(const struct volume_cache *cache, const struct volume_page *page)
{
    return (uint32_t)(page - cache->pages);
}

static void add(struct volume_cache *cache, struct volume_page *page, uint32_t index)
{
    uint32_t *bucket = bucket_of(cache, index);

    page->index = index;
    page->next = *bucket;
    *bucket = number_of(cache, page) + 1;
}

static void forget(struct volume_cache *cache, struct volume_page *page)
{
    uint32_t *at = bucket_of(cache, page->index);

    while (*at != number_of(cache, page) + 1)
        at = &cache->pages[*at - 1].next;
    *at = page->next;
    page->index = CACHE_FREE;
}

static bool is_dirty(const struct volume_page *page)
{
    for (unsigned i = 0; i < CACHE_CLASSES; i++) {
        if (page->dirty[i] != 0)
            return true;
    }
    return false;
}

/* A page that nothing needs, cooling others; NULL: all are dirty or busy. */
static struct volume_page *take_clean(struct volume_cache *cache)
{
    for (uint32_t i = 0; i < 2 * cache->page_count; i++) {
        struct volume_page *page = &cache->pages[cache->hand];

        cache->hand = (cache->hand + 1) % cache->page_count;
        if (page->busy || is_dirty(page))
            continue;
        if (page->index != CACHE_FREE && page->hot) {
            page->hot = false;
            continue;
        }
        if (page->index != CACHE_FREE)
            forget(cache, page);
        return page;
    }
    return NULL;
}

/* Bytes of files may be written at any moment, as nothing leads to them yet, or to nothing else. Tables come after
 * the bytes, and may then, too. Entries are written by nobody but who knows that they are whole. */
static mnos_status_t make_room(struct volume_cache *cache)
{
    mnos_status_t status;

    if (cache->dirty[CACHE_BYTES] != 0)
        return volume_cache_write_out(cache, CACHE_BYTES);
    if (cache->dirty[CACHE_TABLES] == 0)
        return MNOS_ERR_QUOTA;
    status = volume_cache_flush(cache);
    return status != MNOS_OK ? status : volume_cache_write_out(cache, CACHE_TABLES);
}

static mnos_status_t take(struct volume_cache *cache, uint32_t index, struct volume_page **taken)
{
    mnos_status_t status = MNOS_OK;

    *taken = take_clean(cache);
    if (*taken == NULL) {
        status = make_room(cache);
        if (status == MNOS_OK)
            *taken = take_clean(cache);
        if (status == MNOS_OK && *taken == NULL)
            status = MNOS_ERR_QUOTA;
    }
    if (status != MNOS_OK)
        return status;
    (*taken)->hot = (*taken)->busy = true;
    add(cache, *taken, index);
    return MNOS_OK;
}

/* ---- The disk ---- */

static uint32_t bytes_of(const struct volume_cache *cache, uint32_t index)
{
    uint64_t left = cache->volume_bytes - (uint64_t)index * CACHE_PAGE_BYTES;

    return left < CACHE_PAGE_BYTES ? (uint32_t)left : CACHE_PAGE_BYTES;
}

/* Puts it behind the last of `list` that it continues, in memory and on the disk, or by itself. */
static uint32_t append(struct disk_transfer *list, uint32_t count,
                       const struct disk_transfer *transfer)
{
    struct disk_transfer *last = count == 0 ? NULL : &list[count - 1];

    if (last != NULL && last->position + last->bytes == transfer->position &&
        (uint64_t)last->page * CACHE_PAGE_BYTES + last->offset + last->bytes ==
            (uint64_t)transfer->page * CACHE_PAGE_BYTES + transfer->offset &&
        last->bytes + transfer->bytes <= CACHE_AHEAD_PAGES * CACHE_PAGE_BYTES) {
        last->bytes += transfer->bytes;
        return count;
    }
    list[count] = *transfer;
    return count + 1;
}

/* Pages that follow each other on the volume, none of which is there, up to `end` at most. */
static mnos_status_t read_pages(struct volume_cache *cache, uint32_t index, uint32_t end)
{
    struct disk_transfer list[CACHE_AHEAD_PAGES];
    struct volume_page *taken[CACHE_AHEAD_PAGES];
    uint32_t count = 0, pages = 0;
    mnos_status_t status = MNOS_OK;

    while (index < end && pages < CACHE_AHEAD_PAGES && find(cache, index) == NULL) {
        struct disk_transfer transfer = {.bytes = bytes_of(cache, index),
                                         .position = (uint64_t)index * CACHE_PAGE_BYTES};

        /* The first is needed; others come only where there is room at no cost. */
        if (pages == cache->page_count / 4)
            break;
        status = take(cache, index++, &taken[pages]);
        if (status != MNOS_OK)
            break;
        transfer.page = number_of(cache, taken[pages++]);
        count = append(list, count, &transfer);
    }
    if (pages != 0)
        status = cache->disk->transfer(cache->disk->context, list, count);
    for (uint32_t i = 0; i < pages; i++) {
        taken[i]->busy = false;
        if (status != MNOS_OK)
            forget(cache, taken[i]);
    }
    cache->last_miss = index;
    return status;
}

/* The page of an index; `whole`: all of it will be written, so it need not be read. `end`: what is wanted goes up
 * to there. */
static mnos_status_t get(struct volume_cache *cache, uint32_t index, uint32_t end, bool whole,
                         struct volume_page **page)
{
    uint32_t volume_end =
        (uint32_t)((cache->volume_bytes + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES);
    mnos_status_t status = MNOS_OK;

    *page = find(cache, index);
    if (*page == NULL && whole) {
        status = take(cache, index, page);
        if (status == MNOS_OK)
            (*page)->busy = false;
        return status;
    }
    if (*page == NULL) {
        if (index == cache->last_miss)
            end = index + CACHE_AHEAD_PAGES;
        status = read_pages(cache, index, end < volume_end ? end : volume_end);
        *page = find(cache, index);
    }
    if (status == MNOS_OK)
        (*page)->hot = true;
    return status;
}

static bool is_on_volume(const struct volume_cache *cache, uint64_t position, uint64_t bytes)
{
    return position <= cache->volume_bytes && bytes <= cache->volume_bytes - position;
}

/* How much of `bytes` from `position` on is in one page. */
static uint32_t piece(uint64_t position, uint64_t bytes)
{
    uint32_t room = CACHE_PAGE_BYTES - (uint32_t)(position % CACHE_PAGE_BYTES);

    return bytes < room ? (uint32_t)bytes : room;
}

mnos_status_t volume_cache_read(struct volume_cache *cache, uint64_t position, void *to,
                                uint64_t bytes)
{
    uint8_t *out = to;

    if (!is_on_volume(cache, position, bytes))
        return MNOS_ERR_ARGUMENT;
    while (bytes != 0) {
        uint32_t count = piece(position, bytes), index = (uint32_t)(position / CACHE_PAGE_BYTES);
        uint32_t end = (uint32_t)((position + bytes + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES);
        struct volume_page *page;
        mnos_status_t status = get(cache, index, end, false, &page);

        if (status != MNOS_OK)
            return status;
        memcpy(out,
               cache->memory + (size_t)number_of(cache, page) * CACHE_PAGE_BYTES +
                   position % CACHE_PAGE_BYTES,
               count);
        out += count;
        position += count;
        bytes -= count;
    }
    return MNOS_OK;
}

static void set_dirty(struct volume_cache *cache, struct volume_page *page, uint8_t parts,
                      unsigned class)
{
    for (unsigned i = 0; i < CACHE_CLASSES; i++) {
        uint8_t now = i == class ? page->dirty[i] | parts : page->dirty[i] & (uint8_t)~parts;

        cache->dirty[i] += (now != 0) - (page->dirty[i] != 0);
        page->dirty[i] = now;
    }
}

static uint8_t parts_mask(uint32_t offset, uint32_t bytes)
{
    uint32_t first = offset / CACHE_PART_BYTES, count = bytes / CACHE_PART_BYTES;

    return (uint8_t)(((1u << count) - 1) << first);
}

/* The next run of dirty parts of a page from part *at on. */
static bool next_run(const struct volume_page *page, unsigned class, uint32_t *at, uint32_t *count)
{
    while (*at < CACHE_PARTS && (page->dirty[class] >> *at & 1) == 0)
        ++*at;
    for (*count = 0; *at + *count < CACHE_PARTS && (page->dirty[class] >> (*at + *count) & 1) != 0;)
        ++*count;
    return *count != 0;
}

static uint32_t append_parts(const struct volume_cache *cache, uint32_t number, unsigned class,
                             struct disk_transfer *list, uint32_t count)
{
    const struct volume_page *page = &cache->pages[number];
    uint32_t run;

    for (uint32_t at = 0; next_run(page, class, &at, &run); at += run) {
        struct disk_transfer transfer = {.write = true,
                                         .page = number,
                                         .offset = at * CACHE_PART_BYTES,
                                         .bytes = run * CACHE_PART_BYTES,
                                         .position = (uint64_t)page->index * CACHE_PAGE_BYTES +
                                                     at * CACHE_PART_BYTES};

        count = append(list, count, &transfer);
    }
    return count;
}

/* A new cluster of a directory is on the medium empty before there is an entry in it. */
static mnos_status_t write_out_page(struct volume_cache *cache, struct volume_page *page,
                                    uint8_t parts, unsigned class)
{
    struct disk_transfer list[CACHE_PARTS];
    uint32_t count;
    mnos_status_t status;

    if (class != CACHE_ENTRIES || (page->dirty[CACHE_BYTES] & parts) == 0)
        return MNOS_OK;
    count = append_parts(cache, number_of(cache, page), CACHE_BYTES, list, 0);
    cache->unflushed = page->busy = true;
    status = cache->disk->transfer(cache->disk->context, list, count);
    page->busy = false;
    if (status == MNOS_OK)
        set_dirty(cache, page, page->dirty[CACHE_BYTES], CACHE_CLASSES);
    return status;
}

mnos_status_t volume_cache_write(struct volume_cache *cache, uint64_t position, const void *from,
                                 uint64_t bytes, unsigned class)
{
    const uint8_t *in = from;

    if (!is_on_volume(cache, position, bytes))
        return MNOS_ERR_ARGUMENT;
    while (bytes != 0) {
        uint32_t count = piece(position, bytes), index = (uint32_t)(position / CACHE_PAGE_BYTES);
        uint32_t offset = (uint32_t)(position % CACHE_PAGE_BYTES);
        struct volume_page *page;
        mnos_status_t status = get(cache, index, index + 1, count == bytes_of(cache, index), &page);

        if (status == MNOS_OK)
            status = write_out_page(cache, page, parts_mask(offset, count), class);
        if (status != MNOS_OK)
            return status;
        memcpy(cache->memory + (size_t)number_of(cache, page) * CACHE_PAGE_BYTES + offset, in,
               count);
        set_dirty(cache, page, parts_mask(offset, count), class);
        in += count;
        position += count;
        bytes -= count;
    }
    return MNOS_OK;
}

mnos_status_t volume_cache_write_out(struct volume_cache *cache, unsigned class)
{
    struct disk_transfer list[CACHE_BATCH];
    uint32_t at = 0;

    while (cache->dirty[class] != 0 && at < cache->page_count) {
        uint32_t count = 0, begin = at;
        mnos_status_t status;

        /* A page has at most half as many runs as parts. */
        for (; at < cache->page_count && count <= CACHE_BATCH - CACHE_PARTS / 2; at++)
            count = append_parts(cache, at, class, list, count);
        if (count == 0)
            break;
        cache->unflushed = true;
        status = cache->disk->transfer(cache->disk->context, list, count);
        if (status != MNOS_OK)
            return status;
        for (uint32_t i = begin; i < at; i++)
            set_dirty(cache, &cache->pages[i], cache->pages[i].dirty[class], CACHE_CLASSES);
    }
    return MNOS_OK;
}

mnos_status_t volume_cache_flush(struct volume_cache *cache)
{
    mnos_status_t status = MNOS_OK;

    if (cache->unflushed)
        status = cache->disk->flush(cache->disk->context);
    cache->unflushed = cache->unflushed && status != MNOS_OK;
    return status;
}

const char *volume_cache_check(const struct volume_cache *cache)
{
    uint32_t dirty[CACHE_CLASSES] = {0};

    for (uint32_t i = 0; i < cache->page_count; i++) {
        const struct volume_page *page = &cache->pages[i];
        uint8_t seen = 0;

        for (unsigned class = 0; class < CACHE_CLASSES; class ++) {
            dirty[class] += page->dirty[class] != 0;
            if ((seen & page->dirty[class]) != 0)
                return "C2: a part is dirty in two classes";
            seen |= page->dirty[class];
        }
        if (page->index == CACHE_FREE && seen != 0)
            return "C2: a page that is free is dirty";
        if (page->index != CACHE_FREE && find((struct volume_cache *)cache, page->index) != page)
            return "C1: a page is not found, or is there twice";
    }
    return memcmp(dirty, cache->dirty, sizeof dirty) != 0 ? "C3: dirty pages do not add up" : NULL;
}
