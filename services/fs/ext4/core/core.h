// SPDX-License-Identifier: MIT
/*
 * core.h - the file system in the state memory, and the cache of its blocks.
 *
 * A slot holds a block. It is EMPTY, READING, VALID, or FAILED until somebody has been told. A VALID one may be
 *   DIRTY       changed in the running transaction
 *   COMMITTING  part of the one that is being committed
 *   LOGGED      in the journal, not yet in its place
 *   FREED       its block was freed in the running or committing transaction; gone when that has committed
 *   WRITING     being written, to the journal or in its place: nobody may change it
 * and only one that is none of these and not pinned is ever given to another block.
 *
 * Each block is checked when it enters the cache (check.c) and trusted afterwards: order and counts are right. Indexes
 * into memory are bounded all the same, since one block may be named twice by a damaged file system.
 */
#pragma once

#include "services/fs/ext4/core/disk.h"
#include "services/fs/ext4/ext4.h"

#define EXT4_NONE UINT32_MAX
#define EXT4_MAGIC 0x3254584534544558ull
#define EXT4_FREED_MAX 1024u
#define EXT4_REVOKED_MAX 2048u
#define EXT4_JOURNAL_RUNS 512u
#define EXT4_LIVE_MAX 256u
#define EXT4_REASON_BYTES 128u
#define EXT4_SCRATCH_MAX 512u
#define EXT4_STALE_SHIFT 5u /* struct ext4_slot.stale has 32 bits */
/* Each takes a slot more at the commit. */
#define EXT4_ESCAPES_MAX 32u
#define EXT4_NO_BLOCK UINT64_MAX
#define EXT4_AHEAD_FILES 32u

enum ext4_kind {
    EXT4_RAW,
    EXT4_SUPER,
    EXT4_GROUPS,       /* owner: the first group in it */
    EXT4_BLOCK_BITMAP, /* owner: the group */
    EXT4_INODE_BITMAP,
    EXT4_INODES,  /* owner: the first inode in it */
    EXT4_EXTENTS, /* owner: depth; of the rest the inode */
    EXT4_LEAF,
    EXT4_DX_ROOT,
    EXT4_DX_NODE,
    EXT4_XATTR,
};

struct ext4_what {
    enum ext4_kind kind;
    uint32_t owner;
    uint32_t seed; /* of the checksums of an inode's blocks */
};

enum { SLOT_EMPTY, SLOT_READING, SLOT_VALID, SLOT_FAILED };

enum {
    SLOT_DIRTY = 1,
    SLOT_COMMITTING = 2,
    SLOT_LOGGED = 4,
    SLOT_FREED = 8,
    SLOT_WRITING = 16,
    SLOT_REFERENCED = 32,
    SLOT_JOURNAL = 64,  /* scratch of a commit: no block of the file system */
    SLOT_CHECKED = 128, /* the checkpoint is writing it in its place */
    SLOT_BUSY =
        SLOT_DIRTY | SLOT_COMMITTING | SLOT_LOGGED | SLOT_FREED | SLOT_WRITING | SLOT_JOURNAL,
};

struct ext4_slot {
    uint64_t block;
    uint32_t hash_next;
    union {
        int32_t status; /* SLOT_FAILED */
        /* SLOT_VALID, of inodes and descriptors: a bit for each of 32 parts of the block that may have been changed since
         * its checksums were made. More bits than need be do no harm, so an operation that is undone leaves them. */
        uint32_t stale;
    };
    uint16_t pins;
    uint16_t reserved;
    /* What operations change, and only that, is in the undo log: the rest belongs to the cache. */
    struct ext4_use {
        uint32_t owner;
        uint32_t seed;
        uint32_t good;   /* EXT4_INODES: which are well-formed, a bit each */
        uint32_t logged; /* SLOT_LOGGED: by which transaction */
        uint32_t freed;  /* SLOT_FREED: in which */
        uint32_t target; /* SLOT_WRITING: the position in the log; 0: its own place */
        uint8_t kind;
        uint8_t state;
        uint8_t flags;
        uint8_t reserved;
    } use;
};
_Static_assert(sizeof(struct ext4_slot) == 48, "storage.md: 48 bytes for each");

