// SPDX-License-Identifier: MIT
/*
 * writeback - when pages of files are written, and how they and those that are read become requests to the disk: see
 * service.h. A page is written when a transaction or a client waits for it, when it is 30 s old, and when more than a
 * tenth of the cache is to be written; above two fifths clients that write wait, and one that has three tenths itself, so
 * that others find room.
 */
#include "services/fs/ext4/service.h"

static bool not_after(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) >= 0;
}

static struct queue_request request_for(const struct ext4_service *service, enum queue_op op,
                                        uint32_t number, uint64_t block)
{
    return (struct queue_request){.op = (uint8_t)op,
                                  .owner = QUEUE_PAGES,
                                  .number = number,
                                  .page = service->slots + number - 1,
                                  .position = block * service->block_bytes};
}

static void begin(struct ext4_service *service, enum queue_op op, uint32_t number, uint32_t parts)
{
    if (op == QUEUE_READ)
        cache_begin_read(&service->cache, number, parts);
    else
        cache_begin_write(&service->cache, number, parts);
}

/* Where the part of a page ends that lies in one piece on the disk, from a block on. */
static uint32_t part_end(const struct ext4_service *service, const uint64_t *blocks, uint32_t from)
{
    uint32_t end = from + 1;

    while (end < service->blocks_per_page && blocks[end] == blocks[from] + (end - from))
        end++;
    return end;
}

/* A page of several blocks, some of which may be holes. */
static void submit_page(struct ext4_service *service, enum queue_op op, uint32_t number)
{
    const uint64_t *blocks = cache_blocks_of(&service->cache, number);
    uint32_t parts = 0;

    for (uint32_t at = 0; at < service->blocks_per_page;
         at = blocks[at] == 0 ? at + 1 : part_end(service, blocks, at))
        parts += blocks[at] != 0;
    if (parts == 0) { /* a hole: it is as it has to be */
        cache_clean(&service->cache, number);
        return;
    }
    begin(service, op, number, parts);
    for (uint32_t at = 0; at < service->blocks_per_page;) {
        uint32_t end = blocks[at] == 0 ? at + 1 : part_end(service, blocks, at);

        if (blocks[at] != 0) {
            struct queue_request request = request_for(service, op, number, blocks[at]);

            request.part = (uint8_t)(at * service->block_bytes / 512);
            request.bytes = (end - at) * service->block_bytes;
            disk_queue_add(&service->queue, &request);
        }
        at = end;
    }
}

void writeback_submit(struct ext4_service *service, enum queue_op op, uint32_t number,
                      uint32_t count)
{
    struct queue_request request;

    if (service->blocks_per_page != 1 || cache_blocks_of(&service->cache, number)[0] == 0) {
        for (uint32_t i = 0; i < count; i++)
            submit_page(service, op, number + i);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        begin(service, op, number + i, 1);
    request = request_for(service, op, number, cache_blocks_of(&service->cache, number)[0]);
    request.bytes = count * CACHE_PAGE_BYTES;
    disk_queue_add(&service->queue, &request);
}

/* How many pages behind a dirty one go with it in one request: those that follow it in the list, in memory, and on the
 * disk. */
static uint32_t row_length(const struct ext4_service *service, uint32_t number)
{
    const struct cache *cache = &service->cache;
    uint64_t block = cache_blocks_of(cache, number)[0];
    uint32_t length = 1;

    if (service->blocks_per_page != 1)
        return 1;
    while (length < SERVICE_AHEAD_MAX) {
        uint32_t last = number + length - 1, next = last + 1;

        if (cache_page(cache, last)->dirty_next != next || cache_page(cache, next)->writing ||
            cache_blocks_of(cache, next)[0] != block + length)
            break;
        length++;
    }
    return length;
}

/* Goes over what is dirty, the oldest first, as far as `serial`. */
static void write_pages(struct ext4_service *service, uint32_t inode, uint32_t serial, bool noted,
                        uint32_t transaction)
{
    struct cache *cache = &service->cache;
    uint32_t number = cache->dirty_first;

    while (number != 0 && disk_queue_has_room(&service->queue)) {
        const struct cache_page *page = cache_page(cache, number);
        uint32_t length = 1, next;

        if (!not_after(page->serial, serial))
            break;
        if ((inode == 0 || page->inode == inode) && !page->writing &&
            (!noted || (page->noted && not_after(page->transaction, transaction)))) {
            length = row_length(service, number);
            next = cache_page(cache, number + length - 1)->dirty_next;
            writeback_submit(service, QUEUE_WRITE, number, length);
        } else {
            next = page->dirty_next;
        }
        number = next;
    }
}

void writeback_begin(struct ext4_service *service, uint32_t inode, uint32_t serial)
{
    write_pages(service, inode, serial, false, 0);
}

void writeback_noted(struct ext4_service *service, uint32_t transaction)
{
    write_pages(service, 0, service->cache.serial, true, transaction);
}

_Static_assert((SERVICE_DATA_PAGES_MIN - EXT4_SLOTS_MIN) / 10 != 0,
               "a share of no pages, and whoever writes would wait for ever");

bool writeback_is_full(const struct ext4_service *service)
{
    const struct cache *cache = &service->cache;

    return cache->dirty_count + cache->writing_count >= cache_size(cache) * 2 / 5 ||
           cache_writes_enough(cache);
}

void writeback_round(struct ext4_service *service)
{
    struct cache *cache = &service->cache;

    if (cache->dirty_count == 0)
        return;
    if (cache->dirty_count > cache_size(cache) / 10)
        writeback_begin(service, 0, cache->serial);
    else
        writeback_begin(service, 0, service->ages[0]);
}
