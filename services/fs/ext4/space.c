// SPDX-License-Identifier: MIT
/*
 * space - where a file has blocks: which it lacks, room set aside, bytes taken out of its middle, and where holes are; see service.h.
 * Each request does a part, and says how much (protocols/file.def).
 */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/ext4/service.h"

/* Blocks that one request sets aside, and pieces of a file that one looks at. */
#define ASIDE_BLOCKS 8192u
#define SEEK_PIECES 4096u

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- Where holes are ---- */

/* Pages that wait to be written have their blocks, so the core knows it all. A file in very many pieces is data from where
 * the search ends, as zeros may be data. */
mnos_status_t service_seek(void *context, uint32_t inode, uint64_t offset, bool hole,
                           uint64_t *found)
{
    struct ext4_service *service = context;
    uint32_t bytes = service->block_bytes, block = (uint32_t)(offset / bytes), end;
    struct known_attr attr;
    mnos_status_t status = known_attr(service, inode, &attr);

    if (status != MNOS_OK)
        return status;
    end = (uint32_t)((attr.size + bytes - 1) / bytes);
    for (unsigned i = 0; block < end && i < SEEK_PIECES; i++) {
        struct ext4_run run;

        status = ext4_map(service_begin(service), inode, block, end - block, &run);
        status = service_end(service, status);
        if (status != MNOS_OK)
            return status;
        if ((run.physical == 0) == hole) {
            end = block;
            break;
        }
        block += run.count;
    }
    *found = (uint64_t)(hole && block < end ? end : block) * bytes;
    if (*found < offset)
        *found = offset;
    return MNOS_OK;
}

mnos_status_t space_missing(const struct ext4_service *service, struct ext4_op *op, uint32_t inode,
                            uint64_t offset, uint64_t end, uint32_t *count)
{
    uint32_t block = (uint32_t)(offset / service->block_bytes);
    uint32_t last = (uint32_t)((end - 1) / service->block_bytes);

    for (*count = 0; block <= last;) {
        struct ext4_run run;
        mnos_status_t status = ext4_map(op, inode, block, last - block + 1, &run);

        if (status != MNOS_OK)
            return status;
        *count += run.physical == 0 && !run.set_aside ? run.count : 0;
        block += run.count;
    }
    return MNOS_OK;
}

/* ---- Room set aside ---- */

/* How many blocks from `first` on lie in one piece or one hole of the file, of which as many as can be promised: *count. What
 * has its place needs no room, on a full disk neither. */
static mnos_status_t promise(struct ext4_service *service, struct ext4_op *op, uint32_t inode,
                             uint32_t first, uint32_t *count, uint32_t *promised)
{
    struct ext4_run run;
    mnos_status_t status = ext4_map(op, inode, first, *count, &run);

    *promised = 0;
    if (status != MNOS_OK)
        return status;
    *count = run.count;
    if (run.physical != 0 || run.set_aside)
        return MNOS_OK;
    status = ext4_reserve(service->fs, *count);
    while (status == MNOS_ERR_FULL && *count > 1) {
        *count /= 2;
        status = ext4_reserve(service->fs, *count);
    }
    *promised = status == MNOS_OK ? *count : 0;
    return status;
}

static mnos_status_t set_aside(struct ext4_service *service, uint32_t inode, uint64_t offset,
                               uint64_t length, bool keep_size, uint64_t *done)
{
    uint32_t bytes = service->block_bytes, first = (uint32_t)(offset / bytes), got = 0, promised;
    uint32_t count = (uint32_t)smaller((offset + length + bytes - 1) / bytes - first, ASIDE_BLOCKS);
    struct known_attr attr;
    struct ext4_op *op;
    uint64_t size = 0;
    mnos_status_t status = known_attr(service, inode, &attr);

    if (status != MNOS_OK)
        return status;
    op = service_begin(service);
    status = promise(service, op, inode, first, &count, &promised);
    if (status == MNOS_OK)
        status = ext4_set_aside(op, inode, first, count, &got);
    if (status == MNOS_OK) {
        *done = smaller(length, ((uint64_t)first + got) * bytes - offset);
        size = keep_size || offset + *done < attr.size ? attr.size : offset + *done;
        status = ext4_set_size(op, inode, size);
    }
    status = service_end(service, status);
    ext4_unreserve(service->fs, promised);
    if (status == MNOS_OK && size > attr.size)
        resize_zero_tail(service, inode, attr.size);
    return status;
}

/* ---- Bytes taken out ---- */

