// SPDX-License-Identifier: MIT
/* stream_client - see stream_client.h. Host tests compile this file with a model of the kernel. */
#include "lib/server/stream_client.h"

#include "abi/inspect.h"
#include "lib/mnos/syscall.h"
#include "lib/server/ram.h"

enum { INPUT_AT, OUTPUT_AT, ENDPOINT_AT, ATTACH_CAPS };

struct stream_client *stream_client_find(struct stream_clients *clients, mnos_badge_t badge)
{
    for (unsigned i = 0; badge != 0 && i < clients->used; i++)
        if (clients->entries[i].badge == badge)
            return &clients->entries[i];
    return NULL;
}

static struct stream_client *free_entry(struct stream_clients *clients)
{
    for (unsigned i = 0; i < STREAM_CLIENTS_MAX; i++)
        if (clients->entries[i].badge == 0)
            return &clients->entries[i];
    return NULL;
}

static void drop_cap(mnos_cap_t cap)
{
    if (cap != 0)
        (void)!sys_cap_delete(cap);
}

static void detach(struct stream_client *client)
{
    client->attached = false;
    guard_unmap(&client->input_guard);
    guard_unmap(&client->output_guard);
    drop_cap(client->input_memory);
    drop_cap(client->output_memory);
    client->input_memory = client->output_memory = 0;
}

void stream_client_forget(struct stream_client *client)
{
    detach(client);
    drop_cap(client->endpoint);
    *client = (struct stream_client){0};
}

void stream_client_tell(const struct stream_client *client, uint64_t events)
{
    /* It fails when the client is gone, which the service learns another way. */
    if (client != NULL && events != 0)
        (void)!sys_ipc_notify(client->endpoint, events);
}

/* Whether the endpoint takes all these events, those that say "look" set at once. */
static bool try_endpoint(mnos_cap_t endpoint, const struct stream_events *events, uint64_t output)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size, all = events->input | events->front | events->size | events->interrupt | output;

    return endpoint != 0 && events->input != 0 &&
           sys_cap_inspect(endpoint, MNOS_VIEW_CAPABILITY, 0, &size) == MNOS_OK &&
           info->type == MNOS_TYPE_ENDPOINT && (all & ~info->event_mask) == 0 &&
           sys_ipc_notify(endpoint, events->input | events->front | events->size) == MNOS_OK;
}

/* The entry for a client that asks anew is its own, without what it gave before; else there is a free one. */
static struct stream_client *entry_for(struct stream_clients *clients, mnos_badge_t badge)
{
    struct stream_client *entry = stream_client_find(clients, badge);

    if (entry != NULL) {
        stream_client_forget(entry);
        return entry;
    }
    entry = free_entry(clients);
    if (entry == &clients->entries[clients->used])
        clients->used++;
    return entry;
}

mnos_status_t stream_client_listen(struct stream_clients *clients, const struct message *msg,
                                   struct stream_client **entry)
{
    struct stream_events events;
    mnos_cap_t endpoint = message_cap(msg, 0);
    mnos_status_t status = MNOS_ERR_ARGUMENT;

    if (message_get(msg, &events, sizeof events) != sizeof events)
        status = MNOS_ERR_SIZE;
    else if (stream_client_find(clients, msg->badge) == NULL && free_entry(clients) == NULL)
        status = MNOS_ERR_AGAIN;
    else if (msg->cap_count == 1 && try_endpoint(endpoint, &events, 0))
        status = MNOS_OK;
    if (status != MNOS_OK) {
        message_refuse_caps(msg);
        return status;
    }
    *entry = entry_for(clients, msg->badge);
    **entry = (struct stream_client){.badge = msg->badge, .endpoint = endpoint, .events = events};
    return MNOS_OK;
}

/* Pages of a ring; 0: it is no memory for one. */
static uint64_t ring_pages(mnos_cap_t memory)
{
    uint64_t pages = ram_pages(memory);

    return pages > STREAM_RING_PAGES_MAX ? 0 : pages;
}

