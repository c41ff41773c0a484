// SPDX-License-Identifier: MIT
/*
 * mount - the steps from a disk to a file system and back. Each step is kept in fs->mount_step, so ext4_mount() goes
 * on where it waited. The order: the superblock; the journal, replayed, and the superblock read once more; how
 * much is free; the superblock, marked as in use; the orphans that a power cut left.
 */
#include "services/fs/ext4/core/files.h"
#include "services/fs/ext4/core/journal.h"

static uint64_t super_block(const struct ext4_fs *fs)
{
    return fs->block_bytes > SB_OFFSET ? 0 : 1;
}

/* Block sizes are known when the superblock is: then it is read again as a block of that size. */
static mnos_status_t step_super(struct ext4_fs *fs)
{
    struct ext4_what what = {.kind = EXT4_SUPER};
    uint32_t before = fs->block_bytes;
    uint8_t *data;
    mnos_status_t status;

    fs->super_slot = EXT4_NONE;
    status = ext4_block_get(&fs->own, super_block(fs), &what, &data);
    if (status != MNOS_OK)
        return status;
    status = ext4_super_read(fs, data + (before > SB_OFFSET ? SB_OFFSET : 0));
    if (status != MNOS_OK)
        return status;
    if (fs->block_bytes != before) {
        ext4_drop(&fs->own);
        ext4_cache_empty(fs);
        return MNOS_OK; /* once more */
    }
    fs->super_slot = ext4_slot_of(fs, data);
    fs->slots[fs->super_slot].pins++; /* it stays */
    fs->mount_step = MOUNT_JOURNAL;
    return MNOS_OK;
}

static mnos_status_t step_journal(struct ext4_fs *fs)
{
    mnos_status_t status;

    fs->mount_progress = 0;
    fs->free_blocks = 0;
    fs->free_inodes = 0;
    fs->search_group = fs->search_from = 0;
    if ((fs->compat & COMPAT_JOURNAL) == 0) {
        fs->mount_step = MOUNT_COUNT;
        return (fs->incompat & INCOMPAT_RECOVER) != 0
                   ? ext4_refuse(fs, "it needs its journal, and has none")
                   : MNOS_OK;
    }
    status = ext4_journal_open(fs, &fs->own);
    if (status != MNOS_OK)
        return status;
    if (fs->replay.needed && fs->options.read_only)
        return ext4_refuse(fs, "the journal has to be replayed, and the disk is read-only");
    fs->mount_step = fs->replay.needed ? MOUNT_SCAN : MOUNT_COUNT;
    return MNOS_OK;
}

/* The copies are in their places; then, and not before, the log may be emptied. */
static mnos_status_t step_replayed(struct ext4_fs *fs)
{
    mnos_status_t status = ext4_transfers_done(fs);

    if (status != MNOS_OK)
        return status;
    if (fs->mount_step == MOUNT_REPLAYED) {
        ext4_start_flush(fs);
        fs->mount_step = MOUNT_FLUSHED;
    } else if (fs->mount_step == MOUNT_FLUSHED) {
        ext4_journal_write_super(fs, 0, fs->replay.end + 1);
        fs->mount_step = MOUNT_EMPTY;
    } else {
        ext4_drop(&fs->own);
        ext4_cache_empty(fs); /* what was read before the replay may be old */
        fs->journal_slot = EXT4_NONE;
        fs->mount_step = MOUNT_SUPER;
        fs->port.say(fs->port.context, "the journal was replayed");
    }
    return MNOS_OK;
}

static mnos_status_t step_count(struct ext4_fs *fs)
{
    for (; fs->mount_progress < fs->groups; fs->mount_progress++) {
        uint32_t pinned = fs->own.pin_count;
        uint8_t *desc;
        mnos_status_t status = ext4_group_get(&fs->own, (uint32_t)fs->mount_progress, &desc);

        if (status == MNOS_ERR_FORMAT)
            return ext4_refuse(fs, "a group descriptor is damaged: run e2fsck");
        if (status != MNOS_OK)
            return status;
        fs->free_blocks += ext4_group_count(fs, desc, GD_FREE_BLOCKS, GD_FREE_BLOCKS_HI);
        fs->free_inodes += ext4_group_count(fs, desc, GD_FREE_INODES, GD_FREE_INODES_HI);
        ext4_unpin_to(&fs->own, pinned);
    }
    fs->mount_step = fs->read_only ? MOUNT_DONE : MOUNT_MARK;
    return MNOS_OK;
}

/* What the superblock says of the whole: written when nothing else of it waits for a commit. */
static void write_super(struct ext4_fs *fs, bool in_use)
{
    uint8_t *sb = ext4_super(fs);
    struct ext4_use *use = &fs->slots[fs->super_slot].use;
    uint32_t incompat = le32(sb + SB_INCOMPAT) & ~(uint32_t)INCOMPAT_RECOVER;
    uint32_t now = ext4_seconds(fs, fs->port.now_ns(fs->port.context));

    set_le32(sb + SB_INCOMPAT, in_use ? incompat | INCOMPAT_RECOVER : incompat);
    set_le32(sb + SB_WRITE_TIME, now);
    if (in_use) {
        set_le32(sb + SB_MOUNT_TIME, now);
        set_le16(sb + SB_MOUNTS, (uint16_t)(le16(sb + SB_MOUNTS) + 1));
    }
    set_le32(sb + SB_FREE_INODES, fs->free_inodes);
    set_le32(sb + SB_FREE_BLOCKS_LO, (uint32_t)fs->free_blocks);
    if ((fs->incompat & INCOMPAT_64BIT) != 0)
        set_le32(sb + SB_FREE_BLOCKS_HI, (uint32_t)(fs->free_blocks >> 32));
    ext4_seal(fs, fs->super_slot);
    ext4_note(fs, use, sizeof *use);
    ext4_write_slot(fs, fs->super_slot, 0, true);
}

