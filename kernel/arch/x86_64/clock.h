// SPDX-License-Identifier: MIT
/* clock.h - a window of known length, in which the rates of TSC and local APIC timer are measured. */
#pragma once

#include <stdint.h>

struct clock_window {
    uint64_t ns;
    uint64_t tsc;   /* counts in the window */
    uint64_t lapic; /* likewise; the local APIC timer must be counting down */
};

/* Measures with the best clock the machine has and returns its name. */
const char *clock_measure(struct clock_window *window);
