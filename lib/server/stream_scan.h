// SPDX-License-Identifier: MIT
/*
 * stream_scan.h - what has come in is looked at before anybody may take it: for the key of last resort, for Ctrl-C that is not the
 * reader's, and for what a terminal answers when it is asked for its size.
 *
 * A terminal answers by a sequence that a key could have sent: it is expected only when the terminal was asked and has
 * not answered. The bytes of one that has begun are kept back; the caller lets them go when the rest does not come.
 *
 * S1  received.ready <= at <= received.put; what is between the first two is the beginning of an answer
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/server/stream_bytes.h"

#define SCAN_NUMBERS 3u

struct scan {
    bool expects; /* an answer */
    uint32_t at;  /* the next item */
    unsigned state;
    unsigned last; /* the number that is being read */
    unsigned numbers[SCAN_NUMBERS];
    unsigned last_resort; /* so many of the keys have come in a row */
};

/* The keys that mean something now. */
struct scan_keys {
    bool last_resort; /* Ctrl-] twice */
    bool interrupt;   /* Ctrl-C */
};

enum scan_found {
    SCAN_NOTHING,     /* all has been looked at */
    SCAN_LAST_RESORT, /* what is ready ends with the key: to be dropped */
    SCAN_INTERRUPT,   /* likewise */
    SCAN_SIZE,        /* "ESC [ 8 ; rows ; columns t", an answer to "ESC [ 18 t" */
    SCAN_PLACE,       /* "ESC [ row ; column R", an answer to "ESC [ 6 n" */
};

struct scan_answer {
    unsigned rows, columns;
};

/* Looks on, up to the next thing that is found; an answer is taken out of the queue. */
enum scan_found scan_next(struct scan *scan, struct byte_queue *queue, struct scan_keys keys,
                          struct scan_answer *answer);

/* What nobody has taken yet is to be looked at once more: other keys mean something now. */
void scan_again(struct scan *scan, struct byte_queue *queue, struct scan_keys keys);

/* Whether the beginning of an answer is kept back, and letting it go. */
bool scan_keeps(const struct scan *scan, const struct byte_queue *queue);
void scan_let_go(struct scan *scan, struct byte_queue *queue);
