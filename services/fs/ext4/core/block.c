// SPDX-License-Identifier: MIT
/* block - the cache of blocks: found by a hash of their number, replaced by the clock. See core.h. */
#include "services/fs/ext4/core/core.h"

enum { STATE_ALIGNMENT = 64 };

static size_t rounded(size_t bytes)
{
    return (bytes + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT;
}

static uint32_t bucket_count(uint32_t slots)
{
    uint32_t count = 1;

    while (count < slots)
        count *= 2;
    return count;
}

size_t ext4_core_bytes(uint32_t slots_max)
{
    return rounded(sizeof(struct ext4_fs)) + rounded(slots_max * sizeof(struct ext4_slot)) +
           rounded(bucket_count(slots_max) * sizeof(uint32_t));
}

struct ext4_fs *ext4_lay_out(const struct ext4_memory *memory, const struct ext4_port *port)
{
    struct ext4_fs *fs = memory->core;
    uint8_t *at = (uint8_t *)memory->core + rounded(sizeof *fs);

    fs->memory = *memory;
    fs->port = *port;
    fs->slots = (void *)at;
    at += rounded(memory->slots_max * sizeof(struct ext4_slot));
    fs->buckets = (void *)at;
    fs->bucket_mask = bucket_count(memory->slots_max) - 1;
    return fs;
}

struct ext4_fs *ext4_init(const struct ext4_memory *memory, const struct ext4_port *port,
                          const struct ext4_options *options)
{
    struct ext4_fs *fs;

    memset(memory->core, 0, sizeof *fs);
    fs = ext4_lay_out(memory, port);
    fs->magic = EXT4_MAGIC;
    fs->names_changed = 1;
    fs->options = *options;
    fs->journal_slot = EXT4_NONE;
    fs->super_slot = EXT4_NONE;
    /* The superblock says how large blocks are: until it is read, as small as the disk allows. */
    fs->block_bytes = options->sector_bytes > SB_BYTES ? options->sector_bytes : SB_BYTES;
    ext4_first_slots(fs);
    ext4_cache_empty(fs);
    return fs;
}

void ext4_cache_empty(struct ext4_fs *fs)
{
    memset(fs->slots, 0, fs->slot_count * sizeof *fs->slots);
    for (uint32_t i = 0; i <= fs->bucket_mask; i++)
        fs->buckets[i] = EXT4_NONE;
    fs->unused = 0;
    fs->hand = 0;
}

/* ---- Finding ---- */

static uint32_t *bucket_of(const struct ext4_fs *fs, uint64_t block)
{
    return &fs->buckets[(uint32_t)((block * 0x9E3779B97F4A7C15ull) >> 32) & fs->bucket_mask];
}

uint32_t ext4_slot_find(const struct ext4_fs *fs, uint64_t block)
{
    uint32_t slot = *bucket_of(fs, block);

    while (slot != EXT4_NONE && fs->slots[slot].block != block)
        slot = fs->slots[slot].hash_next;
    return slot;
}

static void hash_in(struct ext4_fs *fs, uint32_t slot, uint64_t block)
{
    uint32_t *bucket = bucket_of(fs, block);

    fs->slots[slot].block = block;
    fs->slots[slot].hash_next = *bucket;
    *bucket = slot;
}

void ext4_cache_rebuild(struct ext4_fs *fs, bool (*keeps)(const struct ext4_fs *fs, uint32_t slot))
{
    for (uint32_t i = 0; i <= fs->bucket_mask; i++)
        fs->buckets[i] = EXT4_NONE;
    fs->unused = 0;
    fs->hand = 0;
    for (uint32_t i = 0; i < fs->slot_count; i++) {
        struct ext4_slot *slot = &fs->slots[i];

        if (!keeps(fs, i)) {
            *slot = (struct ext4_slot){.hash_next = EXT4_NONE};
            continue;
        }
        slot->pins = 0;
        slot->hash_next = EXT4_NONE;
        fs->unused = i + 1;
        if (slot->block != EXT4_NO_BLOCK)
            hash_in(fs, i, slot->block);
    }
}

static void hash_out(struct ext4_fs *fs, uint32_t slot)
{
    uint32_t *at = bucket_of(fs, fs->slots[slot].block);

    while (*at != slot) {
        if (*at == EXT4_NONE)
            return; /* scratch of a commit is in no bucket */
        at = &fs->slots[*at].hash_next;
    }
    *at = fs->slots[slot].hash_next;
}

void ext4_slot_empty(struct ext4_fs *fs, uint32_t slot)
{
    hash_out(fs, slot);
    fs->slots[slot] = (struct ext4_slot){.hash_next = EXT4_NONE, .pins = fs->slots[slot].pins};
}

/* One round of the clock takes the references away, a second one finds what has none: two rounds are enough. */
uint32_t ext4_slot_take(struct ext4_fs *fs)
{
    if (fs->unused < fs->slot_count)
        return fs->unused++;
    for (uint32_t i = 0; i < 2 * fs->slot_count; i++) {
        uint32_t at = fs->hand;
        struct ext4_slot *slot = &fs->slots[at];

        fs->hand = at + 1 == fs->slot_count ? 0 : at + 1;
        if (slot->pins != 0 || slot->use.state == SLOT_READING ||
            (slot->use.flags & SLOT_BUSY) != 0)
            continue;
        if ((slot->use.flags & SLOT_REFERENCED) != 0) {
            slot->use.flags &= (uint8_t)~SLOT_REFERENCED;
            continue;
        }
        if (slot->use.state != SLOT_EMPTY)
            ext4_slot_empty(fs, at);
        return at;
    }
    return EXT4_NONE;
}

uint32_t ext4_slot_make(struct ext4_fs *fs, uint64_t block)
{
    uint32_t slot = ext4_slot_take(fs);

    if (slot == EXT4_NONE)
        return EXT4_NONE;
    fs->slots[slot] = (struct ext4_slot){.use = {.state = SLOT_VALID, .kind = EXT4_RAW}};
    hash_in(fs, slot, block);
    return slot;
}

uint32_t ext4_next_changed(const struct ext4_fs *fs, uint32_t slot)
{
    uint32_t word = slot / 64, words = (fs->unused + 63) / 64;
    uint64_t bits = word < words ? fs->changed[word] & UINT64_MAX << slot % 64 : 0;

    while (bits == 0) {
        if (++word >= words)
            return EXT4_NONE;
        bits = fs->changed[word];
    }
    return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

void ext4_write_slot(struct ext4_fs *fs, uint32_t slot, uint32_t position, bool durable)
{
    fs->slots[slot].use.target = position;
    fs->slots[slot].use.flags |= SLOT_WRITING;
    fs->transfers++;
    fs->port.write(fs->port.context, slot, ext4_slot_target(fs, slot), durable);
}

/* ---- Operations ---- */

static mnos_status_t pin(struct ext4_op *op, uint32_t slot)
{
    for (uint32_t i = 0; i < op->pin_count; i++)
        if (op->pins[i] == slot)
            return MNOS_OK;
    if (op->pin_count == EXT4_OP_PINS)
        return MNOS_ERR_SIZE; /* no operation needs so many at once */
    op->pins[op->pin_count++] = slot;
    op->fs->slots[slot].pins++;
    return MNOS_OK;
}

/* Who asks after those that have been told of a failure tries again. */
static void unpin(struct ext4_fs *fs, uint32_t slot)
{
    if (--fs->slots[slot].pins == 0 && fs->slots[slot].use.state == SLOT_FAILED)
        ext4_slot_empty(fs, slot);
}

void ext4_unpin_to(struct ext4_op *op, uint32_t count)
{
    while (op->pin_count > count)
        unpin(op->fs, op->pins[--op->pin_count]);
}

void ext4_drop(struct ext4_op *op)
{
    ext4_unpin_to(op, 0);
}

static void describe(struct ext4_slot *slot, const struct ext4_what *what)
{
    slot->use.kind = (uint8_t)what->kind;
    slot->use.owner = what->owner;
    slot->use.seed = what->seed;
    slot->use.good = 0;
}

/* Every slot is pinned or on its way, or waits for a commit or a checkpoint: where nothing is on its way, these are
 * what makes room. */
static mnos_status_t no_slot(struct ext4_op *op)
{
    struct ext4_fs *fs = op->fs;

    for (uint32_t i = 0; i < fs->unused; i++)
        if (fs->slots[i].use.state == SLOT_READING)
            return ext4_again(op, EXT4_WAIT_ANY);
    fs->checkpoint_wanted = true;
    return ext4_wait_commit(op);
}

static mnos_status_t start_reading(struct ext4_op *op, uint64_t block, const struct ext4_what *what,
                                   uint32_t *found)
{
    struct ext4_fs *fs = op->fs;
    uint32_t slot = ext4_slot_take(fs);

    if (slot == EXT4_NONE)
        return no_slot(op);
    describe(&fs->slots[slot], what);
    fs->slots[slot].use.state = SLOT_READING;
    hash_in(fs, slot, block);
    fs->port.read(fs->port.context, slot, block);
    *found = slot;
    return MNOS_OK;
}

/* A block that is there as something else. One that was changed is what it was changed as. */
static mnos_status_t look_again(struct ext4_fs *fs, uint32_t index, const struct ext4_what *what)
{
    struct ext4_slot *slot = &fs->slots[index], before = *slot;

    if ((slot->use.flags & (SLOT_DIRTY | SLOT_COMMITTING | SLOT_LOGGED | SLOT_FREED)) != 0)
        return MNOS_ERR_FORMAT;
    describe(slot, what);
    if (ext4_block_check(fs, slot, ext4_data(fs, index)) == MNOS_OK)
        return MNOS_OK;
    *slot = before;
    return MNOS_ERR_FORMAT;
}

mnos_status_t ext4_block_get(struct ext4_op *op, uint64_t block, const struct ext4_what *what,
                             uint8_t **data)
{
    struct ext4_fs *fs = op->fs;
    uint32_t index = ext4_slot_find(fs, block);
    mnos_status_t status = MNOS_OK;
    struct ext4_slot *slot;

    if (fs->blocks != 0 && block >= fs->blocks)
        return MNOS_ERR_FORMAT;
    if (index == EXT4_NONE)
        status = start_reading(op, block, what, &index);
    if (status != MNOS_OK)
        return status;
    slot = &fs->slots[index];
    status = pin(op, index);
    if (status == MNOS_OK && slot->use.state == SLOT_FAILED && slot->status == MNOS_ERR_AGAIN) {
        describe(slot, what);
        slot->use.state = SLOT_READING; /* a new block, undone */
        fs->port.read(fs->port.context, index, block);
    }
    if (status != MNOS_OK)
        return status;
    if (slot->use.state == SLOT_FAILED)
        return slot->status;
    if (slot->use.state == SLOT_READING)
        return ext4_again(op, index);
    slot->use.flags |= SLOT_REFERENCED;
    *data = ext4_data(fs, index);
    if ((slot->use.flags & SLOT_FREED) != 0)
        return MNOS_ERR_FORMAT;
    if (what->kind == EXT4_RAW || (slot->use.kind == what->kind && slot->use.owner == what->owner &&
                                   slot->use.seed == what->seed))
        return MNOS_OK;
    return look_again(fs, index, what);
}

mnos_status_t ext4_block_new(struct ext4_op *op, uint64_t block, const struct ext4_what *what,
                             uint8_t **data)
{
    struct ext4_fs *fs = op->fs;
    uint32_t index = ext4_slot_find(fs, block);
    mnos_status_t status;

    if (index != EXT4_NONE && fs->slots[index].use.state == SLOT_READING)
        return ext4_again(op, index);
    if (index != EXT4_NONE && (fs->slots[index].use.flags & SLOT_BUSY) != 0)
        return MNOS_ERR_FORMAT; /* a block that was given out twice */
    if (index == EXT4_NONE) {
        index = ext4_slot_take(fs);
        if (index == EXT4_NONE)
            return no_slot(op);
        describe(&fs->slots[index], what);
        hash_in(fs, index, block);
        /* What an undone operation leaves here is not the block's content. */
        fs->slots[index].status = MNOS_ERR_AGAIN;
        fs->slots[index].use.state = SLOT_FAILED;
    }
    status = pin(op, index);
    *data = ext4_data(fs, index);
    if (status == MNOS_OK)
        status = ext4_change(op, *data);
    if (status != MNOS_OK)
        return status;
    /* ext4_change() has noted the slot in the undo log. */
    describe(&fs->slots[index], what);
    fs->slots[index].use.state = SLOT_VALID;
    ext4_fill(op, *data, 0, fs->block_bytes);
    return MNOS_OK;
}

/* ---- What the service tells ---- */

static void read_done(struct ext4_fs *fs, uint32_t index, mnos_status_t status)
{
    struct ext4_slot *slot = &fs->slots[index];

    if (status == MNOS_OK)
        status = ext4_block_check(fs, slot, ext4_data(fs, index));
    slot->use.state = status == MNOS_OK ? SLOT_VALID : SLOT_FAILED;
    slot->status = (int32_t)status;
}

void ext4_done(struct ext4_fs *fs, uint32_t slot, mnos_status_t status)
{
    if (fs->slots[slot].use.state == SLOT_READING) {
        read_done(fs, slot, status);
        return;
    }
    fs->slots[slot].use.flags &= (uint8_t)~SLOT_WRITING;
    fs->transfers--;
    if (status != MNOS_OK && fs->write_status == MNOS_OK)
        fs->write_status = (int32_t)status;
}

void ext4_flushed(struct ext4_fs *fs, mnos_status_t status)
{
    fs->flushing = false;
    if (status != MNOS_OK && fs->write_status == MNOS_OK)
        fs->write_status = (int32_t)status;
}
