// SPDX-License-Identifier: MIT
/* frame_fuzz.c - see frame_fuzz.h. The first byte chooses features; then each four bytes are one step: of a device or a
 * stack, which writes a byte anywhere in the memory that it shares with the driver; of an honest stack; or of the
 * driver. */
#include "tests/unit/frame_fuzz.h"

#include <string.h>

#include "drivers/net/virtio_net/card.h"
#include "lib/client/frame_buffers.h"
#include "tests/models/virtio_net.h"

#define BUS 0x40000000ull
#define QUEUE_BYTES (1u << 16)
#define PAGES (FRAME_RING_PAGES + FRAME_BUFFERS / 2)

struct scene {
    struct virtio_net_model model;
    struct virtio_transport transport;
    struct dma_memory memory;
    struct card card;
    struct frame_port port;
    struct frame_buffers stack;
    uint64_t now_ns;
};

static mnos_status_t reset(void *context)
{
    struct scene *scene = context;

    transport_reset(&scene->transport);
    return MNOS_OK;
}

static void begin(struct scene *scene, uint8_t choice)
{
    static const uint8_t mac[6] = {2};
    static _Alignas(4096) uint8_t ram[QUEUE_BYTES + PAGES * 4096];

    memset(scene, 0, sizeof *scene);
    memset(ram, 0, QUEUE_BYTES + FRAME_RING_PAGES * 4096);
    scene->memory = (struct dma_memory){.address = ram,
                                        .bytes = QUEUE_BYTES,
                                        .block_bytes = QUEUE_BYTES,
                                        .block_count = 1,
                                        .table = {BUS}};
    virtio_model_begin(&scene->model.virtio, &scene->transport, &scene->memory,
                       (uint16_t)(32u << (choice & 1)));
    scene->model.virtio.offered = VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_GUEST_CSUM |
                                  (choice & 2 ? VIRTIO_F_EVENT_INDEX : 0) |
                                  (choice & 4 ? VIRTIO_NET_F_MRG_RXBUF : 0) |
                                  (choice & 8 ? VIRTIO_NET_F_CSUM : 0);
    net_model_config(&scene->model, mac, 1, 1500);
    scene->card = (struct card){
        .transport = &scene->transport, .port = &scene->port, .reset = reset, .context = scene};
    transport_reset(&scene->transport);
    CHECK_EQ(card_open(&scene->card, &scene->memory), MNOS_OK);
    frame_port_open(&scene->port, ram + QUEUE_BYTES, BUS + QUEUE_BYTES, PAGES, &scene->card.info);
    CHECK_EQ(card_start(&scene->card), MNOS_OK);
    frame_buffers_begin(&scene->stack, ram + QUEUE_BYTES);
}

static void stack_step(struct frame_buffers *stack, const uint8_t *step)
{
    struct frame_part part;
    uint32_t buffer;

    switch (step[1] % 4) {
    case 0: (void)frame_give(stack, step[2]); break;
    case 1:
        if (frame_take(stack, &part))
            CHECK(part.buffer < FRAME_RECEIVE_BUFFERS && part.count <= FRAME_BUFFER_BYTES);
        break;
    case 2:
        if (frame_send_buffer(stack, &buffer) != NULL)
            frame_send(stack, buffer, step[2] * 8u, step[3]);
        break;
    default: (void)frame_buffers_publish(stack); break;
    }
}

/* P1 and P2, as far as an index of the stack's can be believed; and what lies in flights is counted. */
static void check(const struct scene *scene)
{
    uint32_t held = 0, sending = 0;

    for (uint32_t i = 0; i < CARD_QUEUE_SIZE; i++) {
        held += scene->card.receive.flights[i].count;
        sending += scene->card.send.flights[i].count;
    }
    CHECK_EQ(held, scene->port.held);
    CHECK_EQ(sending, scene->port.sending);
    CHECK(held <= FRAME_ENTRIES && sending <= FRAME_ENTRIES);
    CHECK(queue_check(&scene->card.receive.queue) == NULL);
    CHECK(queue_check(&scene->card.send.queue) == NULL);
}

/* The indexes of rings and queues lie at their beginnings: half of what is written goes there. */
static uint32_t place(const uint8_t *step)
{
    uint32_t anywhere = step[1] | (uint32_t)step[2] << 8;

    if (step[0] & 1)
        return anywhere;
    return QUEUE_BYTES + (step[1] & 3) * (uint32_t)sizeof(struct frame_ring) + 192 +
           (step[2] & 127);
}

void frame_fuzz(const uint8_t *data, size_t size)
{
    static struct scene scene;

    if (size == 0)
        return;
    begin(&scene, data[0]);
    for (size_t at = 1; at + 4 <= size; at += 4) {
        const uint8_t *step = data + at;

        if (step[0] >= 192)
            scene.memory.address[place(step)] = step[3];
        else if (step[0] >= 96)
            stack_step(&scene.stack, step);
        else if (step[0] >= 95)
            scene.now_ns += CARD_SILENCE_NS;
        else if (step[0] >= 90)
            card_interrupt(&scene.card);
        else if (step[0] >= 60)
            (void)frame_port_publish(&scene.port);
        else if (step[0] >= 30)
            (void)card_arm(&scene.card);
        else
            (void)card_work(&scene.card, scene.now_ns);
        check(&scene);
    }
}
