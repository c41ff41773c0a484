// SPDX-License-Identifier: MIT
/*
 * ext4.h - an ext4 file system on blocks that somebody else reads and writes: what the service and the host
 * tests call. Nothing here waits, allocates or knows the clock.
 *
 * An operation is plain code that may be run again: begin, calls, end. A call that answers MNOS_ERR_AGAIN
 * has changed nothing that stays once ext4_end() has run; the caller runs the whole operation again from
 * ext4_begin() when what `op->waits_for` names has happened. Every store goes through an undo log
 * (lib/server/state.h), so an operation happens wholly or not at all, also when the process dies in it.
 *
 *   struct ext4_op op = {0};
 *   ext4_begin(&op, fs);
 *   status = ext4_create(&op, directory, name, bytes, mode, &inode);
 *   status = ext4_end(&op, status);
 *   ...                                  what belongs to it: a record of the reply
 *   state_done(log);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/server/state.h"

#define EXT4_SLOT_BYTES 4096u /* memory of a slot, whatever the size of a block is */
#define EXT4_ROOT 2u
#define EXT4_NAME_BYTES_MAX 255u
#define EXT4_LINKS_MAX 65000u
#define EXT4_OP_PINS 96u

struct ext4_fs;

/* What the core asks for. `read` and `write` move one block (ext4_block_bytes()) between the memory of a slot
 * and the disk, and end by ext4_done(); `flush` ends by ext4_flushed(). Both may be called before these return,
 * as the host tests do. They never fail at once: what cannot be queued yet is kept by the service. */
struct ext4_port {
    void *context;
    void (*read)(void *context, uint32_t slot, uint64_t block);
    /* Durable: with FUA, or a flush behind it. */
    void (*write)(void *context, uint32_t slot, uint64_t block, bool durable);
    void (*flush)(void *context);
    /* Step 1 of a commit. MNOS_OK: no page whose blocks were given out in a transaction up to `transaction` still
     * waits to be written. MNOS_ERR_AGAIN: they are being written; the service calls ext4_work() when they are. From the
     * first call for a transaction on none of its pages is left unwritten, whatever later operations take away from a
     * file: these wait for it. */
    mnos_status_t (*data_written)(void *context, uint32_t transaction);
    uint64_t (*now_ns)(void *context); /* since 1970 */
    void (*say)(void *context, const char *text);
};

/* Memory that outlives an operation, and may outlive the process: then the next run goes on with ext4_resume(). What
 * refers to something in it is a number, so it may lie elsewhere in the next run. */
struct ext4_memory {
    struct state *log; /* of at least EXT4_LOG_BYTES; both of what follows lie in its areas */
    void *core;        /* ext4_core_bytes(slots_max), aligned to 64 bytes */
    uint8_t *data;     /* for DMA, aligned to a page; its first `slots` pages are the first slots */
    uint32_t slots;    /* at first, whole chunks of EXT4_CHUNK_SLOTS */
    uint32_t slots_max; /* that there may be: ext4_add_slots() */
};

enum { EXT4_SLOTS_MIN = 256, EXT4_SLOTS_MAX = 4096, EXT4_CHUNK_SLOTS = 128 };
/* Of the data, in which slots may be. */
#define EXT4_DATA_PAGES_MAX 16384u
#define EXT4_LOG_BYTES (256u * 1024)

size_t ext4_core_bytes(uint32_t slots_max);

/* What op->waits_for may be, beside the number of a slot, whose ext4_done() it then is. */
enum {
    EXT4_WAIT_NOTHING = 0xFFFFFFFF,
    EXT4_WAIT_COMMIT = 0xFFFFFFFE, /* until ext4_work() has ended a commit or a checkpoint */
    EXT4_WAIT_ANY = 0xFFFFFFFD,    /* any ext4_done(): every slot is in use */
};

struct ext4_op {
    struct ext4_fs *fs;
    uint64_t now_ns;
    uint32_t waits_for;
    uint32_t mark;         /* where the undo log ended when it began */
    uint32_t freed_before; /* pieces that wait for a commit to be free, of other operations */
    /* How far a directory larger than the cache was looked through, and when no name had come since. */
    uint32_t scan_directory, scan_block;
    uint64_t scan_stamp;
    /* Blocks that it is taking out of a file: nodes of the tree may have the last of them when no other is free. */
    uint64_t spare;
    uint32_t spare_count;
    uint32_t pin_count;
    uint32_t pins[EXT4_OP_PINS];
};

/* Pins of an operation that is run again stay until it ends with something else than MNOS_ERR_AGAIN: the
 * structure has to stay, zeroed before the first ext4_begin(). An operation that is given up: ext4_drop(). */
void ext4_begin(struct ext4_op *op, struct ext4_fs *fs);
/* MNOS_OK: it has happened, and stays when the caller ends the log (state_done()), together with what the caller has
 * changed beside it. Anything else: undone, as far as this operation goes. */
mnos_status_t ext4_end(struct ext4_op *op, mnos_status_t status);
void ext4_drop(struct ext4_op *op);

