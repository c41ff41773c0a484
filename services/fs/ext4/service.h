// SPDX-License-Identifier: MIT
/*
 * service.h - ext4 as lib/server/file_server.h asks for it, over a disk that answers later: what the files of the
 * service share. The core (ext4.h) knows the format; here are the pages of files, requests that wait, and when
 * something is written. All but main.c runs on the host as well, against a model of a disk.
 *
 * One thread. A request that meets something that is not in memory begins to read it and waits (SERVER_PARKED), by one
 * of the keys below; when the disk has answered it is run again from its beginning. Between two requests no operation of
 * the core is open.
 */
#pragma once

#include "lib/server/file_lock.h"
#include "lib/server/file_server.h"
#include "services/fs/ext4/cache.h"
#include "services/fs/ext4/ext4.h"
#include "services/fs/ext4/queue.h"

#define SERVICE_OPEN_MAX (FILE_SERVER_SESSIONS + FILE_SERVER_HANDLES)
#define SERVICE_NAMES 4096u
#define SERVICE_NAME_BYTES 51u /* a longer name is looked up each time */
#define SERVICE_ATTRS 1024u
/* What is being taken away; with more unlinking and truncating wait. */
#define SERVICE_LEAVING_MAX 1024u
/* Of the core, at most; and requests that may wait for the disk's ring beside the core's. */
#define SERVICE_SLOTS_MAX 1024u
#define SERVICE_QUEUE_PAGES 256u
/* Inodes are looked for in tables of such sizes, by these bits of their hash. */
#define SERVICE_OPEN_BUCKETS 1024u

_Static_assert(CACHE_CLIENTS == SESSION_ACCOUNTS, "a client of the cache is an account");

#define SERVICE_COMMIT_NS 5000000000ull
/* How many times SERVICE_COMMIT_NS old a page becomes before it is written: 30 s. */
#define SERVICE_AGES 6u
/* Pages that one request of a client writes in one operation. */
#define SERVICE_BATCH_PAGES 32u
/* Read ahead, in pages: 32 to 512 KiB. */
#define SERVICE_AHEAD_MIN 8u
#define SERVICE_AHEAD_MAX 128u
/* The core's, and pages of files for one row that is read ahead. */
#define SERVICE_DATA_PAGES_MIN (EXT4_SLOTS_MIN + SERVICE_AHEAD_MAX)

/* What a parked request waits for; below 2^32 it is a slot of the core, plus 1. */
enum service_key {
    KEY_COMMIT = 1,  /* a step of a commit or checkpoint has ended */
    KEY_WRITTEN = 2, /* pages were written */
    KEY_FLUSHED = 3,
    KEY_LEFT = 4,      /* something was taken away */
    KEY_PAGE = 5,      /* with the page's number below */
    KEY_COMMITTED = 6, /* a transaction has been committed */
};

static inline uint64_t service_key(enum service_key key, uint32_t number)
{
    return (uint64_t)key << 32 | number;
}

enum service_state {
    SERVICE_NONE,
    SERVICE_MOUNTING,
    SERVICE_MOUNTED,
    SERVICE_WRITING,    /* unmounting: pages are written */
    SERVICE_UNMOUNTING, /* and the core ends */
    SERVICE_FAILED,
};

/* A file or directory that handles or sessions have open. */
struct open_inode {
    uint32_t inode;
    uint32_t next; /* in the bucket, or of the free ones */
    uint32_t count;
    bool gone;              /* it has no name any more, and is taken away after the last */
    uint16_t failures;      /* of writing its pages: each open file is told by its next FSYNC */
    uint32_t last_index;    /* read last */
    uint32_t ahead, window; /* read ahead so far, and how many pages the next time */
    /* Blocks in a row that are the file's, from a block of it on, as the core said last; none of them when 0. It may get
     * others, but loses them only by what calls open_forget_blocks(). */
    uint32_t known_first, known_count;
    uint64_t known_physical;
    uint64_t touched_ns; /* when its times were set last by writing */
};

struct known_name {
    uint32_t directory; /* 0: this entry is free */
    uint32_t inode;     /* 0: the directory has no such name */
    uint8_t bytes;
    char text[SERVICE_NAME_BYTES];
};

/* Blocks that are taken away by one operation after the other, whoever asked for it. */
struct leaving {
    uint32_t inode;
    bool whole;    /* it has no name any more; else it was made shorter */
    bool held;     /* and somebody has it open: it has to wait for that */
    uint64_t size; /* not whole: what it keeps */
};

/* An operation of the service's own. */
struct background {
    struct ext4_op op;
    bool waits;
    uint64_t waits_for;
};

/* What outlives the process beside the sessions, the core's memory, and the tables of pages. It is changed by
 * operations, through the undo log. */
