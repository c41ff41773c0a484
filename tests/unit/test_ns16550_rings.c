// SPDX-License-Identifier: MIT
/* test_ns16550_rings - the serial driver against a model of the device and of its clients: rings. */
#include "lib/mnos/ring.h"
#include "tests/models/ns16550.h"

#define CAPACITY 2048u /* of a page, less its indexes */

static struct ring input, output;

static mnos_status_t attach(mnos_badge_t client, unsigned number)
{
    struct stream_attach record = {{INPUT_EVENT, FRONT_EVENT, SIZE_EVENT, INTERRUPT_EVENT},
                                   OUTPUT_EVENT};

    return (mnos_status_t)request_caps(client, STREAM_ATTACH, &record, sizeof record, 3, number)
        .label;
}

static void begin(void)
{
    scene(true);
    for (unsigned i = 0; i < 2; i++)
        memset(ring_memory[i], 0, RING_PAGES * 4096);
    ring_init(&input, ring_memory[0] + STREAM_INPUT_HEADER, CAPACITY);
    ring_init(&output, ring_memory[1], CAPACITY);
    CHECK_EQ(attach(1, 1), MNOS_OK);
    CHECK_EQ(caps_held, 3);
}

static const char *taken(void)
{
    static char bytes[CAPACITY + 1];
    size_t count = 0;

    CHECK_EQ(ring_take(&input, bytes, CAPACITY, &count), MNOS_OK);
    bytes[count] = 0;
    return bytes;
}

static uint64_t lost(void)
{
    return ((struct stream_input *)ring_memory[0])->lost;
}

static void put(const char *text)
{
    size_t count;

    CHECK_EQ(ring_put(&output, text, strlen(text), &count), MNOS_OK);
    CHECK_EQ(count, strlen(text));
}

TEST(ns16550_rings, what_is_typed_is_in_the_input_ring)
{
    begin();
    events_told[1] = 0;
    type_keys("hello");
    CHECK_EQ(events_told[1] & INPUT_EVENT, INPUT_EVENT);
    CHECK_STR_EQ(taken(), "hello");
    CHECK_EQ(device.scratch, SCRATCH_EMPTY); /* the client has it, not the driver */
    CHECK_EQ(request_read(1, 100, 10).label, MNOS_ERR_STATE);
}

TEST(ns16550_rings, a_full_input_ring_is_filled_when_there_is_room)
{
    static char seen[10000];
    size_t sent = 0, got_bytes = 0;

    begin();
    for (unsigned i = 0; i < 500; i++, sent += 10)
        type_keys("0123456789");
    while (got_bytes < sent) {
        const char *bytes = taken();

        CHECK(bytes[0] != 0);
        memcpy(seen + got_bytes, bytes, strlen(bytes));
        got_bytes += strlen(bytes);
        stream_server_progress(&driver); /* as when the client sets STREAM_EVENT_LOOK */
    }
    for (size_t i = 0; i < sent; i++)
        CHECK_EQ(seen[i], '0' + i % 10);
}

TEST(ns16550_rings, a_loss_is_told_between_the_bytes_before_and_those_after)
{
    begin();
    type_keys("before");
    wire_receive("x", 1, LSR_PARITY);
    type_keys("after");
    CHECK_EQ(lost(), 0); /* not before the client has taken what came earlier */
    CHECK_STR_EQ(taken(), "before");
    stream_server_progress(&driver);
    CHECK_EQ(lost(), 1);
    CHECK_STR_EQ(taken(), "after");
}

TEST(ns16550_rings, output_leaves_the_ring_when_the_device_has_it)
{
    begin();
    events_told[1] = 0;
    put("0123456789abcdefghij"); /* more than the FIFO takes */
    stream_server_progress(&driver);
    CHECK_EQ(output.shared->taken, 16);
    CHECK_EQ(events_told[1], 0);
    send_everything();
    CHECK_EQ(output.shared->taken, 20);
    CHECK_EQ(events_told[1], OUTPUT_EVENT);
    CHECK_STR_EQ(device.sent, "0123456789abcdefghij");
}

TEST(ns16550_rings, rings_go_on_where_they_were_with_the_next_driver)
{
    begin();
    type_keys("one");
    put("0123456789abcdefghij");
    stream_server_progress(&driver);
    new_driver();
    CHECK_EQ(attach(1, 1), MNOS_OK);
    type_keys("two");
    CHECK_STR_EQ(taken(), "onetwo");
    send_everything();
    CHECK_STR_EQ(device.sent, "0123456789abcdefghij");
}

TEST(ns16550_rings, output_of_rings_and_writes_take_turns_in_whole_pieces)
{
    static char text[1000];

    begin();
    memset(text, 'w', sizeof text - 1);
    put("rrrr");
    request(1, 100, STREAM_WRITE, text, sizeof text - 1);
    stream_server_progress(&driver);
    send_everything();
    CHECK_EQ(device.sent_count, sizeof text - 1 + 4);
    CHECK(strstr(device.sent, text) != NULL);
    CHECK(strstr(device.sent, "rrrr") != NULL);
}

TEST(ns16550_rings, indexes_that_contradict_each_other_detach)
{
    begin();
    output.shared->written = CAPACITY + 1;
    stream_server_progress(&driver);
    CHECK_EQ(caps_held, 1); /* it listens still */
    CHECK_EQ(device.sent_count, 0);
    input.shared->taken = 77;
    type_keys("x");
    CHECK_EQ(input.shared->written, 0);
    CHECK_STR_EQ(got(STREAM_POLL, 10), "x"); /* it can ask for what came */
    output.shared->written = 0;
    input.shared->taken = 0;
    CHECK_EQ(attach(1, 1), MNOS_OK);
    CHECK_EQ(caps_held, 3);
    input.shared->taken = 77;
    type_keys("y");
    CHECK_EQ(caps_held, 1);
}

TEST(ns16550_rings, memory_that_was_taken_away_detaches)
{
    begin();
    driver.clients.entries[0].output_guard.lost = true;
    put("x");
    stream_server_progress(&driver);
    CHECK_EQ(caps_held, 1);
    CHECK_EQ(device.sent_count, 0);
}

TEST(ns16550_rings, requests_without_what_they_need_are_refused)
{
    struct stream_attach record = {{0}, OUTPUT_EVENT};

    begin();
    CHECK_EQ(request_caps(2, STREAM_ATTACH, &record, sizeof record, 3, 2).label, MNOS_ERR_ARGUMENT);
    record.events.input = INPUT_EVENT;
    record.output = 0;
    CHECK_EQ(request_caps(2, STREAM_ATTACH, &record, sizeof record, 3, 2).label, MNOS_ERR_ARGUMENT);
    record.output = OUTPUT_EVENT;
    CHECK_EQ(request_caps(2, STREAM_ATTACH, &record, sizeof record, 1, 2).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(request_caps(2, STREAM_ATTACH, &record, 8, 3, 2).label, MNOS_ERR_SIZE);
    event_mask = INPUT_EVENT;
    CHECK_EQ(attach(2, 2), MNOS_ERR_ARGUMENT);
    CHECK_EQ(caps_held, 3);
    event_mask = UINT64_MAX;
    CHECK_EQ(request_listen(1, 1), MNOS_OK); /* only listens from now on */
    CHECK_EQ(caps_held, 1);
    client_gone(1);
    CHECK_EQ(caps_held, 0);
}