static mnos_status_t step_mark(struct ext4_fs *fs)
{
    mnos_status_t status;

    if (fs->mount_step == MOUNT_MARK) {
        ext4_limit_dirty(fs);
        write_super(fs, true);
        fs->mount_step = MOUNT_MARKED;
    }
    status = ext4_transfers_done(fs);
    if (status == MNOS_OK)
        fs->mount_step = MOUNT_ORPHANS;
    return status;
}

/* One step for one orphan: those without names go, the others are cut to their size. */
static mnos_status_t step_orphans(struct ext4_fs *fs)
{
    uint32_t number = le32(ext4_super(fs) + SB_LAST_ORPHAN);
    struct ext4_inode inode;
    mnos_status_t status;
    bool done;

    if (number == 0) {
        fs->mount_step = MOUNT_DONE;
        return MNOS_OK;
    }
    status = ext4_inode_get(&fs->own, number, &inode);
    if (status == MNOS_OK)
        status = ext4_inode_links(&inode) == 0
                     ? ext4_release(&fs->own, number, &done)
                     : ext4_truncate(&fs->own, number, ext4_inode_size(&inode), &done);
    if (status != MNOS_ERR_FORMAT)
        return status;
    ext4_make_read_only(fs, "read-only because the list of orphans is damaged: run e2fsck");
    fs->mount_step = MOUNT_DONE;
    return MNOS_OK;
}

static mnos_status_t step(struct ext4_fs *fs)
{
    switch (fs->mount_step) {
    case MOUNT_SUPER: return step_super(fs);
    case MOUNT_JOURNAL: return step_journal(fs);
    case MOUNT_SCAN:
    case MOUNT_REVOKES:
    case MOUNT_REPLAY: return ext4_recover(fs);
    case MOUNT_REPLAYED:
    case MOUNT_FLUSHED:
    case MOUNT_EMPTY: return step_replayed(fs);
    case MOUNT_COUNT: return step_count(fs);
    case MOUNT_MARK:
    case MOUNT_MARKED: return step_mark(fs);
    case MOUNT_ORPHANS: return step_orphans(fs);
    default: return MNOS_OK;
    }
}

mnos_status_t ext4_mount(struct ext4_fs *fs)
{
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK && fs->mount_step != MOUNT_DONE) {
        if (fs->mount_step == MOUNT_REFUSED)
            return MNOS_ERR_FORMAT;
        ext4_begin(&fs->own, fs);
        status = ext4_end(&fs->own, step(fs));
        ext4_step_done(fs);
        if (status == MNOS_ERR_AGAIN && fs->own.waits_for == EXT4_WAIT_COMMIT)
            status = ext4_work(fs);
    }
    if (status != MNOS_OK && status != MNOS_ERR_AGAIN && fs->mount_step != MOUNT_REFUSED)
        (void)ext4_refuse(fs, status == MNOS_ERR_FORMAT ? "it is damaged: run e2fsck"
                                                        : "the disk cannot be read or written");
    return status;
}

/* ---- And back ---- */

static mnos_status_t unmount_step(struct ext4_fs *fs)
{
    mnos_status_t status = MNOS_OK;

    switch (fs->unmount_step) {
    case UNMOUNT_COMMIT:
        fs->commit_wanted = ext4_is_dirty(fs) || fs->commit_step != COMMIT_IDLE;
        status = ext4_work(fs);
        break;
    case UNMOUNT_CHECKPOINT:
        fs->checkpoint_wanted = fs->logged_count != 0;
        status = ext4_work(fs);
        break;
    case UNMOUNT_JOURNAL:
        ext4_journal_write_super(fs, 0, fs->running);
        EXT4_SET(fs, fs->journal.is_open, false);
        break;
    case UNMOUNT_SUPER:
        status = ext4_transfers_done(fs);
        if (status == MNOS_OK)
            write_super(fs, false);
        break;
    default: return ext4_transfers_done(fs);
    }
    if (status == MNOS_OK)
        EXT4_SET(fs, fs->unmount_step, fs->unmount_step + 1);
    ext4_step_done(fs);
    return status;
}

mnos_status_t ext4_unmount(struct ext4_fs *fs)
{
    mnos_status_t status = MNOS_OK;

    if (fs->mount_step != MOUNT_DONE || fs->aborted)
        return fs->aborted ? MNOS_ERR_DEVICE : MNOS_ERR_STATE;
    if (fs->read_only)
        return MNOS_OK;
    while (status == MNOS_OK && fs->unmount_step != UNMOUNT_DONE)
        status = unmount_step(fs);
    return status == MNOS_OK ? ext4_transfers_done(fs) : status;
}
