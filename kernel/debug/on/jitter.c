// SPDX-License-Identifier: MIT
/*
 * jitter.c - with `jitter` on the command line a core now and then waits a little before it takes or
 * releases a lock, so that others come in between where they hardly ever would. An emulator that runs all
 * cores in one thread changes to the next core at PAUSE: there nearly every order of steps is seen.
 */
#include "jitter.h"

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "core.h"

/* Of so many calls one waits; of so many of these one waits long, so that others do much meanwhile. */
#define WAITS 8u
#define LONG_WAITS 64u
#define PAUSES 4u
#define LONG_PAUSES 200u

/* Each core touches only its own. */
static uint64_t chance[MNOS_CORES_MAX];
static enum { UNKNOWN, OFF, ON } state;

static uint64_t draw(unsigned core)
{
    uint64_t x = chance[core] != 0 ? chance[core] : core + 1;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    chance[core] = x;
    return x >> 16;
}

void jitter(void)
{
    unsigned core = this_core()->index;
    uint64_t drawn, pauses;

    if (state == UNKNOWN)
        state = boot_cmdline_has("jitter") ? ON : OFF;
    if (state == OFF)
        return;
    drawn = draw(core);
    if (drawn % WAITS != 0)
        return;
    drawn /= WAITS;
    pauses = drawn % LONG_WAITS == 0 ? LONG_PAUSES : 1 + drawn % PAUSES;
    while (pauses-- > 0)
        arch_relax();
}
