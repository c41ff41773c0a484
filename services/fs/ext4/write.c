// SPDX-License-Identifier: MIT
/*
 * write - bytes of clients into pages, with blocks on the disk for them: see service.h. Up to SERVICE_BATCH_PAGES are written at once: first everything that may have to wait or may fail, in one
 * operation of the core (are there blocks, must a page be read first, new blocks, the size), then the bytes are
 * copied, which cannot fail. So a full disk is told before anything has changed.
 */
#include "lib/base/string.h"
#include "services/fs/ext4/service.h"

#define RUNS_MAX (SERVICE_BATCH_PAGES * CACHE_BLOCKS_MAX)

struct batch {
    uint32_t inode;
    uint32_t first, count;                /* pages */
    uint64_t offset, length, size;        /* `size`: of the file before */
    uint32_t number[SERVICE_BATCH_PAGES]; /* in the cache; 0: not there */
    bool fresh[SERVICE_BATCH_PAGES];      /* not there before: its bytes are not read */
    uint32_t run_count;
    struct {
        uint32_t logical, count;
        uint64_t physical;
    } runs[RUNS_MAX];
};

/* The part of the batch's bytes that falls into a page: from and to, in the page. */
static void part_of(const struct batch *batch, uint32_t page, uint32_t *from, uint32_t *to)
{
    uint64_t begin = (uint64_t)(batch->first + page) * CACHE_PAGE_BYTES;
    uint64_t end = begin + CACHE_PAGE_BYTES, last = batch->offset + batch->length;

    *from = batch->offset > begin ? (uint32_t)(batch->offset - begin) : 0;
    *to = last < end ? (uint32_t)(last - begin) : CACHE_PAGE_BYTES;
}

/* Whether nothing that the page has on the disk is kept. */
static bool is_overwritten(const struct batch *batch, uint32_t page)
{
    uint64_t begin = (uint64_t)(batch->first + page) * CACHE_PAGE_BYTES;
    uint32_t from, to;

    part_of(batch, page, &from, &to);
    return begin >= batch->size ||
           (from == 0 && (to == CACHE_PAGE_BYTES || begin + to >= batch->size));
}

/* The batch has only the pages before this one. */
static void cut(struct batch *batch, uint32_t page)
{
    uint64_t end = (uint64_t)(batch->first + page) * CACHE_PAGE_BYTES;

    batch->count = page;
    if (batch->offset + batch->length > end)
        batch->length = end > batch->offset ? end - batch->offset : 0;
}

/* Pages that the batch has found or taken stay while it needs them. */
static void pin_pages(struct ext4_service *service, const struct batch *batch, bool pinned)
{
    for (uint32_t i = 0; i < SERVICE_BATCH_PAGES; i++) {
        if (batch->number[i] != 0)
            cache_page(&service->cache, batch->number[i])->pinned = pinned;
    }
}

/* Which pages are in the cache; ends at one that is on its way. */
static mnos_status_t find_pages(struct ext4_service *service, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t number = cache_find(&service->cache, batch->inode, batch->first + i);
        const struct cache_page *page = number == 0 ? NULL : cache_page(&service->cache, number);

        if (page == NULL || page->state == CACHE_VALID) {
            batch->number[i] = number;
            batch->fresh[i] = number == 0;
            continue;
        }
        if (i != 0) {
            cut(batch, i);
            break;
        }
        return page->state == CACHE_FAILED ? (mnos_status_t)page->status
                                           : service_wait(service, service_key(KEY_PAGE, number));
    }
    return MNOS_OK;
}

/* Whether a page has bytes on the disk. */
mnos_status_t write_has_blocks(struct ext4_service *service, struct ext4_op *op, uint32_t inode,
                               uint32_t index, bool *has)
{
    uint32_t block = index * service->blocks_per_page, end = block + service->blocks_per_page;

    *has = false;
    while (block < end && !*has) {
        struct ext4_run run;
        mnos_status_t status = ext4_map(op, inode, block, end - block, &run);

        if (status != MNOS_OK)
            return status;
        *has = run.physical != 0;
        block += run.count;
    }
    return MNOS_OK;
}

