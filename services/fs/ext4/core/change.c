// SPDX-License-Identifier: MIT
/*
 * change - operations happen wholly or not at all: before each store the old bytes go to the undo log
 * (lib/server/state.h). One that cannot be finished is taken back to where it began; one that is finished stays when
 * its caller empties the log, by one store.
 */
#include "services/fs/ext4/core/journal.h"

/* What one ext4_change() may be followed by: a block's bytes twice over, with their notes. */
enum { LOG_MARGIN = 4 * EXT4_SLOT_BYTES, PINS_KEPT = EXT4_OP_PINS / 2 };

void ext4_step_done(struct ext4_fs *fs)
{
    state_done(fs->memory.log);
}

void ext4_begin(struct ext4_op *op, struct ext4_fs *fs)
{
    op->fs = fs;
    op->waits_for = EXT4_WAIT_NOTHING;
    op->freed_before = fs->freed_count;
    op->spare_count = 0;
    op->mark = state_mark(fs->memory.log);
    op->now_ns = fs->port.now_ns(fs->port.context);
}

mnos_status_t ext4_end(struct ext4_op *op, mnos_status_t status)
{
    if (status != MNOS_OK) {
        state_undo_to(op->fs->memory.log, op->mark);
        op->fs->names_changed++;
    }
    /* Who waits for one block keeps the others, unless it came by more than it will need. */
    if (status != MNOS_ERR_AGAIN || op->waits_for >= EXT4_WAIT_ANY || op->pin_count > PINS_KEPT)
        ext4_drop(op);
    return status;
}

mnos_status_t ext4_again(struct ext4_op *op, uint32_t waits_for)
{
    op->waits_for = waits_for;
    return MNOS_ERR_AGAIN;
}

mnos_status_t ext4_wait_commit(struct ext4_op *op)
{
    op->fs->commit_wanted = true;
    return ext4_again(op, EXT4_WAIT_COMMIT);
}

/* ---- Stores ---- */

void ext4_put(struct ext4_op *op, void *address, const void *bytes, size_t count)
{
    state_put_any(op->fs->memory.log, address, count);
    memmove(address, bytes, count);
}

void ext4_put_16(struct ext4_op *op, void *address, uint16_t value)
{
    state_put_other(op->fs->memory.log, address, sizeof value);
    memcpy(address, &value, sizeof value);
}

void ext4_put_32(struct ext4_op *op, void *address, uint32_t value)
{
    state_put_other(op->fs->memory.log, address, sizeof value);
    memcpy(address, &value, sizeof value);
}

void ext4_fill(struct ext4_op *op, void *address, uint8_t value, size_t count)
{
    state_put_any(op->fs->memory.log, address, count);
    memset(address, value, count);
}

mnos_status_t ext4_check_writable(struct ext4_op *op)
{
    if (op->fs->aborted)
        return MNOS_ERR_DEVICE;
    return op->fs->read_only ? MNOS_ERR_DENIED : MNOS_OK;
}

/* Whether the running transaction can have one block more. */
static mnos_status_t check_room(struct ext4_op *op)
{
    struct ext4_fs *fs = op->fs;

    if (fs->dirty_count >= fs->dirty_max)
        return ext4_wait_commit(op);
    /* The rest of the slots is for what is only read, and for the commit itself. */
    if (fs->dirty_count + fs->logged_count >= fs->slot_count / 4 * 3) {
        fs->checkpoint_wanted = true;
        return ext4_wait_commit(op);
    }
    if (ext4_journal_cost(fs, fs->dirty_count + 1, EXT4_REVOKED_MAX) > ext4_journal_room(fs)) {
        fs->checkpoint_wanted = true;
        return ext4_wait_commit(op);
    }
    return MNOS_OK;
}

