// SPDX-License-Identifier: MIT
/*
 * journal - where the log is. The journal is a file (inode 8): block 0 is its superblock, the rest a ring, in which
 * a transaction is descriptors, each followed by copies of the blocks it names, revoke records, and a commit block.
 */
#include "services/fs/ext4/core/files.h"
#include "services/fs/ext4/core/journal.h"

/* SMALLEST: in blocks, as mke2fs makes them; a quarter of it holds the largest operation. */
enum { KNOWN_FEATURES = 0x1F, SMALLEST = 1024 };

bool ext4_journal_has_checksums(const struct ext4_fs *fs)
{
    return (fs->journal.incompat & (JBD_INCOMPAT_CSUM_2 | JBD_INCOMPAT_CSUM_3)) != 0;
}

uint32_t ext4_journal_tag_bytes(const struct ext4_fs *fs)
{
    uint32_t bytes = (fs->journal.incompat & JBD_INCOMPAT_64BIT) != 0 ? 12 : 8;

    if ((fs->journal.incompat & JBD_INCOMPAT_CSUM_3) != 0)
        return JBD_TAG3_BYTES;
    return (fs->journal.incompat & JBD_INCOMPAT_CSUM_2) != 0 ? bytes + 2 : bytes;
}

uint64_t ext4_journal_block(const struct ext4_fs *fs, uint32_t logical)
{
    const struct ext4_journal *journal = &fs->journal;
    uint32_t low = 0, high = journal->run_count;

    while (low + 1 < high) {
        uint32_t middle = (low + high) / 2;

        if (journal->runs[middle].logical <= logical)
            low = middle;
        else
            high = middle;
    }
    return journal->runs[low].physical + (logical - journal->runs[low].logical);
}

uint64_t ext4_slot_target(const struct ext4_fs *fs, uint32_t slot)
{
    uint32_t position = fs->slots[slot].use.target;

    return position == 0 ? fs->slots[slot].block : ext4_journal_block(fs, position);
}

uint32_t ext4_journal_next(const struct ext4_fs *fs, uint32_t logical)
{
    return logical + 1 == fs->journal.blocks ? fs->journal.first : logical + 1;
}

/* One block is never used, so that a full log is not an empty one. */
uint32_t ext4_journal_room(const struct ext4_fs *fs)
{
    uint32_t length = fs->journal.blocks - fs->journal.first;
    uint32_t used = (fs->journal.head + length - fs->journal.tail) % length;

    return length - used - 1;
}

uint32_t ext4_journal_cost(const struct ext4_fs *fs, uint32_t blocks, uint32_t revokes)
{
    uint32_t per_block = (fs->block_bytes - JBD_REVOKE_FIRST - JBD_TAIL_BYTES) / 8;

    return blocks + (blocks + fs->journal.tags - 1) / fs->journal.tags +
           (revokes + per_block - 1) / per_block + 1;
}

/* ---- Opening ---- */

static mnos_status_t find_runs(struct ext4_fs *fs, struct ext4_op *op,
                               const struct ext4_inode *inode)
{
    struct ext4_journal *journal = &fs->journal;
    uint64_t blocks = ext4_inode_size(inode) >> fs->block_shift;
    uint32_t at = 0;

    journal->run_count = 0;
    if (blocks > INT32_MAX)
        return ext4_refuse(fs, "the journal is damaged");
    /* At least one block in each round, and as many rounds as the table has room. */
    while (at < blocks) {
        struct ext4_journal_run *last = &journal->runs[journal->run_count];
        struct ext4_run run;
        mnos_status_t status = ext4_map_inode(op, inode, at, (uint32_t)blocks - at, &run);

        if (status != MNOS_OK)
            return status;
        if (run.physical == 0)
            return ext4_refuse(fs, "the journal has a hole");
        if (journal->run_count > 0 && last[-1].physical + last[-1].count == run.physical) {
            last[-1].count += run.count;
        } else {
            if (journal->run_count == EXT4_JOURNAL_RUNS)
                return ext4_refuse(fs, "the journal lies in too many pieces");
            *last = (struct ext4_journal_run){run.physical, at, run.count};
            journal->run_count++;
        }
        at += run.count;
    }
    journal->blocks = at;
    return journal->run_count == 0 ? ext4_refuse(fs, "the journal is empty") : MNOS_OK;
}