/* The first page of the batch that has to be read before it is written, which ends the batch; *read: it is the very
 * first. */
static mnos_status_t check_pages(struct ext4_service *service, struct ext4_op *op,
                                 struct batch *batch, bool *read)
{
    *read = false;
    for (uint32_t i = 0; i < batch->count; i++) {
        bool has;
        mnos_status_t status;

        if (!batch->fresh[i] || is_overwritten(batch, i))
            continue;
        status = write_has_blocks(service, op, batch->inode, batch->first + i, &has);
        if (status != MNOS_OK)
            return status;
        if (!has)
            continue;
        *read = i == 0;
        cut(batch, i);
        break;
    }
    return MNOS_OK;
}

/* Pages for what is not in the cache; ends the batch where there are none. */
static void take_pages(struct ext4_service *service, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count;) {
        uint32_t wanted = 0, taken, number;

        while (i + wanted < batch->count && batch->fresh[i + wanted])
            wanted++;
        if (wanted == 0) {
            i++;
            continue;
        }
        number = cache_take(&service->cache, batch->inode, batch->first + i, wanted, &taken);
        if (number == 0) {
            cut(batch, i);
            return;
        }
        for (uint32_t k = 0; k < taken; k++) {
            batch->number[i + k] = number + k;
            cache_page(&service->cache, number + k)->pinned = true;
        }
        i += taken;
    }
}

static void drop_fresh(struct ext4_service *service, struct batch *batch)
{
    for (uint32_t i = 0; i < SERVICE_BATCH_PAGES; i++) {
        if (batch->fresh[i] && batch->number[i] != 0) {
            cache_drop(&service->cache, batch->number[i]);
            batch->number[i] = 0;
        }
    }
}

/* Whether a block that is written has its place on the disk. */
static bool has_place(const struct ext4_service *service, const struct batch *batch,
                      uint32_t logical)
{
    uint32_t page = logical / service->blocks_per_page - batch->first;

    return !batch->fresh[page] &&
           cache_blocks_of(&service->cache,
                           batch->number[page])[logical % service->blocks_per_page] != 0;
}

/* How many blocks that are written have no place yet. */
static uint32_t count_new(const struct ext4_service *service, const struct batch *batch)
{
    uint32_t at = (uint32_t)(batch->offset / service->block_bytes), count = 0;

    for (; (uint64_t)at * service->block_bytes < batch->offset + batch->length; at++)
        count += !has_place(service, batch, at);
    return count;
}

/* Room on the disk for what has none. Where pages are not in memory the core alone knows which these are, and is asked when
 * there is not room for all: what has its place can be written on a full disk. */
static mnos_status_t promise(struct ext4_service *service, struct ext4_op *op,
                             const struct batch *batch, uint32_t *promised)
{
    uint32_t count = count_new(service, batch);
    mnos_status_t status = ext4_reserve(service->fs, count);

    if (status == MNOS_ERR_FULL) {
        status = space_missing(service, op, batch->inode, batch->offset,
                               batch->offset + batch->length, &count);
        if (status == MNOS_OK)
            status = ext4_reserve(service->fs, count);
    }
    *promised = status == MNOS_OK ? count : 0;
    return status;
}

/* Blocks for all that is written. */
static mnos_status_t allocate(struct ext4_service *service, struct ext4_op *op, struct batch *batch)
{
    uint32_t at = (uint32_t)(batch->offset / service->block_bytes);
    uint32_t end = (uint32_t)((batch->offset + batch->length - 1) / service->block_bytes) + 1;

    batch->run_count = 0;
    while (at < end) {
        struct ext4_run run;
        uint32_t count = 0;
        mnos_status_t status;

        while (at + count < end && !has_place(service, batch, at + count))
            count++;
        if (count == 0) {
            at++;
            continue;
        }
        status = ext4_allocate(op, batch->inode, at, count, &run);
        if (status != MNOS_OK)
            return status;
        batch->runs[batch->run_count].logical = at;
        batch->runs[batch->run_count].count = run.count;
        batch->runs[batch->run_count++].physical = run.physical;
        at += run.count;
    }
    return MNOS_OK;
}

