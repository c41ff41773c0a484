// SPDX-License-Identifier: MIT
/* test_running - a request of class I that a service dies of again and again (lib/server/running.h). */
#include "tests/unit/unit.h"

#include "lib/server/running.h"

static struct message request(uint64_t word)
{
    return (struct message){.badge = 7, .label = 3, .words = {word}};
}

/* The service dies while it carries the request out. */
static void die(struct running *running, const struct message *message, bool ordered)
{
    running_begin(running, message);
    CHECK(running_recover(running, ordered));
}

TEST(running, a_request_that_was_carried_out_at_two_deaths_is_answered_once_and_not_carried_out)
{
    struct running running = {0};
    struct message deadly = request(1), other = request(2);

    die(&running, &deadly, false);
    CHECK(!running_is_suspect(&running, &deadly));
    die(&running, &deadly, false);
    CHECK(!running_is_suspect(&running, &other));
    CHECK(running_is_suspect(&running, &deadly));
    CHECK(!running_is_suspect(&running, &deadly)); /* whoever asks again is not the same */
}

TEST(running, a_request_is_blamed_neither_for_ordered_deaths_nor_for_those_of_another)
{
    struct running running = {0};
    struct message deadly = request(1), other = request(2);

    die(&running, &deadly, true);
    die(&running, &deadly, true);
    CHECK(!running_is_suspect(&running, &deadly));
    die(&running, &deadly, false);
    die(&running, &other, false);
    CHECK(!running_is_suspect(&running, &deadly));
    CHECK(!running_is_suspect(&running, &other));
}

TEST(running, a_request_that_ends_is_none_that_the_service_dies_of)
{
    struct running running = {0};
    struct message deadly = request(1);

    die(&running, &deadly, false);
    running_begin(&running, &deadly);
    running_clear(&running);
    running_end(&running);
    CHECK(!running_recover(&running, false)); /* it dies while it does nothing */
    die(&running, &deadly, false);
    CHECK(!running_is_suspect(&running, &deadly));
}
