// SPDX-License-Identifier: MIT
/* space - which bytes of a file have memory: see store.h. */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/tmpfs/store.h"

uint64_t tmpfs_seek(struct tmpfs *fs, uint32_t number, uint64_t offset, bool hole)
{
    uint64_t index = offset / TMPFS_PAGE_BYTES,
             found = tmpfs_tree_next(fs, tmpfs_inode(fs, number), index, hole);

    if (found == index || found == UINT64_MAX)
        return found == index ? offset : UINT64_MAX;
    return found * TMPFS_PAGE_BYTES;
}

static void touch(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t size)
{
    state_note(&inode->size,
               offsetof(struct tmpfs_inode, type) - offsetof(struct tmpfs_inode, size));
    inode->size = size;
    inode->modified_ns = inode->changed_ns = fs->now_ns;
    state_step();
}

/* How much of a range lies in the page of its first byte. */
static uint64_t part_of(uint64_t offset, uint64_t length)
{
    uint64_t part = TMPFS_PAGE_BYTES - offset % TMPFS_PAGE_BYTES;

    return part < length ? part : length;
}

mnos_status_t tmpfs_allocate(struct tmpfs *fs, uint32_t number, uint64_t offset, uint64_t length,
                             bool keep_size, uint64_t *done)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    *done = 0;
    if (offset > TMPFS_SIZE_MAX || length > TMPFS_SIZE_MAX - offset)
        return MNOS_ERR_SIZE;
    for (uint32_t i = 0; *done < length && i < TMPFS_SPACE_PAGES; i++) {
        uint64_t index = (offset + *done) / TMPFS_PAGE_BYTES;

        if (tmpfs_tree_find(fs, inode, index) == 0) {
            mnos_status_t status =
                tmpfs_reserve(fs, inode->account, tmpfs_tree_cost(fs, inode, index), 0, 0);

            if (status != MNOS_OK && *done == 0)
                return status;
            if (status != MNOS_OK)
                break;
            (void)tmpfs_tree_make(fs, inode, index, true);
            state_step();
        }
        *done += part_of(offset + *done, length - *done);
    }
    touch(fs, inode, keep_size || offset + *done <= inode->size ? inode->size : offset + *done);
    return MNOS_OK;
}

/* The part of a range that falls into one page, which is there. */
static void punch_part(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t offset,
                       uint64_t length)
{
    uint64_t index = offset / TMPFS_PAGE_BYTES;
    uint8_t *bytes;

    if (length == TMPFS_PAGE_BYTES) {
        tmpfs_tree_punch(fs, inode, index);
    } else {
        bytes = (uint8_t *)tmpfs_page(fs, tmpfs_tree_find(fs, inode, index)) +
                offset % TMPFS_PAGE_BYTES;
        state_note(bytes, length);
        memset(bytes, 0, length);
    }
    state_step();
}

void tmpfs_punch(struct tmpfs *fs, uint32_t number, uint64_t offset, uint64_t length,
                 uint64_t *done)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    *done = 0;
    for (uint32_t i = 0; *done < length && i < TMPFS_SPACE_PAGES; i++) {
        uint64_t data = tmpfs_seek(fs, number, offset + *done, false), part;

        if (data >= offset + length) {
            *done = length;
            break;
        }
        part = part_of(data, offset + length - data);
        punch_part(fs, inode, data, part);
        *done = data + part - offset;
    }
    touch(fs, inode, inode->size);
}
