// SPDX-License-Identifier: MIT
/*
 * test_virtio_blk - the driver of virtio disks against a model of the device: an honest one with more and less
 * abilities, one that fails and is silent, and one that lies.
 */
#include "tests/models/block_server.h"

#include "lib/mnos/time.h"

#define disk_open blk_disk_open
#include "drivers/block/virtio_blk/disk.c"
#define begin_anew disk_begin_anew
#include "drivers/block/virtio_blk/setup.c"
#include "tests/models/virtio_blk.h"

#define BUS 0x40000000ull
#define QUEUE_BYTES (1u << 20)
#define DATA_BYTES (DATA_PAGES * 4096ull)
#define QUEUE_SIZE 32
#define ALL                                                                                        \
    (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | VIRTIO_BLK_F_BLK_SIZE |       \
     VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_DISCARD |                           \
     VIRTIO_BLK_F_WRITE_ZEROES)

static struct virtio_blk_model model;
static struct virtio_transport transport;
static struct dma_memory memory;
static struct disk disk;
static bool reset_fails;
static unsigned cuts; /* how often the device was kept from memory */
static uint8_t *ram;  /* all that the device reaches */

void sleep_until(uint64_t deadline_ns)
{
    clock_ns = deadline_ns;
    (void)blk_model_work(&model, 0);
}

uint64_t deadline_after_ns(uint64_t duration_ns)
{
    return clock_ns + duration_ns;
}

/* The data of client c lies behind the queue's memory, that of its second piece behind all of those. */
static uint64_t reach(void *, mnos_cap_t cap)
{
    uint64_t number = cap / 1000 - 1, second = cap % 1000 == MORE_CAP;

    return BUS + QUEUE_BYTES + (number + CLIENTS * second) * DATA_BYTES;
}

static mnos_status_t reset(void *)
{
    transport_reset(&transport);
    model.held_count = 0;
    return reset_fails ? MNOS_ERR_DEVICE : MNOS_OK;
}

/* Before any client learns that its request has failed; and not in the middle of its work. */
static void cut_off(void *)
{
    cuts++;
    CHECK((model.virtio.status & VIRTIO_DRIVER_OK) == 0);
    CHECK_EQ(take_result(0), MNOS_ERR_END);
}

static void begin_device(uint64_t features, uint64_t capacity, uint32_t blk_size)
{
    clients_begin();
    ram = aligned_alloc(4096, QUEUE_BYTES + 2 * CLIENTS * DATA_BYTES);
    memset(ram, 0xA5, QUEUE_BYTES);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].data = ram + QUEUE_BYTES + i * DATA_BYTES;
        clients[i].more = clients[i].data + CLIENTS * DATA_BYTES;
    }
    memory = (struct dma_memory){.address = ram,
                                 .bytes = QUEUE_BYTES,
                                 .block_bytes = QUEUE_BYTES,
                                 .block_count = 1,
                                 .table = {BUS}};
    virtio_model_begin(&model.virtio, &transport, &memory, QUEUE_SIZE);
    model.virtio.memory_bytes = QUEUE_BYTES + 2 * CLIENTS * DATA_BYTES;
    model.virtio.offered = features;
    blk_model_config(&model, capacity, blk_size);
    cuts = 0;
    disk = (struct disk){.server = &model_server,
                         .transport = &transport,
                         .reach = reach,
                         .reset = reset,
                         .cut_off = cut_off};
    transport_reset(&transport);
}

static void begin_server(void)
{
    disk_ask_name(&disk, clock_ns + 1000000000);
    block_sessions_open(&model_sessions, true, disk.device.info.sectors, 100);
    block_server_open(&model_server, &disk.device, &model_sessions, ENDPOINT, 9);
}

static void begin(uint64_t features)
{
    memset(&model, 0, sizeof model);
    model.discard_max = 100;
    model.zeroes_max = 300;
    begin_device(features, BLK_MODEL_SECTORS, 512);
    CHECK_EQ(disk_open(&disk, &memory), MNOS_OK);
    begin_server();
    attach_client(0);
}

/* Until nothing happens any more. */
static void work(void)
{
    block_server_pump(&model_server);
    while (blk_model_work(&model, 0)) {
        disk_take_done(&disk);
        block_server_pump(&model_server);
    }
    disk_take_done(&disk);
    block_server_pump(&model_server);
}

static void fill(uint8_t *bytes, size_t count, uint8_t pattern)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(pattern + i * 7 + i / 512);
}

