// SPDX-License-Identifier: MIT
/*
 * card.h - a virtio network device: frames of the rings of lib/server/frame_port.h into its queues and back. Knows
 * registers and memory by lib/driver only, so a host test has a model of the device behind it.
 *
 *   IDLE --a stack is attached: card_start()--> WORKS --card_stop()--> IDLE
 *   WORKS --it wants a reset, a queue is broken, or it keeps a frame for SILENCE_NS--> reset --> WORKS, the room for
 *           frames given again, what was to be sent lost
 *   a reset fails, or RESETS_MAX in a row with nothing done between them --> FAILED
 *
 * C1  An entry that was taken from the port is in exactly one flight, and that is in a queue or about to be given back.
 * C2  In IDLE and FAILED the device is reset and has nothing.
 */
#pragma once

#include "drivers/net/virtio_net/registers.h"
#include "lib/driver/virtio/queue.h"
#include "lib/driver/virtio/transport.h"
#include "lib/server/frame_port.h"

#define CARD_QUEUE_SIZE 256u
/* With nothing done between them. */
#define CARD_RESETS_MAX 3u
/* How long the device may have a frame to send. */
#define CARD_SILENCE_NS 10000000000ull

/* What the device has of one request. */
struct card_flight {
    struct frame_entry entries[FRAME_SEGMENTS_MAX]; /* receiving: one */
    uint16_t count;                                 /* 0: it is free */
    uint16_t next;                                  /* of the free ones */
};

/* One direction. */
struct card_way {
    struct virtio_queue queue;
    struct virtio_bell bell;
    uint16_t free_first;
    struct card_flight flights[CARD_QUEUE_SIZE]; /* its number is the queue's token */
};

struct card {
    struct virtio_transport *transport;
    struct frame_port *port;
    struct frame_info info;
    struct card_way receive, send;
    struct virtio_net_header
        *headers; /* one for each flight of `send`, in memory that the device reaches */
    uint64_t headers_bus;
    uint32_t more; /* buffers of the frame that is being received which are still to come */
    bool works;    /* there is a stack, and the device has its queues */
    bool failed;
    bool look; /* its status and configuration are to be looked at: reads across the bus */
    uint32_t resets;
    uint64_t since_ns; /* when the device was last seen to have sent something, or had nothing */
    uint64_t frames_received, frames_sent;
    mnos_status_t (*reset)(void *context);
    void *context;
};

/* Agrees on features with a device that is reset, and makes the queues in `memory`. `card` has transport, port, reset
 * and context. MNOS_ERR_DEVICE: the device does not take part; MNOS_ERR_FORMAT: what it says of itself cannot be;
 * MNOS_ERR_MEMORY: `memory` is too small. The device is not let work before card_start(). */
mnos_status_t card_open(struct card *card, struct dma_memory *memory);
/* The device begins with a port that is empty. MNOS_ERR_DEVICE: it does not. */
mnos_status_t card_start(struct card *card);
/* The device is reset, and has nothing of the port any more. */
void card_stop(struct card *card);

/* After an interrupt: the device may want something. */
void card_interrupt(struct card *card);
/* Moves frames both ways. True: there is more to do, and it is to be called again before waiting. */
bool card_work(struct card *card, uint64_t now_ns);
/* Before waiting: asks the device for an interrupt. False: something is there already. */
bool card_arm(struct card *card);
/* When card_work() is to be called at the latest. */
uint64_t card_deadline(const struct card *card);
