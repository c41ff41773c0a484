// SPDX-License-Identifier: MIT
/*
 * test_block_client - when a client of a disk takes its driver for gone, and when not: lib/client/block.c with a driver
 * that answers as the test says.
 */
#include <string.h>

#include "tests/unit/unit.h"

/* Other tests have models of these, and the kernel functions of the same name. */
#define manager_ask_alive block_client_ask
#define ipc_client_is_gone block_client_is_gone
#define message_add_cap block_client_add_cap
#define message_cap block_client_message_cap
#define kinfo_time_ns block_client_time_ns
#define deadline_after_ns block_client_deadline
#define block_ring_open block_client_ring_open
#define block_ring_put block_client_ring_put
#define block_ring_publish block_client_ring_publish
#define block_ring_take block_client_ring_take
#define block_ring_give_up block_client_ring_give_up
#define block_ring_outstanding block_client_ring_outstanding

#include "lib/client/block.h"
#include "lib/client/manager.h"
#include "lib/client/service.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define service_call block_client_call
#define message_put block_client_message_put
#define message_get block_client_message_get
#define ipc_receive block_client_receive
#define sys_cap_create block_client_create
#define sys_cap_delete block_client_delete
#define sys_ipc_notify block_client_notify

static struct {
    mnos_status_t mint, attach, extend; /* what fails, and how */
    uint64_t epoch;
    unsigned attaches, extends, asks;
    bool asked_first; /* before the last ATTACH */
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
    size_t length;
} driver;
static uint64_t clock_ns;

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    msg->label = label;
    if (length != 0)
        memcpy(driver.bytes, bytes, length);
    driver.length = length;
}

static size_t message_get(const struct message *, void *out, size_t size)
{
    size_t length = driver.length < size ? driver.length : size;

    memcpy(out, driver.bytes, length);
    return length;
}

void message_add_cap(struct message *, mnos_cap_t, mnos_rights_t)
{
}

mnos_cap_t message_cap(const struct message *, unsigned)
{
    return 1;
}

static mnos_status_t ipc_receive(mnos_cap_t, struct message *, uint64_t)
{
    return MNOS_ERR_DEADLINE;
}

static mnos_status_t sys_cap_create(uint64_t, mnos_cap_t, mnos_rights_t, uint64_t, uint64_t,
                                    mnos_cap_t *cap)
{
    *cap = 9;
    return driver.mint;
}

static mnos_status_t sys_cap_delete(mnos_cap_t)
{
    return MNOS_OK;
}

static mnos_status_t sys_ipc_notify(mnos_cap_t, uint64_t)
{
    return MNOS_OK;
}

uint64_t kinfo_time_ns(void)
{
    return clock_ns;
}

uint64_t deadline_after_ns(uint64_t duration_ns)
{
    return clock_ns + duration_ns;
}

bool ipc_client_is_gone(mnos_cap_t, mnos_badge_t told, mnos_badge_t client)
{
    return told == client;
}

mnos_status_t manager_ask_alive(mnos_cap_t)
{
    driver.asks++;
    driver.asked_first = true;
    return MNOS_OK;
}

static mnos_status_t service_call(mnos_cap_t, struct message *msg)
{
    struct block_info info = {.sector_bytes = 512};
    struct block_attach wanted;

    switch (msg->label) {
    case BLOCK_INFO: message_put(msg, MNOS_OK, &info, sizeof info); return MNOS_OK;
    case BLOCK_ATTACH:
        memcpy(&wanted, driver.bytes, sizeof wanted);
        driver.attaches += wanted.epoch != driver.epoch;
        message_put(msg, MNOS_OK, &(struct block_attached){driver.epoch},
                    sizeof(struct block_attached));
        return driver.attach;
    default: driver.extends++; return driver.extend;
    }
}

#include "lib/client/block_ring.c"
#include "lib/client/block.c"

static struct block_client client;
static _Alignas(4096) uint8_t ring[BLOCK_RING_PAGES * 4096];

/* With two pieces of data and a request that the driver does not answer. */
static void begin(void)
{
    struct block_setup setup = {
        .service = 1, .ring_memory = 2, .ring = ring, .data = 3, .data_pages = 4, .endpoint = 5};

    memset(ring, 0, sizeof ring);
    memset(&driver, 0, sizeof driver);
    driver.epoch = 7;
    CHECK_EQ(block_open(&client, &setup), MNOS_OK);
    CHECK_EQ(block_extend(&client, 4, 4), MNOS_OK);
    CHECK_EQ(block_submit(&client, &(struct block_submission){.op = BLOCK_READ, .bytes = 512}),
             MNOS_OK);
    block_bell(&client);
    CHECK(block_deadline(&client) != MNOS_DEADLINE_NEVER);
}

static void pass_a_second(void)
{
    clock_ns = block_deadline(&client);
    driver.asked_first = false;
    block_tick(&client, clock_ns);
}

TEST(block_client, a_silent_driver_is_judged_before_its_client_waits_for_it)
{
    begin();
    pass_a_second();
    CHECK_EQ(driver.asks, 1);
    CHECK(driver.asked_first);
    CHECK_EQ(driver.attaches, 1); /* it is the same run */
    driver.epoch = 8;
    pass_a_second();
    CHECK_EQ(driver.attaches, 2);
    CHECK_EQ(driver.extends, 2);
    CHECK_EQ(client.interrupted, 1);
}

TEST(block_client, a_lack_of_memory_is_not_the_driver_s_absence)
{
    static const mnos_status_t lacks[] = {MNOS_ERR_MEMORY, MNOS_ERR_QUOTA};
    struct block_result result;

    for (unsigned i = 0; i < 2; i++) {
        begin();
        driver.epoch = 8;
        driver.mint = lacks[i];
        pass_a_second();
        CHECK_EQ(block_take(&client, &result), MNOS_ERR_END);
        CHECK_EQ(driver.attaches, 1);
        driver.mint = MNOS_OK;
        pass_a_second();
        CHECK_EQ(driver.attaches, 2);
        CHECK_EQ(client.failure, MNOS_OK);
        driver.epoch = 9; /* and when it hears of the death at once */
        driver.mint = lacks[i];
        block_gone(&client, client.badge);
        CHECK_EQ(block_take(&client, &result), MNOS_ERR_END);
        driver.mint = MNOS_OK;
        pass_a_second();
        CHECK_EQ(driver.attaches, 3);
    }
    /* What the driver itself answers is an answer. */
    driver.attach = MNOS_ERR_LOST;
    pass_a_second();
    CHECK_EQ(block_take(&client, &result), MNOS_OK);
    CHECK_EQ(result.status, MNOS_ERR_LOST);
}

TEST(block_client, a_driver_that_was_not_told_of_all_data_is_told_once_more)
{
    begin();
    driver.epoch = 8;
    driver.extend = MNOS_ERR_MEMORY;
    pass_a_second();
    CHECK_EQ(driver.extends, 2);
    driver.extend = MNOS_OK;
    pass_a_second();
    CHECK_EQ(driver.extends, 3);
    CHECK_EQ(driver.attaches, 3);
    pass_a_second();
    CHECK_EQ(driver.extends, 3); /* from now on it only answers */
}
