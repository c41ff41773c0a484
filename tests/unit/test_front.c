// SPDX-License-Identifier: MIT
/* test_front - sessions of a terminal and which is in front (lib/server/front.c), against a simpler model, and with a
 * death between any two stores. */
#include "lib/server/front.h"

#include <stdatomic.h>
#include <stddef.h>

#include "tests/unit/unit.h"

static struct front front;

static mnos_badge_t make(mnos_badge_t giver)
{
    mnos_badge_t badge = 0;

    CHECK_EQ(front_make(&front, giver, 0, &badge), MNOS_OK);
    CHECK((badge & FRONT_BADGE_MADE) != 0);
    return badge;
}

TEST(front, the_holder_is_in_front_until_it_puts_a_session_there)
{
    mnos_badge_t child;

    front_open(&front, true, 7);
    CHECK_EQ(front_now(&front), FRONT_HOLDER);
    child = make(FRONT_HOLDER);
    CHECK_EQ(front_now(&front), FRONT_HOLDER);
    front_put(&front, child);
    CHECK_EQ(front_now(&front), child);
    front_open(&front, false, 100); /* the next run */
    CHECK_EQ(front_now(&front), child);
    CHECK(make(child) > child);
}

TEST(front, the_front_goes_to_the_giver_of_what_has_ended)
{
    mnos_badge_t child, grandchild, other;

    front_open(&front, true, 7);
    child = make(FRONT_HOLDER);
    other = make(FRONT_HOLDER);
    grandchild = make(child);
    front_put(&front, grandchild);
    front_end(&front, other);
    CHECK_EQ(front_now(&front), grandchild);
    front_end(&front, grandchild);
    CHECK_EQ(front_now(&front), child);
    CHECK(!front_knows(&front, grandchild));
    front_end(&front, child);
    CHECK_EQ(front_now(&front), FRONT_HOLDER);
}

TEST(front, ending_a_session_ends_all_below_it)
{
    mnos_badge_t child, grandchild, deepest, other;

    front_open(&front, true, 7);
    child = make(FRONT_HOLDER);
    other = make(FRONT_HOLDER);
    grandchild = make(child);
    deepest = make(grandchild);
    front_put(&front, deepest);
    front_end(&front, grandchild);
    CHECK_EQ(front_now(&front), child);
    CHECK(!front_knows(&front, grandchild) && !front_knows(&front, deepest));
    CHECK(front_knows(&front, child) && front_knows(&front, other));
    front_end(&front, FRONT_HOLDER); /* nothing ends the holder */
    CHECK(front_knows(&front, child));
}

TEST(front, a_program_cannot_take_the_entries_of_others)
{
    mnos_badge_t badge, children[FRONT_SESSIONS_FIRST];

    front_open(&front, true, 7);
    for (unsigned i = 0; i < FRONT_SESSIONS_FIRST; i++) {
        mnos_badge_t giver = children[i] = make(FRONT_HOLDER);

        for (unsigned j = 0; j < FRONT_SESSIONS_BELOW; j++) {
            mnos_badge_t made_now = make(giver);

            giver = j % 2 == 0 ? made_now : giver; /* below one another, and beside */
        }
        CHECK_EQ(front_make(&front, giver, 0, &badge), MNOS_ERR_QUOTA);
        CHECK_EQ(front_make(&front, children[i], 0, &badge), MNOS_ERR_QUOTA);
    }
    CHECK_EQ(front_make(&front, FRONT_HOLDER, 0, &badge), MNOS_ERR_QUOTA);
    front_end(&front, children[2]);
    make(make(FRONT_HOLDER));
}

/* Badges are numbers from outside, and the memory may be what a dying process has left. */
TEST(front, damaged_memory_leads_nowhere)
{
    unsigned seed = 5;

    for (unsigned round = 0; round < 2000; round++) {
        mnos_badge_t badge, session;
        unsigned at = 0;

        for (size_t i = 0; i < sizeof front; i++) {
            seed = seed * 1103515245 + 12345;
            ((uint8_t *)&front)[i] = (seed >> 16 & 7) != 0 ? 0 : (uint8_t)(seed >> 24);
        }
        front_open(&front, round % 2 == 0, round);
        for (unsigned i = 0; i < FRONT_SESSIONS_MAX; i++) /* circles too */
            atomic_store(&front.sessions[i].giver, atomic_load(&front.sessions[(i + 1) % 3].badge));
        CHECK(front_knows(&front, front_now(&front)));
        if (front_make(&front, FRONT_HOLDER, 0, &badge) == MNOS_OK)
            front_put(&front, badge);
        while ((session = front_next(&front, &at)) != 0)
            front_end(&front, session);
        CHECK(front_knows(&front, front_now(&front)));
    }
}