/* Blocks that must not be given out before a transaction has committed. */
struct ext4_freed {
    uint64_t block;
    uint32_t count;
    uint32_t transaction;
};

struct ext4_journal_run {
    uint64_t physical;
    uint32_t logical;
    uint32_t count;
};

/* A transaction whose blocks are not all in their places: where it begins in the log. */
struct ext4_live {
    uint32_t transaction;
    uint32_t start;
};

struct ext4_journal {
    uint32_t blocks, first; /* the log is blocks `first` to `blocks` - 1 of the journal's file */
    uint32_t incompat;
    uint32_t seed;
    uint32_t head; /* the next block to write */
    uint32_t tail; /* the oldest that a replay would need */
    uint32_t tail_transaction;
    uint32_t run_count;
    uint32_t live_count;
    uint32_t tags; /* in a descriptor */
    bool is_open;  /* the superblock of the journal names the tail */
    struct ext4_journal_run runs[EXT4_JOURNAL_RUNS];
    struct ext4_live live[EXT4_LIVE_MAX];
};

enum ext4_commit_step {
    COMMIT_IDLE,
    COMMIT_DATA,    /* 1. data begins to be written */
    COMMIT_OPENING, /* the superblock of the journal is being written: the log was empty */
    COMMIT_COPIES,  /* 2. and the rest of 1. */
    COMMIT_FLUSH,   /* 3. */
    COMMIT_BLOCK,   /* 4. */
};

enum ext4_checkpoint_step { CHECK_IDLE, CHECK_WRITING, CHECK_FLUSH, CHECK_TAIL };

enum ext4_mount_step {
    MOUNT_SUPER,
    MOUNT_JOURNAL,
    MOUNT_SCAN,
    MOUNT_REVOKES,
    MOUNT_REPLAY,
    MOUNT_REPLAYED, /* waits for the writes */
    MOUNT_FLUSHED,  /* waits for the flush */
    MOUNT_EMPTY,    /* waits for the journal's superblock */
    MOUNT_AGAIN,    /* the superblock as the journal left it */
    MOUNT_COUNT,    /* free blocks and inodes */
    MOUNT_MARK,     /* writes the superblock: in use */
    MOUNT_MARKED,   /* waits for it */
    MOUNT_ORPHANS,
    MOUNT_DONE,
    MOUNT_REFUSED,
};

enum ext4_unmount_step {
    UNMOUNT_COMMIT,
    UNMOUNT_CHECKPOINT,
    UNMOUNT_JOURNAL,
    UNMOUNT_SUPER,
    UNMOUNT_DONE
};

/* Blocks behind the end of a file that has grown: others do not take them as long as there are more. */
struct ext4_ahead {
    uint32_t inode;         /* 0: nobody */
    uint32_t count, blocks; /* as many as there are, and as it was to get */
    uint64_t first;
};

/* What was found last of a name in a hashed directory, so that who makes it or removes it right afterwards does not look
 * for it again. Of use while no directory has changed. */
struct ext4_hint {
    uint64_t stamp;     /* fs->names_changed when it was true; 0: nothing */
    uint32_t directory; /* its inode */
    uint32_t hash;
    bool exists;
    uint32_t leaf, offset, previous; /* exists: where its entry is */
    uint32_t bytes;
    char text[EXT4_NAME_BYTES_MAX];
};

/* Where a pass over the log is. */
struct ext4_replay {
    uint32_t position; /* of the block that is looked at */
    uint32_t sequence; /* of the transaction */
    uint32_t end;      /* the first that is not whole */
    uint32_t skip;     /* tags of the descriptor at `position` that are done */
    uint32_t blocks;   /* of the log that were looked at */
    uint32_t revokes;  /* in the table */
    uint32_t replayed;
    uint64_t commit_ns; /* when the last whole transaction was committed */
    bool needed;
    bool in_doubt; /* a checksum was wrong: the end of the log, or damage in its middle */
};

