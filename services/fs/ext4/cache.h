// SPDX-License-Identifier: MIT
/*
 * cache.h - pages of files in memory. What a page holds and where on the disk it belongs is here; when it is read and
 * written is decided in read.c, write.c and writeback.c. Metadata has a cache of its own, the core's.
 *
 *   free --cache_take()--> reading --cache_filled()--> valid --cache_dirty()--> valid and dirty
 *   free --cache_take()--> valid (a hole, or overwritten as a whole)
 *   dirty --cache_begin_write()--> writing --cache_written()--> valid, dirty again if it was changed meanwhile
 *   reading --cache_failed()--> failed --cache_forget_failed()--> free: whoever waited has seen it
 *   valid --cache_take() of another, cache_drop_range()--> free
 *   free --cache_lend()--> lent: the core keeps blocks in it, and it is no page of a file any more
 *
 * Which page goes is decided by two hands that go round. A page that was used twice is *active*, and about two thirds of all can be.
 * The first hand takes those that are not, the one that came first before the others: so however much is read once, it
 * drives out nothing that is used again. Above two thirds, and when the first hand finds none, the second cools active
 * pages, which each use makes warmer, and those that are cold are active no more.
 *
 * A page is held by the client that had it read or wrote to it: an account, and of it maybe a program. An account that
 * holds the half of all takes from its own pages first, and a program that holds the half of its account's from those of
 * the program. So neither drives out what others have, and each can have it all while nobody else wants any.
 *
 * The tables and the pages outlive the process (docs/ext4-death.md). What is on the disk as well is then forgotten; what
 * is dirty or being written is there, and dirty: cache_recover(). For that, a page that was new to the disk gets its blocks,
 * and becomes dirty, in the operation that allocates them (cache_keep()), and of the others each is at every moment dirty
 * or writing until it is on the disk.
 *
 * C1  Each page that is not free is found by its inode and index, and no two have the same.
 * C2  A page that is being read or written, is dirty or pinned, is not given to another. Between two requests none is
 *     pinned.
 * C3  The list of dirty pages has exactly those that are dirty, in the order in which they became so; that of pages on
 *     their way to the disk has exactly those that are being written.
 * C4  The counts are what is counted: those by client, too.
 * C5  Blocks of pages are on the disk.
 * C6  A page that clients map is valid, has `mapped` set, and goes only by cache_drop().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

#define CACHE_PAGE_BYTES 4096u
#define CACHE_BLOCKS_MAX 4u /* of a page: blocks have at least 1,024 bytes */
#define CACHE_HEAT_MAX 3u
#define CACHE_HEAT_ACTIVE 2u
#define CACHE_OWNERS 1024u /* a power of two */
/* The number of a client is its account's, plus CACHE_ACCOUNTS for each of its program's. Program 0 is none. */
#define CACHE_ACCOUNTS 128u /* a power of two */
#define CACHE_PROGRAMS 256u
#define CACHE_SHARE 2u /* of one account in all, and of one program in its account's: the half */
#define CACHE_LITTLE                                                                               \
    32u /* of all, that a program may have to be written whatever its account has */

enum cache_state { CACHE_FREE, CACHE_READING, CACHE_VALID, CACHE_FAILED, CACHE_LENT };

struct cache_page {
    uint32_t inode, index;
    uint32_t next; /* in the bucket */
    uint32_t dirty_next, dirty_previous;
    uint32_t writing_next, writing_previous;
    uint32_t serial;      /* of its becoming dirty: grows by 1 each time */
    uint32_t transaction; /* with `noted`: the one in which its blocks were given out */
    uint32_t writing_serial, writing_transaction; /* of what is being written */
    uint8_t status;                               /* CACHE_FAILED: why */
    uint8_t state;                                /* enum cache_state */
    uint8_t heat : 7;
    bool mapped : 1;                 /* by clients: cache_drop() takes it back */
    uint8_t parts;                   /* requests to the disk that are outstanding for it */
    uint16_t client, writing_client; /* who holds it; whose bytes are being written */
    bool active;                     /* it was used twice */
    bool dirty, writing;
    bool pinned;        /* the request that runs needs it to stay */
    bool noted;         /* the transaction must not commit before it is written */
    bool writing_noted; /* as `noted`, of what is being written */
};

/* Blocks of the disk by page and part, 0: a hole. */
typedef uint64_t cache_blocks[CACHE_BLOCKS_MAX];

