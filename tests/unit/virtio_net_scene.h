// SPDX-License-Identifier: MIT
/* virtio_net_scene.h - the driver of virtio network cards between a stack's rings and a model of the device: what its
 * tests have in common. Each file of them has a scene of its own. */
#pragma once

#include <stdlib.h>

#include "drivers/net/virtio_net/card.h"
#include "tests/models/virtio_net.h"
#include "tests/unit/net_frames_scene.h"

#define BUS 0x40000000ull
#define QUEUE_BYTES (1u << 18)
#define QUEUE_SIZE 64
#define STACK_BYTES (FRAME_MEMORY_PAGES * 4096ull)
#define ALL                                                                                        \
    (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX | VIRTIO_NET_F_MAC |            \
     VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS)

static struct virtio_net_model model;
static struct virtio_transport transport;
static struct dma_memory memory;
static struct card card;
static uint8_t *ram; /* all that the device reaches: the queues, then the stack's */
static bool reset_fails;
static unsigned resets;
static uint64_t now_ns;

static mnos_status_t reset(void *)
{
    transport_reset(&transport);
    resets++;
    return reset_fails ? MNOS_ERR_DEVICE : MNOS_OK;
}

static void attach(void)
{
    frame_port_open(&port, ram + QUEUE_BYTES, BUS + QUEUE_BYTES, FRAME_MEMORY_PAGES, &card.info);
    CHECK_EQ(card_start(&card), MNOS_OK);
    stack_begin();
}

static void open_model(uint64_t features)
{
    free(ram);
    ram = aligned_alloc(4096, QUEUE_BYTES + STACK_BYTES);
    memset(ram, 0xA5, QUEUE_BYTES + STACK_BYTES);
    memset(&model, 0, sizeof model);
    memory = (struct dma_memory){.address = ram,
                                 .bytes = QUEUE_BYTES,
                                 .block_bytes = QUEUE_BYTES,
                                 .block_count = 1,
                                 .table = {BUS}};
    virtio_model_begin(&model.virtio, &transport, &memory, QUEUE_SIZE);
    model.virtio.memory_bytes = QUEUE_BYTES + STACK_BYTES;
    model.virtio.offered = features;
    net_model_config(&model, mac, VIRTIO_NET_S_LINK_UP, 1500);
    reset_fails = false;
    resets = 0;
    now_ns = 1000;
    memset(&port, 0, sizeof port);
    memset(&stack, 0, sizeof stack);
    card = (struct card){.transport = &transport, .port = &port, .reset = reset};
    transport_reset(&transport);
}

static void begin(uint64_t features)
{
    open_model(features);
    CHECK_EQ(card_open(&card, &memory), MNOS_OK);
    attach();
}

/* Until nothing happens any more. */
static void work(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        bool again = card_work(&card, now_ns);

        (void)frame_port_publish(&port);
        again |= net_model_send(&model);
        if (!again && card_arm(&card))
            return;
    }
    CHECK(!"it comes to an end");
}
