// SPDX-License-Identifier: MIT
/* test_devices - the service of devices against a model of a machine and of its clients. */
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

/* ---- finding ---- */

TEST(devices_scan, finds_what_is_behind_bridges_and_ends)
{
    struct model_function *many;

    add_virtio(1);
    model_bridge(AT(2), 3, 4);
    model_add(ADDRESS(0, 3, 0, 0), 0x11111234, 0x020000, 0)->config[PCI_HEADER_TYPE] = 0x80;
    many = model_add(ADDRESS(0, 3, 0, 5), 0x22221234, 0x020000, 0);
    model_bridge(ADDRESS(0, 3, 1, 0), 2, 9); /* back to a lower bus: not followed */
    model_bridge(ADDRESS(0, 3, 2, 0), 7, 6); /* no buses at all */
    model_bridge(ADDRESS(0, 3, 3, 0), 4, 4);
    model_add(ADDRESS(0, 4, 31, 0), 0x33331234, 0x020000, 0);
    model_add(ADDRESS(0, 2, 0, 0), 0x44441234, 0x020000, 0); /* nobody leads there */
    model_add(ADDRESS(0, 4, 0, 3), 0x55551234, 0x020000, 0); /* there is no function 0 */
    start();
    CHECK_EQ(table.count, 8);
    CHECK_EQ(table.functions[3].ids.address, many->address);
    CHECK_EQ(table.functions[7].ids.address, ADDRESS(0, 4, 31, 0));
    CHECK_EQ(table.functions[1].secondary_bus, 3);
    CHECK(table.functions[1].flags & DEVICE_BRIDGE);
}

TEST(devices_scan, says_why_a_function_cannot_be_used)
{
    add_virtio(1);
    model_add(AT(2), 0x11111234, 0x020000, BAR_AT(2));           /* no messages */
    model_msix(model_add(AT(3), 0x11111234, 0x020000, 0), 1, 0); /* no window for the table */
    add_virtio(4);
    model_set(&machine[3], PCI_BAR, 4, 0); /* no address */
    add_virtio(5);
    model_set(&machine[4], PCI_BAR, 4, (uint32_t)MODEL_ECAM); /* in configuration space */
    start();
    CHECK_EQ(function_at(1)->state, DEVICE_FREE);
    CHECK_STR_EQ(function_at(2)->reason, "neither MSI nor MSI-X, and no pin has a known route");
    CHECK_STR_EQ(function_at(3)->reason, "neither MSI nor MSI-X, and no pin has a known route");
    CHECK_STR_EQ(function_at(4)->reason, "the firmware gave a register window no address");
    CHECK_STR_EQ(function_at(5)->reason, "a register window lies where none can be");
    CHECK_EQ(function_at(5)->state, DEVICE_FAILED);
    CHECK_STR_EQ(function_at(5)->service, "");
}

TEST(devices_scan, leaves_registers_as_they_were)
{
    struct model_function *function = add_virtio(1);

    model_set(function, PCI_COMMAND, 2, 7);
    start();
    CHECK_EQ(model_get(function, PCI_BAR, 4), BAR_AT(1));
    CHECK_EQ(model_get(function, PCI_COMMAND, 2), 7);
    CHECK_EQ(function_at(1)->bars[0].bytes, 0x10000);
    CHECK(probes != 0);
}

TEST(devices_scan, does_not_move_the_windows_of_a_display)
{
    model_add(AT(1), 0x11111234, 0x030000, BAR_AT(1));
    start();
    CHECK_EQ(probes, 0);
    CHECK_EQ(table.functions[0].state, DEVICE_FAILED);
}

TEST(devices_scan, more_functions_than_there_is_room_for_are_counted)
{
    model_bridge(AT(0), 1, 1);
    machine[0].config[PCI_HEADER_TYPE] |= 0x80;
    for (unsigned i = 1; i < FUNCTIONS_MAX + 10; i++)
        model_add(ADDRESS(0, i / 256, i / 8 % 32, i % 8), 0x11111234, 0x020000, 0)
            ->config[PCI_HEADER_TYPE] = 0x80;
    scan_all(&table);
    CHECK_EQ(table.count, FUNCTIONS_MAX);
    CHECK_EQ(table.left_out, 10);
    CHECK_PTR_EQ(table_check(&table), NULL);
}

/* ---- matching ---- */

