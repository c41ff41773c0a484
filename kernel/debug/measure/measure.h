// SPDX-License-Identifier: MIT
/*
 * measure.h - measuring build: how long the kernel runs without a look at interrupts. Each entry, poll, idle and
 * exit (measure.inc) reads the TSC, which counts instructions where QEMU runs with `-icount shift=0`. The longest
 * stretches are kept, with the call and the place in which they ended, for docs/testing.md. For one core.
 */
#pragma once

#include <stdint.h>

/* What passes between the two is left out of the stretch: it is not of a system as it ships. The second takes what
 * the first returns. */
uint64_t measure_pause(void);
void measure_go_on(uint64_t paused);

/* Logs the longest stretches so far, the longest first. */
void measure_report(void);