/* Pages of an account, or of a program. */
struct cache_count {
    uint32_t held;
    uint32_t unwritten; /* those that are dirty, and those that are being written */
};

struct cache {
    struct cache_page *pages; /* from number 1 */
    cache_blocks *blocks;
    uint32_t *buckets;
    uint8_t *memory;
    uint32_t page_count;   /* may become more, as far as the tables have room */
    uint32_t lent_count;   /* of them, that the core has */
    uint32_t bucket_count; /* a power of two */
    uint32_t used_count;   /* that were ever used: those behind are free */
    uint32_t hand, active_hand;
    uint32_t active_count;
    uint16_t client; /* whose request runs: the caller's to set */
    struct cache_count accounts[CACHE_ACCOUNTS], programs[CACHE_PROGRAMS];
    uint32_t dirty_first, dirty_last;
    uint32_t writing_first; /* in no order */
    uint32_t dirty_count, writing_count, reading_count, failed_count;
    /* `noted` and `writing_noted` together, of transactions with an even and with an odd number: at most two have any, the
     * one that is being committed and the one that runs. */
    uint32_t noted_counts[2];
    /* The last whose commit has begun: what is noted for one up to it stays until it is written. */
    uint32_t waited_for;
    uint32_t owners[CACHE_OWNERS]; /* pages of all inodes with the same lowest bits */
    uint32_t serial;
    bool pressed; /* a page was taken from what it held */
    /* A page of the inode that clients map is about to hold something else; when it returns nobody maps it. */
    void (*take_back)(void *context, uint32_t inode);
    void *lender;
};

/* How much memory the tables for so many pages take. */
size_t cache_table_bytes(uint32_t page_count);
/* `tables` are zeros; `memory` has the pages themselves. */
void cache_init(struct cache *cache, void *tables, uint8_t *memory, uint32_t page_count);

static inline struct cache_page *cache_page(const struct cache *cache, uint32_t number)
{
    return &cache->pages[number - 1];
}

static inline uint64_t *cache_blocks_of(const struct cache *cache, uint32_t number)
{
    return cache->blocks[number - 1];
}

static inline uint8_t *cache_bytes(const struct cache *cache, uint32_t number)
{
    return cache->memory + (size_t)(number - 1) * CACHE_PAGE_BYTES;
}

/* In a run that finds tables and pages of one that died: only what has to be written stays. `block_limit`: of the disk;
 * NULL, or what is wrong, and then nothing of it is of use. */
const char *cache_recover(struct cache *cache, void *tables, uint8_t *memory, uint32_t table_pages,
                          uint32_t page_count, uint64_t block_limit);
/* There are more pages, which are taken before any that hold something. */
void cache_grow(struct cache *cache, uint32_t page_count);
/* Gives pages away for ever; all of them are free. false: one of them is not, and none was given. */
bool cache_lend(struct cache *cache, uint32_t number, uint32_t count);
/* How many pages there are for files. */
static inline uint32_t cache_size(const struct cache *cache)
{
    return cache->page_count - cache->lent_count;
}
/* What the tables say of a page is about to be changed by an operation. */
void cache_keep(const struct cache *cache, uint32_t number);

static inline struct cache_count *cache_account(struct cache *cache, uint32_t client)
{
    return &cache->accounts[client % CACHE_ACCOUNTS];
}

static inline struct cache_count *cache_program(struct cache *cache, uint32_t client)
{
    return &cache->programs[client / CACHE_ACCOUNTS % CACHE_PROGRAMS];
}

/* `change`: of how many pages. */
static inline void cache_count_held(struct cache *cache, uint32_t client, int32_t change)
{
    cache_account(cache, client)->held += (uint32_t)change;
    cache_program(cache, client)->held += (uint32_t)change;
}

static inline void cache_count_unwritten(struct cache *cache, uint32_t client, int32_t change)
{
    cache_account(cache, client)->unwritten += (uint32_t)change;
    cache_program(cache, client)->unwritten += (uint32_t)change;
}

/* Whether the client whose request runs has as much to be written as it may: three tenths of all are its account's, and not
 * little of that its program's. */