TEST(devices_match, identifiers_before_classes_and_the_lowest_instance)
{
    static const struct driver_match some[] = {
        {.service = "any_disk",
         .vendor = MATCH_ANY,
         .device = MATCH_ANY,
         .class_code = 0x010000,
         .class_mask = 0xFF0000},
        {.service = "driver", .instances = 2, .vendor = 0x1AF4, .device = 0x1042},
    };

    add_virtio(1);
    model_msix(model_add(AT(2), 0x11111234, 0x010802, BAR_AT(2)), 1, 0);
    add_virtio(3);
    add_virtio(4);
    model_msix(model_add(AT(5), 0x11111234, 0x010601, BAR_AT(5)), 1, 0);
    scan_all(&table);
    match_all(&table, some, 2);
    CHECK_STR_EQ(function_at(1)->service, "driver.0");
    CHECK_STR_EQ(function_at(2)->service, "any_disk");
    CHECK_STR_EQ(function_at(3)->service, "driver.1");
    CHECK_STR_EQ(function_at(4)->service, "");
    CHECK_STR_EQ(function_at(4)->reason, "each instance of driver has a device");
    CHECK_STR_EQ(function_at(5)->reason, "each instance of any_disk has a device");
}

/* ---- claims ---- */

TEST(devices_claim, by_badge_each_its_own)
{
    const struct device_info *info;

    add_virtio(1);
    add_virtio(2);
    start();
    info = claimed(BADGE(2, 1));
    CHECK_EQ(info->ids.address, AT(2));
    CHECK_EQ(info->vectors, 4);
    CHECK_EQ(info->bars[0].bytes, 0x10000);
    CHECK_EQ(info->bars[0].parts, 2);
    info = claimed(BADGE(1, 1));
    CHECK_EQ(info->ids.address, AT(1));
    info = claimed(BADGE(1, 1)); /* once more: the same */
    CHECK_EQ(info->ids.address, AT(1));
    CHECK_EQ(function_at(1)->badge, BADGE(1, 1));
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
    CHECK_EQ(model_get(&machine[0], PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_NO_PIN);
    CHECK_PTR_EQ(table_check(&table), NULL);
}

TEST(devices_claim, strangers_are_refused)
{
    add_virtio(1);
    start();
    CHECK_EQ(ask(DEVICE_CLAIM, BADGE(9, 1), 0), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(9, 1), 0), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), 0), MNOS_ERR_STATE); /* before CLAIM */
    CHECK_EQ(request(DEVICE_CLAIM, BADGE(1, 1), 0, 3).label, MNOS_ERR_SIZE);
    CHECK_EQ(ask(DEVICE_CLAIM, 0, 0), MNOS_ERR_DENIED);
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(99, BADGE(1, 1), 0), MNOS_ERR_LABEL);
    CHECK_EQ(request(DEVICE_BAR, BADGE(1, 1), 0, 4).label, MNOS_ERR_SIZE);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 2), 1), MNOS_ERR_STATE); /* another run of it */
}

TEST(devices_claim, a_failed_device_is_told)
{
    add_virtio(1);
    start();
    function_fail(function_at(1), "a reason");
    CHECK_EQ(ask(DEVICE_CLAIM, BADGE(1, 1), 0), MNOS_ERR_DEVICE);
}

TEST(devices_claim, the_successor_waits_until_the_device_is_quiet)
{
    struct message msg;

    add_virtio(1);
    start();
    claimed(BADGE(1, 1));
    msg = request(DEVICE_CLAIM, BADGE(1, 2), 0, 0);
    CHECK_EQ(msg.reply_id, 0);
    CHECK_EQ(devices_progress(&devices), MNOS_DEADLINE_NEVER);
    CHECK_EQ(replied_count, 0);
    (void)request(DEVICE_CLAIM, BADGE(1, 3), 0, 0); /* a third takes its place */
    CHECK_EQ(replied[0], 500 + BADGE(1, 2));
    CHECK_EQ(replied_status[0], MNOS_ERR_CANCELLED);
    die(BADGE(1, 1));
    CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
    CHECK_EQ(replied_count, 1);
    run_to_rest();
    CHECK_EQ(replied[1], 500 + BADGE(1, 3));
    CHECK_EQ(replied_status[1], MNOS_OK);
    CHECK_EQ(function_at(1)->badge, BADGE(1, 3));
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
}

TEST(devices_claim, one_that_waits_and_dies_is_forgotten)
{
    struct message several = {.badge = 0, .kind = MNOS_KIND_CLIENT_GONE};

    add_virtio(1);
    start();
    claimed(BADGE(1, 1));
    (void)request(DEVICE_CLAIM, BADGE(1, 2), 0, 0);
    die(BADGE(1, 2));
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
    gone_badge = BADGE(1, 1);
    devices_handle(&devices, &several); /* the kernel is asked of each */
    CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FREE);
    CHECK_EQ(replied_count, 0);
}

