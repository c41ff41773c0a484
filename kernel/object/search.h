// SPDX-License-Identifier: MIT
/*
 * search.h - going through what somebody else has made, of which there may be any number, in steps with its lock
 * held. Between two steps the search stands on what is to be looked at next; when that goes, its owner moves the
 * search on to the one after it. So what is there from the beginning to the end is met, whatever others do.
 *
 * There is one search for each object that is gone through. Who comes while another is at it waits by making its call
 * again; when it has looked `patience` times and no step was made, it takes over and begins anew. Who has lost the search
 * that way does the same. On one core those who wait look while the one that searches cannot run, so each time that a
 * search is taken over it takes twice as many looks to do it again: soon more than there are in a time slice, and then
 * whoever has the search gets to the end, in however many time slices. So does the next one after it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct search {
    void *next;        /* to look at next; NULL: the end was reached, or there is no search */
    uint64_t steps;    /* made in all searches so far */
    uint32_t patience; /* looks in vain after which it is taken over */
};

enum search_turn {
    SEARCH_OTHERS, /* somebody else is at it */
    SEARCH_BEGINS, /* it is ours: `next` is to be set to the first */
    SEARCH_GOES_ON,
};

/* In the progress of who searches: whether the search is ours, or how often we have looked in vain; and the number of
 * steps that had been made. */
#define SEARCH_OURS 1u
#define SEARCH_LOOK 2u
#define SEARCH_STEPS_SHIFT 20
#define SEARCH_PATIENCE_MAX (1u << 18)

/* Who may make a step. *progress is the caller's, kept over its interruptions, and 0 at first. */
static inline enum search_turn search_turn_locked(struct search *search, uint64_t *progress)
{
    uint64_t made = search->steps << SEARCH_STEPS_SHIFT, looks = 0;

    if (*progress == (made | SEARCH_OURS))
        return SEARCH_GOES_ON;
    if (search->next == NULL) {
        search->patience = 1;
        return SEARCH_BEGINS;
    }
    if (*progress >> SEARCH_STEPS_SHIFT == search->steps)
        looks = (*progress - made) / SEARCH_LOOK; /* no step has been made since */
    if (looks >= search->patience) {
        if (search->patience < SEARCH_PATIENCE_MAX)
            search->patience *= 2;
        return SEARCH_BEGINS;
    }
    *progress = made + (looks + 1) * SEARCH_LOOK;
    return SEARCH_OTHERS;
}

/* The caller has made a step. */
static inline void search_stepped_locked(struct search *search, uint64_t *progress)
{
    *progress = ++search->steps << SEARCH_STEPS_SHIFT | SEARCH_OURS;
}