/* Its checksums are made again: of a part, since a block of inodes has many. */
static void make_stale(const struct ext4_fs *fs, struct ext4_slot *slot, const uint8_t *data)
{
    if (slot->use.kind == EXT4_INODES || slot->use.kind == EXT4_GROUPS)
        slot->stale |= 1u << ((size_t)(data - fs->memory.data) % EXT4_SLOT_BYTES >>
                              (fs->block_shift - EXT4_STALE_SHIFT));
}

mnos_status_t ext4_change(struct ext4_op *op, const uint8_t *data)
{
    struct ext4_fs *fs = op->fs;
    uint32_t index = ext4_slot_of(fs, data);
    struct ext4_slot *slot = &fs->slots[index];
    mnos_status_t status = ext4_check_writable(op);

    if (status != MNOS_OK)
        return status;
    if (fs->closing)
        return ext4_wait_commit(op);
    if ((slot->use.flags & SLOT_WRITING) != 0)
        return ext4_again(op, index);
    if (!state_has_room(fs->memory.log, LOG_MARGIN))
        return MNOS_ERR_SIZE; /* no operation changes so much */
    make_stale(fs, slot, data);
    if ((slot->use.flags & SLOT_DIRTY) != 0)
        return MNOS_OK;
    status = check_room(op);
    if (status != MNOS_OK)
        return status;
    ext4_slot_changes(fs, index);
    ext4_note(fs, &slot->use, sizeof slot->use);
    slot->use.flags |= SLOT_DIRTY;
    EXT4_SET(fs, fs->dirty_count, fs->dirty_count + 1);
    return MNOS_OK;
}

/* ---- Freed blocks ---- */

/* The content of a freed block needs not be written any more, nor may it be, once its transaction has committed:
 * what the log holds of it stays FREED until then. The rest is as good as not here. */
static void forget(struct ext4_op *op, uint64_t block)
{
    struct ext4_fs *fs = op->fs;
    uint32_t index = ext4_slot_find(fs, block);
    struct ext4_slot *slot = &fs->slots[index];

    if (index == EXT4_NONE || slot->use.state != SLOT_VALID)
        return;
    ext4_note(fs, &slot->use, sizeof slot->use);
    if ((slot->use.flags & SLOT_DIRTY) != 0)
        EXT4_SET(fs, fs->dirty_count, fs->dirty_count - 1);
    slot->use.flags &= (uint8_t)~SLOT_DIRTY;
    if ((slot->use.flags & (SLOT_COMMITTING | SLOT_LOGGED)) == 0)
        return;
    ext4_slot_changes(fs, index);
    slot->use.flags |= SLOT_FREED;
    slot->use.freed = fs->running;
}

/* What lies behind what was freed last makes that longer: each search for blocks passes all entries. */
static bool lengthen_freed(struct ext4_op *op, uint64_t block, uint32_t count)
{
    struct ext4_freed *last = op->fs->freed + op->fs->freed_count - 1;

    if (op->fs->freed_count == 0 || last->transaction != op->fs->running ||
        last->block + last->count != block || count > UINT32_MAX - last->count)
        return false;
    EXT4_SET(op->fs, last->count, last->count + count);
    return true;
}

mnos_status_t ext4_note_freed(struct ext4_op *op, uint64_t block, uint32_t count, bool revoke)
{
    struct ext4_fs *fs = op->fs;
    struct ext4_freed entry = {block, count, fs->running};

    if (fs->freed_count == EXT4_FREED_MAX ||
        (revoke && fs->revoked_count + count > EXT4_REVOKED_MAX))
        return ext4_wait_commit(op);
    if (!lengthen_freed(op, block, count)) {
        EXT4_SET(fs, fs->freed[fs->freed_count], entry);
        EXT4_SET(fs, fs->freed_count, fs->freed_count + 1);
    }
    for (uint32_t i = 0; revoke && i < count; i++) {
        forget(op, block + i);
        EXT4_SET(fs, fs->revoked[fs->revoked_count], block + i);
        EXT4_SET(fs, fs->revoked_count, fs->revoked_count + 1);
    }
    return MNOS_OK;
}