TEST(virtio_blk, bytes_go_to_the_medium_and_back)
{
    begin(ALL);
    CHECK_STR_EQ(disk.device.info.name, "model disk");
    CHECK_EQ(disk.device.info.sectors, BLK_MODEL_SECTORS);
    CHECK_EQ(disk.device.info.physical_bytes, 4096);
    CHECK_EQ(disk.device.info.flags, BLOCK_CAN_FLUSH | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO);
    fill(clients[0].data, 128 * 4096, 1);
    submit_op(0, BLOCK_WRITE, 100, 0, 128 * 4096);
    submit_op(0, BLOCK_WRITE, 3000, 3, 512);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(memcmp(model.medium + 100 * 512, clients[0].data, 128 * 4096), 0);
    CHECK_EQ(memcmp(model.medium + 3000 * 512, clients[0].data + 3 * 4096, 512), 0);
    submit_op(0, BLOCK_READ, 100, 130, 128 * 4096);
    submit_op(0, BLOCK_FLUSH, 0, 0, 0);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(model.flushes, 1);
    CHECK_EQ(memcmp(clients[0].data + 130 * 4096, clients[0].data, 128 * 4096), 0);
}

TEST(virtio_blk, ranges_larger_than_the_device_takes_go_in_parts)
{
    begin(ALL);
    memset(model.medium, 0xEE, sizeof model.medium);
    submit_op(0, BLOCK_DISCARD, 1000, 0, 250 * 512);
    submit_op(0, BLOCK_ZERO, 2000, 0, 700 * 512);
    model.requests = 0;
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_ERR_END);
    CHECK_EQ(model.requests, 6);
    for (unsigned i = 0; i < BLK_MODEL_SECTORS; i++)
        CHECK_EQ(model.medium[i * 512], i >= 1000 && i < 1250   ? 0xDD
                                        : i >= 2000 && i < 2700 ? 0
                                                                : 0xEE);
    model.fail_next = 1; /* the first part alone: the rest is not sent */
    model.failure = VIRTIO_BLK_S_IOERR;
    submit_op(0, BLOCK_DISCARD, 0, 0, 250 * 512);
    work();
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
    CHECK_EQ(model.requests, 7);
}

TEST(virtio_blk, a_device_that_offers_little_is_used_as_it_is)
{
    begin(VIRTIO_F_VERSION_1); /* no indirect descriptors: a slot for each segment */
    CHECK_EQ(disk.device.info.flags, 0);
    fill(clients[0].data, 64 * 4096, 5);
    for (unsigned i = 0; i < 60; i++)
        submit_op(0, BLOCK_WRITE, i * 8, i, 4096);
    work();
    for (unsigned i = 0; i < 60; i++)
        CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(memcmp(model.medium, clients[0].data, 60 * 4096), 0);
    submit_op(0, BLOCK_FLUSH, 0, 0, 0);
    submit_op(0, BLOCK_ZERO, 0, 0, 512);
    work();
    CHECK_EQ(take_result(0), MNOS_OK); /* writes are durable when they are done */
    CHECK_EQ(take_result(0), MNOS_ERR_DENIED);
    CHECK_EQ(model.flushes, 0);
    begin(ALL | VIRTIO_BLK_F_RO);
    submit_op(0, BLOCK_WRITE, 0, 0, 512);
    work();
    CHECK_EQ(take_result(0), MNOS_ERR_DENIED);
}

TEST(virtio_blk, segments_are_as_few_and_as_short_as_the_device_wants)
{
    memset(&model, 0, sizeof model);
    model.seg_max = 4;
    model.size_max = 8192;
    begin_device(ALL | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_SIZE_MAX, BLK_MODEL_SECTORS, 4096);
    CHECK_EQ(disk_open(&disk, &memory), MNOS_OK);
    begin_server();
    attach_client(0);
    CHECK_EQ(disk.device.info.sector_bytes, 4096);
    CHECK_EQ(disk.device.info.sectors, BLK_MODEL_SECTORS / 8);
    fill(clients[0].data, 32768, 9);
    submit_op(0, BLOCK_WRITE, 2, 0, 32768);
    submit_op(0, BLOCK_WRITE, 2, 0, 36864);
    submit_op(0, BLOCK_WRITE, 2, 0, 512);
    work();
    CHECK_EQ(take_result(0), MNOS_ERR_ARGUMENT); /* five segments */
    CHECK_EQ(take_result(0), MNOS_ERR_ARGUMENT); /* not a whole sector */
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(memcmp(model.medium + 8192, clients[0].data, 32768), 0);
}

