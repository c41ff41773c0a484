// SPDX-License-Identifier: MIT
/*
 * window.h - memory that a service shares with one session, so that the bytes of a request are
 * copied once. The service allocates it, so the client cannot take it back in the middle of a
 * request. What is in it may change at any moment: a service copies, and decides nothing by it.
 */
#pragma once

#include <stdint.h>

#include "lib/mnos/memory.h"

struct window {
    struct memory_block memory; /* page_count 0: there is none */
    uint32_t
        place; /* where it is in memory that outlives the process, by which a later run finds it; 0: not */
};

/* Memory for windows that outlives the process, so that clients keep what they have mapped. */
struct window_memory {
    void *context;
    /* Zeroed memory that nobody else maps; the place is not 0. MNOS_ERR_QUOTA, MNOS_ERR_MEMORY: there is no room. */
    mnos_status_t (*open)(void *context, uint64_t bytes, struct window *window);
    /* The window at a place, in a later run. MNOS_ERR_EXISTS: another window has some of it; MNOS_ERR_ARGUMENT: there is no
     * such place. */
    mnos_status_t (*find)(void *context, uint32_t place, struct window *window);
    /* Takes one that was opened or found from the client, by whichever run it was handed on. */
    void (*close)(void *context, struct window *window);
};

/* Zeroed memory of whole pages. */
mnos_status_t window_open(struct window *window, uint64_t bytes);
/* Takes it from the client, too. */
void window_close(struct window *window);

static inline uint64_t window_bytes(const struct window *window)
{
    return window->memory.page_count * MNOS_PAGE_BYTES;
}

/* Where in the window a range of it is; NULL: it is not inside. */
static inline void *window_range(const struct window *window, uint64_t offset, uint64_t length)
{
    uint64_t bytes = window_bytes(window);

    return offset > bytes || length > bytes - offset ? NULL
                                                     : (uint8_t *)window->memory.address + offset;
}
