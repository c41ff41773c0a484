// SPDX-License-Identifier: MIT
/*
 * block_driver.h - the process of a disk's driver around lib/server/block.h: the sessions in memory that outlives it, and the
 * loop. The driver adds its device.
 */
#pragma once

#include "lib/server/block.h"
#include "lib/server/state.h"

/* At the endpoint of requests, beside BLOCK_EVENT_SUBMITTED. */
#define BLOCK_EVENT_INTERRUPT (1ull << 1)

struct block_driver {
    struct block_server server;
    struct state state;
    bool fresh; /* no run before has left sessions, or none that are trusted */
    mnos_cap_t endpoint;
    mnos_cap_t
        line; /* the interrupt, which sets BLOCK_EVENT_INTERRUPT; 0: there is none, nor the functions */
    /* After an interrupt: takes what is done. When `check` is to be called at the latest, and it: resets a device that has
     * failed or was silent for too long. */
    void (*take_done)(void *context);
    uint64_t (*deadline_ns)(void *context);
    void (*check)(void *context, uint64_t now_ns);
    void *context;
};

/* The sessions that a run before has left in `bytes` of memory, of a region that is mapped at `address`; block_driver_open()
 * makes use of them once the device is known. `magic` is the driver's own. */
void block_driver_remember(struct block_driver *driver, void *address, uint64_t bytes,
                           uint64_t magic);
/* The same, in a page of the region of that name, which it maps first. */
mnos_status_t block_driver_remember_in(struct block_driver *driver, mnos_cap_t region,
                                       uint64_t magic);
/* Serves from now on, when somebody calls block_driver_serve(). */
void block_driver_open(struct block_driver *driver, const struct block_device *device);
/* Until receiving fails, or the interrupt cannot be acknowledged; returns why. */
mnos_status_t block_driver_serve(struct block_driver *driver);
