// SPDX-License-Identifier: MIT
/*
 * deferred.h - freeing what other cores may still be looking at: after every core has passed a
 * quiescent point (user mode, idle, or a preemption point).
 *
 * Each core collects on its own list. The list is emptied, with one round of interprocessor
 * interrupts, by deferred_flush(): when it has grown to DEFERRED_MAX, before the core goes idle, and
 * by whoever must have memory back before it returns (sys_proc_destroy). On a machine with one core
 * there is nobody to wait for, and the flush happens when the kernel is left.
 */
#pragma once

#include "object/kobject.h"

#define DEFERRED_MAX 64

/* `release` is called later, on this core, with no lock held. */
void deferred_add(struct deferred *deferred, void (*release)(struct deferred *));
/* Waits for the other cores, then releases everything collected here. Hold no lock. */
void deferred_flush(void);
/* Makes the other cores flush soon, without waiting for them. */
void deferred_urge(void);
/* Flushes when it is time; on the way out of the kernel. Hold no lock. */
void deferred_leave_kernel(void);
