// SPDX-License-Identifier: MIT
/* ns16550_model.c - see tests/models/ns16550.h. */
/* Other tests have models of these, and the kernel functions of the same name. */
#define ipc_reply serial_ipc_reply
#define ipc_reply_status serial_ipc_reply_status
#define ipc_client_is_gone serial_ipc_client_is_gone
#define message_cap serial_message_cap
#define message_cap_badge serial_message_cap_badge
#define message_refuse_caps serial_message_refuse_caps
#define server_export_with serial_server_export_with
#define guard_map serial_guard_map
#define guard_unmap serial_guard_unmap

#include "tests/models/ns16550.h"

#include <stdlib.h>

#include "lib/mnos/ipc.h"

/* What is inline there has to get another name after it. */
#define sys_cap_delete serial_cap_delete
#define sys_cap_inspect serial_cap_inspect
#define sys_ipc_notify serial_ipc_notify
#define ipc_buffer serial_ipc_buffer
#define message_put serial_message_put
#define message_get serial_message_get

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length);
static size_t message_get(const struct message *msg, void *out, size_t size);
static mnos_status_t sys_cap_delete(mnos_cap_t cap);
static mnos_status_t sys_cap_inspect(mnos_cap_t cap, uint64_t view, uint64_t index, uint64_t *size);
static mnos_status_t sys_ipc_notify(mnos_cap_t endpoint, uint64_t events);
static struct mnos_ipc_buffer *serial_ipc_buffer(void);

#include "drivers/serial/ns16550/backlog.c"
#include "drivers/serial/ns16550/line.c"
#include "drivers/serial/ns16550/uart.c"
#include "lib/server/stream_client.c"
#include "lib/server/stream_input.c"
#include "lib/server/stream_output.c"
#include "lib/server/stream_scan.c"
#include "lib/server/stream_server.c"
#include "lib/server/stream_session.c"
#include "lib/server/stream_size.c"

/* ---- The kernel's part ---- */

static struct mnos_ipc_buffer buffer;
static mnos_cap_t sent_caps[3];
uint8_t message_bytes[MNOS_MESSAGE_MAX_BYTES];
struct model_reply replies[64];
unsigned reply_count, told;
uint64_t dead_client_reply, events_told[8], event_mask = UINT64_MAX;
mnos_badge_t gone_clients[2], sent_badge, exported;
bool export_fails;
int caps_held;
uint8_t *ring_memory[2];

static struct mnos_ipc_buffer *serial_ipc_buffer(void)
{
    return &buffer;
}

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    msg->label = label;
    msg->length = (uint32_t)length;
    if (length != 0)
        memcpy(message_bytes, bytes, length);
}

static size_t message_get(const struct message *msg, void *out, size_t size)
{
    size_t length = msg->length < size ? msg->length : size;

    memcpy(out, message_bytes, length);
    return length;
}

mnos_status_t ipc_reply(const struct message *msg)
{
    struct model_reply *reply = &replies[reply_count % 64];

    if (msg->reply_id == dead_client_reply)
        return MNOS_ERR_REPLY;
    reply->reply_id = msg->reply_id;
    reply->label = msg->label;
    reply->length = msg->length;
    memcpy(reply->bytes, message_bytes, msg->length);
    reply->bytes[msg->length] = 0;
    reply_count++;
    return MNOS_OK;
}

void ipc_reply_status(uint64_t reply_id, mnos_status_t status)
{
    struct message msg = {.reply_id = reply_id, .label = status};

    if (reply_id != 0)
        (void)!ipc_reply(&msg);
}

