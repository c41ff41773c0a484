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
#include "services/fs/ext4/known.h"
#include "services/fs/ext4/queue.h"

#define SERVICE_OPEN_MAX (FILE_SERVER_SESSIONS + FILE_SERVER_HANDLES)
/* What is being taken away; with more unlinking and truncating wait. */
#define SERVICE_LEAVING_MAX 1024u
/* Of the core, at most; and requests that may wait for the disk's ring beside the core's. */
#define SERVICE_SLOTS_MAX 2048u
#define SERVICE_QUEUE_PAGES 256u
/* Inodes are looked for in tables of such sizes, by these bits of their hash. */
#define SERVICE_OPEN_BUCKETS 1024u

_Static_assert(CACHE_ACCOUNTS == SESSION_ACCOUNTS && CACHE_PROGRAMS == SESSION_PROGRAMS,
               "a client of the cache is that of a session");

/* Times of a file are set anew by writing when they are older than this. */
#define SERVICE_TOUCH_NS 4000000ull
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
    KEY_RETURNED = 7,  /* the volume is mounted again */
};

static inline uint64_t service_key(enum service_key key, uint32_t number)
{
    return (uint64_t)key << 32 | number;
}

enum service_state {
    SERVICE_NONE,
    SERVICE_MOUNTING,
    SERVICE_RETURNING, /* mounting anew what was mounted, for clients that have something open: reopen.c */
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
    bool lost;              /* it is not there after mounting anew */
    uint16_t failures;      /* of writing its pages: each open file is told by its next FSYNC */
    uint32_t last_index;    /* read last */
    uint32_t ahead, window; /* read ahead so far, and how many pages the next time */
    /* Blocks in a row that are the file's, from a block of it on, as the core said last; none of them when 0. It may get
     * others, but loses them only by what calls open_forget_blocks(). */
    uint32_t known_first, known_count;
    uint64_t known_physical;
    uint64_t touched_ns; /* when its times were set last by writing */
};

/* Blocks that are taken away by one operation after the other, whoever asked for it. */
struct leaving {
    uint32_t inode;
    bool whole;    /* it has no name any more; else it was made shorter */
    bool held;     /* and somebody has it open: it has to wait for that */
    uint64_t size; /* not whole: what it keeps */
};

/* An open inode, for a run that mounts the volume anew: reopen.c. Stored as it comes, without the undo log. */
struct kept_open {
    uint32_t inode; /* 0: none */
    uint32_t generation;
    uint32_t changed; /* the number of its last change; 0: none since it was synced */
    bool known;       /* the generation is */
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
    struct kept_open opens[SERVICE_OPEN_MAX + 1]; /* as the service's, by number */
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
    uint64_t tick_ns; /* since boot, of this pass */
    /* As protocols/file.h says; asked when something is dated. */
    uint64_t (*date_ns)(uint64_t tick_ns);
    enum service_state state;
    mnos_status_t failure; /* with SERVICE_FAILED */
    struct service_kept *kept;
    void (*state_changed)(struct ext4_service *service);
    void (*say)(const char *text);
    /* Asked for more pages when those there are all hold something; returns how many there are now. May be NULL. */
    uint32_t (*grow)(struct ext4_service *service);
    /* The capability of what is at an address of the data, the page in it, and how many there are from it on; NULL: nothing
     * is lent. */
    mnos_cap_t (*memory_of)(const void *address, uint64_t *page, uint64_t *page_count);

    uint32_t block_bytes, blocks_per_page;

    /* The operation of the request that runs; `pending`: it waits, and what it pinned stays pinned. */
    struct ext4_op op;
    bool pending;
    struct ext4_op parked_ops[PARK_ENTRIES];
    bool has_parked_op[PARK_ENTRIES];