struct service_kept {
    uint32_t state; /* enum service_state */
    uint32_t slots, pages_max;
    bool asked_read_only, mounted_read_only;
    bool write_failed; /* a page could not be written, and not everybody was told */
    uint64_t disk_bytes;
    struct mount_status mount; /* main.c: what STATUS answers */
    struct file_locks locks;   /* main.c */
    struct running running;    /* main.c: a request that the service may die of */
    /* A file has become shorter, and its pages do not know yet. */
    struct cut {
        uint32_t inode; /* 0: all do */
        uint32_t transaction;
        uint64_t size, old_size;
    } cut;
    /* Blocks were taken out of a file, and its pages do not know yet. */
    struct hole {
        uint32_t inode; /* 0: all do */
        uint32_t first, end;
    } hole;
    uint32_t leaving_count;
    struct leaving leaving[SERVICE_LEAVING_MAX + SERVICE_OPEN_MAX];
};

struct ext4_service_memory {
    struct state *
        log; /* with EXT4_SERVICE_LOG_BYTES; what follows lies in its areas, except for `pages_max` */
    uint8_t *data;       /* pages that the disk reaches, from its page 0 on */
    uint32_t data_pages; /* that are there now, at least SERVICE_DATA_PAGES_MIN */
    uint32_t pages_max;  /* that may be there later, at addresses behind these */
    void *state;         /* ext4_service_state_bytes(), aligned to 64 bytes */
};

/* What a request changes beside the core: pages of a batch, sessions, the record of its reply. */
#define EXT4_SERVICE_LOG_BYTES (EXT4_LOG_BYTES + 32u * 1024)

struct ext4_service {
    struct file_server *files;
    struct ext4_service_memory memory;
    uint32_t slots; /* of the core: the first pages of the data */
    struct ext4_fs *fs;
    struct cache cache;
    struct queue queue;
    uint64_t now_ns;  /* since 1970, or since boot without a clock */
    uint64_t tick_ns; /* of a clock that only goes on, for timers */
    enum service_state state;
    mnos_status_t failure; /* with SERVICE_FAILED */
    struct service_kept *kept;
    void (*state_changed)(struct ext4_service *service);
    void (*say)(const char *text);
    /* Asked for more pages when those there are all hold something; returns how many there are now. May be NULL. */
    uint32_t (*grow)(struct ext4_service *service);

    uint32_t block_bytes, blocks_per_page;

    /* The operation of the request that runs; `pending`: it waits, and what it pinned stays pinned. */
    struct ext4_op op;
    bool pending;
    struct ext4_op parked_ops[PARK_ENTRIES];
    bool has_parked_op[PARK_ENTRIES];

    struct open_inode opens[SERVICE_OPEN_MAX + 1];
    uint32_t open_buckets[SERVICE_OPEN_BUCKETS];
    uint32_t free_open;
    struct known_name names[SERVICE_NAMES];
    struct ext4_attr attrs[SERVICE_ATTRS]; /* `inode` 0: free */
    uint32_t held_count;                   /* of what leaves */
    struct background release;

    bool work_due;               /* ext4_work() may get on */
    bool answered;               /* by the disk, since ext4_work() was called last */
    uint32_t committed;          /* the last transaction of which those who wait were told */
    uint64_t commit_ns;          /* when the next commit is due; 0: nothing has changed */
    uint32_t ages[SERVICE_AGES]; /* serials of the cache at the last commits, the oldest first */
    uint64_t flush_begun, flush_done, flush_wanted;
    struct queue_request waiting[SERVICE_SLOTS_MAX + SERVICE_QUEUE_PAGES]; /* of `queue` */
    bool data_failed; /* a page could not be written since the last SYNC */
};

extern const struct file_methods ext4_methods;

/* ---- volume.c: the whole ---- */

size_t ext4_service_state_bytes(uint32_t pages_max);
/* `files` is the server that has `ext4_methods` with this service. */
void ext4_service_init(struct ext4_service *service, struct file_server *files,
                       const struct ext4_service_memory *memory, const struct queue_port *port);
/* Each begins and returns; `state_changed` is called when the state is another one. */
void ext4_service_mount(struct ext4_service *service, uint32_t sector_bytes, uint64_t disk_bytes,
                        bool read_only);
void ext4_service_unmount(struct ext4_service *service);
/* takeover.c: goes on with what a run that died has left in the memory, instead of mounting. Behind ext4_service_init(),
 * with the sessions of that run; the disk has nothing of it in flight any more. An error: *wrong says why, nothing was
 * written, and the memory is of no use. */
mnos_status_t ext4_service_take_over(struct ext4_service *service, uint64_t disk_bytes,
                                     const char **wrong);
/* The disk has done what queue_tag() stands for. */
void ext4_service_done(struct ext4_service *service, uint64_t tag, mnos_status_t status);
/* After messages and completions: what goes on by itself. */
void ext4_service_round(struct ext4_service *service);
/* When ext4_service_round() is to be called at the latest. */
uint64_t ext4_service_deadline_ns(const struct ext4_service *service);

/* ---- What the files of the service share ---- */

