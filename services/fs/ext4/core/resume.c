// SPDX-License-Identifier: MIT
/*
 * resume - a run goes on with the memory of one that died (ext4.h). Operations and steps happened wholly or not at all,
 * so what has to be found out is only what the disk was doing, and that is written again:
 *
 * - A slot that is WRITING says where to. Its content is what it was, since nobody changes it meanwhile; what was
 *   written before and is not flushed is still in the disk, as it was not the disk that died.
 * - A commit begins anew before step 2, and goes on from there; a flush that was asked for is asked for once more.
 * - Blocks that are as they are on the disk are forgotten, and read again when somebody wants them.
 *
 * What holds between two steps (ext4_check()):
 *
 * E1  A slot that is DIRTY, COMMITTING or LOGGED is VALID and holds a block of the file system, which no other holds. One
 *     that is DIRTY, COMMITTING or FREED has its bit in `changed`.
 * E2  The counts of slots are what is counted; the tables of freed and revoked blocks have as many entries as counted.
 * E3  The log's head and tail are inside it, and each live transaction begins there, in order.
 * E4  COMMITTING slots and those of the journal are there only behind step 2 of a commit, CHECKED ones only during a
 *     checkpoint.
 * E5  The superblocks of the file system and of the journal stay where they are.
 */
#include "services/fs/ext4/core/journal.h"

enum { CHANGED = SLOT_DIRTY | SLOT_COMMITTING | SLOT_LOGGED | SLOT_FREED };

/* ---- Invariants ---- */

static bool is_in_log(const struct ext4_journal *journal, uint32_t position)
{
    return position >= journal->first && position < journal->blocks;
}

static const char *check_log(const struct ext4_fs *fs)
{
    const struct ext4_journal *journal = &fs->journal;

    if (fs->read_only && journal->run_count == 0)
        return NULL; /* it has none */
    if (journal->run_count == 0 || journal->run_count > EXT4_JOURNAL_RUNS || journal->first == 0 ||
        !is_in_log(journal, journal->head) || !is_in_log(journal, journal->tail) ||
        journal->live_count > EXT4_LIVE_MAX)
        return "E3: the log has its ends outside";
    for (uint32_t i = 0; i < journal->live_count; i++) {
        if (!is_in_log(journal, journal->live[i].start) ||
            (int32_t)(fs->running - journal->live[i].transaction) <= 0 ||
            (i != 0 &&
             (int32_t)(journal->live[i].transaction - journal->live[i - 1].transaction) <= 0))
            return "E3: the transactions of the log are not in order";
    }
    return NULL;
}

static const char *check_slot(const struct ext4_fs *fs, uint32_t index)
{
    const struct ext4_slot *slot = &fs->slots[index];
    bool writing_log = fs->commit_step >= COMMIT_COPIES;

    if ((slot->use.flags & (SLOT_DIRTY | SLOT_COMMITTING | SLOT_FREED)) != 0 &&
        (fs->changed[index / 64] >> index % 64 & 1) == 0)
        return "E1: a changed block is not looked for";
    if ((slot->use.flags & CHANGED) != 0 &&
        (slot->use.state != SLOT_VALID || slot->block >= fs->blocks ||
         ext4_slot_find(fs, slot->block) != index))
        return "E1: a changed block is in no slot of its own";
    if ((slot->use.flags & (SLOT_COMMITTING | SLOT_JOURNAL)) != 0 && !writing_log)
        return "E4: a block is being committed without a commit";
    if ((slot->use.flags & SLOT_CHECKED) != 0 && fs->checkpoint_step == CHECK_IDLE)
        return "E4: a block is being put in its place without a checkpoint";
    return slot->use.target != 0 && (slot->use.flags & SLOT_WRITING) != 0 &&
                   !is_in_log(&fs->journal, slot->use.target)
               ? "E3: a block is written outside of the log"
               : NULL;
}

static const char *check_slots(const struct ext4_fs *fs)
{
    uint32_t dirty = 0, logged = 0;

    for (uint32_t i = 0; i < fs->slot_count; i++) {
        const char *wrong = check_slot(fs, i);

        if (wrong != NULL)
            return wrong;
        dirty += (fs->slots[i].use.flags & SLOT_DIRTY) != 0;
        logged += (fs->slots[i].use.flags & SLOT_LOGGED) != 0;
    }
    return dirty != fs->dirty_count || logged != fs->logged_count ||
                   fs->freed_count > EXT4_FREED_MAX || fs->revoked_count > EXT4_REVOKED_MAX
               ? "E2: the counts of blocks are wrong"
               : NULL;
}

