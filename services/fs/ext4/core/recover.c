// SPDX-License-Identifier: MIT
/*
 * recover - what the journal holds is written to its places (J4: as often as it takes). Three passes over the log:
 * which transactions are whole, which blocks were revoked, and the copies themselves. Where a pass is, is
 * kept in fs->replay, so each goes on where it had to wait.
 */
#include "services/fs/ext4/core/journal.h"

/* The undo log has nothing to do until the file system is mounted: its memory holds the revoked blocks. */
struct revoked {
    uint64_t block;
    uint32_t sequence;
    uint32_t used;
};

enum { REVOKED_ROOM = EXT4_LOG_BYTES / sizeof(struct revoked), REVOKED_MAX = REVOKED_ROOM / 4 * 3 };

static struct revoked *revoked_find(struct ext4_fs *fs, uint64_t block)
{
    struct revoked *table = (void *)fs->memory.log->log;
    uint32_t at = (uint32_t)((block * 0x9E3779B97F4A7C15ull) >> 40) % REVOKED_ROOM;

    /* Ends: a quarter of the table is always free. */
    while (table[at].used != 0 && table[at].block != block)
        at = (at + 1) % REVOKED_ROOM;
    return &table[at];
}

/* ---- Blocks of the log ---- */

static mnos_status_t log_block(struct ext4_fs *fs, uint32_t position, uint8_t **data)
{
    struct ext4_what what = {.kind = EXT4_RAW};

    return ext4_block_get(&fs->own, ext4_journal_block(fs, position), &what, data);
}

static uint32_t kind_of(const uint8_t *data, uint32_t sequence)
{
    if (be32(data) != JBD_MAGIC || be32(data + JBD_SEQUENCE) != sequence)
        return 0;
    return be32(data + JBD_KIND);
}

static uint32_t tail_bytes(const struct ext4_fs *fs)
{
    return ext4_journal_has_checksums(fs) ? JBD_TAIL_BYTES : 0;
}

static bool tail_is_good(const struct ext4_fs *fs, const uint8_t *data)
{
    static const uint8_t zeros[JBD_TAIL_BYTES];
    uint32_t end = fs->block_bytes - tail_bytes(fs), sum;

    if (!ext4_journal_has_checksums(fs))
        return true;
    sum = ext4_crc32c(fs->journal.seed, data, end);
    return be32(data + end) == ext4_crc32c(sum, zeros, sizeof zeros);
}

static bool commit_is_good(const struct ext4_fs *fs, const uint8_t *data)
{
    static const uint8_t zeros[4];
    uint32_t sum;

    if (!ext4_journal_has_checksums(fs))
        return true;
    sum = ext4_crc32c(fs->journal.seed, data, JBD_COMMIT_CHECKSUM);
    sum = ext4_crc32c(sum, zeros, sizeof zeros);
    sum =
        ext4_crc32c(sum, data + JBD_COMMIT_CHECKSUM + 4, fs->block_bytes - JBD_COMMIT_CHECKSUM - 4);
    return be32(data + JBD_COMMIT_CHECKSUM) == sum;
}

struct tag {
    uint64_t block;
    uint32_t flags;
    uint32_t checksum;
};

/* The tag at an offset, which is moved behind it; false: there is none. */
static bool tag_next(const struct ext4_fs *fs, const uint8_t *data, uint32_t *offset,
                     struct tag *tag)
{
    uint32_t bytes = ext4_journal_tag_bytes(fs), end = fs->block_bytes - tail_bytes(fs);
    bool is_3 = (fs->journal.incompat & JBD_INCOMPAT_CSUM_3) != 0;
    const uint8_t *at = data + *offset;

    if (*offset + bytes > end)
        return false;
    tag->block = be32(at);
    tag->flags = is_3 ? be32(at + 4) : be32(at + 4) & 0xFFFF;
    tag->checksum = is_3 ? be32(at + 12) : be32(at + 4) >> 16;
    if ((fs->journal.incompat & JBD_INCOMPAT_64BIT) != 0)
        tag->block |= (uint64_t)be32(at + 8) << 32;
    *offset += bytes + ((tag->flags & JBD_TAG_SAME_UUID) != 0 ? 0 : 16);
    return true;
}

static uint32_t count_tags(const struct ext4_fs *fs, const uint8_t *data)
{
    uint32_t count = 0, offset = JBD_HEADER_BYTES;
    struct tag tag;

    while (tag_next(fs, data, &offset, &tag)) {
        count++;
        if ((tag.flags & JBD_TAG_LAST) != 0)
            break;
    }
    return count;
}

static void advance(struct ext4_fs *fs, uint32_t blocks)
{
    fs->replay.blocks += blocks;
    while (blocks-- > 0)
        fs->replay.position = ext4_journal_next(fs, fs->replay.position);
}