void space_hole_pages(struct ext4_service *service)
{
    struct hole *hole = &service->kept->hole;
    uint32_t per_page = service->blocks_per_page, block = hole->first;

    if (hole->inode == 0)
        return;
    while (block < hole->end) {
        uint32_t number = cache_find(&service->cache, hole->inode, block / per_page);

        if (block % per_page == 0 && hole->end - block >= per_page) {
            (void)cache_drop_range(&service->cache, hole->inode, block / per_page,
                                   hole->end / per_page);
            block = hole->end - hole->end % per_page;
            continue;
        }
        if (number != 0) {
            cache_blocks_of(&service->cache, number)[block % per_page] = 0;
            memset(cache_bytes(&service->cache, number) +
                       (size_t)(block % per_page) * service->block_bytes,
                   0, service->block_bytes);
        }
        block++;
    }
    hole->inode = 0; /* as with what is cut: not again when others have written there */
}

/* Whole blocks. */
static mnos_status_t take_out(struct ext4_service *service, uint32_t inode, uint32_t first,
                              uint32_t end, uint32_t *done)
{
    uint32_t per_page = service->blocks_per_page;
    uint32_t stays = cache_on_its_way(&service->cache, inode, first / per_page,
                                      ((uint64_t)end + per_page - 1) / per_page);
    mnos_status_t status;

    if (stays != 0)
        return service_wait(service, service_key(KEY_PAGE, stays));
    status = ext4_punch(service_begin(service), inode, first, end, done);
    status = service_end(service, status);
    if (status != MNOS_OK)
        return status;
    open_forget_blocks(service, inode);
    /* The pages learn it after the operation, as in resize.c. */
    STATE_SET(service->kept->hole, ((struct hole){inode, first, *done}));
    state_step();
    space_hole_pages(service);
    return MNOS_OK;
}

/* A part of a block: zeros are written, where there is anything. */
static mnos_status_t blank(struct ext4_service *service, uint32_t inode, uint64_t offset,
                           uint64_t length, uint64_t *done)
{
    static const uint8_t zeros[CACHE_PAGE_BYTES];
    struct ext4_run run;
    mnos_status_t status =
        ext4_map(service_begin(service), inode, (uint32_t)(offset / service->block_bytes), 1, &run);

    status = service_end(service, status);
    *done = length;
    return status != MNOS_OK || run.physical == 0
               ? status
               : service_write(service, inode, offset, zeros, length, done);
}

/* The same up to `end`, in one block, where the file may have ended before. */
static mnos_status_t blank_to(struct ext4_service *service, uint32_t inode, uint64_t size,
                              uint64_t offset, uint64_t end, uint64_t *done)
{
    mnos_status_t status = MNOS_OK;

    if (offset < size)
        status = blank(service, inode, offset, smaller(end, size) - offset, done);
    if (status == MNOS_OK && (offset >= size || offset + *done == size))
        *done = end - offset;
    return status;
}

static mnos_status_t punch(struct ext4_service *service, uint32_t inode, uint64_t offset,
                           uint64_t length, uint64_t *done)
{
    uint64_t bytes = service->block_bytes, end = offset + length, part = offset % bytes;
    uint32_t reached = 0;
    struct known_attr attr;
    mnos_status_t status = known_attr(service, inode, &attr);

    if (status != MNOS_OK)
        return status;
    /* Behind the last byte a block holds nothing. */
    if (end >= attr.size)
        end = (end + bytes - 1) / bytes * bytes;
    if (part != 0 || end - offset < bytes)
        return blank_to(service, inode, attr.size, offset, offset + smaller(bytes - part, length),
                        done);
    status =
        take_out(service, inode, (uint32_t)(offset / bytes), (uint32_t)(end / bytes), &reached);
    if (status == MNOS_ERR_FULL) /* nothing would be gained by it: the block stays, and is zeros */
        return blank_to(service, inode, attr.size, offset, offset + smaller(bytes, length), done);
    *done = smaller(length, reached * bytes - offset);
    return status;
}

mnos_status_t service_allocate(void *context, uint32_t inode, uint64_t offset, uint64_t length,
                               uint32_t flags, uint64_t *done)
{
    struct ext4_service *service = context;
    uint64_t limit = (uint64_t)UINT32_MAX * service->block_bytes;
    bool punches = (flags & FILE_ALLOCATE_PUNCH) != 0;
    mnos_status_t status = write_allowed(service, inode);

    *done = 0;
    if (status == MNOS_OK && !punches && (offset > limit || length > limit - offset))
        status = MNOS_ERR_SIZE;
    if (status != MNOS_OK)
        return status;
    if (punches && offset >= limit) { /* no file has anything there */
        *done = length;
        return MNOS_OK;
    }
    if (punches)
        status = punch(service, inode, offset, smaller(length, limit - offset), done);
    else
        status =
            set_aside(service, inode, offset, length, (flags & FILE_ALLOCATE_KEEP_SIZE) != 0, done);
    if (status == MNOS_OK) {
        known_touch(service, inode);
        service_changed(service);
    }
    /* What was removed and is still being taken away makes room. */
    if (status == MNOS_ERR_FULL && open_leaving_count(service) != 0)
        status = service_wait(service, service_key(KEY_LEFT, 0));
    return status;
}