void ext4_done(struct ext4_fs *fs, uint32_t slot, mnos_status_t status);
void ext4_flushed(struct ext4_fs *fs, mnos_status_t status);
/* Which page of the data a slot is. */
uint32_t ext4_slot_page(const struct ext4_fs *fs, uint32_t slot);
/* Slots more: EXT4_CHUNK_SLOTS pages of the data from `page` on, a multiple of it, are the core's from now on. An
 * operation of the log, which the caller ends (state_done()). false: there are as many slots as there may be. */
bool ext4_add_slots(struct ext4_fs *fs, uint32_t page);
/* The first page of a chunk of slots, from 0 on; UINT32_MAX: there are no more chunks. */
uint32_t ext4_chunk_page(const struct ext4_fs *fs, uint32_t chunk);

/* ---- The whole ---- */

struct ext4_options {
    uint32_t sector_bytes;
    uint64_t disk_bytes;
    bool read_only;
};

/* Lays a file system into the memory; nothing is read. */
struct ext4_fs *ext4_init(const struct ext4_memory *memory, const struct ext4_port *port,
                          const struct ext4_options *options);
/* Goes on with what a run that died has left in the memory, behind state_open(), which has undone what was not
 * finished: with the running and the committing transaction, in the middle of an ext4_unmount() too. MNOS_ERR_STATE: it
 * was not mounted yet. MNOS_ERR_FORMAT: an invariant does not hold, *wrong says which. Both: mount it from the disk. */
mnos_status_t ext4_resume(const struct ext4_memory *memory, const struct ext4_port *port,
                          struct ext4_fs **fs, const char **wrong);
/* What comes next: what the former run was writing is written again, by the port. Nothing of it may be in flight. */
void ext4_write_again(struct ext4_fs *fs);
/* NULL, or which of E1 to E5 (core/resume.c) does not hold. Between operations, with an empty log. */
const char *ext4_check(const struct ext4_fs *fs);
/* To be called until it answers something else than MNOS_ERR_AGAIN, each time after an ext4_done() or
 * ext4_flushed(): features, journal, orphans. MNOS_ERR_FORMAT: refused; ext4_reason() says why. */
mnos_status_t ext4_mount(struct ext4_fs *fs);
/* The same, back: everything is written, the journal is empty. No operation may be open or begun. */
mnos_status_t ext4_unmount(struct ext4_fs *fs);
/* Why it was refused, or why it is read-only; "" without a reason. */
const char *ext4_reason(const struct ext4_fs *fs);
bool ext4_is_read_only(const struct ext4_fs *fs);
uint32_t ext4_block_bytes(const struct ext4_fs *fs);

struct ext4_space {
    uint64_t blocks, free_blocks; /* without what is reserved for root and for delayed writes */
    uint64_t inodes, free_inodes;
};

void ext4_statfs(const struct ext4_fs *fs, struct ext4_space *space);

/* ---- Transactions ---- */

/* The transaction that operations join now. What ended in it is durable when ext4_is_committed() says so. */
uint32_t ext4_transaction(const struct ext4_fs *fs);
bool ext4_is_committed(const struct ext4_fs *fs, uint32_t transaction);
/* Whether the running transaction holds changes. */
bool ext4_is_dirty(const struct ext4_fs *fs);
/* The running transaction is to be committed (each 5 s, FSYNC, SYNC); ext4_work() does it. */
void ext4_want_commit(struct ext4_fs *fs);
/* Goes on with commit and checkpoint as far as it can without waiting. MNOS_OK: nothing to do. MNOS_ERR_AGAIN:
 * to be called again after ext4_done(), ext4_flushed() or when data is written. MNOS_ERR_DEVICE: writing failed,
 * the file system is read-only from now on. */
mnos_status_t ext4_work(struct ext4_fs *fs);

/* ---- Inodes ---- */

enum { EXT4_TYPE_OTHER, EXT4_TYPE_FILE, EXT4_TYPE_DIRECTORY, EXT4_TYPE_SYMLINK };

struct ext4_attr {
    uint32_t inode;
    uint32_t generation;
    uint32_t type; /* EXT4_TYPE_* */
    uint32_t mode; /* as on the disk, with its type */
    uint32_t links;
    uint32_t owner, group;
    uint64_t size;
    uint64_t allocated_bytes;
    int64_t created_ns, modified_ns, changed_ns, accessed_ns; /* since 1970 */
};

enum ext4_set {
    EXT4_SET_MODE = 1,
    EXT4_SET_OWNER = 2,
    EXT4_SET_MODIFIED = 4,
    EXT4_SET_ACCESSED = 8
};

mnos_status_t ext4_stat(struct ext4_op *op, uint32_t inode, struct ext4_attr *attr);
mnos_status_t ext4_set_attr(struct ext4_op *op, uint32_t inode, uint32_t what,
                            const struct ext4_attr *attr);

/* ---- Names ---- */

/* MNOS_ERR_NOT_FOUND, MNOS_ERR_NOT_DIRECTORY. "." and ".." are found as well. */
mnos_status_t ext4_lookup(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                          uint32_t *inode);