static void rewind_log(struct ext4_fs *fs)
{
    const uint8_t *jsb = ext4_data(fs, fs->journal_slot);

    fs->replay.position = be32(jsb + JSB_START);
    fs->replay.sequence = be32(jsb + JSB_SEQUENCE);
    fs->replay.blocks = 0;
    fs->replay.skip = 0;
}

/* ---- Passes ---- */

static uint64_t commit_time_ns(const uint8_t *data)
{
    uint64_t seconds =
        (uint64_t)be32(data + JBD_COMMIT_SECONDS) << 32 | be32(data + JBD_COMMIT_SECONDS + 4);

    return seconds * 1000000000 + be32(data + JBD_COMMIT_NANOSECONDS);
}

/* What is behind a wrong checksum was left by a power cut or by an earlier use of the log, and the log ends before it;
 * unless a transaction behind it is whole and no older than those before: it was begun when this one was durable. */
static mnos_status_t see_commit(struct ext4_fs *fs, const uint8_t *data, bool *is_end)
{
    struct ext4_replay *replay = &fs->replay;
    bool is_good = commit_is_good(fs, data);

    replay->sequence++;
    if (!is_good) {
        replay->in_doubt = true;
        return MNOS_OK;
    }
    *is_end = replay->in_doubt;
    if (replay->in_doubt)
        return commit_time_ns(data) >= replay->commit_ns
                   ? ext4_refuse(fs, "a transaction in the journal is damaged: run e2fsck")
                   : MNOS_OK;
    replay->commit_ns = commit_time_ns(data);
    replay->end = replay->sequence;
    return MNOS_OK;
}

/* The log ends at the first block that is not the next one's. */
static mnos_status_t scan(struct ext4_fs *fs)
{
    uint32_t length = fs->journal.blocks - fs->journal.first, blocks = 1;
    struct ext4_replay *replay = &fs->replay;
    bool is_end = false;
    mnos_status_t status;
    uint8_t *data;

    while (replay->blocks < length && !is_end) {
        uint32_t pinned = fs->own.pin_count;

        status = log_block(fs, replay->position, &data);
        if (status != MNOS_OK)
            return status;
        blocks = 1;
        switch (kind_of(data, replay->sequence)) {
        case JBD_DESCRIPTOR:
            replay->in_doubt = replay->in_doubt || !tail_is_good(fs, data);
            blocks += count_tags(fs, data);
            break;
        case JBD_REVOKE: replay->in_doubt = replay->in_doubt || !tail_is_good(fs, data); break;
        case JBD_COMMIT: status = see_commit(fs, data, &is_end); break;
        default: return MNOS_OK;
        }
        if (status != MNOS_OK)
            return status;
        ext4_unpin_to(&fs->own, pinned);
        advance(fs, blocks);
    }
    return MNOS_OK;
}

static mnos_status_t note_revoked(struct ext4_fs *fs, const uint8_t *data)
{
    uint32_t bytes = (fs->journal.incompat & JBD_INCOMPAT_64BIT) != 0 ? 8 : 4;
    uint32_t end = be32(data + JBD_REVOKE_BYTES);

    if (end > fs->block_bytes - tail_bytes(fs))
        return ext4_refuse(fs, "the journal is damaged: a revoke record");
    for (uint32_t at = JBD_REVOKE_FIRST; at + bytes <= end; at += bytes) {
        uint64_t block =
            bytes == 8 ? (uint64_t)be32(data + at) << 32 | be32(data + at + 4) : be32(data + at);
        struct revoked *entry = revoked_find(fs, block);

        if (entry->used == 0 && fs->replay.revokes++ == REVOKED_MAX)
            return ext4_refuse(
                fs, "the journal revokes more blocks than there is memory for: run e2fsck");
        *entry = (struct revoked){block, fs->replay.sequence, 1};
    }
    return MNOS_OK;
}

/* In the same transaction as well: what is revoked there was freed after it was changed. */
static bool is_revoked(struct ext4_fs *fs, uint64_t block)
{
    const struct revoked *entry = revoked_find(fs, block);

    return entry->used != 0 && (int32_t)(entry->sequence - fs->replay.sequence) >= 0;
}

/* The copy becomes the block; the slot that holds it is the block's own from now on. */
static mnos_status_t write_copy(struct ext4_fs *fs, const uint8_t *copy, const struct tag *tag)
{
    struct ext4_op *op = &fs->own;
    uint32_t slot = ext4_slot_find(fs, tag->block);
    uint8_t *data;

    if (tag->block >= fs->blocks)
        return ext4_refuse(fs, "the journal is damaged: a block behind the end of the disk");
    if (slot == fs->journal_slot || slot == ext4_slot_of(fs, copy))
        return ext4_refuse(fs, "the journal is damaged: it holds itself");
    if (slot != EXT4_NONE && fs->slots[slot].use.state == SLOT_READING)
        return ext4_again(op, slot);
    if (slot != EXT4_NONE && (fs->slots[slot].use.flags & SLOT_WRITING) != 0)
        return ext4_again(op, slot); /* two writes of one block are never on their way at once */
    if (slot == EXT4_NONE)
        slot = ext4_slot_make(fs, tag->block);
    if (slot == EXT4_NONE)
        return ext4_again(op, EXT4_WAIT_ANY);
    data = ext4_data(fs, slot);
    memcpy(data, copy, fs->block_bytes);
    if ((tag->flags & JBD_TAG_ESCAPED) != 0)
        set_be32(data, JBD_MAGIC);
    ext4_write_slot(fs, slot, 0, false);
    fs->replay.replayed++;
    return MNOS_OK;
}

