// SPDX-License-Identifier: MIT
/*
 * commit - a transaction becomes durable:
 *
 *   1. data of its files is written     begun in COMMIT_DATA, waited for in COMMIT_COPIES
 *   2. descriptors, copies, revokes     COMMIT_COPIES
 *   3. FLUSH                            COMMIT_FLUSH
 *   4. the commit block, with FUA       COMMIT_BLOCK
 *   5. whoever waits is answered        ext4_is_committed()
 *
 * J1  no block is written in its place before step 4 of its transaction has ended (checkpoint.c writes only LOGGED ones)
 * J2  what it freed is given out after step 4, and is revoked in step 2
 * J3  ext4_is_committed() says so after step 4
 *
 * 1 and 2 go on at the same time, and operations join the next transaction meanwhile; what they take away from a file has
 * to be written first where its blocks were given out in this transaction (port.data_written).
 *
 * The blocks are written to the log from where they are; until that has ended nobody changes them (SLOT_WRITING),
 * so no copy of them in memory is needed.
 *
 * Each step happens wholly or not at all (ext4_step_done()), and what it has the disk do may be done again: so a run
 * that takes over from one that died goes on with the step (resume.c).
 */
#include "services/fs/ext4/core/journal.h"

#define NS_PER_S 1000000000ull

uint32_t ext4_transaction(const struct ext4_fs *fs)
{
    return fs->running;
}

bool ext4_is_committed(const struct ext4_fs *fs, uint32_t transaction)
{
    return (int32_t)(fs->committed - transaction) >= 0;
}

bool ext4_is_dirty(const struct ext4_fs *fs)
{
    if (fs->dirty_count != 0 || fs->revoked_count != 0)
        return true;
    for (uint32_t i = 0; i < fs->freed_count; i++)
        if (fs->freed[i].transaction == fs->running)
            return true;
    return false;
}

void ext4_want_commit(struct ext4_fs *fs)
{
    fs->commit_wanted = true;
}

mnos_status_t ext4_transfers_done(struct ext4_fs *fs)
{
    if (fs->write_status != MNOS_OK) {
        ext4_abort(fs, "writing failed: it is read-only from now on");
        return MNOS_ERR_DEVICE;
    }
    return fs->transfers != 0 || fs->flushing ? MNOS_ERR_AGAIN : MNOS_OK;
}

void ext4_start_flush(struct ext4_fs *fs)
{
    fs->flushing = true;
    fs->port.flush(fs->port.context);
}

/* ---- Step 2 ---- */

/* The first dirty slot from one on, or EXT4_NONE. */
static uint32_t next_dirty(const struct ext4_fs *fs, uint32_t slot)
{
    slot = ext4_next_changed(fs, slot);
    while (slot != EXT4_NONE && (fs->slots[slot].use.flags & SLOT_DIRTY) == 0)
        slot = ext4_next_changed(fs, slot + 1);
    return slot;
}

static uint32_t count_escapes(const struct ext4_fs *fs)
{
    uint32_t count = 0;

    for (uint32_t slot = next_dirty(fs, 0); slot != EXT4_NONE; slot = next_dirty(fs, slot + 1))
        count += be32(ext4_data(fs, slot)) == JBD_MAGIC;
    return count;
}

/* Slots for what only the log holds. They are kept from one call to the next until there are enough. */
static mnos_status_t take_scratch(struct ext4_fs *fs)
{
    uint32_t wanted = ext4_journal_cost(fs, fs->dirty_count, fs->revoked_count) - fs->dirty_count +
                      count_escapes(fs);

    while (fs->scratch_count < wanted) {
        uint32_t slot = ext4_slot_take(fs);

        if (slot == EXT4_NONE || fs->scratch_count == EXT4_SCRATCH_MAX)
            return slot == EXT4_NONE ? MNOS_ERR_AGAIN : MNOS_ERR_SIZE;
        fs->slots[slot] = (struct ext4_slot){.block = EXT4_NO_BLOCK,
                                             .hash_next = EXT4_NONE,
                                             .use = {.state = SLOT_VALID, .flags = SLOT_JOURNAL}};
        fs->scratch[fs->scratch_count++] = slot;
    }
    return MNOS_OK;
}

