// SPDX-License-Identifier: MIT
/*
 * read - bytes of files from the cache, and pages into it: see service.h. A file that is read from its beginning, or one
 * page after the other, is read ahead: 32 KiB at first, twice as much each time up to 512 KiB, and no more after a
 * seek.
 */
#include "lib/base/string.h"
#include "services/fs/ext4/service.h"

/* Blocks that are asked for at once. */
#define KNOWN_MAX 65536u

static uint64_t pages_of(uint64_t size)
{
    return (size + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES;
}

/* How many pages from `index` on are not in the cache, at most `count`. */
static uint32_t count_missing(const struct ext4_service *service, uint32_t inode, uint32_t index,
                              uint32_t count)
{
    uint32_t missing = 0;

    while (missing < count && cache_find(&service->cache, inode, index + missing) == 0)
        missing++;
    return missing;
}

/* Pages for a row of the file; with none it waits for anything to become free. */
static mnos_status_t take(struct ext4_service *service, uint32_t inode, uint32_t index,
                          uint32_t count, uint32_t *number, uint32_t *taken)
{
    *number = cache_take(&service->cache, inode, index, count, taken);
    return *number != 0 ? MNOS_OK : service_wait(service, PARK_ANYTHING);
}

/* Where a row of the file lies; what the core says is remembered as far as the blocks go on. */
static mnos_status_t map_row(struct ext4_service *service, uint32_t inode, uint32_t index,
                             uint32_t count, struct ext4_run *run)
{
    struct open_inode *open = open_find(service, inode);
    mnos_status_t status = MNOS_OK;

    if (open != NULL && index - open->known_first < open->known_count) {
        uint32_t behind = index - open->known_first;

        *run = (struct ext4_run){.physical = open->known_physical + behind,
                                 .count = open->known_count - behind};
    } else {
        status = ext4_map(service_begin(service), inode, index, KNOWN_MAX, run);
        status = service_end(service, status);
        if (status == MNOS_OK && run->physical != 0 && open != NULL) {
            open->known_first = index;
            open->known_count = run->count;
            open->known_physical = run->physical;
        }
    }
    if (status == MNOS_OK && run->count > count)
        run->count = count;
    return status;
}

/* Blocks as large as pages: a row of them is one request. */
static mnos_status_t begin_row(struct ext4_service *service, uint32_t inode, uint32_t index,
                               uint32_t count, uint32_t *number, uint32_t *taken)
{
    struct ext4_run run;
    mnos_status_t status = map_row(service, inode, index, count, &run);

    if (status == MNOS_OK)
        status = take(service, inode, index, run.count, number, taken);
    if (status != MNOS_OK)
        return status;
    if (run.physical == 0) {
        memset(cache_bytes(&service->cache, *number), 0, (size_t)*taken * CACHE_PAGE_BYTES);
        return MNOS_OK;
    }
    for (uint32_t i = 0; i < *taken; i++)
        cache_blocks_of(&service->cache, *number + i)[0] = run.physical + i;
    writeback_submit(service, QUEUE_READ, *number, *taken);
    return MNOS_OK;
}

/* Smaller blocks: a page at a time. */
static mnos_status_t begin_page(struct ext4_service *service, uint32_t inode, uint32_t index,
                                uint32_t *number, uint32_t *taken)
{
    struct ext4_op *op = service_begin(service);
    uint32_t first = index * service->blocks_per_page, known = 0;
    cache_blocks blocks = {0};
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK && known < service->blocks_per_page) {
        struct ext4_run run;

        status = ext4_map(op, inode, first + known, service->blocks_per_page - known, &run);
        for (uint32_t i = 0; status == MNOS_OK && i < run.count && known < CACHE_BLOCKS_MAX; i++)
            blocks[known++] = run.physical == 0 ? 0 : run.physical + i;
    }
    status = service_end(service, status);
    if (status == MNOS_OK)
        status = take(service, inode, index, 1, number, taken);
    if (status != MNOS_OK)
        return status;
    memcpy(cache_blocks_of(&service->cache, *number), blocks, sizeof blocks);
    memset(cache_bytes(&service->cache, *number), 0, CACHE_PAGE_BYTES);
    writeback_submit(service, QUEUE_READ, *number, 1);
    return MNOS_OK;
}

