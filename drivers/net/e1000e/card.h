// SPDX-License-Identifier: MIT
/*
 * card.h - an Intel 82574 network controller: frames of the rings of lib/server/frame_port.h into its descriptors and back.
 * Knows registers by lib/driver/mmio.h and memory by dma.h only, so a host test has a model of the device behind it.
 *
 *   IDLE --a stack is attached: e1000e_start()--> WORKS --e1000e_stop()--> IDLE
 *   WORKS --a descriptor that cannot be, or a frame kept for SILENCE_NS--> reset --> WORKS, the room for frames given
 *           again, what was to be sent lost
 *   a reset fails, or RESETS_MAX in a row with nothing done between them --> FAILED
 *
 * E1  An entry that was taken from the port is of exactly one descriptor, from `first` on, or given back.
 * E2  In IDLE and FAILED the device is reset and has nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/net/e1000e/registers.h"
#include "lib/driver/dma.h"
#include "lib/driver/mmio.h"
#include "lib/server/frame_port.h"

/* Descriptors of each direction; the device has at most one less, or its two indexes would be the same. */
#define E1000E_RING 256u
/* What the device may write into a buffer: frames that are longer are dropped by it, as long ones are not allowed. */
#define E1000E_ROOM 1522u
/* With nothing done between them. */
#define E1000E_RESETS_MAX 3u
/* How long the device may have a frame to send. */
#define E1000E_SILENCE_NS 10000000000ull

/* One direction: what the device has, in order. */
struct e1000e_way {
    uint64_t bus; /* of the descriptors */
    uint32_t first, count;
    struct frame_entry entries[E1000E_RING]; /* by descriptor */
};

struct e1000e {
    const struct mmio *registers;
    struct frame_port *port;
    uint64_t (*now_ns)(void *context);
    void (*pause)(void *context, uint64_t ns);
    void *context;
    struct frame_info info;
    struct e1000e_receive *receive_ring;
    struct e1000e_send *send_ring;
    struct e1000e_way receive, send;
    bool works; /* there is a stack, and the device has its rings */
    bool failed;
    bool look;   /* its causes are to be read: across the bus */
    bool masked; /* it has sent a message, and sends no other until e1000e_arm() */
    uint32_t resets;
    uint64_t since_ns; /* when the device was last seen to have sent something, or had nothing */
    uint64_t frames_received, frames_sent;
};

/* Resets the device, learns its address, and makes the rings in `memory`. `card` has registers, port, clock and context.
 * MNOS_ERR_DEVICE: it does not come out of its reset; MNOS_ERR_FORMAT: its address cannot be; MNOS_ERR_MEMORY. */
mnos_status_t e1000e_open(struct e1000e *card, struct dma_memory *memory);
/* The device begins with a port that is empty. MNOS_ERR_DEVICE: it does not. */
mnos_status_t e1000e_start(struct e1000e *card);
/* The device is reset, and has nothing of the port any more. */
void e1000e_stop(struct e1000e *card);

/* After an interrupt: the cable may have been plugged in or out. */
void e1000e_interrupt(struct e1000e *card);
/* Moves frames both ways. True: there is more to do, and it is to be called again before waiting. */
bool e1000e_work(struct e1000e *card);
/* Before waiting. False: something is there already. */
bool e1000e_arm(struct e1000e *card);
/* When e1000e_work() is to be called at the latest. */
uint64_t e1000e_deadline(const struct e1000e *card);