struct ext4_fs {
    uint64_t magic;
    struct ext4_memory memory;
    struct ext4_port port;
    struct ext4_options options;
    struct ext4_slot *slots;
    uint32_t *buckets;
    uint32_t bucket_mask;
    /* Slots that there are now, and where: chunk by chunk, and which chunk some pages of the data are. */
    uint32_t slot_count;
    uint16_t chunk_pages[EXT4_SLOTS_MAX / EXT4_CHUNK_SLOTS]; /* in EXT4_CHUNK_SLOTS pages */
    uint8_t chunk_at[EXT4_DATA_PAGES_MAX / EXT4_CHUNK_SLOTS];
    uint32_t hand;   /* of the clock */
    uint32_t unused; /* slots from here on have never been used */

    /* From the superblock. */
    uint32_t block_bytes, block_shift;
    uint32_t inodes, inodes_per_group, inode_bytes, first_inode, inode_extra;
    uint32_t blocks_per_group, groups, desc_bytes, groups_per_block;
    uint32_t first_data_block, reserved_gdt;
    uint32_t compat, incompat, ro_compat;
    uint32_t hash_seed[4];
    uint32_t seed; /* of checksums */
    uint64_t blocks, reserved_blocks;
    uint8_t uuid[16];
    uint8_t hash_version;
    bool hash_unsigned, has_checksums;
    bool read_only, aborted, had_errors;
    char reason[EXT4_REASON_BYTES];

    uint64_t free_blocks;
    uint64_t delayed; /* of them, promised to delayed writes */
    uint32_t free_inodes;
    /* In the group in which an inode was taken last none below this one is free: where the next search begins. */
    uint32_t search_group, search_from;

    /* Transactions. */
    uint32_t running, committed;
    uint32_t dirty_count; /* slots of the running one */
    /* A bit for each slot that may be DIRTY, COMMITTING or FREED: the others are not looked at. As with `stale`, an
     * operation that is undone leaves them. */
    uint64_t changed[EXT4_SLOTS_MAX / 64];
    uint32_t dirty_max;
    uint32_t logged_count;
    uint32_t freed_count, revoked_count;
    uint32_t
        escapes; /* blocks of the running one, at most, that clients made begin as the journal's do */
    bool commit_wanted, checkpoint_wanted;
    bool closing; /* no operation may change anything */
    enum ext4_commit_step commit_step;
    enum ext4_checkpoint_step checkpoint_step;
    enum ext4_mount_step mount_step;
    enum ext4_unmount_step unmount_step;
    uint32_t transfers; /* writes in flight: of a commit or a checkpoint, never of both */
    uint32_t new_tail, new_tail_transaction;
    uint32_t journal_slot; /* holds the journal's superblock, always */
    uint32_t super_slot;
    bool flushing;
    int32_t write_status;
    uint64_t mount_progress;
    uint64_t names_added; /* ever */
    /* Grows with each change of any block of a directory, and when one is undone: none of the two is in the undo log. */
    uint64_t names_changed;
    struct ext4_hint hint;
    struct ext4_ahead ahead[EXT4_AHEAD_FILES]; /* hints, and not in the undo log */
    uint32_t ahead_turn;
    struct ext4_op own; /* operation of mount */
    struct ext4_replay replay;
    struct ext4_journal journal;
    uint32_t scratch_count, scratch_used;
    uint32_t
        scratch[EXT4_SCRATCH_MAX]; /* slots of a commit: descriptors, revokes, escaped copies */
    struct ext4_freed freed[EXT4_FREED_MAX];
    uint64_t revoked[EXT4_REVOKED_MAX]; /* by the running transaction, in order */
};

/* ---- block.c ---- */

/* A block of the cache, pinned by the operation. MNOS_ERR_AGAIN, MNOS_ERR_DEVICE, MNOS_ERR_FORMAT. */
mnos_status_t ext4_block_get(struct ext4_op *op, uint64_t block, const struct ext4_what *what,
                             uint8_t **data);
/* One that has no content yet: zeros, changed. */
mnos_status_t ext4_block_new(struct ext4_op *op, uint64_t block, const struct ext4_what *what,
                             uint8_t **data);
