// SPDX-License-Identifier: MIT
/*
 * fault.h - what happens when a program does what it must not: an exception in user mode, or a system
 * call outside the native range.
 */
#pragma once

#include <stdint.h>

struct thread;

/* Vector, error code and registers are in the thread's frame; `address` is the faulting address of a
 * page fault. */
void fault_raise(struct thread *thread, uint64_t address);
/* A SYSCALL instruction whose number is not in the native range. */
void fault_foreign_syscall(struct thread *thread);