/* An operation for the request that runs. */
struct ext4_op *service_begin(struct ext4_service *service);
/* SERVER_PARKED instead of MNOS_ERR_AGAIN. */
mnos_status_t service_end(struct ext4_service *service, mnos_status_t status);
/* The request that runs has to wait. */
mnos_status_t service_wait(struct ext4_service *service, uint64_t key);
void service_wake(struct ext4_service *service, uint64_t key);
/* Something has changed: there will be a commit. */
void service_changed(struct ext4_service *service);
/* MNOS_ERR_DENIED, MNOS_ERR_DEVICE: why nothing may be changed. */
mnos_status_t service_writable(const struct ext4_service *service);

/* open.c */
void open_init(struct ext4_service *service);
/* After a death, when all that is open is held again: which of it has no name. */
void open_recover(struct ext4_service *service);
struct open_inode *open_find(struct ext4_service *service, uint32_t inode);
void open_hold(void *context, uint32_t inode);
void open_drop(void *context, uint32_t inode);
mnos_status_t open_attr(struct ext4_service *service, uint32_t inode, struct ext4_attr *attr);
/* The same where it is kept: until the next that is asked about, or something changes. */
mnos_status_t open_known(struct ext4_service *service, uint32_t inode,
                         const struct ext4_attr **known);
/* What is known of it is not true any more. */
void open_forget_attr(struct ext4_service *service, uint32_t inode);
/* Blocks of it may be the file's no more. */
void open_forget_blocks(struct ext4_service *service, uint32_t inode);
/* It has no name any more: it goes when nobody has it open. */
void open_gone(struct ext4_service *service, uint32_t inode);
/* Whether something of it is being taken away. */
bool open_is_leaving(const struct ext4_service *service, uint32_t inode);
/* How many can leave now: of SERVICE_LEAVING_MAX. */
uint32_t open_leaving_count(const struct ext4_service *service);
/* There is room: the caller has seen that there is less than SERVICE_LEAVING_MAX. */
void open_leave(struct ext4_service *service, uint32_t inode, bool whole, uint64_t size);
/* Takes away what nobody needs, as far as it can without waiting. */
void open_release(struct ext4_service *service);

/* lookup.c */
mnos_status_t lookup_name(struct ext4_service *service, uint32_t directory, const char *text,
                          uint32_t bytes, uint32_t *inode);
void lookup_know(struct ext4_service *service, uint32_t directory, const char *text, uint32_t bytes,
                 uint32_t inode);

/* read.c */
mnos_status_t service_read(void *context, uint32_t inode, uint64_t offset, void *to,
                           uint64_t length, uint64_t *count);
/* Begins to read a page and some behind it; *number: the page, which is valid or on its way. */
mnos_status_t service_fetch(struct ext4_service *service, uint32_t inode, uint32_t index,
                            uint32_t count, uint64_t size, uint32_t *number);

/* write.c */
mnos_status_t service_write(void *context, uint32_t inode, uint64_t offset, const void *from,
                            uint64_t length, uint64_t *count);
/* Whether a page has bytes on the disk. */
mnos_status_t write_has_blocks(struct ext4_service *service, struct ext4_op *op, uint32_t inode,
                               uint32_t index, bool *has);
/* What the file had behind its end is not seen when it grows over that. */
void write_zero_tail(struct ext4_service *service, uint32_t inode, uint64_t size);
/* Whether a file may be written now. */
mnos_status_t write_allowed(struct ext4_service *service, uint32_t inode);

/* volume.c */
struct ext4_memory volume_core_memory(const struct ext4_service *service);
struct ext4_port volume_port(struct ext4_service *service);
uint8_t *volume_tables(const struct ext4_service *service);

/* resize.c */
/* The pages learn what kept->cut says; may be done again. */
void resize_cut_pages(struct ext4_service *service);
mnos_status_t service_truncate(void *context, uint32_t inode, uint64_t size);

/* space.c */
mnos_status_t service_seek(void *context, uint32_t inode, uint64_t offset, bool hole,
                           uint64_t *found);
mnos_status_t service_allocate(void *context, uint32_t inode, uint64_t offset, uint64_t length,
                               uint32_t flags, uint64_t *done);
/* The pages learn what kept->hole says; may be done again. */
void space_hole_pages(struct ext4_service *service);

/* writeback.c */
/* Begins to write what became dirty up to `serial` of an inode (0: of any), as far as the disk takes it. */
void writeback_begin(struct ext4_service *service, uint32_t inode, uint32_t serial);
/* Begins to write what a transaction waits for. */
void writeback_noted(struct ext4_service *service, uint32_t transaction);
/* What is old, or too much. */
void writeback_round(struct ext4_service *service);
/* Whether the client whose request runs has to wait until something is written. */
bool writeback_is_full(const struct ext4_service *service);
/* Begins requests for a row of pages that lie one behind the other in memory and, when blocks are as large as
 * pages, on the disk. */
void writeback_submit(struct ext4_service *service, enum queue_op op, uint32_t number,
                      uint32_t count);

/* sync.c */
mnos_status_t service_sync(void *context, uint32_t inode, uint64_t *ticket);
uint16_t service_failures(void *context, uint32_t inode);
/* A flush failed: pages of whatever is open may be lost. */
void sync_flush_failed(struct ext4_service *service);
void sync_round(struct ext4_service *service);