/* ---- windows ---- */

static struct device_bar_part part_of(mnos_badge_t badge, uint32_t bar, uint32_t part)
{
    struct device_bar_part out = {0};

    CHECK_EQ(ask(DEVICE_BAR, badge, device_bar_index(bar, part)), MNOS_OK);
    memcpy(&out, reply_bytes, sizeof out);
    return out;
}

TEST(devices_window, is_its_pages_without_those_of_the_table)
{
    struct device_bar_part part;

    add_virtio(1);
    start();
    claimed(BADGE(1, 1));
    part = part_of(BADGE(1, 1), 0, 0);
    CHECK_EQ(part.offset, 0);
    CHECK_EQ(part.bytes, 0x2000);
    CHECK_EQ(answered_page, BAR_AT(1) / 4096);
    CHECK_EQ(answered_pages, 2);
    part = part_of(BADGE(1, 1), 0, 1);
    CHECK_EQ(part.offset, 0x3000);
    CHECK_EQ(part.bytes, 0xD000);
    CHECK_EQ(answered_page, BAR_AT(1) / 4096 + 3);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), device_bar_index(0, 2)), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), device_bar_index(1, 0)), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), device_bar_index(6, 0)), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), 1ull << 32), MNOS_ERR_END);
}

TEST(devices_window, a_page_of_two_functions_is_nobody_s)
{
    add_virtio(1);
    add_virtio(2);
    start();
    function_at(2)->bars[1] = (struct function_bar){BAR_AT(1) + 0x8100, 256, DEVICE_BAR_MEMORY, 0};
    function_at(2)->bars[2] = (struct function_bar){0xC000, 64, DEVICE_BAR_PORTS, 0};
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), 0), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(2, 1), 1), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(2, 1), 2), MNOS_ERR_DENIED); /* of ports */
    CHECK_EQ(ask(DEVICE_BAR, BADGE(2, 1), 0), MNOS_OK);
}

/* ---- vectors ---- */

static uint32_t entry_word(const struct model_function *function, unsigned entry, unsigned word)
{
    uint32_t value;

    memcpy(&value, function->registers + 0x2000 + 16 * entry + 4 * word, 4);
    return value;
}

TEST(devices_vector, is_written_into_the_table_and_turned_on)
{
    struct model_function *function = add_virtio(1);

    memset(function->registers + 0x2000, 0, 64); /* all on, to address 0 */
    start();
    claimed(BADGE(1, 1));
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(entry_word(function, i, 3), 1);
    CHECK_EQ(model_get(function, 0xB2, 2) & 0xC000, PCI_MSIX_ENABLE);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 2), MNOS_OK);
    CHECK_EQ(entry_word(function, 2, 0), 0xFEE00000);
    CHECK_EQ(entry_word(function, 2, 1), 0);
    CHECK_EQ(entry_word(function, 2, 2), 0x30 + answered_line);
    CHECK_EQ(entry_word(function, 2, 3), 0);
    CHECK_EQ(entry_word(function, 1, 3), 1);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 4), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), UINT64_MAX), MNOS_ERR_END);
}

TEST(devices_vector, asked_for_twice_is_the_same_line)
{
    unsigned line;

    add_virtio(1);
    add_virtio(2);
    start();
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    line = answered_line;
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(2, 1), 0), MNOS_OK);
    CHECK(answered_line != line);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(answered_line, line);
    CHECK_PTR_EQ(table_check(&table), NULL);
}

TEST(devices_vector, lines_end)
{
    for (unsigned i = 1; i <= 5; i++)
        model_msix(model_add(AT(i), VIRTIO, 0x010000, BAR_AT(i)), 64, 0x2000);
    start();
    for (unsigned i = 1; i <= 5; i++) {
        CHECK_EQ(claimed(BADGE(i, 1))->vectors, DEVICE_VECTORS_MAX);
        for (unsigned k = 0; k < 16; k++)
            CHECK_EQ(ask(DEVICE_VECTOR, BADGE(i, 1), k), i < 5 ? MNOS_OK : MNOS_ERR_QUOTA);
    }
    die(BADGE(2, 1));
    run_to_rest();
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(5, 1), 7), MNOS_OK);
    CHECK(answered_line >= 16 && answered_line < 32);
}