static const char *check_supers(const struct ext4_fs *fs)
{
    uint32_t journal = fs->journal_slot;

    if (fs->super_slot >= fs->slot_count ||
        fs->slots[fs->super_slot].block != (fs->block_bytes > SB_OFFSET ? 0 : 1))
        return "E5: the superblock is not where it was";
    if (journal != EXT4_NONE &&
        (journal >= fs->slot_count || fs->slots[journal].block != ext4_journal_block(fs, 0)))
        return "E5: the superblock of the journal is not where it was";
    return NULL;
}

static bool has_sound_numbers(const struct ext4_fs *fs)
{
    return fs->block_bytes >= SB_BYTES && fs->block_bytes <= EXT4_SLOT_BYTES &&
           fs->block_bytes == 1u << fs->block_shift && fs->groups != 0 &&
           fs->first_data_block < fs->blocks && fs->inodes_per_group != 0 &&
           fs->blocks <= fs->options.disk_bytes / fs->block_bytes &&
           fs->scratch_count <= EXT4_SCRATCH_MAX && fs->scratch_used <= fs->scratch_count;
}

const char *ext4_check(const struct ext4_fs *fs)
{
    const char *wrong = has_sound_numbers(fs) ? NULL : "E5: the numbers of the superblock";

    if (wrong == NULL)
        wrong = check_log(fs);
    if (wrong == NULL)
        wrong = check_supers(fs);
    return wrong != NULL ? wrong : check_slots(fs);
}

/* ---- Going on ---- */

static bool keeps(const struct ext4_fs *fs, uint32_t index)
{
    const struct ext4_slot *slot = &fs->slots[index];

    if (index == fs->super_slot || index == fs->journal_slot)
        return true;
    return (slot->use.flags & CHANGED) != 0 ||
           ((slot->use.flags & SLOT_JOURNAL) != 0 && fs->commit_step >= COMMIT_COPIES);
}

static void settle_steps(struct ext4_fs *fs)
{
    if (fs->commit_step < COMMIT_COPIES) {
        fs->commit_wanted = fs->commit_wanted || fs->commit_step != COMMIT_IDLE;
        fs->commit_step = COMMIT_IDLE;
        fs->scratch_count = fs->scratch_used = 0;
        fs->closing = false;
    }
    if (fs->commit_step == COMMIT_FLUSH)
        fs->commit_step = COMMIT_COPIES;
    if (fs->checkpoint_step == CHECK_FLUSH)
        fs->checkpoint_step = CHECK_WRITING;
    fs->flushing = false;
    fs->delayed = 0;
    fs->hint.stamp = 0;
    fs->own = (struct ext4_op){0};
}

/* Durable, whichever it was: that is more than was asked for, and never less. */
void ext4_write_again(struct ext4_fs *fs)
{
    for (uint32_t i = 0; i < fs->unused; i++)
        if ((fs->slots[i].use.flags & SLOT_WRITING) != 0)
            fs->port.write(fs->port.context, i, ext4_slot_target(fs, i), true);
}

mnos_status_t ext4_resume(const struct ext4_memory *memory, const struct ext4_port *port,
                          struct ext4_fs **resumed, const char **wrong)
{
    struct ext4_fs *fs = memory->core;

    *wrong = "it was not mounted";
    if (fs->magic != EXT4_MAGIC || fs->mount_step != MOUNT_DONE)
        return MNOS_ERR_STATE;
    *wrong = "its cache has another size";
    if (fs->memory.slots != memory->slots || fs->memory.slots_max != memory->slots_max ||
        !ext4_chunks_are_sound(fs))
        return MNOS_ERR_FORMAT;
    fs = ext4_lay_out(memory, port);
    settle_steps(fs);
    ext4_cache_rebuild(fs, keeps);
    fs->transfers = 0;
    memset(fs->changed, 0, sizeof fs->changed);
    for (uint32_t i = 0; i < fs->unused; i++) {
        fs->transfers += (fs->slots[i].use.flags & SLOT_WRITING) != 0;
        ext4_slot_changes(fs, i); /* which are is found out by the next commit */
    }
    *wrong = ext4_check(fs);
    if (*wrong != NULL)
        return MNOS_ERR_FORMAT;
    fs->slots[fs->super_slot].pins = 1;
    if (fs->journal_slot != EXT4_NONE)
        fs->slots[fs->journal_slot].pins = 1;
    *resumed = fs;
    return MNOS_OK;
}