mnos_status_t service_fetch(struct ext4_service *service, uint32_t inode, uint32_t index,
                            uint32_t count, uint64_t size, uint32_t *number)
{
    uint64_t pages = pages_of(size);
    uint32_t end;

    *number = 0;
    if (count > pages - index)
        count = (uint32_t)(pages - index);
    for (end = index + count; index < end;) {
        uint32_t missing = count_missing(service, inode, index, end - index), first = 0, taken = 0;
        mnos_status_t status;

        if (missing == 0) {
            if (*number == 0)
                *number = cache_find(&service->cache, inode, index);
            index++;
            continue;
        }
        if (!disk_queue_has_room(&service->queue))
            status = service_wait(service, PARK_ANYTHING);
        else if (service->blocks_per_page == 1)
            status = begin_row(service, inode, index, missing, &first, &taken);
        else
            status = begin_page(service, inode, index, &first, &taken);
        if (status != MNOS_OK)
            return *number != 0 ? MNOS_OK : status;
        if (*number == 0)
            *number = first;
        index += taken;
    }
    return MNOS_OK;
}

/* Another page than the last was read. Sees which way a file is read, and begins to read what will be asked for. */
static void look_ahead(struct ext4_service *service, struct open_inode *open, uint32_t index,
                       uint64_t size)
{
    uint32_t number;

    if (index != open->last_index + 1) {
        open->window = 0;
        open->last_index = index;
        return;
    }
    open->last_index = index;
    if (open->window == 0) {
        open->window = SERVICE_AHEAD_MIN;
        open->ahead = index + 1;
    }
    if (open->ahead <= index)
        open->ahead = index + 1;
    if (open->ahead - index > open->window / 2 || open->ahead >= pages_of(size))
        return;
    /* What cannot be begun now will be asked for when it is needed. */
    (void)!service_fetch(service, open->inode, open->ahead, open->window, size, &number);
    open->ahead += open->window;
    if (open->window < SERVICE_AHEAD_MAX)
        open->window *= 2;
}

/* Begins to read the page that is needed, with what else the request needs. */
static mnos_status_t fetch(struct ext4_service *service, struct open_inode *open, uint32_t index,
                           uint64_t bytes, uint64_t size, uint32_t *number)
{
    uint32_t count = (uint32_t)pages_of(bytes);
    mnos_status_t status;

    if (count > SERVICE_AHEAD_MAX)
        count = SERVICE_AHEAD_MAX;
    if (index == open->last_index + 1 && count < SERVICE_AHEAD_MIN)
        count = SERVICE_AHEAD_MIN;
    status = service_fetch(service, open->inode, index, count, size, number);
    if (status != MNOS_OK)
        return status;
    if (index == open->last_index + 1) {
        open->ahead = index + count;
        if (open->window == 0)
            open->window = SERVICE_AHEAD_MIN * 2;
    }
    /* In a small cache those behind it may have taken its place. */
    *number = cache_find(&service->cache, open->inode, index);
    return *number != 0 ? MNOS_OK : service_fetch(service, open->inode, index, 1, size, number);
}

/* Whether a page is there; waits for it, or says why it cannot be. */
static mnos_status_t want_page(struct ext4_service *service, uint32_t number)
{
    const struct cache_page *page = cache_page(&service->cache, number);

    switch (page->state) {
    case CACHE_READING: return service_wait(service, service_key(KEY_PAGE, number));
    case CACHE_FAILED: return (mnos_status_t)page->status;
    default: return MNOS_OK;
    }
}

mnos_status_t service_read(void *context, uint32_t inode, uint64_t offset, void *to,
                           uint64_t length, uint64_t *count)
{
    struct ext4_service *service = context;
    struct open_inode *open = open_find(service, inode);
    const struct known_attr *known;
    mnos_status_t status = known_inode(service, inode, &known);
    uint64_t size = known->size, done = 0;

    *count = 0;
    service->cache.client = service->files->client;
    if (status != MNOS_OK || offset >= size)
        return status;
    if (length > size - offset)
        length = size - offset;
    while (done < length) {
        uint64_t at = (offset + done) % CACHE_PAGE_BYTES, part = CACHE_PAGE_BYTES - at;
        uint32_t index = (uint32_t)((offset + done) / CACHE_PAGE_BYTES);
        uint32_t number = cache_find(&service->cache, inode, index);

        if (number == 0 && done == 0)
            status = fetch(service, open, index, at + length, size, &number);
        if (status == MNOS_OK && number != 0 &&
            cache_page(&service->cache, number)->state != CACHE_VALID)
            status = want_page(service, number);
        if (status != MNOS_OK || number == 0)
            break;
        if (part > length - done)
            part = length - done;
        memcpy((uint8_t *)to + done, cache_bytes(&service->cache, number) + at, part);
        done += part;
        if (index != open->last_index) {
            cache_use(&service->cache, number);
            look_ahead(service, open, index, size);
        }
    }
    *count = done;
    return done != 0 ? MNOS_OK : status;
}
