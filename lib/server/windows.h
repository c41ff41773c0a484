// SPDX-License-Identifier: MIT
/*
 * windows.h - windows of sessions in a region that is kept (manifest: keep = true): a client's mapping survives
 * the service. A window is a part of a piece, in units of 16 pages; which are used is what the sessions say, and `held`
 * for windows that outlast their sessions.
 */
#pragma once

#include "lib/client/region.h"
#include "lib/server/window.h"

#define WINDOWS_PIECES_MAX 16u

struct windows {
    struct region region;
    struct region_piece pieces[WINDOWS_PIECES_MAX];
    struct window_memory memory; /* for the file server */
    const uint32_t *held;        /* places, 0 for none; the service's, which stay */
    uint32_t held_count;
};

mnos_status_t windows_open(struct windows *windows, const char *region);
