// SPDX-License-Identifier: MIT
/*
 * upcall.h - a thread handles its own faults and foreign system calls, with a C function.
 *
 *   static void handler(struct mnos_fault *fault)
 *   {
 *       if (fault->vector == MNOS_FAULT_SYSCALL)
 *           fault->registers.rax = emulate(&fault->registers);
 *   }
 *   ...
 *   upcall_set(handler, MNOS_UPCALL_SYSCALLS);
 *
 * The handler runs on the stack of the thread, below the red zone of what was interrupted. When it
 * returns, the thread goes on with the registers in the record, but for FS and GS base, which are 0 there
 * and stay as they are; thread_id is 0 too. It may change RSP, but not to where the handler's own stack is. A fault inside the handler is handled by another call of it.
 * Vector registers are not saved: code that uses none, as all that is compiled with USER_CFLAGS, keeps
 * them.
 */
#pragma once

#include "abi/fault.h"
#include "abi/types.h"

typedef void upcall_handler(struct mnos_fault *fault);

/* The one of the program; NULL: none was set yet. */
extern upcall_handler *upcall_current;

/* For the calling thread; `which` is MNOS_UPCALL_FAULTS, MNOS_UPCALL_SYSCALLS or both. The handler is one for
 * all threads of the program. */
mnos_status_t upcall_set(upcall_handler *handler, uint64_t which);
/* Faults and foreign system calls of the calling thread are not its own affair any more. */
mnos_status_t upcall_clear(void);
