// SPDX-License-Identifier: MIT
/* block_model.c - see tests/models/block_server.h. */
/* Other tests have models of these, and the kernel functions of the same name. */
#define ipc_reply block_ipc_reply
#define ipc_reply_status block_ipc_reply_status
#define ipc_client_is_gone block_ipc_client_is_gone
#define message_cap block_message_cap
#define message_cap_badge block_message_cap_badge
#define message_refuse_caps block_message_refuse_caps
#define server_export_with block_server_export_with
#define guard_map block_guard_map
#define guard_unmap block_guard_unmap

#include "tests/models/block_server.h"

#include "lib/mnos/ipc.h"
#include "lib/mnos/time.h"

/* What is inline there has to get another name after it. */
#define sys_cap_delete block_cap_delete
#define sys_cap_inspect block_cap_inspect
#define sys_ipc_notify block_ipc_notify
#define ipc_buffer block_ipc_buffer
#define message_put block_message_put
#define message_get block_message_get

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length);
static size_t message_get(const struct message *msg, void *out, size_t size);
static mnos_status_t sys_cap_delete(mnos_cap_t cap);
static mnos_status_t sys_cap_inspect(mnos_cap_t cap, uint64_t view, uint64_t index, uint64_t *size);
static mnos_status_t sys_ipc_notify(mnos_cap_t endpoint, uint64_t events);
static struct mnos_ipc_buffer *block_ipc_buffer(void);

#include "lib/client/block_ring.c"
#include "lib/server/block.c"
#include "lib/server/block_attach.c"

struct test_client clients[CLIENTS];

static struct test_client *client_of(mnos_cap_t cap)
{
    CHECK(cap / 1000 >= 1 && cap / 1000 <= CLIENTS);
    return &clients[cap / 1000 - 1];
}

/* ---- The kernel's part ---- */

static struct mnos_ipc_buffer buffer;
uint8_t message_bytes[MNOS_MESSAGE_MAX_BYTES];
mnos_badge_t sent_badge, exported, gone_badge;
mnos_cap_t sent_caps[3], weak_cap;
mnos_rights_t missing_rights;
uint64_t clock_ns = 1000;
struct block_answer last_answer;

uint64_t kinfo_time_ns(void)
{
    return clock_ns;
}

static struct mnos_ipc_buffer *block_ipc_buffer(void)
{
    return &buffer;
}

static mnos_status_t sys_cap_delete(mnos_cap_t cap)
{
    client_of(cap)->held--;
    return MNOS_OK;
}

static mnos_status_t sys_cap_inspect(mnos_cap_t cap, uint64_t, uint64_t, uint64_t *size)
{
    unsigned what = cap % 1000;
    struct mnos_cap_info info = {
        .type = what == ENDPOINT_CAP ? MNOS_TYPE_ENDPOINT : MNOS_TYPE_MEMORY,
        .rights = MNOS_RIGHTS_ALL & ~(cap == weak_cap ? missing_rights : 0),
        .count = what == RING_CAP ? BLOCK_RING_PAGES : DATA_PAGES};

    memcpy(buffer.data, &info, sizeof info);
    *size = sizeof info;
    return MNOS_OK;
}

static mnos_status_t sys_ipc_notify(mnos_cap_t endpoint, uint64_t events)
{
    if (endpoint == ENDPOINT)
        return MNOS_OK;
    if (endpoint % 1000 != ENDPOINT_CAP || events != 4)
        return MNOS_ERR_RIGHTS;
    client_of(endpoint)->told++;
    return MNOS_OK;
}

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    msg->label = label;
    msg->length = (uint32_t)length;
    msg->cap_count = 0;
    if (length != 0)
        memcpy(message_bytes, bytes, length);
}

static size_t message_get(const struct message *msg, void *out, size_t size)
{
    memcpy(out, message_bytes, msg->length < size ? msg->length : size);
    return msg->length;
}

mnos_cap_t message_cap(const struct message *msg, unsigned index)
{
    return index < msg->cap_count && sent_badge == 0 ? sent_caps[index] : 0;
}

mnos_badge_t message_cap_badge(const struct message *msg, unsigned index)
{
    return index < msg->cap_count ? sent_badge : 0;
}

void message_refuse_caps(const struct message *msg)
{
    for (unsigned i = 0; i < msg->cap_count; i++)
        if (message_cap(msg, i) != 0)
            (void)!sys_cap_delete(message_cap(msg, i));
}