static uint8_t *next_scratch(struct ext4_fs *fs, uint32_t *slot)
{
    *slot = fs->scratch[fs->scratch_used];
    EXT4_SET(fs, fs->scratch_used, fs->scratch_used + 1);
    memset(ext4_data(fs, *slot), 0, fs->block_bytes);
    return ext4_data(fs, *slot);
}

static void to_log(struct ext4_fs *fs, uint32_t slot, uint32_t position, bool durable)
{
    ext4_note(fs, &fs->slots[slot].use, sizeof fs->slots[slot].use);
    ext4_write_slot(fs, slot, position, durable);
}

static uint32_t take_position(struct ext4_fs *fs)
{
    uint32_t position = fs->journal.head;

    EXT4_SET(fs, fs->journal.head, ext4_journal_next(fs, position));
    return position;
}

static void write_header(uint8_t *data, uint32_t kind, uint32_t sequence)
{
    set_be32(data, JBD_MAGIC);
    set_be32(data + JBD_KIND, kind);
    set_be32(data + JBD_SEQUENCE, sequence);
}

static void seal_tail(const struct ext4_fs *fs, uint8_t *data)
{
    if (ext4_journal_has_checksums(fs))
        set_be32(data + fs->block_bytes - JBD_TAIL_BYTES,
                 ext4_crc32c(fs->journal.seed, data, fs->block_bytes));
}

static uint32_t copy_checksum(const struct ext4_fs *fs, const uint8_t *copy)
{
    uint8_t sequence[4];

    set_be32(sequence, fs->running);
    return ext4_crc32c(ext4_crc32c(fs->journal.seed, sequence, sizeof sequence), copy,
                       fs->block_bytes);
}

static void write_tag(const struct ext4_fs *fs, uint8_t *tag, uint64_t block, uint32_t flags,
                      const uint8_t *copy)
{
    set_be32(tag, (uint32_t)block);
    set_be32(tag + 4, flags); /* the old tag has its 16 bits of flags at the same place */
    if ((fs->journal.incompat & JBD_INCOMPAT_64BIT) != 0)
        set_be32(tag + 8, (uint32_t)(block >> 32));
    if ((fs->journal.incompat & JBD_INCOMPAT_CSUM_3) != 0)
        set_be32(tag + 12, copy_checksum(fs, copy));
}

/* A block that begins as those of the journal do would be taken for one of them. */
static uint32_t escaped(struct ext4_fs *fs, uint32_t slot, uint32_t *flags)
{
    uint32_t copy;
    uint8_t *data;

    if (be32(ext4_data(fs, slot)) != JBD_MAGIC)
        return slot;
    data = next_scratch(fs, &copy);
    memcpy(data, ext4_data(fs, slot), fs->block_bytes);
    set_be32(data, 0);
    *flags |= JBD_TAG_ESCAPED;
    return copy;
}

/* A descriptor and its copies, from a dirty slot on; returns the next. */
static uint32_t write_copies(struct ext4_fs *fs, uint32_t slot)
{
    uint32_t descriptor, position = take_position(fs), offset = JBD_HEADER_BYTES;
    uint8_t *data = next_scratch(fs, &descriptor);

    write_header(data, JBD_DESCRIPTOR, fs->running);
    for (uint32_t i = 0; i < fs->journal.tags && slot != EXT4_NONE; i++) {
        uint32_t flags = i == 0 ? 0 : JBD_TAG_SAME_UUID, copy, next = next_dirty(fs, slot + 1);

        copy = escaped(fs, slot, &flags);
        if (i + 1 == fs->journal.tags || next == EXT4_NONE)
            flags |= JBD_TAG_LAST;
        write_tag(fs, data + offset, fs->slots[slot].block, flags, ext4_data(fs, copy));
        offset += ext4_journal_tag_bytes(fs);
        if (i == 0) {
            memcpy(data + offset, ext4_data(fs, fs->journal_slot) + JSB_UUID, 16);
            offset += 16;
        }
        ext4_note(fs, &fs->slots[slot].use, sizeof fs->slots[slot].use);
        fs->slots[slot].use.flags &= (uint8_t)~SLOT_DIRTY;
        fs->slots[slot].use.flags |= SLOT_COMMITTING;
        to_log(fs, copy, take_position(fs), false);
        slot = next;
    }
    seal_tail(fs, data);
    to_log(fs, descriptor, position, false);
    return slot;
}

