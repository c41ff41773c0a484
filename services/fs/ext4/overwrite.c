// SPDX-License-Identifier: MIT
/*
 * overwrite - bytes of clients into a page that has a place for them already, as most short writes are: see service.h. Nothing
 * of it can fail, wait, or concern the core; all other writes are write.c's.
 */
#include "lib/base/string.h"
#include "services/fs/ext4/service.h"

/* Whether all blocks of a range of the page are on the disk. */
static bool have_places(const struct ext4_service *service, uint32_t number, uint32_t from,
                        uint32_t to)
{
    const uint64_t *blocks = cache_blocks_of(&service->cache, number);

    if (service->blocks_per_page == 1)
        return blocks[0] != 0;
    for (uint32_t i = from / service->block_bytes; i * service->block_bytes < to; i++) {
        if (blocks[i] == 0)
            return false;
    }
    return true;
}

bool overwrite_page(struct ext4_service *service, uint32_t inode, uint64_t size, uint64_t offset,
                    const void *from, uint64_t length)
{
    uint32_t at = offset % CACHE_PAGE_BYTES, number;
    struct cache *cache = &service->cache;
    const struct cache_page *page;

    if (length > CACHE_PAGE_BYTES - at || offset + length > size ||
        !open_is_touched(service, open_find(service, inode)))
        return false;
    number = cache_find(cache, inode, (uint32_t)(offset / CACHE_PAGE_BYTES));
    if (number == 0)
        return false;
    page = cache_page(cache, number);
    if (page->state != CACHE_VALID || !have_places(service, number, at, at + (uint32_t)length))
        return false;
    memcpy(cache_bytes(cache, number) + at, from, length);
    if (!page->dirty) { /* pieces that follow each other are one use */
        cache_use(cache, number);
        cache_dirty(cache, number);
    }
    service_changed(service);
    return true;
}