mnos_status_t ipc_reply(const struct message *msg)
{
    last_answer.reply_id = msg->reply_id;
    last_answer.label = msg->label;
    last_answer.count++;
    return MNOS_OK;
}

void ipc_reply_status(uint64_t reply_id, mnos_status_t status)
{
    struct message msg = {.reply_id = reply_id, .label = status};

    (void)!ipc_reply(&msg);
}

bool ipc_client_is_gone(mnos_cap_t, mnos_badge_t told, mnos_badge_t client)
{
    return told != 0 ? told == client : client == gone_badge;
}

mnos_status_t server_export_with(mnos_cap_t, struct message *, mnos_badge_t badge, uint64_t events)
{
    CHECK_EQ(events, BLOCK_EVENT_SUBMITTED);
    exported = badge;
    return MNOS_OK;
}

mnos_status_t guard_map(struct guard *guard, mnos_cap_t memory, uint64_t pages)
{
    struct test_client *client = client_of(memory);
    unsigned what = memory % 1000;

    *guard = (struct guard){.address = what == RING_CAP   ? (void *)client->memory
                                       : what == DATA_CAP ? client->data
                                                          : client->more,
                            .pages = pages};
    return MNOS_OK;
}

void guard_unmap(struct guard *guard)
{
    *guard = (struct guard){0};
}

/* ---- The server, and what clients ask ---- */

struct block_server model_server;
struct block_sessions model_sessions;
struct message reply;
static uint64_t next_reply_id = 1;

void clients_begin(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct test_client *client = &clients[i];

        *client = (struct test_client){.badge = 0x10005 + i};
        client->memory = aligned_alloc(4096, BLOCK_RING_PAGES * 4096);
        memset(client->memory, 0, BLOCK_RING_PAGES * 4096);
        client->data = aligned_alloc(4096, DATA_PAGES * 4096);
        client->more = aligned_alloc(4096, DATA_PAGES * 4096);
        memset(client->data, 0, DATA_PAGES * 4096);
        memset(client->more, 0, DATA_PAGES * 4096);
        CHECK_EQ(block_ring_open(&client->ring, client->memory), MNOS_OK);
    }
}

mnos_status_t ask_server(mnos_badge_t badge, uint32_t label, const void *record, size_t bytes,
                         unsigned caps)
{
    message_put(&reply, label, record, bytes);
    reply.badge = badge;
    reply.kind = MNOS_KIND_MESSAGE;
    reply.cap_count = caps & 7;
    reply.reply_id = next_reply_id++;
    if (sent_badge == 0)
        for (unsigned i = 0; i < caps; i++)
            client_of(sent_caps[i])->held++;
    block_server_handle(&model_server, &reply);
    return reply.label;
}

/* The reply of one that was put aside is in last_answer. */
mnos_status_t attach_with(unsigned number, uint64_t pages, uint64_t epoch)
{
    struct block_attach record = {.events = 4, .pages = pages, .epoch = epoch};

    sent_badge = 0;
    sent_caps[0] = CAP(number, RING_CAP);
    sent_caps[1] = CAP(number, DATA_CAP);
    sent_caps[2] = CAP(number, ENDPOINT_CAP);
    return ask_server(clients[number].badge, BLOCK_ATTACH, &record, sizeof record, 3);
}

void attach_client(unsigned number)
{
    CHECK_EQ(attach_with(number, DATA_PAGES, 0), MNOS_OK);
    CHECK_EQ(clients[number].held, 3);
}

void client_is_gone(mnos_badge_t badge)
{
    reply = (struct message){.kind = MNOS_KIND_CLIENT_GONE, .badge = badge};
    block_server_handle(&model_server, &reply);
}

void submit_entry(unsigned number, struct block_submission entry)
{
    CHECK_EQ(block_ring_put(&clients[number].ring, &entry), MNOS_OK);
    (void)block_ring_publish(&clients[number].ring);
}

void submit_op(unsigned number, uint8_t op, uint64_t sector, uint32_t page, uint32_t bytes)
{
    submit_entry(number, (struct block_submission){
                             .op = op, .sector = sector, .page = page, .bytes = bytes});
}

/* The status of the next result; MNOS_ERR_END: there is none. */
mnos_status_t take_result(unsigned number)
{
    struct block_result result;
    mnos_status_t status = block_ring_take(&clients[number].ring, &result);

    return status == MNOS_OK ? result.status : status;
}