TEST(devices_vector, messages_of_msi_are_a_range_at_a_multiple_of_its_size)
{
    struct model_function *function;

    add_virtio(1);
    function = model_add(AT(2), VIRTIO, 0x010000, BAR_AT(2));
    model_capability(function, 0x50, PCI_CAP_MSI);
    model_set(function, 0x52, 2, 0x0186); /* wide, maskable, 8 vectors */
    model_set(function, 0x60, 4, 0xFF);
    start();
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK); /* takes line 0 */
    CHECK_EQ(claimed(BADGE(2, 1))->vectors, 8);
    CHECK_EQ(model_get(function, 0x54, 4), 0xFEE00000);
    CHECK_EQ(model_get(function, 0x58, 4), 0);
    CHECK_EQ(model_get(function, 0x5C, 2), 0x38);
    CHECK_EQ(model_get(function, 0x60, 4), 0);
    CHECK_EQ(model_get(function, 0x52, 2) & 0x71, 0x31);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(2, 1), 3), MNOS_OK);
    CHECK_EQ(answered_line, 11);
    die(BADGE(2, 1));
    (void)devices_progress(&devices);
    CHECK_EQ(model_get(function, 0x52, 2) & 1, 0);
}

/* ---- memory and capabilities ---- */

TEST(devices_master, needs_memory_that_it_was_told_of)
{
    struct model_function *function = add_virtio(1);

    start();
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_ERR_STATE);
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_ERR_ARGUMENT); /* nothing usable */
    memory_bus = 0x12400000;
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(((uint64_t *)reply_bytes)[0], 0x200000);
    CHECK_EQ(((uint64_t *)reply_bytes)[1], 1);
    CHECK_EQ(((uint64_t *)reply_bytes)[2], 0x12400000);
    CHECK_EQ(dropped, 2); /* no capability stays */
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 2), MNOS_ERR_ARGUMENT);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    CHECK(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 0), MNOS_OK);
    CHECK(!(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER));
}

TEST(devices_capability, bytes_are_those_of_configuration_space)
{
    struct model_function *function = add_virtio(1);
    struct message msg;

    model_capability(function, 0x70, PCI_CAP_VENDOR);
    function->config[0x75] = 0x5A;
    start();
    claimed(BADGE(1, 1));
    msg = request(DEVICE_CAPABILITY, BADGE(1, 1), PCI_CAP_VENDOR, 8);
    CHECK_EQ(msg.label, MNOS_OK);
    CHECK_EQ(msg.length, 0x40);
    CHECK_EQ(reply_bytes[5], 0x5A);
    CHECK_EQ(ask(DEVICE_CAPABILITY, BADGE(1, 1), PCI_CAP_VENDOR | 1ull << 32), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_CAPABILITY, BADGE(1, 1), 0x109), MNOS_ERR_END);
}

/* ---- death ---- */

enum way { BY_EXPRESS, BY_AF, BY_VIRTIO, BY_NVME, BY_POWER, BY_NOTHING, WAYS };

static struct model_function *add_way(enum way way)
{
    struct model_function *function = model_add(AT(1), way == BY_NVME ? 0x00101B36 : VIRTIO,
                                                way == BY_NVME ? 0x010802 : 0x010000, BAR_AT(1));

    model_msix(function, 4, 0x2000);
    if (way == BY_EXPRESS) {
        model_capability(function, 0x50, PCI_CAP_EXPRESS);
        model_set(function, 0x54, 4, 1u << 28);
    } else if (way == BY_AF) {
        model_capability(function, 0x50, PCI_CAP_AF);
        function->config[0x53] = 3;
    } else if (way == BY_POWER) {
        model_capability(function, 0x50, PCI_CAP_POWER);
    } else if (way == BY_VIRTIO) {
        model_capability(function, 0x70, PCI_CAP_VENDOR);
        function->config[0x72] = 16;
        function->config[0x73] = VIRTIO_PLACE_COMMON;
        model_set(function, 0x7C, 4, 56);
        model_capability(function, 0x90, PCI_CAP_VENDOR);
        function->config[0x92] = 20;
        function->config[0x93] = VIRTIO_PLACE_PCI;
    } else if (way == BY_NVME) {
        function->registers[3] = 4;    /* it may take 2 seconds */
        function->registers[0x14] = 1; /* enabled */
        function->nvme_ready_delay = 20;
    }
    return function;
}

/* A driver in full work dies. */
static struct model_function *begin_death(enum way way)
{
    struct model_function *function;