/* Whether the pages can be written without asking the core anything. */
static bool is_simple(const struct ext4_service *service, const struct batch *batch,
                      const struct open_inode *open)
{
    uint32_t at = (uint32_t)(batch->offset / service->block_bytes);
    uint64_t end = batch->offset + batch->length;

    if (end > batch->size || !open_is_touched(service, open))
        return false;
    for (; (uint64_t)at * service->block_bytes < end; at++) {
        if (!has_place(service, batch, at))
            return false;
    }
    return true;
}

/* Everything that can fail or has to wait, in one operation. With nothing to write: *read, or no page was free. */
static mnos_status_t prepare(struct ext4_service *service, struct batch *batch, bool *read)
{
    struct ext4_op *op = service_begin(service);
    uint32_t promised = 0;
    uint64_t end;
    mnos_status_t status = check_pages(service, op, batch, read);

    if (status == MNOS_OK)
        take_pages(service, batch);
    if (status == MNOS_OK && batch->count != 0)
        status = promise(service, op, batch, &promised);
    if (status == MNOS_OK && batch->count != 0)
        status = allocate(service, op, batch);
    end = batch->offset + batch->length;
    if (status == MNOS_OK && batch->count != 0)
        status = ext4_set_size(op, batch->inode, end > batch->size ? end : batch->size);
    status = service_end(service, status);
    ext4_unreserve(service->fs, promised);
    if (status != MNOS_OK || batch->count == 0)
        drop_fresh(service, batch);
    return status;
}

/* The blocks of the operation are the pages' now, and the transaction waits for these. */
static void place(struct ext4_service *service, const struct batch *batch)
{
    uint32_t transaction = ext4_transaction(service->fs), kept = 0;

    for (uint32_t i = 0; i < batch->run_count; i++) {
        for (uint32_t k = 0; k < batch->runs[i].count; k++) {
            uint32_t logical = batch->runs[i].logical + k;
            uint32_t number = batch->number[logical / service->blocks_per_page - batch->first];

            if (number != kept)
                cache_keep(&service->cache, number);
            kept = number;
            cache_blocks_of(&service->cache, number)[logical % service->blocks_per_page] =
                batch->runs[i].physical + k;
            cache_dirty(&service->cache, number);
            cache_note(&service->cache, number, transaction);
        }
    }
}

static void copy(struct ext4_service *service, const struct batch *batch, const uint8_t *bytes)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        uint8_t *page = cache_bytes(&service->cache, batch->number[i]);
        uint32_t from, to;

        part_of(batch, i, &from, &to);
        if (batch->fresh[i]) {
            memset(page, 0, from);
            memset(page + to, 0, CACHE_PAGE_BYTES - to);
        }
        memcpy(page + from, bytes, to - from);
        bytes += to - from;
        /* Pieces that follow each other are one use. */
        if (!cache_page(&service->cache, batch->number[i])->dirty)
            cache_use(&service->cache, batch->number[i]);
        cache_dirty(&service->cache, batch->number[i]);
    }
}

