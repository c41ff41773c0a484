// SPDX-License-Identifier: MIT
/*
 * timer.h - time from the TSC and one deadline per core from its local APIC. arch_time_ns() and its
 * neighbours in arch.h are the interface of the portable kernel; docs/time.md explains.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct core;

/* Time is 0 here, and stays so until timer_calibrate(). */
void timer_start_epoch(void);
/* Finds the rates of TSC and local APIC timer. Boot core only, after its local APIC is on. */
void timer_calibrate(void);
/* Prepares the calling core's timer; nothing is armed. */
void timer_start_core(void);
/* The timer interrupt: acknowledges it. The time, when what the timer was armed for is due; else UINT64_MAX. */
uint64_t timer_interrupt(struct core *core);

/* While cores start: each compares its TSC with the boot core's, and none may be ahead or behind. */
void timer_compare_as_boot_core(void);
void timer_compare_as_other_core(void);
