// SPDX-License-Identifier: MIT
/* trap.h - where the entry code of interrupt.S calls C, and what interrupts are dispatched to. */
#pragma once

#include <stdint.h>

#include "arch/user_frame.h"

struct thread;

/* An interrupt, by its vector: in arch_idle(), and from the two below. */
void trap_interrupt(uint8_t vector);
/* From user mode, registers in thread->frame. */
void trap_from_user(struct thread *current);
/* From the kernel itself: an interrupt during arch_poll_interrupts(), or a bug. */
void trap_from_kernel(struct user_frame *frame);
/* Between any two instructions, the entry code's included. */
void trap_nmi(struct user_frame *frame);
/* Double fault and machine check. */
[[gnu::noreturn]] void trap_fatal(struct user_frame *frame);

/* interrupt.S: what LSTAR is set to. */
extern const char entry_syscall_plain[], entry_syscall_isolating[];
