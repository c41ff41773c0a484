// SPDX-License-Identifier: MIT
/* resize - files that become shorter or longer without bytes, or get another time: see service.h. */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/ext4/service.h"

/* What the file had behind its end is not seen when it grows over that. */
void resize_zero_tail(struct ext4_service *service, uint32_t inode, uint64_t size)
{
    uint32_t at = size % CACHE_PAGE_BYTES, number;

    if (at == 0)
        return;
    number = cache_find(&service->cache, inode, (uint32_t)(size / CACHE_PAGE_BYTES));
    if (number != 0 && cache_page(&service->cache, number)->state == CACHE_VALID)
        memset(cache_bytes(&service->cache, number) + at, 0, CACHE_PAGE_BYTES - at);
}

/* The page in which a file will end has zeros behind that. */
static mnos_status_t cut_tail(struct ext4_service *service, uint32_t inode, uint64_t size,
                              uint64_t old_size)
{
    uint32_t index = (uint32_t)(size / CACHE_PAGE_BYTES), at = size % CACHE_PAGE_BYTES;
    uint32_t number = cache_find(&service->cache, inode, index);
    struct cache_page *page;
    mnos_status_t status = MNOS_OK;
    bool has = false;

    if (at == 0)
        return MNOS_OK;
    if (number == 0) {
        status = write_has_blocks(service, service_begin(service), inode, index, &has);
        status = service_end(service, status);
        if (status == MNOS_OK && has)
            status = service_fetch(service, inode, index, 1, old_size, &number);
        if (status != MNOS_OK || !has)
            return status;
    }
    page = cache_page(&service->cache, number);
    if (page->state == CACHE_FAILED)
        return (mnos_status_t)page->status;
    if (page->state == CACHE_READING)
        return service_wait(service, service_key(KEY_PAGE, number));
    memset(cache_bytes(&service->cache, number) + at, 0, CACHE_PAGE_BYTES - at);
    for (uint32_t i = 0; i < service->blocks_per_page; i++)
        has = has || cache_blocks_of(&service->cache, number)[i] != 0;
    if (has)
        cache_dirty(&service->cache, number);
    return MNOS_OK;
}

/* Blocks of a page behind the end of the file are not the file's any more. */
static void forget_blocks(struct ext4_service *service, uint32_t inode, uint64_t size)
{
    uint32_t number = cache_find(&service->cache, inode, (uint32_t)(size / CACHE_PAGE_BYTES));
    uint64_t kept = (size % CACHE_PAGE_BYTES + service->block_bytes - 1) / service->block_bytes;

    for (uint64_t i = kept; number != 0 && i < CACHE_BLOCKS_MAX; i++)
        cache_blocks_of(&service->cache, number)[i] = 0;
}

/* The zeros behind the end are on the disk before the new size is: what was cut off would be there again, when the
 * file becomes longer after a power cut. */
static void note_tail(struct ext4_service *service, uint32_t inode, uint64_t size,
                      uint32_t transaction)
{
    uint32_t number = cache_find(&service->cache, inode, (uint32_t)(size / CACHE_PAGE_BYTES));

    if (number != 0 && cache_page(&service->cache, number)->dirty)
        cache_note(&service->cache, number, transaction);
}

void resize_cut_pages(struct ext4_service *service)
{
    struct cut *cut = &service->kept->cut;

    if (cut->inode == 0)
        return;
    (void)cache_drop_range(&service->cache, cut->inode,
                           (cut->size + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES,
                           (cut->old_size + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES);
    forget_blocks(service, cut->inode, cut->size);
    note_tail(service, cut->inode, cut->size, cut->transaction);
    cut->inode =
        0; /* it has been done, and may not be done again when others have written behind */
}

static mnos_status_t make_shorter(struct ext4_service *service, uint32_t inode, uint64_t size,
                                  uint64_t old_size)
{
    uint64_t end = (old_size + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES;
    uint32_t stays;
    bool done = false;
    mnos_status_t status = cut_tail(service, inode, size, old_size);

    if (status != MNOS_OK)
        return status;
    /* What is freed may not be on its way to the disk; of the last page a part may be freed. */
    stays = cache_on_its_way(&service->cache, inode, size / CACHE_PAGE_BYTES, end);
    if (stays != 0)
        return service_wait(service, service_key(KEY_PAGE, stays));
    if (open_leaving_count(service) >= SERVICE_LEAVING_MAX)
        return service_wait(service, service_key(KEY_LEFT, 0));
    status = ext4_truncate(service_begin(service), inode, size, &done);
    status = service_end(service, status);
    if (status != MNOS_OK)
        return status;
    open_forget_blocks(service, inode);
    if (!done)
        open_leave(service, inode, false, size);
    /* Not before: as long as the file has these blocks, what belongs into them is nowhere else. After a death in
     * between the pages learn it from what is kept. */
    STATE_SET(service->kept->cut,
              ((struct cut){inode, ext4_transaction(service->fs), size, old_size}));
    state_step();
    resize_cut_pages(service);
    known_touch(service, inode);
    service_changed(service);
    if (done)
        return MNOS_OK;
    return service_wait(service, service_key(KEY_LEFT, 0));
}

mnos_status_t service_truncate(void *context, uint32_t inode, uint64_t size)
{
    struct ext4_service *service = context;
    struct known_attr attr;
    mnos_status_t status = write_allowed(service, inode);

    if (status == MNOS_OK && size > (uint64_t)UINT32_MAX * service->block_bytes)
        status = MNOS_ERR_SIZE;
    if (status == MNOS_OK)
        status = known_attr(service, inode, &attr);
    if (status != MNOS_OK)
        return status;
    if (size < attr.size)
        return make_shorter(service, inode, size, attr.size);
    resize_zero_tail(service, inode, attr.size);
    status = ext4_set_size(service_begin(service), inode, size);
    status = service_end(service, status);
    if (status == MNOS_OK) {
        known_touch(service, inode);
        service_changed(service);
    }
    return status;
}

mnos_status_t service_set_time(void *context, uint32_t inode, bool now, int64_t modified_ns)
{
    struct ext4_service *service = context;
    struct ext4_attr attr = {.modified_ns =
                                 now ? (int64_t)service->date_ns(service->tick_ns) : modified_ns};
    struct open_inode *open = open_find(service, inode);
    mnos_status_t status = write_allowed(service, inode);

    if (status != MNOS_OK)
        return status;
    status = ext4_set_attr(service_begin(service), inode, EXT4_SET_MODIFIED, &attr);
    status = service_end(service, status);
    if (status != MNOS_OK)
        return status;
    if (open != NULL)
        open->touched_ns = 0; /* what is written from here on sets it again */
    known_touch(service, inode);
    service_changed(service);
    return MNOS_OK;
}