TEST(virtio_blk, what_a_client_left_in_flight_ends_without_it)
{
    begin(ALL);
    submit_op(0, BLOCK_READ, 5, 0, 512);
    submit_op(0, BLOCK_DISCARD, 5, 0, 250 * 512);
    block_server_pump(&model_server);
    client_is_gone(clients[0].badge);
    CHECK_EQ(clients[0].held, 3);
    work();
    CHECK_EQ(clients[0].held, 0);
    CHECK_EQ(queue_in_flight(&disk.queue), 0);
}

TEST(virtio_blk, errors_of_the_device_are_the_requests_alone)
{
    static const uint8_t failures[] = {VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_UNSUPP, 77, 0xFF};

    begin(ALL);
    for (unsigned i = 0; i < sizeof failures; i++) {
        model.failure = failures[i];
        model.fail_next = 1;
        submit_op(0, BLOCK_READ, 5, 0, 512);
        submit_op(0, BLOCK_READ, 6, 1, 512);
        work();
        CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
        CHECK_EQ(take_result(0), MNOS_OK);
    }
    CHECK(!disk.failed);
}

TEST(virtio_blk, a_silent_device_is_reset_and_all_is_given_to_it_again)
{
    begin(ALL);
    model.silent = true;
    fill(clients[0].data, 4096, 3);
    submit_op(0, BLOCK_WRITE, 5, 0, 4096);
    submit_op(0, BLOCK_FLUSH, 0, 0, 0);
    block_server_pump(&model_server);
    CHECK_EQ(disk_deadline(&disk), clock_ns + DISK_SILENCE_NS);
    disk_check(&disk, clock_ns + DISK_SILENCE_NS - 1);
    CHECK_EQ(disk.resets, 0);
    clock_ns += DISK_SILENCE_NS;
    disk_check(&disk, clock_ns);
    CHECK_EQ(disk.resets, 1);
    model.silent = false;
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(disk.resets, 0); /* it works */
    CHECK_EQ(memcmp(model.medium + 5 * 512, clients[0].data, 4096), 0);
    model.virtio.needs_reset = true;
    submit_op(0, BLOCK_READ, 5, 1, 512);
    block_server_pump(&model_server);
    disk_take_done(&disk);
    disk_check(&disk, clock_ns);
    CHECK(!model.virtio.needs_reset);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
}

TEST(virtio_blk, a_device_that_stays_silent_fails_everything)
{
    begin(ALL);
    model.silent = true;
    submit_op(0, BLOCK_WRITE, 5, 0, 4096);
    for (unsigned i = 0; i <= DISK_RESETS_MAX; i++) {
        block_server_pump(&model_server);
        CHECK_EQ(take_result(0), MNOS_ERR_END);
        clock_ns += DISK_SILENCE_NS;
        disk_check(&disk, clock_ns);
    }
    CHECK(disk.failed);
    CHECK_EQ(cuts, 1);
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
    submit_op(0, BLOCK_READ, 5, 0, 4096);
    work();
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
    CHECK_EQ(disk_deadline(&disk), MNOS_DEADLINE_NEVER);
    /* So does one that cannot be reset, or comes back as another disk. */
    begin(ALL);
    reset_fails = true;
    model.virtio.needs_reset = true;
    disk_take_done(&disk); /* it has sent an interrupt */
    disk_check(&disk, clock_ns);
    CHECK(disk.failed);
    CHECK_EQ(cuts, 1);
    reset_fails = false;
    begin(ALL);
    blk_model_config(&model, BLK_MODEL_SECTORS / 2, 512);
    model.virtio.needs_reset = true;
    disk_take_done(&disk); /* it has sent an interrupt */
    disk_check(&disk, clock_ns);
    CHECK(disk.failed);
    CHECK_EQ(cuts, 1);
}

TEST(virtio_blk, a_device_that_names_requests_that_it_has_not_is_reset)
{
    begin(ALL);
    submit_op(0, BLOCK_READ, 5, 0, 512);
    block_server_pump(&model_server);
    (void)virtio_model_done(&model.virtio, 0, 31, 1);
    disk_take_done(&disk);
    CHECK_EQ(disk.resets, 1);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    submit_op(0, BLOCK_READ, 5, 0, 512);
    block_server_pump(&model_server);
    blk_model_take(&model);
    (void)virtio_model_done(&model.virtio, 0, model.held[0].head, 100000); /* more than it may */
    disk_take_done(&disk);
    CHECK_EQ(disk.resets, 1);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
}

