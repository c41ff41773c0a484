// SPDX-License-Identifier: MIT
/*
 * fault.c - see fault.h. A process without a fault handler is destroyed, with a log line that says
 * why; when it is init, the system has nobody left to tell, and panics.
 */
#include "object/fault.h"

#include <stddef.h>

#include "arch/arch.h"
#include "log/log.h"
#include "log/panic.h"
#include "object/process.h"
#include "object/thread.h"

#define VECTOR_PAGE_FAULT 14
/* In the exit code of a process that a foreign system call ended. */
#define VECTOR_FOREIGN_SYSCALL 256

/* Bits 0, 1 and 4 of the error code: Intel SDM vol 3A, "Page-Fault Exception (#PF)". */
static const char *access_of(uint64_t error)
{
    if ((error & 0x10) != 0)
        return "execute";
    return (error & 2) != 0 ? "write" : "read";
}

static void destroy(struct thread *thread, uint64_t vector)
{
    struct process *process = thread->process;

    if (process->parent == NULL)
        panic_frame(&thread->frame, "init faulted in thread %s", thread->name);
    process_exit(thread, MNOS_EXIT_FAULT, vector << 32 | (uint32_t)thread->frame.error);
}

void fault_raise(struct thread *thread, uint64_t address)
{
    const struct user_frame *frame = &thread->frame;

    if (frame->vector == VECTOR_PAGE_FAULT)
        log_warning("%s: thread %s: page fault at rip 0x%lx: %s of 0x%lx, %s",
                    thread->process->name, thread->name, frame->rip, access_of(frame->error),
                    address, (frame->error & 1) != 0 ? "not allowed by the mapping" : "not mapped");
    else
        log_warning("%s: thread %s: %s at rip 0x%lx, error code 0x%lx", thread->process->name,
                    thread->name, arch_exception_name(frame->vector), frame->rip, frame->error);
    destroy(thread, frame->vector);
}

void fault_foreign_syscall(struct thread *thread)
{
    log_warning(
        "%s: thread %s: system call 0x%lx at rip 0x%lx is not of this system and has no handler",
        thread->process->name, thread->name, thread->frame.rax, thread->frame.rip);
    destroy(thread, VECTOR_FOREIGN_SYSCALL);
}
