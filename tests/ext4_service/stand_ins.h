// SPDX-License-Identifier: MIT
/* stand_ins.h - what the kernel and the service manager do for this service beyond kernel.h: there is nothing to receive, and
 * windows outlive the process. A part of host.c. */
#pragma once

#include "tests/ext4_service/kernel.h"

/* ---- What the kernel does ---- */

static mnos_status_t ipc_receive(mnos_cap_t, struct message *, uint64_t)
{
    return MNOS_ERR_REVOKED;
}

mnos_status_t window_open(struct window *, uint64_t)
{
    return MNOS_ERR_QUOTA; /* they are of the region below */
}

void window_close(struct window *)
{
}

/* ---- Windows, which outlive the process ---- */

static struct memory_block windows[FILE_SERVER_SESSIONS];
static bool windows_fail; /* none is found */

static mnos_status_t find_window(void *, uint32_t place, struct window *window)
{
    if (windows_fail)
        return MNOS_ERR_MEMORY;
    window->place = place;
    window->memory = windows[place - 1];
    return MNOS_OK;
}

static mnos_status_t make_window(void *, uint64_t bytes, struct window *window)
{
    for (uint32_t i = 0; i < FILE_SERVER_SESSIONS; i++) {
        if (windows[i].page_count != 0)
            continue;
        windows[i].page_count = bytes / MNOS_PAGE_BYTES;
        windows[i].address = calloc(1, bytes);
        window->place = i + 1;
        window->memory = windows[i];
        return MNOS_OK;
    }
    return MNOS_ERR_QUOTA;
}

static void end_window(void *, struct window *window)
{
    free(windows[window->place - 1].address);
    windows[window->place - 1] = (struct memory_block){0};
}

static const struct window_memory window_memory = {
    .open = make_window, .find = find_window, .close = end_window};