static void limit_to(struct batch *batch, uint32_t limit)
{
    uint64_t pages =
        (batch->offset + batch->length + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES - batch->first;

    batch->count = pages < limit ? (uint32_t)pages : limit;
    cut(batch, batch->count);
}

/* The page that has to be read before the batch is written. */
static mnos_status_t read_first(struct ext4_service *service, const struct batch *batch)
{
    uint32_t number;
    mnos_status_t status =
        service_fetch(service, batch->inode, batch->first, 1, batch->size, &number);

    return status != MNOS_OK ? status : service_wait(service, service_key(KEY_PAGE, number));
}

/* What the batch's pages need before bytes are copied to them. */
static mnos_status_t make_ready(struct ext4_service *service, struct open_inode *open,
                                struct batch *batch)
{
    bool read = false;
    mnos_status_t status;

    if (is_simple(service, batch, open))
        return MNOS_OK;
    status = prepare(service, batch, &read);
    if (status == MNOS_OK && read)
        return read_first(service, batch);
    if (status == MNOS_OK && batch->count == 0)
        return service_wait(service, PARK_ANYTHING);
    if (status != MNOS_OK)
        return status;
    if (batch->offset > batch->size)
        resize_zero_tail(service, batch->inode, batch->size);
    place(service, batch);
    if (open != NULL)
        open->touched_ns = service->tick_ns;
    known_touch(service, batch->inode);
    return MNOS_OK;
}

/* Writes a batch of at most `limit` pages from the range's beginning; *count: how many bytes. */
static mnos_status_t write_some(struct ext4_service *service, struct batch *batch, uint32_t limit,
                                const uint8_t *from, uint64_t *count)
{
    mnos_status_t status;

    limit_to(batch, limit);
    status = find_pages(service, batch);
    pin_pages(service, batch, true);
    if (status == MNOS_OK)
        status = make_ready(service, open_find(service, batch->inode), batch);
    pin_pages(service, batch, false);
    if (status != MNOS_OK)
        return status;
    copy(service, batch, from);
    service_changed(service);
    *count = batch->length;
    return MNOS_OK;
}

/* Whether a file may be written now. */
mnos_status_t write_allowed(struct ext4_service *service, uint32_t inode)
{
    mnos_status_t status = service_writable(service);

    service->cache.client = service->files->client;
    if (status != MNOS_OK)
        return status;
    if (open_is_leaving(service, inode))
        return service_wait(service, service_key(KEY_LEFT, 0));
    if (!writeback_is_full(service)) {
        reopen_changed(service, inode);
        return MNOS_OK;
    }
    writeback_begin(service, 0, service->cache.serial);
    return service_wait(service, service_key(KEY_WRITTEN, 0));
}

static __attribute__((noinline)) mnos_status_t write_batch(struct ext4_service *service,
                                                           const struct batch *all,
                                                           const void *from, uint64_t *count)
{
    struct batch batch = *all;
    mnos_status_t status = write_some(service, &batch, SERVICE_BATCH_PAGES, from, count);

    if (status == MNOS_ERR_FULL && batch.count > 1) { /* there may be room for less */
        batch = *all;
        status = write_some(service, &batch, 1, from, count);
    }
    /* What was removed and is still being taken away makes room. */
    if (status == MNOS_ERR_FULL && open_leaving_count(service) != 0)
        status = service_wait(service, service_key(KEY_LEFT, 0));
    return status;
}

mnos_status_t service_write(void *context, uint32_t inode, uint64_t offset, const void *from,
                            uint64_t length, uint64_t *count)
{
    struct ext4_service *service = context;
    uint64_t limit = (uint64_t)UINT32_MAX * service->block_bytes;
    const struct known_attr *known;
    mnos_status_t status = write_allowed(service, inode);

    *count = 0;
    if (status == MNOS_OK && (offset > limit || length > limit - offset))
        status = MNOS_ERR_SIZE;
    if (status == MNOS_OK)
        status = known_inode(service, inode, &known);
    if (status != MNOS_OK || length == 0)
        return status;
    if (overwrite_page(service, inode, known->size, offset, from, length)) {
        *count = length;
        return MNOS_OK;
    }
    return write_batch(service,
                       &(struct batch){.inode = inode,
                                       .first = (uint32_t)(offset / CACHE_PAGE_BYTES),
                                       .offset = offset,
                                       .length = length,
                                       .size = known->size},
                       from, count);
}
