// SPDX-License-Identifier: MIT
/*
 * views - pages of the cache that clients read where they are: behind VIEW of protocols/file.def. A page that is lent goes like
 * any other; it is taken back first, and whoever reads it asks again. One in which a file ends is not lent: behind
 * the end it may hold what the disk has there.
 */
#include "services/fs/ext4/service.h"

static void take_back(void *context, uint32_t inode)
{
    struct ext4_service *service = context;

    file_server_take_back(service->files, inode);
}

void views_init(struct ext4_service *service)
{
    file_server_take_all_back(service->files);
    service->cache.take_back = take_back;
    service->cache.lender = service;
}

/* The page at an index, if its bytes are there. */
static uint32_t page_at(const struct ext4_service *service, uint32_t inode, uint64_t index)
{
    uint32_t number = cache_find(&service->cache, inode, (uint32_t)index);

    return number != 0 && cache_page(&service->cache, number)->state == CACHE_VALID ? number : 0;
}

/* It was used, as whoever reads it there does not tell. */
static void lend(struct ext4_service *service, uint32_t number, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        cache_page(&service->cache, number + i)->mapped = true;
        cache_use(&service->cache, number + i);
    }
}

mnos_status_t service_pages(void *context, uint32_t inode, uint64_t index, uint32_t most,
                            struct file_pages *pages)
{
    struct ext4_service *service = context;
    uint64_t row = index - index % most, first = index, end = index + 1, whole, in_memory;
    struct file_attr attr;
    mnos_status_t status = ext4_methods.attr(context, inode, &attr);
    uint32_t number = status == MNOS_OK ? page_at(service, inode, index) : 0;

    whole = status == MNOS_OK ? attr.size / CACHE_PAGE_BYTES : 0;
    if (number == 0 || index >= whole || service->memory_of == NULL)
        return status;
    while (first > row && number != 1 && page_at(service, inode, first - 1) == number - 1) {
        first--;
        number--;
    }
    while (end < row + most && end < whole &&
           page_at(service, inode, end) == number + (uint32_t)(end - first))
        end++;
    *pages = (struct file_pages){.index = first, .count = (uint32_t)(end - first)};
    pages->memory =
        service->memory_of(cache_bytes(&service->cache, number), &pages->first_page, &in_memory);
    if (pages->count > in_memory) /* they go on in another piece of the region */
        pages->count = (uint32_t)in_memory;
    if (index >= first + pages->count)
        *pages = (struct file_pages){0};
    lend(service, number, pages->count);
    return MNOS_OK;
}
