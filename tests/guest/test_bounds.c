// SPDX-License-Identifier: MIT
/*
 * test_bounds.c - what memory costs when somebody makes it expensive: many port openings, RAM in pieces,
 * objects of many pieces.
 *
 * tests/guest/run.py runs these once more with `counted` on the command line, on one core of an emulator whose
 * time stamp counter counts instructions; only then are costs compared. Otherwise they show that it works.
 */
#include "lib/libmnos/bootstrap.h"
#include "tests/guest/child.h"
#include "tests/guest/output.h"

static uint64_t instructions(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* Checks that `count` times took at most `each` instructions each, when they are counted. */
static void check_cost(const char *what, uint64_t begin, uint64_t count, uint64_t each)
{
    uint64_t cost = instructions() - begin;

    if (!bootstrap_has_argument("counted"))
        return;
    print("%s: %llu instructions, %llu each", what, (unsigned long long)cost,
          (unsigned long long)(cost / count));
    CHECK(cost <= count * each);
}

/* ---- ports ---- */

#define OPENINGS 4000u
#define FREE_PORTS 0x2000u /* where no device of the machine is */

TEST(bounds, each_port_opening_that_is_revoked_costs_the_same)
{
    mnos_cap_t ports = cap_range(bootstrap_cap("ports"), MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE,
                                 FREE_PORTS, 2 * OPENINGS);
    mnos_cap_t copy = cap_copy(ports, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    uint64_t begin = instructions();

    for (uint64_t i = 0; i < OPENINGS && !check_failed(); i++)
        CHECK_OK(sys_mem_map(MNOS_SELF, copy, 0, 2 * i, 1, MAP_RW));
    check_cost("opening a port", begin, OPENINGS, 2000);
    begin = instructions();
    CHECK_OK(sys_cap_revoke(ports));
    check_cost("closing a port", begin, OPENINGS, 1000);
    cap_drop(ports);
}
