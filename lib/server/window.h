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