TEST(virtio_blk, a_device_that_lies_when_it_says_its_name_is_reset)
{
    memset(&model, 0, sizeof model);
    model.lies = true;
    begin_device(ALL, BLK_MODEL_SECTORS, 512);
    CHECK_EQ(disk_open(&disk, &memory), MNOS_OK);
    begin_server();
    CHECK_STR_EQ(disk.device.info.name, "virtio disk");
    CHECK(!disk.queue.broken); /* no interrupt will come that would lead to a reset */
    attach_client(0);
    submit_op(0, BLOCK_READ, 5, 0, 512);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
}

TEST(virtio_blk, a_device_that_cannot_be_is_refused)
{
    static const uint32_t sizes[] = {0, 1, 256, 511, 513, 8192, UINT32_MAX};

    memset(&model, 0, sizeof model);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        begin_device(ALL, 100, sizes[i]);
        CHECK_EQ(disk_open(&disk, &memory), MNOS_ERR_FORMAT);
    }
    begin_device(ALL, UINT64_MAX, 512);
    CHECK_EQ(disk_open(&disk, &memory), MNOS_ERR_FORMAT);
    begin_device(ALL & ~VIRTIO_F_VERSION_1, 100, 512);
    CHECK_EQ(disk_open(&disk, &memory), MNOS_ERR_DEVICE);
    begin_device(ALL, 100, 512);
    model.virtio.refuse_vectors = true;
    CHECK_EQ(disk_open(&disk, &memory), MNOS_ERR_DEVICE);
    begin_device(ALL, 100, 512);
    memory.bytes = 4096;
    CHECK_EQ(disk_open(&disk, &memory), MNOS_ERR_MEMORY);
    begin_device(ALL, 100, 512);
    transport.device.bytes = 4;
    CHECK_EQ(disk_open(&disk, &memory), MNOS_ERR_FORMAT);
}

static uint64_t chance_state = 88172645463325252ull;

static uint32_t chance(uint32_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)(chance_state >> 20) % below;
}

/* Reads, writes and flushes of two clients in their own halves, done in any order, with resets in between. */
static void in_any_order(uint64_t features)
{
    static uint8_t expected[2][64];
    bool busy[2][64] = {0};
    unsigned done = 0;

    memset(expected, 0, sizeof expected);
    begin(features);
    attach_client(1);
    memset(model.medium, 0, sizeof model.medium);
    for (unsigned i = 0; i < 40000; i++) {
        unsigned who = chance(2), slot = chance(64);
        struct block_result result;

        if (!busy[who][slot] && chance(2)) {
            bool reads = chance(2);

            if (!reads)
                memset(clients[who].data + slot * 4096, ++expected[who][slot], 4096);
            busy[who][slot] = true;
            submit_entry(who, (struct block_submission){.op = reads ? BLOCK_READ : BLOCK_WRITE,
                                                        .flags = !reads && chance(4) == 0,
                                                        .sector = who * 2048 + slot * 8,
                                                        .page = slot,
                                                        .bytes = 4096,
                                                        .user = slot});
        }
        block_server_pump(&model_server);
        for (unsigned k = chance(4); k != 0; k--)
            (void)blk_model_work(&model, chance(32));
        if (chance(2))
            disk_take_done(&disk);
        if (chance(500) == 0) {
            model.virtio.needs_reset = true;
            disk_take_done(&disk);
            disk_take_done(&disk); /* and with nothing done that it could have been for */
            disk_check(&disk, clock_ns);
        }
        while (block_ring_take(&clients[who].ring, &result) == MNOS_OK) {
            CHECK_EQ(result.status, MNOS_OK);
            CHECK_EQ(clients[who].data[result.user * 4096 + 4095], expected[who][result.user]);
            CHECK_EQ(model.medium[(who * 2048 + result.user * 8) * 512],
                     expected[who][result.user]);
            busy[who][result.user] = false;
            done++;
        }
    }
    CHECK(!disk.failed);
    CHECK(done > 10000);
    CHECK(queue_check(&disk.queue) == NULL);
}

TEST(virtio_blk, nothing_is_lost_in_any_order_with_resets_in_between)
{
    in_any_order(ALL);
    CHECK(!disk.queue.packed);
    in_any_order(ALL | VIRTIO_F_PACKED);
    CHECK(disk.queue.packed);
    in_any_order((ALL | VIRTIO_F_PACKED) & ~VIRTIO_F_INDIRECT);
}
