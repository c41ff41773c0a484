// SPDX-License-Identifier: MIT
/*
 * search.h - going through what somebody else has made, of which there may be any number, in steps with its lock
 * held. Between two steps the search stands on what is to be looked at next; when that goes, its owner moves the
 * search on to the one after it. So what is there from the beginning to the end is met, whatever others do.
 *
 * There is one search for each object that is gone through. Who comes while another is at it waits by making its call
 * again; when it finds that no step was made since it looked last, it takes over and begins anew. Who has lost the
 * search that way does the same. So one of them gets to the end, and the next one after it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct search {
    void *next;     /* to look at next; NULL: the end was reached, or there is no search */
    uint64_t steps; /* made in all searches so far */
};

enum search_turn {
    SEARCH_OTHERS, /* somebody else is at it */
    SEARCH_BEGINS, /* it is ours: `next` is to be set to the first */
    SEARCH_GOES_ON,
};

/* In the progress of who searches, with the number of steps that had been made. */
#define SEARCH_OURS 1u

/* Who may make a step. *progress is the caller's, kept over its interruptions, and 0 at first. */
static inline enum search_turn search_turn_locked(const struct search *search, uint64_t *progress)
{
    uint64_t made = search->steps << 1;

    if (*progress == (made | SEARCH_OURS))
        return SEARCH_GOES_ON;
    if (search->next == NULL || *progress == made)
        return SEARCH_BEGINS;
    *progress = made;
    return SEARCH_OTHERS;
}

/* The caller has made a step. */
static inline void search_stepped_locked(struct search *search, uint64_t *progress)
{
    *progress = ++search->steps << 1 | SEARCH_OURS;
}