    machine_count = 0;
    function = add_way(way);
    start();
    claimed(BADGE(1, 1));
    memory_bus = 0x12400000;
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    function->virtio_status = 15;
    die(BADGE(1, 1));
    CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
    return function;
}

static void check_quiet(const struct model_function *function, enum way way)
{
    const struct function *known = function_at(1);

    CHECK_EQ(known->state, DEVICE_FREE);
    CHECK_EQ(known->badge, 0);
    CHECK_EQ(known->lines[0], LINE_NONE);
    CHECK_EQ(known->dma, 0);
    CHECK(!(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER));
    CHECK((model_get(function, 0xB2, 2) & 0xC000) != PCI_MSIX_ENABLE);
    CHECK_EQ(model_bar(function, 0), BAR_AT(1));
    CHECK_EQ(function->resets, way == BY_EXPRESS || way == BY_AF ? 1 : 0);
    CHECK_EQ(function->power_ups, way == BY_POWER ? 1 : 0);
    if (way == BY_VIRTIO)
        CHECK_EQ(function->virtio_status, 0);
    if (way == BY_NVME)
        CHECK_EQ(function->registers[0x14], 0);
}

TEST(devices_death, every_way_makes_the_device_quiet)
{
    for (enum way way = 0; way < WAYS; way++) {
        const struct model_function *function = begin_death(way);

        run_to_rest();
        check_quiet(function, way);
        claimed(BADGE(1, 2)); /* and the next run gets it */
        CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 2), 1), MNOS_ERR_STATE);
        CHECK(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
    }
}

TEST(devices_death, stops_the_device_at_once)
{
    const struct model_function *function = begin_death(BY_EXPRESS);

    (void)devices_progress(&devices);
    CHECK(!(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER));
}

TEST(devices_death, a_reset_waits_for_what_is_pending_but_not_for_ever)
{
    struct model_function *function = begin_death(BY_EXPRESS);

    model_set(function, 0x5A, 2, PCI_EXPRESS_PENDING);
    (void)devices_progress(&devices);
    CHECK_EQ(function->resets, 0);
    now_ns += 10000000;
    model_set(function, 0x5A, 2, 0);
    (void)devices_progress(&devices);
    CHECK_EQ(function->resets, 1);
    run_to_rest();
    check_quiet(function, BY_EXPRESS);
    function = begin_death(BY_EXPRESS);
    model_set(function, 0x5A, 2, PCI_EXPRESS_PENDING);
    CHECK(run_to_rest() >= 1000000000);
    check_quiet(function, BY_EXPRESS);
}

TEST(devices_death, one_that_does_not_become_quiet_is_failed)
{
    struct model_function *function = begin_death(BY_VIRTIO);

    function->never_quiet = true;
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    CHECK_STR_EQ(function_at(1)->reason, "did not become quiet after its driver had died");
    function = begin_death(BY_NVME);
    function->never_quiet = true;
    CHECK(run_to_rest() >= 2000000000);
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    function = begin_death(BY_EXPRESS);
    function->deaf = true;
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    CHECK_STR_EQ(function_at(1)->reason, "does not answer after a reset");
}

TEST(devices_death, power_is_taken_when_the_device_s_own_way_fails)
{
    struct model_function *function;

    machine_count = 0;
    function = add_way(BY_VIRTIO);
    model_capability(function, 0x50, PCI_CAP_POWER);
    start();
    claimed(BADGE(1, 1));
    function->never_quiet = true;
    function->virtio_status = 15;
    die(BADGE(1, 1));
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FREE);
    CHECK_EQ(function->power_ups, 1);
}

/* ---- death of devices ---- */

/* After each call of devices_progress() the process ends, and another begins with the same
 * table. */
TEST(devices_restart, goes_on_at_every_step_of_quiescing)
{
    for (enum way way = 0; way < WAYS; way++) {
        const struct model_function *function = begin_death(way);
        unsigned runs = 0;

        while (function_at(1)->state == DEVICE_QUIESCING && runs++ < 100000) {
            devices = (struct devices){.table = &table, .lines = {0xFEE00000, 0x30, 64}};
            CHECK_PTR_EQ(table_check(&table), NULL);
            devices_resume(&devices);
            (void)devices_progress(&devices);
            now_ns += 1000000;
        }
        check_quiet(function, way);
    }
}

