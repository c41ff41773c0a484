// SPDX-License-Identifier: MIT
/*
 * fault.h - what happens when a program does what it must not: an exception in user mode, or a system
 * call outside the native range (both: a fault). In this order:
 *
 *   upcall    the thread goes on at an address of its choice
 *   message   it waits for its process's fault handler, as if it had called it: T1, T2 of tcb.h, with
 *             SLOW_FAULTED. Its frame, all vector registers and its IPC buffer stay as they are
 *   end       its process is destroyed, with a line in the log that says why; when it is init, the system
 *             has nobody left to tell, and panics. In a process that is dying just the thread ends
 *
 * F1  while SLOW_FAULTED is set, nothing is written to the frame but by thread_registers() and a reply
 * F2  a fault that was not resumed from kills its thread (STOP_KILL); with fault_fatal set the process ends as
 *     well, when the thread is buried
 */
#pragma once

#include <stdint.h>

#include "abi/fault.h"
#include "abi/message.h"

/* The info word of the message. */
#define FAULT_INFO                                                                                 \
    (MNOS_INFO(0, sizeof(struct mnos_fault)) | (uint64_t)MNOS_KIND_FAULT << MNOS_INFO_KIND_SHIFT)

/* RFLAGS that an upcall begins without, as every function does: TF, DF, NT, AC. */
#define UPCALL_RFLAGS_CLEARED (1u << 8 | 1u << 10 | 1u << 14 | 1u << 18)

struct thread;

/* Vector, error code and registers are in the thread's frame; `address` is the faulting address of a
 * page fault. One about a right that is there by now is none. */
void fault_raise(struct thread *current, uint64_t address);
/* A SYSCALL instruction whose number is not in the native range; all registers are in the frame. */
void fault_foreign_syscall(struct thread *current);

/* Gives the record of `faulted` to `handler`, as a message. */
void fault_tell(const struct thread *faulted, struct thread *handler);
/* Does to `faulted`, which is ours, what the reply in `handler`'s registers says. An error, and nothing is
 * done: MNOS_ERR_SIZE, MNOS_ERR_ADDRESS (registers). */
mnos_status_t fault_answer(const struct thread *handler, struct thread *faulted);
/* The wait of `faulted`, which is ours, has ended: with a good answer (MNOS_OK), or without one. */
void fault_wait_done(struct thread *faulted, mnos_status_t status);
/* The fault of `thread` ends its process, if that is not ending already, with a line in the log. Hold no lock. */
void fault_end(const struct thread *thread);
