// SPDX-License-Identifier: MIT
/*
 * scrollback.h - the lines that have scrolled off the top of a terminal, the oldest of which make room. Their memory comes as it is
 * needed, in blocks, and is never given back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "services/terminal/cell.h"

#define SCROLLBACK_BLOCK_LINES 64u
#define SCROLLBACK_BLOCKS_MAX 8u

/* Zero but for these two: it is empty. */
struct scrollback {
    unsigned columns;
    unsigned
        blocks_wanted; /* SCROLLBACK_BLOCKS_MAX at most; fewer when there is no memory for more */
    unsigned block_count;
    cell_t *blocks[SCROLLBACK_BLOCKS_MAX];
    uint64_t pushed; /* lines, ever */
};

/* How many there are. */
unsigned scrollback_count(const struct scrollback *scrollback);
/* A line of `columns` cells. */
void scrollback_push(struct scrollback *scrollback, const cell_t *cells);
/* The one `back` lines above the top of the terminal, from 1 for the last, to scrollback_count(). */
const cell_t *scrollback_line(const struct scrollback *scrollback, unsigned back);