static inline bool cache_writes_enough(const struct cache *cache)
{
    uint32_t size = cache_size(cache), program = cache->client / CACHE_ACCOUNTS;

    return cache->accounts[cache->client % CACHE_ACCOUNTS].unwritten >= size * 3 / 10 &&
           (program == 0 || cache->programs[program].unwritten >= size / CACHE_LITTLE);
}

/* Where the pages begin that are found as this one is. */
static inline uint32_t *cache_bucket(const struct cache *cache, uint32_t inode, uint32_t index)
{
    uint64_t hash = ((uint64_t)inode << 32 | index) * 0x9E3779B97F4A7C15ull;

    return &cache->buckets[hash >> 32 & (cache->bucket_count - 1)];
}

/* Whether a page, of whatever state, is this one of a file. */
static inline bool cache_is(const struct cache *cache, uint32_t number, uint32_t inode,
                            uint32_t index)
{
    const struct cache_page *page = cache_page(cache, number);

    return page->inode == inode && page->index == index;
}

/* The page of a file, or 0. */
static inline uint32_t cache_find(const struct cache *cache, uint32_t inode, uint32_t index)
{
    uint32_t number = *cache_bucket(cache, inode, index);

    while (number != 0 && !cache_is(cache, number, inode, index))
        number = cache_page(cache, number)->next;
    return number;
}
/* It becomes active. */
void cache_used_again(struct cache *cache, uint32_t number);
/* It was used again. */
static inline void cache_use(struct cache *cache, uint32_t number)
{
    struct cache_page *page = cache_page(cache, number);

    page->heat += page->heat < CACHE_HEAT_MAX;
    if (page->heat >= CACHE_HEAT_ACTIVE && !page->active)
        cache_used_again(cache, number);
}
/* Pages for `index` and those behind it, one behind the other in memory, as many as are to be had at once, at most
 * `count`; none of them is in the cache. They are valid, cold, and hold anything; their blocks are 0. Returns the first
 * one's number, 0: everything is in use. */
uint32_t cache_take(struct cache *cache, uint32_t inode, uint32_t index, uint32_t count,
                    uint32_t *taken);
/* Takes a page out that is neither dirty nor on its way. */
void cache_drop(struct cache *cache, uint32_t number);
/* A page of a file from `index` to before `end` that is being read or written, or that a commit waits for; or 0. */
uint32_t cache_on_its_way(const struct cache *cache, uint32_t inode, uint64_t index, uint64_t end);
/* Takes out the pages of a file from `index` to before `end`, dirty ones too; returns one that is on its way or that a
 * commit waits for, which stays, or 0. */
uint32_t cache_drop_range(struct cache *cache, uint32_t inode, uint64_t index, uint64_t end);

/* `parts` requests read into it now. */
void cache_begin_read(struct cache *cache, uint32_t number, uint32_t parts);
/* One of them has ended; true: it was the last. */
bool cache_part_read(struct cache *cache, uint32_t number, mnos_status_t status);
/* What could not be read is forgotten: the next that wants it tries again. */
void cache_forget_failed(struct cache *cache);

void cache_dirty(struct cache *cache, uint32_t number);
/* The end of cache_dirty(): a page that is dirty comes last in the list. */
void cache_list_dirty(struct cache *cache, uint32_t number);
/* There is nothing of it to write: what was changed lies behind the end of a file that has become shorter. */
void cache_clean(struct cache *cache, uint32_t number);
/* Its blocks are new: `transaction` waits for it. */
void cache_note(struct cache *cache, uint32_t number, uint32_t transaction);
/* The transaction waits for all that cache_is_pending() finds. */
void cache_note_pending(struct cache *cache, uint32_t inode, uint32_t serial, uint32_t transaction);
/* `parts` requests write it now. It may be changed and become dirty meanwhile, and is written again then. */
void cache_begin_write(struct cache *cache, uint32_t number, uint32_t parts);
bool cache_part_written(struct cache *cache, uint32_t number, mnos_status_t status);

/* Whether a page waits to be written, or is being, of an inode (0: of any) that became dirty up to `serial`. */
bool cache_is_pending(const struct cache *cache, uint32_t inode, uint32_t serial);
/* Whether a page waits for the disk for which this transaction waits: the one that runs, or the one before. */
static inline bool cache_is_noted(const struct cache *cache, uint32_t transaction)
{
    return cache->noted_counts[transaction & 1] != 0;
}

/* NULL, or which of C1 to C4 does not hold. */
const char *cache_check(const struct cache *cache);
