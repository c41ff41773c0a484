// SPDX-License-Identifier: MIT
/*
 * measure.h - measuring build: how long the kernel runs without a look at interrupts. Each entry, poll, idle and
 * exit (measure.inc) reads the TSC, which counts instructions where QEMU runs with `-icount shift=0`. The longest
 * stretches are kept, with the call and the place in which they ended, for docs/testing.md. For one core.
 */
#pragma once

/* Logs the longest stretches so far, the longest first. */
void measure_report(void);