static bool copy_is_good(const struct ext4_fs *fs, const uint8_t *copy, const struct tag *tag)
{
    uint8_t sequence[4];
    uint32_t sum;

    if (!ext4_journal_has_checksums(fs))
        return true;
    set_be32(sequence, fs->replay.sequence);
    sum = ext4_crc32c(fs->journal.seed, sequence, sizeof sequence);
    sum = ext4_crc32c(sum, copy, fs->block_bytes);
    return (fs->journal.incompat & JBD_INCOMPAT_CSUM_3) != 0 ? sum == tag->checksum
                                                             : (uint16_t)sum == tag->checksum;
}

static mnos_status_t replay_copies(struct ext4_fs *fs, const uint8_t *descriptor)
{
    uint32_t offset = JBD_HEADER_BYTES, position = fs->replay.position;
    struct tag tag;

    for (uint32_t i = 0; tag_next(fs, descriptor, &offset, &tag); i++) {
        uint32_t pinned = fs->own.pin_count;
        mnos_status_t status = MNOS_OK;
        uint8_t *copy;

        position = ext4_journal_next(fs, position);
        if (i >= fs->replay.skip && !is_revoked(fs, tag.block)) {
            status = log_block(fs, position, &copy);
            if (status == MNOS_OK && !copy_is_good(fs, copy, &tag))
                return ext4_refuse(fs, "a block in the journal has a wrong checksum: run e2fsck");
            if (status == MNOS_OK)
                status = write_copy(fs, copy, &tag);
            if (status != MNOS_OK)
                return status;
            ext4_unpin_to(&fs->own, pinned);
        }
        if (i >= fs->replay.skip)
            fs->replay.skip++;
        if ((tag.flags & JBD_TAG_LAST) != 0)
            break;
    }
    return MNOS_OK;
}

/* The passes behind the first: the log is whole as far as `end`. */
static mnos_status_t walk(struct ext4_fs *fs, bool copies)
{
    struct ext4_replay *replay = &fs->replay;
    mnos_status_t status = MNOS_OK;

    while (replay->sequence != replay->end) {
        uint32_t blocks = 1, pinned = fs->own.pin_count, kind;
        uint8_t *data;

        /* A copy may be of a block of the log, which is another one in this pass then. */
        if (replay->blocks >= fs->journal.blocks - fs->journal.first)
            return ext4_refuse(fs, "the journal is damaged: it holds itself");
        status = log_block(fs, replay->position, &data);
        if (status != MNOS_OK)
            return status;
        kind = kind_of(data, replay->sequence);
        if (kind == 0)
            return ext4_refuse(fs, "the journal changed while it was read");
        if (kind == JBD_REVOKE && !copies)
            status = note_revoked(fs, data);
        if (kind == JBD_DESCRIPTOR && copies)
            status = replay_copies(fs, data);
        if (status != MNOS_OK)
            return status;
        if (kind == JBD_DESCRIPTOR)
            blocks += count_tags(fs, data);
        if (kind == JBD_COMMIT)
            replay->sequence++;
        replay->skip = 0;
        ext4_unpin_to(&fs->own, pinned);
        advance(fs, blocks);
    }
    return MNOS_OK;
}

mnos_status_t ext4_recover(struct ext4_fs *fs)
{
    mnos_status_t status = MNOS_OK;

    if (fs->mount_step == MOUNT_SCAN) {
        if (fs->replay.blocks == 0)
            fs->replay.end = fs->replay.sequence;
        status = scan(fs);
        if (status == MNOS_OK) {
            rewind_log(fs);
            memset(fs->memory.log->log, 0, EXT4_LOG_BYTES);
            fs->mount_step = MOUNT_REVOKES;
        }
    }
    if (status == MNOS_OK && fs->mount_step == MOUNT_REVOKES) {
        status = walk(fs, false);
        if (status == MNOS_OK) {
            rewind_log(fs);
            fs->mount_step = MOUNT_REPLAY;
        }
    }
    if (status == MNOS_OK && fs->mount_step == MOUNT_REPLAY) {
        status = walk(fs, true);
        if (status == MNOS_OK)
            fs->mount_step = MOUNT_REPLAYED;
    }
    return status;
}
