// SPDX-License-Identifier: MIT
/* clock.h - a window of known length, in which the rates of TSC and local APIC timer are measured. */
#pragma once

#include <stdint.h>

struct clock_window {
    uint64_t ns;
    uint64_t tsc;   /* counts in the window */
    uint64_t lapic; /* likewise; the local APIC timer must be counting down */
};

/* Measures with the best clock the machine has and returns its name. Where none counts, `tsc_hz`, which CPUID
 * tells (0: it does not), is what there is to go by: the window is that of the TSC. */
const char *clock_measure(uint64_t tsc_hz, struct clock_window *window);
