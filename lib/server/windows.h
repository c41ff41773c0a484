// SPDX-License-Identifier: MIT
/*
 * windows.h - windows of sessions in a region that is kept (manifest: keep = true): a client's mapping survives
 * the service. A window is a part of a piece, in units of 16 pages. Which pages some run has handed on, and nobody has
 * taken back, the service manager knows; this only remembers what it has answered.
 *
 * W1  No page is of two windows, and none is of a window while a client maps it that has it from an earlier one: a new
 *     window is a new part (REGION_PART_NEW).
 * W2  A part that no session names any more rests: its sessions were dropped with what the service knew, or a run died
 *     between making it and noting it. It is neither given out nor taken back, as its client may be writing into it and
 *     learns by its next request that the session is lost.
 * W3  What rests is taken back when there is no other room, and the region can grow no more.
 */
#pragma once

#include "lib/client/region.h"
#include "lib/server/window.h"

#define WINDOWS_PIECES_MAX 48u
#define WINDOWS_UNIT_PAGES 16u
#define WINDOWS_UNITS_MAX 1600u /* 100 MiB: what a region has beyond them is not used */

enum window_unit {
    WINDOW_UNIT_FREE = 0, /* as far as this run knows */
    WINDOW_UNIT_USED = 1, /* of a window of this run */
    WINDOW_UNIT_RESTING = 2,
};

struct windows {
    struct region region;
    struct region_piece pieces[WINDOWS_PIECES_MAX];
    struct window_memory memory; /* for the file server */
    uint8_t units[WINDOWS_UNITS_MAX];
};

/* Maps the region of that name: the errors of region_open(). */
mnos_status_t windows_open(struct windows *windows, struct bootstrap_name region);
