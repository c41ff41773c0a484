// SPDX-License-Identifier: MIT
/* virtio_lies.h - queues and a device that says what cannot be: a part of test_virtio.c. */
#pragma once

static void lie_with(uint64_t features, uint32_t head, uint32_t bytes)
{
    struct virtio_model_request request;
    uint64_t token;

    begin(features, 4);
    CHECK(add(3, 5));
    CHECK(add(1, 6));
    (void)queue_publish(&world.queue);
    CHECK(virtio_model_next(&world.model, 1, &request));
    virtio_model_done(&world.model, 1, head == UINT32_MAX ? request.head : head, bytes);
    CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_BROKEN);
    CHECK(!add(1, 7)); /* until it was reset */
    CHECK_EQ(queue_in_flight(&world.queue), 2);
    check();
    queue_begin(&world.queue);
    CHECK(add(1, 7));
    check();
}

static void lie(uint32_t head, uint32_t bytes)
{
    lie_with(WANTED, head, bytes);
    lie_with(WANTED | PACKED, head, bytes);
}

TEST(virtio_queue, an_answer_that_cannot_be_breaks_it_until_a_reset)
{
    lie(QUEUE_SIZE, 0);          /* outside the ring */
    lie(QUEUE_SIZE - 1, 0);      /* not in flight */
    lie(UINT32_MAX - 1, 0);      /* far outside */
    lie(UINT32_MAX, 103);        /* more bytes than it may write: 102 */
    lie(UINT32_MAX, UINT32_MAX); /* far more */
}

static void answer_twice(uint64_t features)
{
    struct virtio_model_request request;
    uint64_t token;
    uint32_t bytes;

    begin(features, 4);
    CHECK(add(1, 5));
    CHECK(add(1, 6));
    (void)queue_publish(&world.queue);
    CHECK(virtio_model_next(&world.model, 1, &request));
    virtio_model_done(&world.model, 1, request.head, 0);
    virtio_model_done(&world.model, 1, request.head, 0);
    CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_TAKEN);
    CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_BROKEN);
    check();
}

TEST(virtio_queue, the_same_answer_twice_breaks_it)
{
    answer_twice(WANTED);
    answer_twice(WANTED | PACKED);
}

TEST(virtio_queue, more_answers_than_requests_break_it)
{
    uint64_t token;
    uint32_t bytes;

    begin(WANTED, 4);
    CHECK(add(1, 5));
    (void)queue_publish(&world.queue);
    virtio_model_used(&world.model, 1)->index = 2;
    CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_BROKEN);
    check();
    begin(WANTED | PACKED, 4);
    virtio_model_done(&world.model, 1, 0, 0); /* nothing was made available */
    CHECK_EQ(queue_take(&world.queue, &token, &bytes), QUEUE_BROKEN);
    check();
}

/* Nothing that the device writes anywhere in the queue's memory makes the driver touch what is not
 * its own: the sanitizers watch, and the invariants hold. tests/fuzz looks for more. */
TEST(virtio_queue, survives_a_device_that_writes_anything)
{
    uint8_t input[1 + 4 * 300];

    for (unsigned life = 0; life < 1000; life++) {
        for (unsigned i = 0; i < sizeof input; i++)
            input[i] = (uint8_t)(random_number() >> 32);
        virtio_fuzz(input, sizeof input);
    }
}
