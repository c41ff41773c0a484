// SPDX-License-Identifier: MIT
/* block_queue - see block_queue.h. Host tests compile this file as it is. */
#include "lib/server/block_queue.h"

mnos_status_t block_queue_adopt(struct block_queue *queue, struct block_ring *ring)
{
    uint32_t submitted = atomic_load_explicit(&ring->submitted, memory_order_acquire);
    uint32_t completed = atomic_load_explicit(&ring->completed, memory_order_acquire);
    uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);

    if (submitted - completed > BLOCK_ENTRIES)
        return MNOS_ERR_FORMAT;
    *queue = (struct block_queue){.ring = ring, .next = completed, .done = taken};
    atomic_store_explicit(&ring->done, taken, memory_order_release);
    return MNOS_OK;
}

/* Results that the client has not taken yet; more than fit when it broke the rules. */
static uint32_t untaken(const struct block_queue *queue)
{
    return queue->done - atomic_load_explicit(&queue->ring->taken, memory_order_relaxed);
}

/* Submissions not looked at; likewise. Acquire pairs with the release in block_ring_publish(). */
static uint32_t waiting(const struct block_queue *queue)
{
    return atomic_load_explicit(&queue->ring->submitted, memory_order_acquire) - queue->next;
}

/* The entry is the client's to change while it is copied: a torn copy is checked like any other. */
static struct block_submission copy_of(const struct block_submission *shared)
{
    return (struct block_submission){
        .id = shared->id,
        .op = atomic_load_explicit(&shared->op, memory_order_acquire),
        .flags = shared->flags,
        .offset = shared->offset,
        .sector = shared->sector,
        .page = shared->page,
        .bytes = shared->bytes,
        .user = shared->user,
    };
}

bool block_queue_take(struct block_queue *queue, struct block_submission *entry)
{
    uint32_t left, results;

    if (queue->broken || queue->flying >= BLOCK_FLIGHTS_MAX)
        return false;
    left = waiting(queue);
    results = untaken(queue);
    if (left > BLOCK_ENTRIES || results > BLOCK_ENTRIES) {
        queue->broken = true;
        return false;
    }
    if (results + queue->flying >= BLOCK_ENTRIES)
        return false;
    for (; left != 0; left--, queue->next++) {
        *entry = copy_of(&queue->ring->submissions[queue->next % BLOCK_ENTRIES]);
        if (atomic_load_explicit(&entry->op, memory_order_relaxed) == BLOCK_NONE)
            continue;            /* finished: by a predecessor, before this run was attached */
        entry->id = queue->next; /* whatever the client wrote there */
        queue->next++;
        queue->flying++;
        return true;
    }
    return false;
}

/* Rights and abilities; MNOS_ERR_ARGUMENT for no operation at all. */
static mnos_status_t check_allowed(const struct block_limits *limits, uint8_t op, uint8_t flags)
{
    bool writes = op != BLOCK_READ && op != BLOCK_FLUSH;

    if (op == BLOCK_NONE || op > BLOCK_ZERO || (flags & ~BLOCK_FUA) != 0 ||
        (flags != 0 && op != BLOCK_WRITE))
        return MNOS_ERR_ARGUMENT;
    if (writes && ((limits->rights & BLOCK_RIGHT_WRITE) == 0 || (limits->flags & BLOCK_READ_ONLY)))
        return MNOS_ERR_DENIED;
    if (op == BLOCK_READ && (limits->rights & BLOCK_RIGHT_READ) == 0)
        return MNOS_ERR_DENIED;
    if ((op == BLOCK_DISCARD && (limits->flags & BLOCK_CAN_DISCARD) == 0) ||
        (op == BLOCK_ZERO && (limits->flags & BLOCK_CAN_ZERO) == 0))
        return MNOS_ERR_DENIED;
    return MNOS_OK;
}

static bool data_inside(const struct block_limits *limits, const struct block_submission *entry)
{
    uint64_t end = (uint64_t)entry->offset + entry->bytes;
    uint64_t pages = (end + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES;

    return entry->offset < MNOS_PAGE_BYTES && entry->offset % limits->sector_bytes == 0 &&
           pages <= BLOCK_PAGES_MAX && entry->page <= limits->pages &&
           pages <= limits->pages - entry->page;
}

mnos_status_t block_queue_check(const struct block_limits *limits, struct block_submission *entry)
{
    uint8_t op = atomic_load_explicit(&entry->op, memory_order_relaxed);
    uint64_t sectors = entry->bytes / limits->sector_bytes;
    mnos_status_t status = check_allowed(limits, op, entry->flags);

    if (status != MNOS_OK || op == BLOCK_FLUSH)
        return status;
    if (sectors == 0 || entry->bytes % limits->sector_bytes != 0 ||
        entry->sector > limits->sectors || sectors > limits->sectors - entry->sector)
        return MNOS_ERR_ARGUMENT;
    if ((op == BLOCK_READ || op == BLOCK_WRITE) && !data_inside(limits, entry))
        return MNOS_ERR_ARGUMENT;
    entry->sector += limits->first;
    return MNOS_OK;
}

void block_queue_complete(struct block_queue *queue, uint32_t id, mnos_status_t status,
                          uint64_t sector)
{
    struct block_completion *place = &queue->ring->completions[queue->done % BLOCK_ENTRIES];

    place->id = id;
    place->status = status;
    place->sector = sector;
    queue->done++;
    queue->flying--;
    /* Release pairs with the acquire in block_ring_take(). */
    atomic_store_explicit(&queue->ring->done, queue->done, memory_order_release);
}