    struct open_inode opens[SERVICE_OPEN_MAX + 1];
    uint32_t open_buckets[SERVICE_OPEN_BUCKETS];
    uint32_t free_open;
    struct known known;
    uint32_t held_count; /* of what leaves */
    struct background release, reopening;
    uint32_t reopen_at; /* the open inode that is looked at next; 0: not mounted yet */
    uint32_t changes;   /* the number of the last that was kept */
    uint32_t sessions_lost;
    uint32_t kept_last; /* the highest number of an open inode so far */

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
/* reopen.c: goes on with sessions and handles alone, and begins to mount the volume anew, instead of the above. False: what
 * is kept is of no use. */
bool ext4_service_mount_again(struct ext4_service *service, uint32_t sector_bytes,
                              uint64_t disk_bytes);
/* The disk has done what queue_tag() stands for. */
void ext4_service_done(struct ext4_service *service, uint64_t tag, mnos_status_t status);
/* After messages and completions: what goes on by itself. */
void ext4_service_round(struct ext4_service *service);
/* When ext4_service_round() is to be called at the latest. */
static inline uint64_t ext4_service_deadline_ns(const struct ext4_service *service)
{
    return service->commit_ns == 0 ? UINT64_MAX : service->commit_ns;
}

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
/* In a run that goes on: each has the number that it had, and nobody has it yet; those that nobody has go. */
void open_place_all(struct ext4_service *service, const struct kept_open *kept);
void open_forget_unused(struct ext4_service *service);
void open_hold(void *context, uint32_t inode);
void open_drop(void *context, uint32_t inode);
/* Whether its times have been set a moment ago; NULL: it is not open. */
static inline bool open_is_touched(const struct ext4_service *service,
                                   const struct open_inode *open)
{
    return open != NULL && open->touched_ns != 0 &&
           service->tick_ns - open->touched_ns < SERVICE_TOUCH_NS;
}
/* Blocks of it may be the file's no more. */
void open_forget_blocks(struct ext4_service *service, uint32_t inode);
/* It has no name any more: it goes when nobody has it open. */
void open_gone(struct ext4_service *service, uint32_t inode);
/* Whether something of it is being taken away. */
bool open_is_leaving(const struct ext4_service *service, uint32_t inode);
/* How many can leave now: of SERVICE_LEAVING_MAX. */
static inline uint32_t open_leaving_count(const struct ext4_service *service)
{
    return service->kept->leaving_count - service->held_count;
}
/* There is room: the caller has seen that there is less than SERVICE_LEAVING_MAX. */
void open_leave(struct ext4_service *service, uint32_t inode, bool whole, uint64_t size);
/* Takes away what nobody needs, as far as it can without waiting. */
void open_release(struct ext4_service *service);

/* An operation of the service's own has to wait, as its ext4_end() says. */
void background_waits(struct ext4_service *service, struct background *background);

/* reopen.c */
/* An open inode has got this number; has it no more; its attributes are known. */
void reopen_keep(struct ext4_service *service, uint32_t number);
void reopen_forget(struct ext4_service *service, uint32_t number);
void reopen_learn(struct ext4_service *service, uint32_t inode, uint32_t generation);
/* Its bytes or its size are about to be changed. */
void reopen_changed(struct ext4_service *service, uint32_t inode);
/* All changes up to one with these lowest bits are on the disk, of an inode or (0) of all. */
#define SERVICE_CHANGE_BITS 30u
#define SERVICE_CHANGE_MASK ((1u << SERVICE_CHANGE_BITS) - 1)
void reopen_synced(struct ext4_service *service, uint32_t inode, uint32_t synced);
/* In a run that goes on: what is open is held again. */
void reopen_hold_all(struct ext4_service *service);
bool reopen_can(const struct ext4_service *service, uint64_t disk_bytes);
/* The volume is mounted: looks whether what is open is there; false: to be called again. */
bool reopen_look(struct ext4_service *service);
/* Then: who has lost something is told. Returns how many sessions begin anew. */
unsigned reopen_end(struct ext4_service *service);

/* read.c */
mnos_status_t service_read(void *context, uint32_t inode, uint64_t offset, void *to,
                           uint64_t length, uint64_t *count);
/* Begins to read a page and some behind it; *number: the page, which is valid or on its way. */
mnos_status_t service_fetch(struct ext4_service *service, uint32_t inode, uint32_t index,
                            uint32_t count, uint64_t size, uint32_t *number);

/* views.c */
/* After cache_init() and cache_recover(): what was lent before is not any more. */
void views_init(struct ext4_service *service);
mnos_status_t service_pages(void *context, uint32_t inode, uint64_t index, uint32_t most,
                            struct file_pages *pages);

/* write.c */
mnos_status_t service_write(void *context, uint32_t inode, uint64_t offset, const void *from,
                            uint64_t length, uint64_t *count);
/* overwrite.c: whether the bytes were written, since they lie in one page, within the file, which is in memory and on the
 * disk; else nothing was done. Behind write_allowed(). */
bool overwrite_page(struct ext4_service *service, uint32_t inode, uint64_t size, uint64_t offset,
                    const void *from, uint64_t length);
/* Whether a page has bytes on the disk. */
mnos_status_t write_has_blocks(struct ext4_service *service, struct ext4_op *op, uint32_t inode,
                               uint32_t index, bool *has);
/* Whether a file may be written now. */
mnos_status_t write_allowed(struct ext4_service *service, uint32_t inode);

/* volume.c */
struct ext4_memory volume_core_memory(const struct ext4_service *service);
uint8_t *volume_tables(const struct ext4_service *service);

/* port.c */
struct ext4_port volume_port(struct ext4_service *service);

/* resize.c */
/* What the file had behind its end is not seen when it grows over that. */
void resize_zero_tail(struct ext4_service *service, uint32_t inode, uint64_t size);
/* The pages learn what kept->cut says; may be done again. */
void resize_cut_pages(struct ext4_service *service);
mnos_status_t service_truncate(void *context, uint32_t inode, uint64_t size);
mnos_status_t service_set_time(void *context, uint32_t inode, bool now, int64_t modified_ns);

/* space.c */
/* For how many blocks of [offset, end), which is not empty, the file has no place on the disk. */
mnos_status_t space_missing(const struct ext4_service *service, struct ext4_op *op, uint32_t inode,
                            uint64_t offset, uint64_t end, uint32_t *count);
mnos_status_t service_seek(void *context, uint32_t inode, uint64_t offset, bool hole,
                           uint64_t *found);
mnos_status_t service_allocate(void *context, uint32_t inode, uint64_t offset, uint64_t length,
                               uint32_t flags, uint64_t *done);
/* The pages learn what kept->hole says; may be done again. */
void space_hole_pages(struct ext4_service *service);

/* writeback.c */
/* Whether there are so many pages to be written, or one so old, that writeback_round() would begin. */
static inline bool writeback_is_due(const struct ext4_service *service)
{
    const struct cache *cache = &service->cache;

    return cache->dirty_count != 0 &&
           (cache->dirty_count * 10 > cache_size(cache) ||
            (int32_t)(service->ages[0] - cache_page(cache, cache->dirty_first)->serial) >= 0);
}
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

/* ---- known.h: what each name of a path asks ---- */

static inline struct known_attr *known_attr_in(const struct ext4_service *service, uint32_t number,
                                               uint32_t inode)
{
    return (struct known_attr *)cache_bytes(&service->cache, number) + inode % KNOWN_ATTRS_PER_PAGE;
}

/* As known_kind(), where the inode is in the page that was looked at last; NULL: it is not, or not known. */
static inline const struct known_attr *known_near(const struct ext4_service *service,
                                                  uint32_t inode)
{
    uint32_t index = inode / KNOWN_ATTRS_PER_PAGE,
             number = service->known.used_pages[index % KNOWN_USED_PAGES];
    const struct known_attr *known;

    if (number == 0 || !cache_is(&service->cache, number, KNOWN_ATTRS_FILE, index))
        return NULL;
    known = known_attr_in(service, number, inode);
    return known->inode == inode ? known : NULL;
}

/* ---- What is asked behind each request ---- */

/* Whether ext4_service_round() would do nothing: a volume is mounted, nothing waits for a commit, a flush or the disk, and no
 * page is due. */
static inline bool ext4_service_is_at_rest(const struct ext4_service *service)
{
    return service->state == SERVICE_MOUNTED && !service->work_due &&
           (service->commit_ns == 0 || service->tick_ns < service->commit_ns) &&
           service->flush_wanted <= service->flush_begun && service->cache.failed_count == 0 &&
           !service->cache.pressed && open_leaving_count(service) == 0 &&
           !disk_queue_is_due(&service->queue) && !writeback_is_due(service);
}