bool ipc_client_is_gone(mnos_cap_t endpoint, mnos_badge_t gone, mnos_badge_t client)
{
    CHECK_EQ(endpoint, ENDPOINT);
    if (gone != 0)
        return gone == client;
    return client != 0 && (client == gone_clients[0] || client == gone_clients[1]);
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

static mnos_status_t sys_cap_delete(mnos_cap_t cap)
{
    CHECK(cap != 0);
    caps_held--;
    return MNOS_OK;
}

static mnos_status_t sys_cap_inspect(mnos_cap_t cap, uint64_t, uint64_t, uint64_t *size)
{
    struct mnos_cap_info info = {.type = cap % 10 == ENDPOINT_CAP ? MNOS_TYPE_ENDPOINT
                                                                  : MNOS_TYPE_MEMORY,
                                 .rights = MNOS_RIGHTS_ALL,
                                 .event_mask = event_mask,
                                 .count = RING_PAGES};

    memcpy(buffer.data, &info, sizeof info);
    *size = sizeof info;
    return MNOS_OK;
}

static mnos_status_t sys_ipc_notify(mnos_cap_t endpoint, uint64_t events)
{
    CHECK_EQ(endpoint % 10, ENDPOINT_CAP);
    events_told[endpoint / 10 % 8] |= events;
    told += (events & INPUT_EVENT) != 0;
    return MNOS_OK;
}

mnos_status_t server_export_with(mnos_cap_t, struct message *msg, mnos_badge_t badge,
                                 uint64_t events)
{
    CHECK_EQ(events, STREAM_EVENT_LOOK);
    if (export_fails)
        return MNOS_ERR_QUOTA;
    exported = badge;
    ipc_reply_status(msg->reply_id, MNOS_OK);
    return MNOS_OK;
}

mnos_status_t guard_map(struct guard *guard, mnos_cap_t memory, uint64_t pages)
{
    *guard = (struct guard){.address = ring_memory[memory % 10 == OUTPUT_CAP], .pages = pages};
    return MNOS_OK;
}

void guard_unmap(struct guard *guard)
{
    *guard = (struct guard){0};
}

/* ---- The driver ---- */

struct line serial_line;
struct stream_server driver;
struct stream_server_state server_state;
unsigned edges_seen;
static bool begun; /* the region has something in it */

mnos_badge_t badge_of(mnos_badge_t client)
{
    return client < 100 ? client << 16 | HOLDER : client;
}

void model_begin(void)
{
    device = (struct model_device){0};
    memset(&serial_line, 0, sizeof serial_line);
    memset(&driver, 0, sizeof driver);
    memset(&server_state, 0, sizeof server_state);
    memset(events_told, 0, sizeof events_told);
    begun = export_fails = false;
    reply_count = told = 0;
    caps_held = 0;
    exported = sent_badge = gone_clients[0] = gone_clients[1] = 0;
    for (unsigned i = 0; i < 2; i++)
        if (ring_memory[i] != NULL)
            memset(ring_memory[i], 0, RING_PAGES * 4096);
}

void scene(bool has_fifo)
{
    device.has_fifo = has_fifo;
    CHECK_EQ(uart_init(&serial_line.uart, 0x3F8), MNOS_OK);
    uart_hold(&serial_line.uart, false); /* as when a client has come */
    uart_service(&serial_line.uart);
    line_open(&serial_line);
    driver.device = &serial_line.device;
    driver.endpoint = ENDPOINT;
    driver.holder = HOLDER;
    driver.state = &server_state;
    driver.now_ns = 1000;
    stream_server_begin(&driver, !begun, 5);
    begun = true;
    edges_seen = device.edges;
    for (unsigned i = 0; i < 2; i++)
        if (ring_memory[i] == NULL)
            ring_memory[i] = memset(aligned_alloc(4096, RING_PAGES * 4096), 0, RING_PAGES * 4096);
}

void interrupts(void)
{
    while (edges_seen != device.edges) {
        edges_seen = device.edges;
        uart_service(&serial_line.uart);
        stream_server_progress(&driver);
    }
}

struct message request(mnos_badge_t client, uint64_t reply_id, uint32_t label, const void *bytes,
                       size_t length)
{
    struct message msg = {.badge = badge_of(client), .reply_id = reply_id};

    message_put(&msg, label, bytes, length);
    stream_server_handle(&driver, &msg);
    interrupts();
    return msg;
}

struct message request_caps(mnos_badge_t client, uint32_t label, const void *bytes, size_t length,
                            unsigned caps, unsigned number)
{
    struct message msg = {.badge = badge_of(client), .reply_id = 300, .cap_count = caps & 7};

    for (unsigned i = 0; i < caps && i < 3; i++)
        sent_caps[i] = number * 10 + (caps == 1 ? (unsigned)ENDPOINT_CAP : INPUT_CAP + i);
    caps_held += sent_badge == 0 ? (int)caps : 0;
    message_put(&msg, label, bytes, length);
    stream_server_handle(&driver, &msg);
    sent_badge = 0;
    interrupts();
    return msg;
}

struct message request_read(mnos_badge_t client, uint64_t reply_id, uint64_t max_bytes)
{
    struct stream_read read = {max_bytes};

    return request(client, reply_id, STREAM_READ, &read, sizeof read);
}

mnos_status_t request_listen(mnos_badge_t client, unsigned number)
{
    struct stream_events events = {INPUT_EVENT, FRONT_EVENT, SIZE_EVENT, INTERRUPT_EVENT};

    return request_caps(client, STREAM_LISTEN, &events, sizeof events, 1, number).label;
}

void client_gone(mnos_badge_t client)
{
    struct message gone = {.kind = MNOS_KIND_CLIENT_GONE,
                           .badge = client != 0 ? badge_of(client) : 0};

    stream_server_handle(&driver, &gone);
    interrupts();
}

const char *got(uint32_t label, uint64_t max_bytes)
{
    struct stream_read read = {max_bytes};

    request(1, 900, label, &read, sizeof read);
    CHECK(reply_count != 0);
    reply_count--;
    return replies[reply_count].label == MNOS_ERR_LOST ? "LOST" : replies[reply_count].bytes;
}

/* No faster than the driver reads. */
void type_keys(const char *text)
{
    for (; *text != 0; text++) {
        wire_receive(text, 1, 0);
        interrupts();
    }
}

void send_everything(void)
{
    for (unsigned i = 0; i < 40000 && (device.tx_count != 0 || edges_seen != device.edges); i++) {
        wire_send();
        interrupts();
    }
}

void new_driver(void)
{
    memset(&serial_line, 0, sizeof serial_line);
    memset(&driver, 0, sizeof driver);
    reply_count = 0;
    scene(device.has_fifo);
    stream_server_progress(&driver);
}

void pass_time(uint64_t ns)
{
    driver.now_ns += ns;
    if (stream_server_deadline(&driver) <= driver.now_ns)
        stream_server_progress(&driver);
    interrupts();
}
