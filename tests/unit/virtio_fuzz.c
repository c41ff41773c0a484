// SPDX-License-Identifier: MIT
/* virtio_fuzz.c - see virtio_fuzz.h. The first byte chooses features and size; then each four bytes
 * are one step: of the device, which writes a byte anywhere in the memory of the queue, or of the
 * driver. */
#include "tests/unit/virtio_fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/driver/virtio/transport.h"
#include "tests/unit/unit.h"

#define BUS 0x5000000ull
#define SEGMENTS 6

struct scene {
    struct dma_memory memory;
    struct virtio_queue queue;
    uint64_t bytes;
};

static void create(struct scene *scene, uint8_t choice)
{
    uint16_t size = (uint16_t)(8u << (choice >> 2 & 3));
    uint64_t features = (choice & 1 ? VIRTIO_F_INDIRECT : 0) |
                        (choice & 2 ? VIRTIO_F_EVENT_INDEX : 0) |
                        (choice & 16 ? VIRTIO_F_PACKED : 0);

    scene->bytes = queue_bytes(size, SEGMENTS, choice & 1);
    scene->memory = (struct dma_memory){.address = aligned_alloc(4096, scene->bytes),
                                        .bytes = scene->bytes,
                                        .block_bytes = scene->bytes,
                                        .block_count = 1,
                                        .table = {BUS}};
    CHECK(queue_create(&scene->queue, &scene->memory, size, SEGMENTS, features));
}

static void drive(struct virtio_queue *queue, const uint8_t *step)
{
    struct queue_segment segments[SEGMENTS];
    uint64_t token;
    uint32_t bytes;

    switch (step[0] % 5) {
    case 0:
        for (unsigned i = 0; i < SEGMENTS; i++)
            segments[i] = (struct queue_segment){BUS, step[2], (step[3] >> i) & 1};
        (void)queue_add(queue, segments, 1 + step[1] % SEGMENTS, step[2]);
        break;
    case 1: (void)queue_publish(queue); break;
    case 2:
        /* Every token that comes back is one that was handed in. */
        if (queue_take(queue, &token, &bytes) == QUEUE_TAKEN)
            CHECK(token <= UINT8_MAX && bytes <= SEGMENTS * UINT8_MAX);
        break;
    case 3: (void)queue_arm(queue); break;
    default: queue_disarm(queue); break;
    }
}

void virtio_fuzz(const uint8_t *data, size_t size)
{
    struct virtio_place place;
    struct scene scene;

    if (virtio_place_parse(data, size, &place))
        CHECK(place.bar < 6 && size >= 16);
    if (size == 0)
        return;
    create(&scene, data[0]);
    for (size_t at = 1; at + 4 <= size; at += 4) {
        if (data[at] >= 128)
            scene.memory.address[(data[at + 1] | data[at + 2] << 8) % scene.bytes] = data[at + 3];
        else
            drive(&scene.queue, data + at);
        CHECK(queue_check(&scene.queue) == NULL);
        if (scene.queue.broken && data[at] % 4 == 0)
            queue_begin(&scene.queue);
    }
    free(scene.memory.address);
}