/* Lets go what the operation has pinned since it had `count` of them; a block that was pinned before stays. */
void ext4_unpin_to(struct ext4_op *op, uint32_t count);
/* A slot of no block; EXT4_NONE: all are in use. */
uint32_t ext4_slot_take(struct ext4_fs *fs);
/* One of a block that is about to be written as a whole. */
uint32_t ext4_slot_make(struct ext4_fs *fs, uint64_t block);
/* Writes what the slot holds to its own block, or to a position of the log, if that is not 0; fs->transfers counts
 * it. The caller has noted the slot's `use`. */
void ext4_write_slot(struct ext4_fs *fs, uint32_t slot, uint32_t position, bool durable);
/* Where such a write goes. */
uint64_t ext4_slot_target(const struct ext4_fs *fs, uint32_t slot);
/* Lays the parts of the core out in its memory; the content is what is there. */
struct ext4_fs *ext4_lay_out(const struct ext4_memory *memory, const struct ext4_port *port);
/* Only the slots that `keeps` stay, each found by its block. */
void ext4_cache_rebuild(struct ext4_fs *fs, bool (*keeps)(const struct ext4_fs *fs, uint32_t slot));
void ext4_slot_empty(struct ext4_fs *fs, uint32_t slot);
uint32_t ext4_slot_find(const struct ext4_fs *fs, uint64_t block);
void ext4_cache_empty(struct ext4_fs *fs);

static inline uint8_t *ext4_data(const struct ext4_fs *fs, uint32_t slot)
{
    uint32_t page = (uint32_t)fs->chunk_pages[slot / EXT4_CHUNK_SLOTS] * EXT4_CHUNK_SLOTS +
                    slot % EXT4_CHUNK_SLOTS;

    return fs->memory.data + (size_t)page * EXT4_SLOT_BYTES;
}

static inline uint32_t ext4_slot_of(const struct ext4_fs *fs, const uint8_t *data)
{
    uint32_t page = (uint32_t)((size_t)(data - fs->memory.data) / EXT4_SLOT_BYTES);

    return (uint32_t)fs->chunk_at[page / EXT4_CHUNK_SLOTS] * EXT4_CHUNK_SLOTS +
           page % EXT4_CHUNK_SLOTS;
}

/* ---- slots.c ---- */

/* The first slots, at the beginning of the data. */
void ext4_first_slots(struct ext4_fs *fs);
/* Whether each chunk of slots has pages of its own. */
bool ext4_chunks_are_sound(const struct ext4_fs *fs);
/* How many slots a transaction may change, for as many as there are. */
void ext4_limit_dirty(struct ext4_fs *fs);

/* ---- change.c ---- */

/* The block may be stored to afterwards, by ext4_put() alone; it joins the running transaction. */
mnos_status_t ext4_change(struct ext4_op *op, const uint8_t *data);
/* Whether the operation may change anything at all. */
mnos_status_t ext4_check_writable(struct ext4_op *op);
/* A step of a commit, a checkpoint or an unmounting is about to change these bytes of the core's memory. Each step ends
 * by ext4_step_done(), and so has happened wholly or not at all. */
static inline __attribute__((always_inline)) void ext4_note(struct ext4_fs *fs, const void *address,
                                                            size_t count)
{
    state_put(fs->memory.log, address, count);
}

void ext4_step_done(struct ext4_fs *fs);

#define EXT4_SET(fs, place, value) (ext4_note(fs, &(place), sizeof(place)), (place) = (value))

static inline void ext4_slot_changes(struct ext4_fs *fs, uint32_t slot)
{
    fs->changed[slot / 64] |= 1ull << slot % 64;
}

/* The first slot from one on that may be DIRTY, COMMITTING or FREED; EXT4_NONE: there is none. */
uint32_t ext4_next_changed(const struct ext4_fs *fs, uint32_t slot);

/* The old bytes go to the undo log first; what lies in blocks. Numbers of the core's memory: EXT4_SET(). */
void ext4_put(struct ext4_op *op, void *address, const void *bytes, size_t count);
void ext4_put_16(struct ext4_op *op, void *address, uint16_t value);
void ext4_put_32(struct ext4_op *op, void *address, uint32_t value);
void ext4_fill(struct ext4_op *op, void *address, uint8_t value, size_t count);
/* Blocks of metadata that are free now must not be replayed. MNOS_ERR_AGAIN: commit first. */
mnos_status_t ext4_note_freed(struct ext4_op *op, uint64_t block, uint32_t count, bool revoke);
mnos_status_t ext4_again(struct ext4_op *op, uint32_t waits_for);
mnos_status_t ext4_wait_commit(struct ext4_op *op);

