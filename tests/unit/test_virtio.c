// SPDX-License-Identifier: MIT
/*
 * test_virtio - the virtio transport and its queues against a model of the device, an honest one
 * and one that says whatever it likes.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/models/virtio.h"
#include "tests/unit/virtio_fuzz.h"

#define BUS 0x123450000ull
#define MEMORY_BYTES (1u << 20)
#define QUEUE_SIZE 16
#define SEGMENTS 20
#define WANTED (VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX)
#define PACKED VIRTIO_F_PACKED

static struct {
    struct dma_memory memory;
    struct virtio_model model;
    struct virtio_transport transport;
    struct virtio_queue queue;
    struct virtio_bell bell;
} world;

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint64_t random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void begin_memory(void)
{
    world.memory = (struct dma_memory){.address = aligned_alloc(4096, MEMORY_BYTES),
                                       .bytes = MEMORY_BYTES,
                                       .block_bytes = MEMORY_BYTES,
                                       .block_count = 1,
                                       .table = {BUS}};
    memset(world.memory.address, 0xA5, MEMORY_BYTES);
    virtio_model_begin(&world.model, &world.transport, &world.memory, QUEUE_SIZE);
}

static void begin(uint64_t wanted, uint16_t segments)
{
    begin_memory();
    transport_reset(&world.transport);
    CHECK(transport_is_reset(&world.transport));
    CHECK(transport_features(&world.transport, wanted, 0));
    CHECK_EQ(world.model.accepted, wanted | VIRTIO_F_VERSION_1);
    CHECK(
        queue_create(&world.queue, &world.memory, QUEUE_SIZE, segments, world.transport.features));
    CHECK(transport_queue(&world.transport, 1, &world.queue, 0, &world.bell));
    transport_go(&world.transport);
}

static void check(void)
{
    const char *wrong = queue_check(&world.queue);

    if (wrong != NULL)
        unit_check(false, wrong, __FILE__, __LINE__);
}

/* A request of `count` segments, the last of which the device writes, 100 bytes long. */
static bool add(uint32_t count, uint64_t token)
{
    struct queue_segment segments[SEGMENTS + 1];

    for (uint32_t i = 0; i < count && i <= SEGMENTS; i++)
        segments[i] =
            (struct queue_segment){BUS + 0x80000 + 512 * i, 100 + i, i + 1 == count && count > 1};
    return queue_add(&world.queue, segments, count, token);
}

/* ---- transport ---- */

TEST(virtio_transport, places_are_parsed_and_bad_ones_refused)
{
    uint8_t bytes[20] = {0x09, 0, 20, VIRTIO_PLACE_NOTIFY, 4};
    struct virtio_place place;

    bytes[8] = 0x30;
    bytes[9] = 0x01;
    bytes[13] = 0x10;
    bytes[16] = 4;
    CHECK(virtio_place_parse(bytes, sizeof bytes, &place));
    CHECK_EQ(place.type, VIRTIO_PLACE_NOTIFY);
    CHECK_EQ(place.bar, 4);
    CHECK_EQ(place.offset, 0x130);
    CHECK_EQ(place.bytes, 0x1000);
    CHECK_EQ(place.multiplier, 4);
    CHECK(!virtio_place_parse(bytes, 15, &place));
    CHECK(!virtio_place_parse(bytes, 19, &place)); /* shorter than it says */
    bytes[2] = 16;
    CHECK(!virtio_place_parse(bytes, sizeof bytes, &place)); /* no multiplier */
    bytes[3] = VIRTIO_PLACE_COMMON;
    CHECK(virtio_place_parse(bytes, sizeof bytes, &place));
    bytes[4] = 6;
    CHECK(!virtio_place_parse(bytes, sizeof bytes, &place));
}

TEST(virtio_transport, features_are_those_of_both_sides)
{
    begin_memory();
    world.model.offered = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | 1ull << 9;
    CHECK(transport_features(&world.transport, WANTED | 1ull << 9 | 1ull << 40, 1ull << 9));
    CHECK_EQ(world.model.accepted, VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | 1ull << 9);
    CHECK_EQ(world.transport.features, world.model.accepted);
    transport_reset(&world.transport);
    CHECK(!transport_features(&world.transport, WANTED, 1ull << 10));
    world.model.offered = VIRTIO_F_INDIRECT; /* a device of before version 1 */
    transport_reset(&world.transport);
    CHECK(!transport_features(&world.transport, WANTED, 0));
    world.model.offered = VIRTIO_F_VERSION_1;
    world.model.refuse_features = true;
    transport_reset(&world.transport);
    CHECK(!transport_features(&world.transport, WANTED, 0));
}

TEST(virtio_transport, a_reset_may_take_time)
{
    begin_memory();
    world.model.slow_reset = true;
    transport_reset(&world.transport);
    CHECK(!transport_is_reset(&world.transport));
    CHECK(transport_is_reset(&world.transport));
}