/* Of an entry that holds its capabilities. */
static mnos_status_t map_rings(struct stream_client *client)
{
    uint64_t input = ring_pages(client->input_memory), output = ring_pages(client->output_memory);
    mnos_status_t status;

    if (input == 0 || output == 0)
        return MNOS_ERR_ARGUMENT;
    status = guard_map(&client->input_guard, client->input_memory, input);
    if (status == MNOS_OK)
        status = guard_map(&client->output_guard, client->output_memory, output);
    if (status != MNOS_OK)
        return status;
    ring_resume_producer(&client->input,
                         (uint8_t *)client->input_guard.address + STREAM_INPUT_HEADER,
                         ring_capacity(input * MNOS_PAGE_BYTES - STREAM_INPUT_HEADER));
    ring_resume_consumer(&client->output, client->output_guard.address,
                         ring_capacity(output * MNOS_PAGE_BYTES));
    client->attached = true;
    return MNOS_OK;
}

static mnos_status_t take_rings(struct stream_clients *clients, const struct message *msg,
                                const struct stream_attach *attach, const mnos_cap_t *caps,
                                struct stream_client **entry)
{
    struct stream_client *client;
    mnos_status_t status;

    if (stream_client_find(clients, msg->badge) == NULL && free_entry(clients) == NULL)
        return MNOS_ERR_AGAIN;
    if (msg->cap_count != ATTACH_CAPS || attach->output == 0 ||
        !try_endpoint(caps[ENDPOINT_AT], &attach->events, attach->output))
        return MNOS_ERR_ARGUMENT;
    client = entry_for(clients, msg->badge);
    *client = (struct stream_client){.badge = msg->badge,
                                     .events = attach->events,
                                     .output_events = attach->output,
                                     .input_memory = caps[INPUT_AT],
                                     .output_memory = caps[OUTPUT_AT]};
    status = map_rings(client);
    if (status == MNOS_OK) {
        client->endpoint = caps[ENDPOINT_AT];
        *entry = client;
        return MNOS_OK;
    }
    /* The capabilities are the caller's again. */
    client->input_memory = client->output_memory = 0;
    stream_client_forget(client);
    return status;
}

mnos_status_t stream_client_attach(struct stream_clients *clients, const struct message *msg,
                                   struct stream_client **entry)
{
    struct stream_attach attach;
    mnos_cap_t caps[ATTACH_CAPS];
    mnos_status_t status = MNOS_ERR_SIZE;

    for (unsigned i = 0; i < ATTACH_CAPS; i++)
        caps[i] = message_cap(msg, i);
    if (message_get(msg, &attach, sizeof attach) == sizeof attach)
        status = take_rings(clients, msg, &attach, caps, entry);
    for (unsigned i = 0; status != MNOS_OK && i < ATTACH_CAPS; i++)
        drop_cap(caps[i]);
    return status;
}

/* What came of an access to a ring; one that broke the rules, or is not there any more, is given up. */
static bool went_well(struct stream_client *client, mnos_status_t status)
{
    if (status == MNOS_OK && !client->input_guard.lost && !client->output_guard.lost)
        return true;
    detach(client);
    return false;
}

size_t stream_client_put(struct stream_client *client, const void *bytes, size_t count)
{
    size_t put = 0;

    if (!client->attached || !went_well(client, ring_put(&client->input, bytes, count, &put)))
        return 0;
    return put;
}

bool stream_client_lost(struct stream_client *client)
{
    struct stream_input *header = client->input_guard.address;
    uint64_t taken;

    if (!client->attached)
        return false;
    /* Acquire pairs with the release of the client's ring_take(). */
    taken = atomic_load_explicit(&client->input.shared->taken, memory_order_acquire);
    if (!went_well(client, MNOS_OK) || taken != client->input.own)
        return false;
    atomic_fetch_add_explicit(&header->lost, 1, memory_order_release);
    return went_well(client, MNOS_OK);
}

size_t stream_client_peek(struct stream_client *client, void *bytes, size_t count)
{
    size_t found = 0;

    if (!client->attached || !went_well(client, ring_peek(&client->output, bytes, count, &found)))
        return 0;
    return found;
}

void stream_client_drop(struct stream_client *client, size_t count)
{
    if (!client->attached)
        return;
    ring_drop(&client->output, count);
    (void)went_well(client, MNOS_OK);
}