/* ---- check.c, seal.c, crc32c.c ---- */

/* Checks a block that enters the cache. */
mnos_status_t ext4_block_check(struct ext4_fs *fs, struct ext4_slot *slot, const uint8_t *data);
/* Whether an inode is well-formed. */
bool ext4_inode_is_good(const struct ext4_fs *fs, uint32_t number, const uint8_t *raw);
/* Entries of an extent node: in order, within the disk, of one depth. */
bool ext4_extents_are_good(const struct ext4_fs *fs, const uint8_t *node, size_t bytes,
                           uint32_t depth);
uint32_t ext4_crc32c_by_table(uint32_t crc, const uint8_t *bytes, size_t count);
uint32_t ext4_crc32c(uint32_t crc, const void *bytes, size_t count);
uint32_t ext4_inode_seed(const struct ext4_fs *fs, uint32_t number, uint32_t generation);
uint32_t ext4_inode_checksum(const struct ext4_fs *fs, uint32_t number, const uint8_t *raw);
uint32_t ext4_group_checksum(const struct ext4_fs *fs, uint32_t group, const uint8_t *desc);
uint32_t ext4_bitmap_checksum(const struct ext4_fs *fs, enum ext4_kind kind, const uint8_t *data);
uint32_t ext4_dx_checksum(uint32_t seed, const uint8_t *data, size_t entries);
uint32_t ext4_xattr_checksum(const struct ext4_fs *fs, uint64_t block, const uint8_t *data);
/* Puts the checksums into a block that is about to be written; bitmaps before descriptors. */
void ext4_seal_bitmap(struct ext4_fs *fs, uint32_t slot);
void ext4_seal(struct ext4_fs *fs, uint32_t slot);
/* Where the entries of a hashed directory's root or node begin; how many have room. */
size_t ext4_dx_entries(enum ext4_kind kind);
uint32_t ext4_dx_limit(const struct ext4_fs *fs, enum ext4_kind kind);
uint32_t ext4_dir_end(const struct ext4_fs *fs);

/* ---- super.c ---- */

mnos_status_t ext4_super_read(struct ext4_fs *fs, const uint8_t *sb);
uint8_t *ext4_super(const struct ext4_fs *fs);
/* A time for the superblock or of a deletion: not before the file system was made. A clock that begins at boot says less,
 * and e2fsck takes a small number there for that of an inode in the list of orphans, and 0 for not deleted. */
uint32_t ext4_seconds(const struct ext4_fs *fs, uint64_t now_ns);
/* Notes why, and answers MNOS_ERR_FORMAT. */
mnos_status_t ext4_refuse(struct ext4_fs *fs, const char *why);
void ext4_make_read_only(struct ext4_fs *fs, const char *why);
void ext4_abort(struct ext4_fs *fs, const char *why);
bool ext4_group_has_super(const struct ext4_fs *fs, uint32_t group);

/* ---- group.c ---- */

mnos_status_t ext4_group_get(struct ext4_op *op, uint32_t group, uint8_t **desc);
uint64_t ext4_group_number(const struct ext4_fs *fs, const uint8_t *desc, unsigned low,
                           unsigned high);
uint32_t ext4_group_count(const struct ext4_fs *fs, const uint8_t *desc, unsigned low,
                          unsigned high);
void ext4_group_set_count(struct ext4_op *op, uint8_t *desc, unsigned low, unsigned high,
                          uint32_t value);
uint64_t ext4_group_first(const struct ext4_fs *fs, uint32_t group);
uint32_t ext4_group_blocks(const struct ext4_fs *fs, uint32_t group);
/* The bitmap, made when the group has none yet. */
mnos_status_t ext4_bitmap_get(struct ext4_op *op, uint32_t group, enum ext4_kind kind,
                              uint8_t *desc, uint8_t **bitmap);
