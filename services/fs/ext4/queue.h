// SPDX-License-Identifier: MIT
/*
 * queue.h - what is to be read from and written to the disk: what does not fit into the disk's ring waits here. The
 * core's requests are never refused, as it has at most one for each of its slots, and a flush; those for pages of
 * files are begun only while there is room (disk_queue_has_room()), so the number of what waits is bounded.
 *
 * Q1  Requests go to the disk in the order in which they came.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

enum queue_op { QUEUE_READ, QUEUE_WRITE, QUEUE_FLUSH };

/* Whose request it is, with the number of a slot or of the first page. */
enum queue_owner { QUEUE_SLOT, QUEUE_CORE_FLUSH, QUEUE_PAGES, QUEUE_FLUSHES };

struct queue_request {
    uint8_t op;    /* enum queue_op */
    uint8_t owner; /* enum queue_owner */
    bool durable;  /* a write that is done when it is on the medium */
    uint8_t part;  /* of a page: where in it the bytes begin, in sectors of 512 */
    uint32_t number;
    uint32_t page; /* of the memory that the disk reaches */
    uint32_t bytes;
    uint64_t position; /* on the disk, in bytes */
};

/* The disk. `submit` answers false when it takes nothing for now. */
struct queue_port {
    void *context;
    bool (*submit)(void *context, const struct queue_request *request);
    void (*bell)(void *context);
};

struct queue {
    struct queue_port port;
    struct queue_request *waiting; /* a ring of `size` */
    uint32_t size, first, count;
    uint32_t outstanding; /* given to the disk and not done */
    bool submitted;       /* since the bell was rung */
};

/* Of those that the disk may have at once, this many are left to the core. */
#define QUEUE_OUTSTANDING_MAX 192u

/* `waiting` has room for `size`, at least as many as the core has slots, and 2. */
void disk_queue_init(struct queue *queue, const struct queue_port *port,
                     struct queue_request *waiting, uint32_t size);
/* Whether a request for pages may be begun. */
bool disk_queue_has_room(const struct queue *queue);
void disk_queue_add(struct queue *queue, const struct queue_request *request);
/* One is done. */
void disk_queue_done(struct queue *queue);
/* Gives the disk what waits and rings, if anything was submitted. */
void disk_queue_push(struct queue *queue);
/* Whether there is anything to push. */
static inline bool disk_queue_is_due(const struct queue *queue)
{
    return queue->count != 0 || queue->submitted;
}

/* A request as the disk's own number of it, and back: owner, operation, pages and number. */
static inline uint64_t queue_tag(const struct queue_request *request)
{
    uint64_t pages = request->bytes / 4096;

    return (uint64_t)request->owner << 56 | (uint64_t)request->op << 48 | pages << 32 |
           request->number;
}

static inline struct queue_request queue_untag(uint64_t tag)
{
    return (struct queue_request){.owner = (uint8_t)(tag >> 56),
                                  .op = (uint8_t)(tag >> 48),
                                  .bytes = (uint32_t)(tag >> 32 & 0xFFFF) * 4096,
                                  .number = (uint32_t)tag};
}