TEST(devices_restart, a_function_in_the_middle_of_its_reset_is_waited_for)
{
    for (enum way way = BY_EXPRESS; way <= BY_AF; way++) {
        struct model_function *function = begin_death(way);

        (void)devices_progress(&devices);
        CHECK_EQ(function->resets, 1);
        function->deaf = true;
        devices = (struct devices){.table = &table, .lines = {0xFEE00000, 0x30, 64}};
        devices_resume(&devices);
        CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
        (void)devices_progress(&devices);
        now_ns += 100000000;
        function->deaf = false;
        run_to_rest();
        check_quiet(function, way);
    }
    /* One that does not come back is failed, whatever was to make it quiet. */
    for (enum way way = 0; way < WAYS; way++) {
        begin_death(way)->deaf = true;
        devices_resume(&devices);
        run_to_rest();
        CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    }
}

/* At each single step: the step is in the table, what it does may have been done or not. */
TEST(devices_restart, a_step_that_was_made_may_be_made_again)
{
    for (enum way way = 0; way < WAYS; way++) {
        const struct model_function *function = begin_death(way);

        for (unsigned i = 0; i < 100000 && function_at(1)->state == DEVICE_QUIESCING; i++) {
            struct function before = *function_at(1);

            (void)devices_progress(&devices);
            if (i % 2 == 0 && function_at(1)->state == DEVICE_QUIESCING) {
                *function_at(1) = before; /* the stores were made, the table has not seen it */
                (void)devices_progress(&devices);
            }
            now_ns += 1000000;
        }
        CHECK_EQ(function_at(1)->state, DEVICE_FREE);
        CHECK_EQ(model_bar(function, 0), BAR_AT(1));
    }
}

TEST(devices_restart, a_driver_that_lives_keeps_its_device)
{
    struct model_function *function = add_virtio(1);
    uint8_t before[PCI_CONFIG_BYTES];

    add_virtio(2);
    start();
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    memory_bus = 0x12400000;
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 1), MNOS_OK);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    memcpy(before, function->config, sizeof before);
    devices = (struct devices){.table = &table, .lines = {0xFEE00000, 0x30, 64}};
    gone_badge = BADGE(2, 1); /* it died while nobody looked */
    devices_resume(&devices);
    CHECK(memcmp(before, function->config, sizeof before) == 0);
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
    CHECK_EQ(function_at(2)->state, DEVICE_QUIESCING);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 1), MNOS_OK);
    run_to_rest();
    CHECK_EQ(function_at(2)->state, DEVICE_FREE);
}

TEST(devices_restart, what_is_not_there_any_more_is_failed)
{
    struct model_function *function = add_virtio(1);

    start();
    function->deaf = true;
    devices_resume(&devices);
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
}

TEST(devices_restart, a_damaged_table_is_found)
{
    add_virtio(1);
    add_virtio(2);
    start();
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    CHECK_PTR_EQ(table_check(&table), NULL);
    table.functions[1].badge = BADGE(1, 1);
    CHECK(table_check(&table) != NULL);
    table.functions[1].badge = 0;
    CHECK(table_check(&table) != NULL);
    table.functions[1].badge = BADGE(2, 1);
    table.functions[0].lines[0] = table.functions[1].lines[3] = 5;
    CHECK(table_check(&table) != NULL);
    table.functions[0].lines[0] = 64;
    CHECK(table_check(&table) != NULL);
    table.functions[0].lines[0] = LINE_NONE;
    table.functions[0].state = 17;
    CHECK(table_check(&table) != NULL);
    table.functions[0].state = DEVICE_FREE;
    memset(table.functions[0].service, 'x', sizeof table.functions[0].service);
    CHECK(table_check(&table) != NULL);
    table.count = FUNCTIONS_MAX + 1;
    CHECK(table_check(&table) != NULL);
}

/* ---- LIST ---- */

TEST(devices_list, says_what_is_known)
{
    const struct device_entry *entry = (const struct device_entry *)reply_bytes;

    for (unsigned i = 1; i <= 6; i++)
        add_virtio(i);
    start();
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), 0), MNOS_OK);
    CHECK_EQ(entry->state, DEVICE_CLAIMED);
    CHECK_EQ(entry->vectors, 4);
    CHECK_EQ(entry->vectors_set, 1);
    CHECK_STR_EQ(entry->service, "driver.0");
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), 5), MNOS_OK);
    CHECK_EQ(entry->state, DEVICE_FAILED); /* the manager has given driver.5 up */
    CHECK_STR_EQ(entry->reason, "its driver ended too often");
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), 6), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), UINT64_MAX), MNOS_ERR_END);
}
