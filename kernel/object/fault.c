// SPDX-License-Identifier: MIT
/* fault.c - see fault.h. How a faulted thread waits is ipc/rendezvous.c and ipc/wait.c. */
#include "object/fault.h"

#include <stdatomic.h>
#include <stddef.h>

#include "arch/arch.h"
#include "ipc/rendezvous.h"
#include "lib/base/string.h"
#include "base/log.h"
#include "base/panic.h"
#include "object/process.h"
#include "object/thread.h"
#include "vm/aspace.h"

#define VECTOR_PAGE_FAULT 14

#define ERROR_MASK 0xFFFFu

/* Of a page fault: Intel SDM vol 3A, "Page-Fault Exception (#PF)". */
#define ERROR_PRESENT (1u << 0) /* a page is there and does not allow it */
#define ERROR_WRITE (1u << 1)
#define ERROR_USER (1u << 2)
#define ERROR_FETCH (1u << 4)

_Static_assert(MNOS_FAULT_SYSCALL == FRAME_SYSCALL, "a frame's vector is what a handler is told");

/* ---- as an upcall ---- */

/* The common case is in arch/x86_64/entry/upcall_fast.inc as well. */
static bool upcall(struct thread *current, uint64_t which)
{
    struct mnos_ipc_buffer *buffer = current->buffer;
    struct user_frame *frame = &current->frame;

    if ((current->upcall & which) == 0 || buffer->upcall_state != 0)
        return false;
    buffer->upcall_rip = frame->rip;
    buffer->upcall_address = current->fault_address;
    buffer->upcall_state =
        (uint32_t)frame->rflags | (frame->error & ERROR_MASK) << 32 | frame->vector << 48;
    frame->rip = current->upcall & ~(MNOS_UPCALL_FAULTS | MNOS_UPCALL_SYSCALLS);
    frame->rflags &= ~(uint64_t)UPCALL_RFLAGS_CLEARED;
    return true;
}

/* ---- as the end of the process ---- */

static const char *access_of(uint64_t error)
{
    if ((error & ERROR_FETCH) != 0)
        return "execute";
    return (error & ERROR_WRITE) != 0 ? "write" : "read";
}

static void log_fault(const struct thread *thread, uint64_t vector, uint32_t error)
{
    const struct user_frame *frame = &thread->frame;

    if (vector == VECTOR_PAGE_FAULT)
        log_warning("%s: thread %s: page fault at rip 0x%lx: %s of 0x%lx, %s",
                    thread->process->name, thread->name, frame->rip, access_of(error),
                    thread->fault_address,
                    (error & ERROR_PRESENT) != 0 ? "not allowed by the mapping" : "not mapped");
    else if (vector == MNOS_FAULT_SYSCALL)
        log_warning(
            "%s: thread %s: system call 0x%lx at rip 0x%lx is not of this system and has no "
            "handler",
            thread->process->name, thread->name, frame->rax, frame->rip);
    else
        log_warning("%s: thread %s: %s at rip 0x%lx, error code 0x%x", thread->process->name,
                    thread->name, arch_exception_name(vector), frame->rip, error);
}

/* The exit code: vector << 32 | error. A fault while the process ends already concerns nobody. */
void fault_end(const struct thread *thread)
{
    uint64_t code = thread->fault_code;

    if (!process_is_open(thread->process))
        return;
    log_fault(thread, code >> 32, (uint32_t)code);
    if (thread->process->parent == NULL)
        panic_frame(&thread->frame, "init faulted in thread %s", thread->name);
    (void)process_mark(thread->process, MNOS_EXIT_FAULT, code, thread->effective);
}

/* ---- raising ---- */

static void raise(struct thread *current, uint64_t address, uint64_t which)
{
    const struct user_frame *frame = &current->frame;

    current->fault_address = address;
    current->fault_code = frame->vector << 32 | (uint32_t)frame->error;
    if (process_is_open(current->process) && (upcall(current, which) || ipc_fault(current)))
        return;
    fault_end(current);
    thread_kill(current);
}

/* A right that has been given, of which this core's TLB did not know yet: aspace_protect(). The fault has made it forget
 * the page: Intel SDM vol 3A, "Operations that Invalidate TLBs and Paging-Structure Caches". */
static bool allowed_by_now(const struct thread *current, uint64_t address)
{
    const struct user_frame *frame = &current->frame;
    const uint64_t error = frame->error & ERROR_MASK;
    unsigned wanted = MAP_READ;

    if (frame->vector != VECTOR_PAGE_FAULT ||
        (error & ~(uint64_t)(ERROR_WRITE | ERROR_USER | ERROR_FETCH)) != ERROR_PRESENT)
        return false;
    if ((error & ERROR_WRITE) != 0)
        wanted |= MAP_WRITE;
    if ((error & ERROR_FETCH) != 0)
        wanted |= MAP_EXECUTE;
    return aspace_allows(current->process, address, wanted);
}

void fault_raise(struct thread *current, uint64_t address)
{
    if (allowed_by_now(current, address))
        return; /* and tries again */
    raise(current, address, MNOS_UPCALL_FAULTS);
}

void fault_foreign_syscall(struct thread *current)
{
    struct user_frame *frame = &current->frame;

    frame->error = 0;
    frame->rcx = frame->rip; /* as the instruction leaves them */
    frame->r11 = frame->rflags;
    raise(current, 0, MNOS_UPCALL_SYSCALLS);
}

/* ---- as a message ---- */

void fault_tell(const struct thread *faulted, struct thread *handler)
{
    struct user_frame *frame = &handler->frame;

    frame->rsi = FAULT_INFO;
    frame->rdx = faulted->fault_code >> 32;
    frame->r10 = (uint32_t)faulted->fault_code;
    frame->r8 = faulted->fault_address;
    frame->r9 = faulted->obj.id;
    arch_thread_get_registers(faulted, (struct mnos_registers *)handler->buffer->data);
}

_Static_assert(offsetof(struct mnos_fault, registers) == MNOS_MESSAGE_REGISTER_BYTES,
               "the registers are what is in the IPC buffer");

mnos_status_t fault_answer(const struct thread *handler, struct thread *faulted)
{
    uint64_t info = handler->frame.rsi;
    struct mnos_registers registers;

    switch (MNOS_INFO_GET_LABEL(info)) {
    case MNOS_FAULT_RESUME: return MNOS_OK;
    case MNOS_FAULT_RESUME_WITH:
        if (MNOS_INFO_GET_LENGTH(info) < sizeof(struct mnos_fault))
            return MNOS_ERR_SIZE;
        memcpy(&registers, handler->buffer->data, sizeof(registers)); /* others may write there */
        return arch_thread_set_registers(faulted, &registers);
    case MNOS_FAULT_KILL: thread_kill(faulted); return MNOS_OK;
    default:
        faulted->fault_fatal = true;
        thread_kill(faulted);
        return MNOS_OK;
    }
}

void fault_wait_done(struct thread *faulted, mnos_status_t status)
{
    atomic_fetch_and(&faulted->slow, ~(uint32_t)SLOW_FAULTED);
    if (status == MNOS_OK || (faulted->stop & STOP_KILL) != 0)
        return;
    faulted->fault_fatal = true;
    thread_kill(faulted);
}