static mnos_status_t read_super(struct ext4_fs *fs, const uint8_t *jsb)
{
    struct ext4_journal *journal = &fs->journal;
    uint32_t kind = be32(jsb + JBD_KIND), blocks = be32(jsb + JSB_BLOCKS);

    if (be32(jsb) != JBD_MAGIC || (kind != JBD_SUPER_1 && kind != JBD_SUPER_2) ||
        be32(jsb + JSB_BLOCK_BYTES) != fs->block_bytes || blocks > journal->blocks || blocks < 16)
        return ext4_refuse(fs, "the superblock of the journal is damaged");
    journal->blocks = blocks;
    journal->first = be32(jsb + JSB_FIRST);
    journal->incompat = kind == JBD_SUPER_2 ? be32(jsb + JSB_INCOMPAT) : 0;
    if (kind == JBD_SUPER_1)
        ext4_make_read_only(fs, "read-only because the journal is of the first version");
    if ((journal->incompat & ~(uint32_t)KNOWN_FEATURES) != 0)
        return ext4_refuse(fs, (journal->incompat & JBD_INCOMPAT_FAST) != 0
                                   ? "the journal has a feature that is not supported: fast_commit"
                                   : "the journal has a feature that is not known");
    journal->seed = ext4_crc32c(UINT32_MAX, jsb + JSB_UUID, 16);
    if (ext4_journal_has_checksums(fs)) {
        uint32_t sum = ext4_crc32c(UINT32_MAX, jsb, JSB_CHECKSUM);
        static const uint8_t zeros[4];

        sum = ext4_crc32c(sum, zeros, 4);
        sum = ext4_crc32c(sum, jsb + JSB_CHECKSUM + 4, JSB_BYTES - JSB_CHECKSUM - 4);
        if (jsb[JSB_CHECKSUM_TYPE] != JSB_CRC32C || be32(jsb + JSB_CHECKSUM) != sum)
            return ext4_refuse(fs, "the checksum of the journal's superblock is wrong");
    }
    if (journal->first == 0 || journal->first + 8 > blocks ||
        (be32(jsb + JSB_START) != 0 &&
         (be32(jsb + JSB_START) < journal->first || be32(jsb + JSB_START) >= blocks)))
        return ext4_refuse(fs, "the superblock of the journal is damaged");
    if (blocks < SMALLEST)
        ext4_make_read_only(fs, "read-only because the journal is too small");
    if (be32(jsb + JSB_ERROR) != 0)
        ext4_make_read_only(fs, "read-only because the journal notes an error: run e2fsck");
    return MNOS_OK;
}

/* What we write has tags with checksums where metadata has them, and revoke records. */
static void choose_format(struct ext4_fs *fs)
{
    struct ext4_journal *journal = &fs->journal;
    uint32_t room;

    if (fs->has_checksums || ext4_journal_has_checksums(fs))
        journal->incompat |= JBD_INCOMPAT_CSUM_3;
    journal->incompat &= ~(uint32_t)(JBD_INCOMPAT_CSUM_2 | JBD_INCOMPAT_ASYNC);
    journal->incompat |= JBD_INCOMPAT_REVOKE;
    if ((fs->incompat & INCOMPAT_64BIT) != 0)
        journal->incompat |= JBD_INCOMPAT_64BIT;
    room = fs->block_bytes - JBD_HEADER_BYTES - 16 - JBD_TAIL_BYTES;
    journal->tags = room / ext4_journal_tag_bytes(fs);
}

mnos_status_t ext4_journal_open(struct ext4_fs *fs, struct ext4_op *op)
{
    struct ext4_what what = {.kind = EXT4_RAW};
    struct ext4_journal *journal = &fs->journal;
    struct ext4_inode inode;
    uint32_t number = le32(ext4_super(fs) + SB_JOURNAL_INODE);
    uint8_t *jsb;
    mnos_status_t status;

    if (number == 0)
        return ext4_refuse(fs, "a journal on another disk (journal_dev) is not supported");
    status = ext4_inode_get_any(op, number, &inode);
    if (status == MNOS_ERR_FORMAT || (status == MNOS_OK && !ext4_inode_is(&inode, MODE_FILE)))
        return ext4_refuse(fs, "the inode of the journal is damaged");
    if (status == MNOS_OK)
        status = find_runs(fs, op, &inode);
    if (status == MNOS_OK)
        status = ext4_block_get(op, ext4_journal_block(fs, 0), &what, &jsb);
    if (status == MNOS_OK)
        status = read_super(fs, jsb);
    if (status != MNOS_OK)
        return status;
    fs->journal_slot = ext4_slot_of(fs, jsb);
    fs->slots[fs->journal_slot].pins++; /* it stays */
    fs->replay = (struct ext4_replay){.position = be32(jsb + JSB_START),
                                      .sequence = be32(jsb + JSB_SEQUENCE),
                                      .needed = be32(jsb + JSB_START) != 0};
    fs->running = be32(jsb + JSB_SEQUENCE);
    fs->committed = fs->running - 1;
    journal->head = journal->tail = journal->first;
    journal->live_count = 0;
    journal->is_open = false;
    if (!fs->replay.needed)
        choose_format(fs);
    return MNOS_OK;
}

void ext4_journal_write_super(struct ext4_fs *fs, uint32_t start, uint32_t sequence)
{
    uint8_t *jsb = ext4_data(fs, fs->journal_slot);
    struct ext4_use *use = &fs->slots[fs->journal_slot].use;

    set_be32(jsb + JSB_START, start);
    set_be32(jsb + JSB_SEQUENCE, sequence);
    if (be32(jsb + JBD_KIND) == JBD_SUPER_2)
        set_be32(jsb + JSB_INCOMPAT, fs->journal.incompat);
    if (ext4_journal_has_checksums(fs)) {
        jsb[JSB_CHECKSUM_TYPE] = JSB_CRC32C;
        set_le32(jsb + JSB_CHECKSUM, 0);
        set_be32(jsb + JSB_CHECKSUM, ext4_crc32c(UINT32_MAX, jsb, JSB_BYTES));
    }
    ext4_note(fs, use, sizeof *use);
    ext4_write_slot(fs, fs->journal_slot, 0, true);
}
