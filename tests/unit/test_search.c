// SPDX-License-Identifier: MIT
/* test_search.c - several that search the same, on one core, in time slices: each gets to the end. */
#include "object/search.h"

#include "tests/unit/unit.h"

enum {
    SEARCHERS = 5,
    LENGTH = 1000, /* steps of a search */
    ROUNDS_MAX = 100000,
};

static struct search search;
static unsigned position; /* of the one search there is */

/* One call, or one that is made again; true: this searcher is at the end. */
static bool look(uint64_t *progress)
{
    enum search_turn turn = search_turn_locked(&search, progress);

    if (turn == SEARCH_OTHERS)
        return false;
    if (turn == SEARCH_BEGINS) {
        position = 0;
        search.next = &position;
    }
    if (++position == LENGTH)
        search.next = NULL;
    search_stepped_locked(&search, progress);
    return search.next == NULL;
}

/* In how many time slices of `slice` looks all have come to the end, each in its turn; 0: never. */
static unsigned rounds_of(unsigned searchers, unsigned slice)
{
    uint64_t progress[SEARCHERS] = {0};
    bool found[SEARCHERS] = {false};
    unsigned left = searchers;

    search = (struct search){0};
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        unsigned who = round % searchers;

        for (unsigned i = 0; i < slice && !found[who]; i++)
            if (look(&progress[who])) {
                found[who] = true;
                left--;
            }
        if (left == 0)
            return round + 1;
    }
    return 0;
}

TEST(search, one_alone_gets_to_the_end)
{
    CHECK_EQ(rounds_of(1, LENGTH), 1);
    CHECK_EQ(rounds_of(1, 10), LENGTH / 10);
}

/* A search is longer than a time slice, and each that comes finds the other's standing still. */
TEST(search, several_on_one_core_get_to_the_end_however_short_their_time_slices_are)
{
    for (unsigned searchers = 2; searchers <= SEARCHERS; searchers++)
        for (unsigned slice = 2; slice < LENGTH; slice += 37)
            CHECK(rounds_of(searchers, slice) != 0);
}

/* Nobody waits for it for ever. */
TEST(search, one_that_has_gone_is_taken_over)
{
    uint64_t gone = 0, progress = 0;

    search = (struct search){0};
    CHECK(!look(&gone));
    CHECK(!look(&progress) && search_turn_locked(&search, &progress) == SEARCH_BEGINS);
}
