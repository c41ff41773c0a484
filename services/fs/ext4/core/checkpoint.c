// SPDX-License-Identifier: MIT
/*
 * checkpoint - blocks that are in the log are written in their places, and the log becomes free again: when half of it
 * or half of the cache is used, and when it is asked for. Only then, and after a FLUSH, the journal's superblock
 * names another beginning (J4: until then a replay does it all once more).
 */
#include "services/fs/ext4/core/journal.h"

static bool is_needed(const struct ext4_fs *fs)
{
    uint32_t length = fs->journal.blocks - fs->journal.first;

    if (fs->logged_count == 0 && fs->journal.live_count == 0)
        return false;
    return fs->checkpoint_wanted || ext4_journal_room(fs) < length / 2 ||
           fs->logged_count > fs->slot_count / 2 || fs->journal.live_count == EXT4_LIVE_MAX;
}

/* A block that the running transaction has changed is not what the log holds: it waits for the next commit. */
static void write_blocks(struct ext4_fs *fs)
{
    for (uint32_t i = 0; i < fs->unused; i++) {
        struct ext4_slot *slot = &fs->slots[i];

        if ((slot->use.flags & SLOT_LOGGED) == 0 ||
            (slot->use.flags & (SLOT_DIRTY | SLOT_COMMITTING | SLOT_FREED | SLOT_WRITING)) != 0)
            continue;
        ext4_note(fs, &slot->use, sizeof slot->use);
        slot->use.flags |= SLOT_CHECKED;
        ext4_write_slot(fs, i, 0, false);
    }
}

/* The oldest transaction that a block still needs: where the log begins now. */
static void find_tail(struct ext4_fs *fs)
{
    struct ext4_journal *journal = &fs->journal;
    uint32_t oldest = fs->running, kept = 0;

    ext4_note(fs, &fs->logged_count, sizeof fs->logged_count);
    ext4_note(fs, journal->live, journal->live_count * sizeof *journal->live);
    for (uint32_t i = 0; i < fs->unused; i++) {
        struct ext4_slot *slot = &fs->slots[i];

        if ((slot->use.flags & SLOT_CHECKED) != 0) {
            ext4_note(fs, &slot->use, sizeof slot->use);
            slot->use.flags &= (uint8_t) ~(SLOT_CHECKED | SLOT_LOGGED);
            fs->logged_count--;
        }
        if ((slot->use.flags & SLOT_LOGGED) != 0 && (int32_t)(slot->use.logged - oldest) < 0)
            oldest = slot->use.logged;
    }
    ext4_note(fs, &fs->new_tail, sizeof fs->new_tail + sizeof fs->new_tail_transaction);
    fs->new_tail = journal->head;
    fs->new_tail_transaction = fs->running;
    for (uint32_t i = 0; i < journal->live_count; i++) {
        if ((int32_t)(journal->live[i].transaction - oldest) < 0)
            continue;
        if (kept == 0) {
            fs->new_tail = journal->live[i].start;
            fs->new_tail_transaction = journal->live[i].transaction;
        }
        journal->live[kept++] = journal->live[i];
    }
    EXT4_SET(fs, journal->live_count, kept);
}

static void step(struct ext4_fs *fs)
{
    enum ext4_checkpoint_step next = CHECK_IDLE;

    switch (fs->checkpoint_step) {
    case CHECK_IDLE:
        fs->checkpoint_wanted = false;
        write_blocks(fs);
        next = CHECK_WRITING;
        break;
    case CHECK_WRITING:
        ext4_start_flush(fs);
        next = CHECK_FLUSH;
        break;
    case CHECK_FLUSH:
        find_tail(fs);
        ext4_journal_write_super(fs, fs->new_tail, fs->new_tail_transaction);
        next = CHECK_TAIL;
        break;
    case CHECK_TAIL:
        EXT4_SET(fs, fs->journal.tail, fs->new_tail);
        EXT4_SET(fs, fs->journal.tail_transaction, fs->new_tail_transaction);
        break;
    }
    /* The step has happened with this store; resume.c goes on behind it. */
    EXT4_SET(fs, fs->checkpoint_step, next);
    ext4_step_done(fs);
}

mnos_status_t ext4_checkpoint_work(struct ext4_fs *fs)
{
    mnos_status_t status = MNOS_OK;

    if (fs->checkpoint_step == CHECK_IDLE && !is_needed(fs)) {
        fs->checkpoint_wanted = false;
        return MNOS_OK;
    }
    do {
        status = ext4_transfers_done(fs);
        if (status == MNOS_OK)
            step(fs);
    } while (status == MNOS_OK && fs->checkpoint_step != CHECK_IDLE);
    return status;
}

mnos_status_t ext4_work(struct ext4_fs *fs)
{
    mnos_status_t status;

    if (fs->aborted)
        return MNOS_ERR_DEVICE;
    status = fs->checkpoint_step == CHECK_IDLE ? ext4_commit_work(fs) : ext4_checkpoint_work(fs);
    if (status == MNOS_OK && fs->commit_step == COMMIT_IDLE)
        status = ext4_checkpoint_work(fs);
    return status != MNOS_OK || !fs->commit_wanted ? status : ext4_commit_work(fs);
}
