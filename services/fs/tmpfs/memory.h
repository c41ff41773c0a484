// SPDX-License-Identifier: MIT
/*
 * memory.h - the region that holds all that outlives a run: the undo log, sessions, locks, and the block of the
 * file system, which grows at its end.
 */
#pragma once

#include "lib/client/region.h"
#include "lib/server/file_lock.h"
#include "lib/server/state.h"
#include "services/fs/tmpfs/store.h"

#define MEMORY_PIECES_MAX 64u

struct memory {
    struct region region;
    struct region_piece pieces[MEMORY_PIECES_MAX];
    struct state state;
    enum state_found found;
    struct sessions *sessions;
    struct file_locks *locks;
    struct tmpfs *fs;
};

/* Finds what the last run left, or makes an empty file system; what was lost is in the log. */
mnos_status_t memory_begin(struct memory *memory);
/* Makes the block larger; or not, when there is nothing to have. */
void memory_grow(struct memory *memory);
