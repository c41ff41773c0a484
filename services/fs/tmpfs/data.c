// SPDX-License-Identifier: MIT
/* data - the bytes of a file: see store.h. */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/tmpfs/store.h"

uint64_t tmpfs_read(struct tmpfs *fs, uint32_t number, uint64_t offset, void *to, uint64_t length)
{
    const struct tmpfs_inode *inode = tmpfs_inode(fs, number);
    uint8_t *at = to;
    uint64_t left;

    if (offset >= inode->size)
        return 0;
    if (length > inode->size - offset)
        length = inode->size - offset;
    for (left = length; left != 0;) {
        uint64_t in_page = offset % TMPFS_PAGE_BYTES, part = TMPFS_PAGE_BYTES - in_page;
        uint32_t page = tmpfs_tree_find(fs, inode, offset / TMPFS_PAGE_BYTES);

        if (part > left)
            part = left;
        if (page != 0)
            memcpy(at, (uint8_t *)tmpfs_page(fs, page) + in_page, part);
        else
            memset(at, 0, part);
        at += part;
        offset += part;
        left -= part;
    }
    return length;
}

/* The bytes of the part behind the end of the file: zero still, and to be zero again if the size does not follow. */
static void note_behind_end(struct tmpfs *fs, const struct tmpfs_inode *inode, uint32_t page,
                            uint64_t offset, uint64_t length)
{
    uint64_t from = offset > inode->size ? offset : inode->size;

    state_note((uint8_t *)tmpfs_page(fs, page) + from % TMPFS_PAGE_BYTES, offset + length - from);
}

static void note_size_and_times(struct tmpfs_inode *inode)
{
    state_note(&inode->size,
               offsetof(struct tmpfs_inode, names) - offsetof(struct tmpfs_inode, size));
}

/* The part of a write that falls into one page. */
static mnos_status_t write_part(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t offset,
                                const void *from, uint64_t length)
{
    uint64_t index = offset / TMPFS_PAGE_BYTES;
    uint32_t page = tmpfs_tree_find(fs, inode, index);

    if (page == 0) {
        mnos_status_t status =
            tmpfs_reserve(fs, inode->account, tmpfs_tree_cost(fs, inode, index), 0, 0);

        if (status != MNOS_OK)
            return status;
        page = tmpfs_tree_make(fs, inode, index, length != TMPFS_PAGE_BYTES);
    } else if (offset + length > inode->size) {
        note_behind_end(fs, inode, page, offset, length);
    }
    memcpy((uint8_t *)tmpfs_page(fs, page) + offset % TMPFS_PAGE_BYTES, from, length);
    return MNOS_OK;
}

mnos_status_t tmpfs_write(struct tmpfs *fs, uint32_t number, uint64_t offset, const void *from,
                          uint64_t length, uint64_t *written)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);
    mnos_status_t status = MNOS_OK;
    uint64_t done = 0;

    *written = 0;
    if (offset > TMPFS_SIZE_MAX || length > TMPFS_SIZE_MAX - offset)
        return MNOS_ERR_SIZE;
    while (done < length) {
        uint64_t part = TMPFS_PAGE_BYTES - (offset + done) % TMPFS_PAGE_BYTES;

        if (part > length - done)
            part = length - done;
        status = write_part(fs, inode, offset + done, (const uint8_t *)from + done, part);
        if (status != MNOS_OK)
            break;
        done += part;
    }
    if (done == 0)
        return status;
    note_size_and_times(inode);
    if (offset + done > inode->size)
        inode->size = offset + done;
    inode->modified_ns = inode->changed_ns = fs->now_ns;
    *written = done;
    return MNOS_OK;
}

static void make_smaller(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t size)
{
    uint64_t at = size % TMPFS_PAGE_BYTES, first = (size + TMPFS_PAGE_BYTES - 1) / TMPFS_PAGE_BYTES,
             reached;
    uint32_t last;

    /* From the end on, in steps that each leave a file that is somewhat smaller. */
    while (!tmpfs_tree_cut(fs, inode, first, &reached)) {
        note_size_and_times(inode);
        inode->size = reached * TMPFS_PAGE_BYTES;
        state_step();
    }
    last = at == 0 ? 0 : tmpfs_tree_find(fs, inode, size / TMPFS_PAGE_BYTES);
    if (last != 0) {
        uint8_t *tail = (uint8_t *)tmpfs_page(fs, last) + at;

        state_note(tail, TMPFS_PAGE_BYTES - at);
        memset(tail, 0, TMPFS_PAGE_BYTES - at);
    }
}

mnos_status_t tmpfs_truncate(struct tmpfs *fs, uint32_t number, uint64_t size)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    if (size > TMPFS_SIZE_MAX)
        return MNOS_ERR_SIZE;
    if (size < inode->size)
        make_smaller(fs, inode, size);
    note_size_and_times(inode);
    inode->size = size;
    inode->modified_ns = inode->changed_ns = fs->now_ns;
    return MNOS_OK;
}
