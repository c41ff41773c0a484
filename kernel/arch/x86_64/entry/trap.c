// SPDX-License-Identifier: MIT
/*
 * trap.c - what each exception and interrupt leads to. Saving and restoring registers is interrupt.S; what
 * a fault means for its thread is object/fault.c; lines belong to ioapic.c.
 */
#include "arch/x86_64/entry/trap.h"

#include <stddef.h>

#include "arch/arch.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/apic/ioapic.h"
#include "arch/x86_64/apic/ipi.h"
#include "arch/x86_64/apic/lapic.h"
#include "arch/x86_64/apic/timer.h"
#include "arch/x86_64/apic/vectors.h"
#include "core.h"
#include "base/log.h"
#include "base/panic.h"
#include "object/fault.h"
#include "object/interrupt.h"
#include "object/thread.h"
#include "sched/sched.h"
#include "base/trace.h"

static const char *const exception_names[VECTOR_EXCEPTIONS] = {
    [0] = "division error",
    [1] = "debug exception",
    [2] = "non-maskable interrupt",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "invalid opcode",
    [7] = "device not available",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack segment fault",
    [13] = "general protection fault",
    [14] = "page fault",
    [16] = "x87 floating-point error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD floating-point error",
    [20] = "virtualization exception",
    [21] = "control protection exception",
};

const char *arch_exception_name(uint64_t vector)
{
    const char *name = vector < VECTOR_EXCEPTIONS ? exception_names[vector] : NULL;

    return name != NULL ? name : "unknown exception";
}

static inline bool is_line(uint8_t vector)
{
    return vector >= VECTOR_MESSAGE_FIRST && vector <= VECTOR_LINE_LAST;
}

static void line_interrupt(uint8_t vector)
{
    uint64_t began = arch_cycles();

    interrupt_deliver(ioapic_interrupt(vector), began);
}

void trap_interrupt(uint8_t vector)
{
    struct core *core = this_core();
    uint64_t now_ns;

    if (vector == VECTOR_TIMER) {
        now_ns = timer_interrupt(core);
        if (now_ns != UINT64_MAX)
            sched_timer_interrupt(core, now_ns);
        return;
    }
    switch (vector) {
    case VECTOR_IPI:
        lapic_eoi();
        core->statistics->ipis++;
        trace(MNOS_TRACE_IPI, 1, 0);
        ipi_serve();
        break;
    case VECTOR_RESCHEDULE:
        lapic_eoi();
        core->statistics->ipis++;
        trace(MNOS_TRACE_IPI, 0, 0);
        sched_reschedule_interrupt();
        break;
    case VECTOR_APIC_ERROR:
        lapic_eoi();
        log_warning("core %u: local APIC error, status %x", core->index, lapic_error());
        break;
    case VECTOR_SPURIOUS: break; /* has set no in-service bit: an EOI would end another interrupt */
    default:
        if (is_line(vector))
            line_interrupt(vector);
        else if (vector > VECTOR_LINE_LAST)
            lapic_eoi(); /* a device was told to write something else than its message */
        break;           /* else a spurious interrupt of an 8259, which takes no EOI while masked */
    }
}

void trap_from_user(struct thread *current)
{
    struct core *core = this_core();
    uint64_t vector = current->frame.vector;

    if (is_line((uint8_t)vector)) {
        line_interrupt((uint8_t)vector);
        return;
    }
    if (vector >= VECTOR_EXCEPTIONS) {
        trap_interrupt((uint8_t)vector);
        return;
    }
    core->statistics->faults++;
    trace(MNOS_TRACE_FAULT, vector, vector == VECTOR_PAGE_FAULT ? read_cr2() : current->frame.rip);
    fault_raise(current, vector == VECTOR_PAGE_FAULT ? read_cr2() : 0);
}

void trap_from_kernel(struct user_frame *frame)
{
    if (frame->vector >= VECTOR_EXCEPTIONS) {
        trap_interrupt((uint8_t)frame->vector);
        return;
    }
    if (frame->vector == VECTOR_PAGE_FAULT)
        panic_frame(frame, "page fault at %p in the kernel, error %x",
                    (const void *)(uintptr_t)read_cr2(), (unsigned)frame->error);
    panic_frame(frame, "%s in the kernel, error %x", arch_exception_name(frame->vector),
                (unsigned)frame->error);
}

void trap_nmi(struct user_frame *frame)
{
    (void)frame;
    if (ipi_stopping())
        arch_halt();
    /* Nothing asks for any other. What was interrupted may hold the log's lock, so it is not logged. */
}

void trap_fatal(struct user_frame *frame)
{
    panic_frame(frame, "%s", arch_exception_name(frame->vector));
}