TEST(virtio_transport, configuration_is_read_from_one_moment)
{
    uint32_t value;

    begin(WANTED, 4);
    world.model.config[4] = 0x78;
    world.model.config[5] = 0x56;
    world.model.config_changes = 5;
    CHECK(transport_config(&world.transport, 4, &value, 4));
    CHECK_EQ(value, 0x5678);
    CHECK(!transport_config(&world.transport, VIRTIO_MODEL_WINDOW - 3, &value, 4));
    world.model.config_changes = UINT32_MAX; /* it never stands still */
    CHECK(!transport_config(&world.transport, 4, &value, 4));
}

TEST(virtio_transport, what_the_device_cannot_do_is_said)
{
    struct virtio_bell bell;

    begin(WANTED, 4);
    CHECK_EQ(transport_queue_count(&world.transport), VIRTIO_MODEL_QUEUES);
    CHECK_EQ(transport_queue_size(&world.transport, 0), QUEUE_SIZE);
    CHECK_EQ(transport_queue_size(&world.transport, VIRTIO_MODEL_QUEUES), 0);
    world.model.queues[2].size = 12; /* no power of two */
    CHECK_EQ(transport_queue_size(&world.transport, 2), 0);
    world.model.refuse_vectors = true;
    CHECK(!transport_queue(&world.transport, 0, &world.queue, 1, &bell));
    CHECK(!transport_config_vector(&world.transport, 1));
    world.model.refuse_vectors = false;
    world.transport.notify.bytes = 3; /* the notification of queue 1 lies behind */
    CHECK(!transport_queue(&world.transport, 1, &world.queue, 1, &bell));
    CHECK(!transport_needs_reset(&world.transport));
    world.model.needs_reset = true;
    CHECK(transport_needs_reset(&world.transport));
}

/* ---- queues ---- */

TEST(virtio_queue, sizes_out_of_range_are_refused)
{
    struct virtio_queue *queue = &world.queue;

    begin_memory();
    CHECK(!queue_create(queue, &world.memory, 0, 1, WANTED));
    CHECK(!queue_create(queue, &world.memory, 12, 1, WANTED));
    CHECK(!queue_create(queue, &world.memory, 512, 1, WANTED));
    CHECK(!queue_create(queue, &world.memory, 16, 0, WANTED));
    CHECK(!queue_create(queue, &world.memory, 16, QUEUE_SEGMENTS_MAX + 1, WANTED));
    CHECK(!queue_create(queue, &world.memory, 16, 17, 0)); /* a chain longer than the ring */
    world.memory.taken = world.memory.bytes - 4096;
    CHECK(!queue_create(queue, &world.memory, 256, 8, WANTED));
    CHECK(queue_create(queue, &world.memory, 1, 1, WANTED));
}

static void round_trip(uint32_t count)
{
    struct virtio_model_request request;
    uint32_t bytes = 0;
    uint64_t token = 0;

    CHECK(add(count, 0xABCD0000 + count));
    CHECK(!virtio_model_next(&world.model, 1, &request)); /* not published */
    CHECK(queue_publish(&world.queue));
    transport_notify(&world.bell);
    CHECK_EQ(world.model.queues[1].notified, 1);
    CHECK(virtio_model_next(&world.model, 1, &request));
    CHECK_EQ(request.count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQ(request.segments[i].address, BUS + 0x80000 + 512 * i);
        CHECK_EQ(request.segments[i].bytes, 100 + i);
        CHECK_EQ(request.segments[i].flags & DESCRIPTOR_WRITE,
                 i + 1 == count && count > 1 ? DESCRIPTOR_WRITE : 0);
    }
    CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_NOTHING);
    virtio_model_done(&world.model, 1, request.head, count > 1 ? 77 : 0);
    CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_TAKEN);
    CHECK_EQ(token, 0xABCD0000 + count);
    CHECK_EQ(bytes, count > 1 ? 77 : 0);
    CHECK_EQ(queue_in_flight(&world.queue), 0);
    check();
    world.model.queues[1].notified = 0;
}

static void fill_with_tables(uint64_t features)
{
    begin(features, SEGMENTS);
    for (uint32_t count = 1; count <= SEGMENTS; count++)
        round_trip(count);
    CHECK(!add(SEGMENTS + 1, 1));
    CHECK(!queue_add(&world.queue, NULL, 0, 1));
    for (uint32_t i = 0; i < QUEUE_SIZE; i++)
        CHECK(add(SEGMENTS, i));
    CHECK(!add(1, 99));
    check();
}

TEST(virtio_queue, a_request_is_one_slot_with_indirect_descriptors)
{
    fill_with_tables(WANTED);
    fill_with_tables(WANTED | PACKED);
}

static void fill_with_chains(uint64_t features)
{
    begin(features, QUEUE_SIZE);
    for (uint32_t count = 1; count <= QUEUE_SIZE; count++)
        round_trip(count);
    CHECK(add(5, 1));
    CHECK(add(5, 2));
    CHECK(!add(7, 3));
    CHECK(add(6, 3));
    CHECK(!add(1, 4));
    check();
}

