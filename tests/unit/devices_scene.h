// SPDX-License-Identifier: MIT
/* devices_scene.h - what the service of devices has around it: messages, a machine and clients. A part of test_devices.c, whose
 * program has one machine (tests/models/pci.h). */
#pragma once

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

/* The kernel, in the same program, has functions of these names. */
#define ipc_reply devices_ipc_reply
#define ipc_reply_status devices_ipc_reply_status
#define ipc_client_is_gone devices_ipc_client_is_gone

#include "lib/mnos/ipc.h"

/* There is no IPC buffer: what a message carries is in message_bytes. */
#define message_put model_message_put
#define message_get model_message_get
#define message_cap model_message_cap
static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length);
static size_t message_get(const struct message *msg, void *out, size_t size);
static mnos_cap_t message_cap(const struct message *msg, unsigned index);

#include "services/devices/server.c"

#include "services/devices/match.h"
#include "tests/models/pci.h"

/* ---- IPC and system ---- */

static uint8_t message_bytes[MNOS_MESSAGE_MAX_BYTES];
static uint8_t reply_bytes[MNOS_MESSAGE_MAX_BYTES];
static uint64_t replied[8]; /* reply ids that were answered aside */
static uint32_t replied_status[8];
static unsigned replied_count;
static mnos_badge_t gone_badge; /* what the kernel says when it is asked */
static uint64_t now_ns;
static uint64_t memory_bus; /* 0: the capability is not usable */
static unsigned dropped;
static uint64_t answered_page, answered_pages;
static unsigned answered_line;

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    msg->label = label;
    msg->length = (uint32_t)length & 0x1FFF;
    if (length != 0)
        memcpy(reply_bytes, bytes, length);
}

static size_t message_get(const struct message *msg, void *out, size_t size)
{
    memcpy(out, message_bytes, size);
    return msg->length;
}

static mnos_cap_t message_cap(const struct message *msg, unsigned)
{
    return msg->cap_count != 0 ? 77 : 0;
}

mnos_status_t ipc_reply(const struct message *msg)
{
    replied[replied_count] = msg->reply_id;
    replied_status[replied_count++] = msg->label;
    return MNOS_OK;
}

void ipc_reply_status(uint64_t reply_id, mnos_status_t status)
{
    struct message msg = {.reply_id = reply_id, .label = status};

    (void)!ipc_reply(&msg);
}

bool ipc_client_is_gone(mnos_cap_t, mnos_badge_t gone, mnos_badge_t client)
{
    return gone == client || (gone == 0 && client == gone_badge);
}

mnos_status_t system_answer_memory(struct message *message, uint64_t first_page,
                                   uint64_t page_count)
{
    answered_page = first_page;
    answered_pages = page_count;
    message->reply_id = 0;
    return MNOS_OK;
}

mnos_status_t system_answer_line(struct message *message, unsigned line)
{
    answered_line = line;
    message->reply_id = 0;
    return MNOS_OK;
}

bool system_memory(mnos_cap_t memory, uint64_t *bus, uint64_t *bytes)
{
    *bus = memory_bus;
    *bytes = 0x200000;
    return memory != 0 && memory_bus != 0;
}

void system_drop(mnos_cap_t cap)
{
    CHECK_EQ(cap, 77);
    dropped++;
}

/* Badges: service number below, starts above. Service 1 is "driver.0" and so on, 9 is "other". */
bool system_service(mnos_badge_t badge, char name[MNOS_NAME_BYTES])
{
    unsigned number = badge & 0xFF;

    if (number == 9)
        strcpy(name, "other");
    else
        sprintf(name, "driver.%u", number - 1);
    return number != 0;
}

bool system_service_failed(const char *name)
{
    return strcmp(name, "driver.5") == 0;
}

bool system_badge_lives(mnos_badge_t badge)
{
    return badge != gone_badge;
}

uint64_t system_time_ns(void)
{
    return now_ns;
}

/* ---- the scene ---- */

#define BADGE(service, start) ((mnos_badge_t)(start) << 16 | (service))
#define VIRTIO 0x10421AF4
#define AT(device) ADDRESS(0, 0, device, 0)
#define BAR_AT(number) (0xF0000000u + (number)*0x10000u)

static struct table table;
static struct devices devices;
static const struct driver_match drivers[] = {
    {.service = "driver", .instances = 8, .vendor = 0x1AF4, .device = 0x1042},
    {.service = "driver",
     .instances = 8,
     .vendor = MATCH_ANY,
     .device = MATCH_ANY,
     .class_code = 0x010802,
     .class_mask = 0xFFFFFF},
};

static void start(void)
{
    scan_all(&table);
    match_all(&table, drivers, 2);
    devices = (struct devices){.table = &table, .lines = {0xFEE00000, 0x30, 64}};
    CHECK_PTR_EQ(table_check(&table), NULL);
}

static struct model_function *add_virtio(unsigned device)
{
    struct model_function *function = model_add(AT(device), VIRTIO, 0x010000, BAR_AT(device));

    model_msix(function, 4, 0x2000);
    return function;
}

static struct message request(uint32_t label, mnos_badge_t badge, uint64_t word, size_t length)
{
    struct message msg = {.badge = badge, .reply_id = 500 + badge, .label = label};

    msg.length = (uint32_t)length & 0x1FFF;
    msg.cap_count = label == DEVICE_DMA_USE;
    memcpy(message_bytes, &word, sizeof word);
    devices_handle(&devices, &msg);
    return msg;
}

static uint32_t ask(uint32_t label, mnos_badge_t badge, uint64_t word)
{
    return request(label, badge, word, label == DEVICE_CLAIM || label == DEVICE_DMA_USE ? 0 : 8)
        .label;
}

static const struct device_info *claimed(mnos_badge_t badge)
{
    CHECK_EQ(ask(DEVICE_CLAIM, badge, 0), MNOS_OK);
    return (const struct device_info *)reply_bytes;
}

static void die(mnos_badge_t badge)
{
    struct message msg = {.badge = badge, .kind = MNOS_KIND_CLIENT_GONE};

    gone_badge = badge;
    devices_handle(&devices, &msg);
    CHECK_EQ(msg.reply_id, 0);
}

/* Until the service has nothing to do; the time that took. */
static uint64_t run_to_rest(void)
{
    uint64_t begin = now_ns;

    for (unsigned i = 0; i < 100000; i++) {
        uint64_t next = devices_progress(&devices);

        CHECK_PTR_EQ(table_check(&table), NULL);
        if (next == MNOS_DEADLINE_NEVER)
            return now_ns - begin;
        CHECK(next > now_ns);
        now_ns = next;
    }
    CHECK(!"it comes to rest");
    return 0;
}

static struct function *function_at(unsigned device)
{
    for (unsigned i = 0; i < table.count; i++)
        if (table.functions[i].ids.address == AT(device))
            return &table.functions[i];
    CHECK(!"the function was found");
    return &table.functions[0];
}