static void write_revokes(struct ext4_fs *fs)
{
    uint32_t bytes = (fs->journal.incompat & JBD_INCOMPAT_64BIT) != 0 ? 8 : 4;
    uint32_t end = fs->block_bytes - JBD_TAIL_BYTES;

    for (uint32_t i = 0; i < fs->revoked_count;) {
        uint32_t slot, offset = JBD_REVOKE_FIRST;
        uint8_t *data = next_scratch(fs, &slot);

        write_header(data, JBD_REVOKE, fs->running);
        for (; i < fs->revoked_count && offset + bytes <= end; i++, offset += bytes) {
            if (bytes == 8)
                set_be32(data + offset, (uint32_t)(fs->revoked[i] >> 32));
            set_be32(data + offset + bytes - 4, (uint32_t)fs->revoked[i]);
        }
        set_be32(data + JBD_REVOKE_BYTES, offset);
        seal_tail(fs, data);
        to_log(fs, slot, take_position(fs), false);
    }
}

/* From here on operations join the next transaction. */
static void write_log(struct ext4_fs *fs)
{
    struct ext4_live *live = &fs->journal.live[fs->journal.live_count];
    uint32_t slot;

    for (slot = next_dirty(fs, 0); slot != EXT4_NONE; slot = next_dirty(fs, slot + 1))
        ext4_seal_bitmap(fs, slot);
    for (slot = next_dirty(fs, 0); slot != EXT4_NONE; slot = next_dirty(fs, slot + 1))
        ext4_seal(fs, slot);
    *live = (struct ext4_live){fs->running, fs->journal.head};
    EXT4_SET(fs, fs->journal.live_count, fs->journal.live_count + 1);
    EXT4_SET(fs, fs->scratch_used, 0);
    for (slot = next_dirty(fs, 0); slot != EXT4_NONE;)
        slot = write_copies(fs, slot);
    write_revokes(fs);
    EXT4_SET(fs, fs->dirty_count, 0);
    EXT4_SET(fs, fs->revoked_count, 0);
    EXT4_SET(fs, fs->escapes, 0);
    EXT4_SET(fs, fs->commit_wanted, false);
    EXT4_SET(fs, fs->closing, false);
    EXT4_SET(fs, fs->running, fs->running + 1);
}

/* ---- Step 4 ---- */

static void write_commit(struct ext4_fs *fs)
{
    uint64_t now = fs->port.now_ns(fs->port.context);
    uint32_t slot;
    uint8_t *data = next_scratch(fs, &slot);

    write_header(data, JBD_COMMIT, fs->running - 1);
    set_be32(data + JBD_COMMIT_SECONDS, (uint32_t)(now / NS_PER_S >> 32));
    set_be32(data + JBD_COMMIT_SECONDS + 4, (uint32_t)(now / NS_PER_S));
    set_be32(data + JBD_COMMIT_NANOSECONDS, (uint32_t)(now % NS_PER_S));
    if (ext4_journal_has_checksums(fs))
        set_be32(data + JBD_COMMIT_CHECKSUM, ext4_crc32c(fs->journal.seed, data, fs->block_bytes));
    to_log(fs, slot, take_position(fs), true);
}

static void end_freed(struct ext4_fs *fs, uint32_t transaction)
{
    uint32_t kept = 0;

    ext4_note(fs, fs->freed, fs->freed_count * sizeof *fs->freed);
    for (uint32_t i = 0; i < fs->freed_count; i++)
        if (fs->freed[i].transaction != transaction)
            fs->freed[kept++] = fs->freed[i];
    EXT4_SET(fs, fs->freed_count, kept);
}

static void end_slot(struct ext4_fs *fs, uint32_t index, uint32_t transaction)
{
    struct ext4_slot *slot = &fs->slots[index];

    if ((slot->use.flags & (SLOT_COMMITTING | SLOT_FREED)) != 0)
        ext4_note(fs, slot, sizeof *slot);
    if ((slot->use.flags & SLOT_COMMITTING) != 0) {
        if ((slot->use.flags & SLOT_LOGGED) == 0)
            fs->logged_count++;
        slot->use.flags = (uint8_t)((slot->use.flags & ~SLOT_COMMITTING) | SLOT_LOGGED);
        slot->use.logged = transaction;
    }
    if ((slot->use.flags & SLOT_FREED) != 0 && slot->use.freed == transaction) {
        if ((slot->use.flags & SLOT_LOGGED) != 0)
            fs->logged_count--;
        ext4_slot_empty(fs, index);
    }
    if ((slot->use.flags & (SLOT_DIRTY | SLOT_COMMITTING | SLOT_FREED)) == 0)
        fs->changed[index / 64] &= ~(1ull << index % 64);
}

