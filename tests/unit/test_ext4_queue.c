// SPDX-License-Identifier: MIT
/* test_ext4_queue - requests of the ext4 service that wait for room in the ring of the disk: their order, and the bell. */
#include "services/fs/ext4/queue.h"
#include "tests/unit/unit.h"

static unsigned ring_room, submitted, bells;

static bool submit(void *, const struct queue_request *request)
{
    if (ring_room == 0)
        return false;
    CHECK_EQ(request->number, submitted);
    ring_room--;
    submitted++;
    return true;
}

static void bell(void *)
{
    bells++;
}

TEST(ext4_queue, what_does_not_fit_into_the_ring_waits_in_its_order)
{
    struct queue_port port = {.submit = submit, .bell = bell};
    struct queue_request waiting[8];
    struct queue queue;

    disk_queue_init(&queue, &port, waiting, 8);
    ring_room = 3;
    for (uint32_t i = 0; i < 8; i++)
        disk_queue_add(&queue, &(struct queue_request){.number = i});
    CHECK(!disk_queue_has_room(&queue));
    disk_queue_push(&queue);
    CHECK_EQ(submitted, 3);
    CHECK_EQ(bells, 1);
    disk_queue_push(&queue);
    CHECK_EQ(bells, 1);
    disk_queue_done(&queue);
    ring_room = 2;
    disk_queue_push(&queue);
    CHECK_EQ(submitted, 5);
    for (uint32_t i = 8; i < 12; i++)
        disk_queue_add(&queue, &(struct queue_request){.number = i});
    ring_room = 8;
    disk_queue_push(&queue);
    CHECK_EQ(submitted, 12);
    CHECK_EQ(bells, 3);
    CHECK(disk_queue_has_room(&queue));
}