struct ext4_name {
    uint32_t inode;
    uint32_t type; /* EXT4_TYPE_*; EXT4_TYPE_OTHER where the directory does not say it */
    uint32_t bytes;
    const char *text;
};

/* Calls `emit` for each name from the cookie on (0: the first), "." and ".." left out, until it answers false;
 * *next is where to go on, with that name. *end: there is nothing behind. Where directories are hashed the cookie is
 * a hash, so a name that is there all the time comes once, whatever else comes and goes. `emit` only copies: after
 * MNOS_ERR_AGAIN what it was given is given again. */
mnos_status_t ext4_readdir(struct ext4_op *op, uint32_t directory, uint64_t cookie,
                           bool (*emit)(void *context, const struct ext4_name *name), void *context,
                           uint64_t *next, bool *end);
/* The text of a symbolic link; at most ext4_block_bytes(). */
mnos_status_t ext4_readlink(struct ext4_op *op, uint32_t inode, char *text, uint32_t limit,
                            uint32_t *bytes);

/* `mode`: permissions, and for create the type (0: a regular file). MNOS_ERR_EXISTS, MNOS_ERR_FULL. */
mnos_status_t ext4_create(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                          uint32_t mode, uint32_t *inode);
mnos_status_t ext4_mkdir(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                         uint32_t mode, uint32_t *inode);
mnos_status_t ext4_symlink(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                           const char *text, uint32_t text_bytes, uint32_t *inode);
mnos_status_t ext4_link(struct ext4_op *op, uint32_t inode, uint32_t directory, const char *name,
                        uint32_t bytes);
/* A name less. *gone: the inode that has no name any more, or 0: it is on the list of orphans, and lives until
 * ext4_release() has taken it away, which the caller asks for when nobody has it open. */
mnos_status_t ext4_unlink(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                          uint32_t *gone);
mnos_status_t ext4_rmdir(struct ext4_op *op, uint32_t directory, const char *name, uint32_t bytes,
                         uint32_t *gone);

struct ext4_place {
    uint32_t directory;
    const char *name;
    uint32_t bytes;
};

/* *gone: what was replaced and has no name any more, or 0. */
mnos_status_t ext4_rename(struct ext4_op *op, const struct ext4_place *from,
                          const struct ext4_place *to, uint32_t *gone);

/* ---- Bytes ---- */

/* Blocks of a file that lie one behind the other. `physical` is 0 for a hole and for what was never written:
 * both read as zeros. */
struct ext4_run {
    uint64_t physical;
    uint32_t count;
    bool set_aside; /* `physical` is 0, and it has blocks that were never written */
    bool
        is_new; /* ext4_allocate(): given out now; what is not written of them has to become zeros */
};

/* From a block of the file on, at most `count`; at least 1. */
mnos_status_t ext4_map(struct ext4_op *op, uint32_t inode, uint32_t logical, uint32_t count,
                       struct ext4_run *run);
/* As ext4_map(), but there is a block afterwards. The data has to be written before the transaction commits
 * (port: data_written). MNOS_ERR_FULL. */
mnos_status_t ext4_allocate(struct ext4_op *op, uint32_t inode, uint32_t logical, uint32_t count,
                            struct ext4_run *run);
/* Gives blocks to a file that read as zeros until something is written there; *done: how many from the first on have
 * some now, at least 1. MNOS_ERR_FULL. */
mnos_status_t ext4_set_aside(struct ext4_op *op, uint32_t inode, uint32_t logical, uint32_t count,
                             uint32_t *done);
/* Takes the blocks before `end` from `first` on out of a file; its size stays. *done: where it ended, behind `first`; what
 * is left takes other operations. Nothing of them may be on its way to the disk. MNOS_ERR_FULL: the disk is full, they lie
 * in one piece, and what is left of that would take more blocks for nodes of the tree. */
mnos_status_t ext4_punch(struct ext4_op *op, uint32_t inode, uint32_t first, uint32_t end,
                         uint32_t *done);
/* Makes a file longer, or as long as it is, and sets its times. */
mnos_status_t ext4_set_size(struct ext4_op *op, uint32_t inode, uint64_t size);
/* Blocks for which delayed writes wait; the others are told that the disk is full first. May be called
 * outside of an operation. MNOS_ERR_FULL. */
mnos_status_t ext4_reserve(struct ext4_fs *fs, uint64_t blocks);
void ext4_unreserve(struct ext4_fs *fs, uint64_t blocks);

/* Truncation is a row of operations: each call is one, to be ended by ext4_end(), and the next is begun until *done.
 * The size is set by the first; the list of orphans holds the inode meanwhile, so that the next mount ends what a power
 * cut interrupted. */
mnos_status_t ext4_truncate(struct ext4_op *op, uint32_t inode, uint64_t size, bool *done);
/* Takes an inode without names away, in the same manner. */
mnos_status_t ext4_release(struct ext4_op *op, uint32_t inode, bool *done);