static void end_commit(struct ext4_fs *fs)
{
    uint32_t transaction = fs->running - 1;

    for (uint32_t i = 0; i < fs->scratch_count; i++) {
        struct ext4_slot *slot = &fs->slots[fs->scratch[i]];

        ext4_note(fs, slot, sizeof *slot);
        *slot = (struct ext4_slot){.block = EXT4_NO_BLOCK, .hash_next = EXT4_NONE};
    }
    EXT4_SET(fs, fs->scratch_count, 0);
    EXT4_SET(fs, fs->scratch_used, 0);
    ext4_note(fs, &fs->logged_count, sizeof fs->logged_count);
    for (uint32_t i = ext4_next_changed(fs, 0); i != EXT4_NONE; i = ext4_next_changed(fs, i + 1))
        end_slot(fs, i, transaction);
    end_freed(fs, transaction);
    EXT4_SET(fs, fs->committed, transaction);
}

/* ---- The steps ---- */

/* The log was empty: its superblock says first where it begins. */
static void open_log(struct ext4_fs *fs)
{
    EXT4_SET(fs, fs->journal.tail, fs->journal.head);
    EXT4_SET(fs, fs->journal.tail_transaction, fs->running);
    ext4_journal_write_super(fs, fs->journal.head, fs->running);
}

static mnos_status_t begin_commit(struct ext4_fs *fs)
{
    if (!ext4_is_dirty(fs)) {
        fs->commit_wanted = false;
        return MNOS_OK;
    }
    if (fs->journal.live_count == EXT4_LIVE_MAX) {
        fs->checkpoint_wanted = true; /* which comes first then */
        return MNOS_OK;
    }
    fs->commit_step = COMMIT_DATA;
    return MNOS_OK;
}

/* The step that was made has happened with this store. */
static void go_on_with(struct ext4_fs *fs, enum ext4_commit_step step)
{
    EXT4_SET(fs, fs->commit_step, step);
    ext4_step_done(fs);
}

static mnos_status_t step(struct ext4_fs *fs)
{
    mnos_status_t status;

    switch (fs->commit_step) {
    case COMMIT_DATA:
        /* It is waited for when the copies are on their way, too. */
        (void)!fs->port.data_written(fs->port.context, fs->running);
        if (!fs->journal.is_open)
            open_log(fs);
        fs->closing = true;
        go_on_with(fs, COMMIT_OPENING);
        return MNOS_OK;
    case COMMIT_OPENING:
        EXT4_SET(fs, fs->journal.is_open, true);
        status = take_scratch(fs);
        if (status != MNOS_OK)
            return status;
        write_log(fs);
        go_on_with(fs, COMMIT_COPIES);
        return MNOS_OK;
    case COMMIT_COPIES:
        status = fs->port.data_written(fs->port.context, fs->running - 1);
        if (status != MNOS_OK)
            return status;
        ext4_start_flush(fs);
        go_on_with(fs, COMMIT_FLUSH);
        return MNOS_OK;
    case COMMIT_FLUSH:
        write_commit(fs);
        go_on_with(fs, COMMIT_BLOCK);
        return MNOS_OK;
    default:
        end_commit(fs);
        go_on_with(fs, COMMIT_IDLE);
        return MNOS_OK;
    }
}

mnos_status_t ext4_commit_work(struct ext4_fs *fs)
{
    mnos_status_t status = MNOS_OK;

    if (fs->commit_step == COMMIT_IDLE) {
        if (!fs->commit_wanted || fs->checkpoint_step != CHECK_IDLE)
            return MNOS_OK;
        status = begin_commit(fs);
    }
    while (status == MNOS_OK && fs->commit_step != COMMIT_IDLE) {
        status = ext4_transfers_done(fs);
        if (status == MNOS_OK)
            status = step(fs);
    }
    return status;
}