TEST(virtio_queue, a_request_is_a_chain_without)
{
    fill_with_chains(0);
    fill_with_chains(PACKED);
}

/* Requests of any size, taken and ended in any order, many times around the ring and its
 * counters. */
static void long_run(uint64_t wanted)
{
    struct virtio_model_request waiting[QUEUE_SIZE];
    static bool open[200001];
    uint64_t next_token = 1;
    uint32_t waiting_count = 0, bytes;
    uint64_t token;

    begin(wanted, 8);
    for (unsigned round = 0; round < 200000; round++) {
        uint64_t number = random_number();

        if (number % 4 == 0 && add(1 + (uint32_t)(number >> 8) % 8, next_token)) {
            open[next_token++] = true;
            if (number >> 20 & 1)
                (void)queue_publish(&world.queue);
        } else if (number % 4 == 1) {
            (void)queue_publish(&world.queue);
            if (waiting_count < QUEUE_SIZE &&
                virtio_model_next(&world.model, 1, &waiting[waiting_count]))
                waiting_count++;
        } else if (number % 4 == 2 && waiting_count != 0) {
            uint32_t which = (uint32_t)(number >> 8) % waiting_count;

            virtio_model_done(&world.model, 1, waiting[which].head, 0);
            waiting[which] = waiting[--waiting_count];
        } else if (queue_take(&world.queue, &token, &bytes) == QUEUE_TAKEN) {
            CHECK(token < next_token && open[token]);
            open[token] = false;
        }
        if (round % 64 == 0)
            check();
    }
    CHECK(next_token > 16384);
    CHECK(!world.queue.broken);
}

TEST(virtio_queue, long_run_with_indirect_descriptors)
{
    long_run(WANTED);
    long_run(WANTED | PACKED);
}

TEST(virtio_queue, long_run_with_chains)
{
    long_run(0);
    long_run(PACKED);
}

/* Whoever waits after queue_arm() said false gets an interrupt with the next request that is
 * done. */
static void check_interrupts(uint64_t wanted)
{
    struct virtio_model_request request;
    uint64_t token;
    uint32_t bytes;

    begin(wanted, 4);
    for (unsigned i = 0; i < 70000; i++) {
        CHECK(add(2, i));
        (void)queue_publish(&world.queue);
        CHECK(virtio_model_next(&world.model, 1, &request));
        if (i % 3 == 0) {
            queue_disarm(&world.queue);
            CHECK(!virtio_model_done(&world.model, 1, request.head, 0));
            CHECK(queue_arm(&world.queue)); /* it is done already */
        } else {
            CHECK(!queue_arm(&world.queue));
            CHECK(virtio_model_done(&world.model, 1, request.head, 0));
        }
        CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_TAKEN);
        CHECK_EQ(token, i);
    }
}

TEST(virtio_queue, no_interrupt_is_missed_with_event_indexes)
{
    check_interrupts(WANTED);
    check_interrupts(WANTED | PACKED);
}

TEST(virtio_queue, no_interrupt_is_missed_with_flags)
{
    check_interrupts(VIRTIO_F_INDIRECT);
    check_interrupts(VIRTIO_F_INDIRECT | PACKED);
}

TEST(virtio_queue, the_device_is_told_when_it_wants_to_be)
{
    begin(VIRTIO_F_INDIRECT, 4);
    virtio_model_used(&world.model, 1)->flags = USED_NO_NOTIFY;
    CHECK(add(1, 1));
    CHECK(!queue_publish(&world.queue));
    virtio_model_used(&world.model, 1)->flags = 0;
    CHECK(!queue_publish(&world.queue)); /* nothing new */
    CHECK(add(1, 2));
    CHECK(queue_publish(&world.queue));
}

/* The device says with which descriptor of which lap it wants to be told. */
TEST(virtio_queue, a_packed_ring_tells_the_device_of_the_place_that_it_named)
{
    struct virtio_packed_event *event;
    struct virtio_model_request request;
    uint64_t token;
    uint32_t bytes;

    begin(WANTED | PACKED, 4);
    event = virtio_model_at(&world.model, world.model.queues[1].used, sizeof *event);
    for (uint32_t at = 0; at < 5 * QUEUE_SIZE; at++) {
        uint32_t wanted = at + (uint32_t)random_number() % 3;
        bool told = false;

        *event = (struct virtio_packed_event){
            (uint16_t)(wanted % QUEUE_SIZE |
                       (wanted / QUEUE_SIZE % 2 == 0 ? 1u << PACKED_PLACE_WRAP : 0)),
            PACKED_EVENT_PLACE};
        CHECK(add(1, at));
        told = queue_publish(&world.queue);
        CHECK_EQ(told, wanted == at);
        CHECK(virtio_model_next(&world.model, 1, &request));
        virtio_model_done(&world.model, 1, request.head, 0);
        CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_TAKEN);
    }
    *event = (struct virtio_packed_event){0, PACKED_EVENT_NONE};
    CHECK(add(1, 1));
    CHECK(!queue_publish(&world.queue));
    check();
}

#include "tests/unit/virtio_lies.h"
