// SPDX-License-Identifier: MIT
/* block_ring - see block_ring.h. Host tests compile this file as it is. */
#include "lib/client/block_ring.h"

#include "lib/base/string.h"

static struct block_submission *entry_at(const struct block_ring_client *client, uint32_t index)
{
    return &client->ring->submissions[index % BLOCK_ENTRIES];
}

static uint8_t op_of(const struct block_submission *entry)
{
    return atomic_load_explicit(&entry->op, memory_order_relaxed);
}

/* Moves `completed` over what is finished (B6). Entries that have been put and not published are
 * not there yet. */
static void advance(struct block_ring_client *client)
{
    uint32_t end = atomic_load_explicit(&client->ring->submitted, memory_order_relaxed);
    uint32_t at = client->completed;

    while (at != end && op_of(entry_at(client, at)) == BLOCK_NONE)
        at++;
    if (at == client->completed)
        return;
    client->completed = at;
    atomic_store_explicit(&client->ring->completed, at, memory_order_release);
}

mnos_status_t block_ring_open(struct block_ring_client *client, struct block_ring *ring)
{
    *client = (struct block_ring_client){
        .ring = ring,
        .submitted = atomic_load_explicit(&ring->submitted, memory_order_relaxed),
        .completed = atomic_load_explicit(&ring->completed, memory_order_relaxed),
        .taken = atomic_load_explicit(&ring->taken, memory_order_relaxed),
    };
    if (client->submitted - client->completed > BLOCK_ENTRIES)
        return MNOS_ERR_FORMAT;
    for (uint32_t at = client->completed; at != client->submitted; at++)
        client->outstanding += op_of(entry_at(client, at)) != BLOCK_NONE;
    advance(client);
    return MNOS_OK;
}

mnos_status_t block_ring_put(struct block_ring_client *client, struct block_submission *entry)
{
    struct block_submission *place = entry_at(client, client->submitted);
    uint8_t op = op_of(entry);

    if (client->submitted - client->completed == BLOCK_ENTRIES)
        return MNOS_ERR_AGAIN;
    entry->id = client->submitted;
    place->id = entry->id;
    place->flags = entry->flags;
    place->offset = entry->offset;
    place->sector = entry->sector;
    place->page = entry->page;
    place->bytes = entry->bytes;
    place->user = entry->user;
    atomic_store_explicit(&place->op, op, memory_order_relaxed);
    client->submitted++;
    client->outstanding++;
    return MNOS_OK;
}

bool block_ring_publish(struct block_ring_client *client)
{
    if (atomic_load_explicit(&client->ring->submitted, memory_order_relaxed) == client->submitted)
        return false;
    /* Release pairs with the acquire in block_queue_take(): the entries are there before it. */
    atomic_store_explicit(&client->ring->submitted, client->submitted, memory_order_release);
    return true;
}

static struct block_result result_of(const struct block_submission *entry)
{
    return (struct block_result){
        .user = entry->user,
        .sector = entry->sector,
        .id = entry->id,
        .page = entry->page,
        .bytes = entry->bytes,
        .offset = entry->offset,
        .op = op_of(entry),
    };
}

/* From here on nobody carries it out again. */
static void finish(struct block_ring_client *client, struct block_submission *entry)
{
    atomic_store_explicit(&entry->op, BLOCK_NONE, memory_order_release);
    client->outstanding--;
}

mnos_status_t block_ring_take(struct block_ring_client *client, struct block_result *result)
{
    /* Acquire pairs with the release in block_queue_complete(). */
    uint32_t done = atomic_load_explicit(&client->ring->done, memory_order_acquire);

    if (done - client->taken > BLOCK_ENTRIES)
        return MNOS_ERR_END; /* a faulty driver; the deadline ends the wait */
    while (client->taken != done) {
        struct block_completion completion =
            client->ring->completions[client->taken % BLOCK_ENTRIES];
        struct block_submission *entry = entry_at(client, completion.id);
        bool known = completion.id - client->completed < client->submitted - client->completed &&
                     op_of(entry) != BLOCK_NONE;

        if (known) {
            *result = result_of(entry);
            result->status = (mnos_status_t)completion.status;
            result->bad_sector = completion.sector;
            finish(client, entry);
        } else {
            client->duplicates++;
        }
        client->taken++;
        atomic_store_explicit(&client->ring->taken, client->taken, memory_order_release);
        if (known) {
            advance(client);
            return MNOS_OK;
        }
    }
    return MNOS_ERR_END;
}

bool block_ring_outstanding(const struct block_ring_client *client, uint32_t *at,
                            struct block_result *entry)
{
    while (client->submitted - *at <= BLOCK_ENTRIES && *at != client->submitted) {
        const struct block_submission *found = entry_at(client, (*at)++);

        if (op_of(found) != BLOCK_NONE) {
            *entry = result_of(found);
            return true;
        }
    }
    return false;
}

mnos_status_t block_ring_give_up(struct block_ring_client *client, struct block_result *result)
{
    uint32_t at = client->completed;

    (void)block_ring_publish(client);
    if (!block_ring_outstanding(client, &at, result))
        return MNOS_ERR_END;
    finish(client, entry_at(client, at - 1));
    advance(client);
    return MNOS_OK;
}
