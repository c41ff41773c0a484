// SPDX-License-Identifier: MIT
/*
 * panic.c - the last words of the kernel. Nothing here takes a lock, allocates, or touches memory that
 * it has not checked; when it fails all the same, the panic within the panic says so and ends.
 */
#include "log/panic.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arch/user_frame.h"
#include "arch/x86_64/image.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/symbols.h"
#include "arch/x86_64/uart.h"
#include "console/console.h"
#include "core.h"
#include "lib/printf.h"
#include "log/log.h"
#include "object/process.h"
#include "object/thread.h"

enum {
    EXIT_CODE = 37, /* what tests look for */
    BACKTRACE_MAX = 24,
    TEXT_BYTES = 256,
    RING_3 = 3,
};

static _Atomic bool panicking;

/* ---- what can be read without a fault ---- */

/* Before the kernel has tables of its own, its image is all that is known to be mapped. */
static bool readable(uint64_t address, size_t bytes)
{
    uint64_t last = address + bytes - 1;

    if (address % sizeof(uint64_t) != 0 || last < address)
        return false;
    if (paging_kernel_root != PADDR_NONE)
        return paging_is_mapped(address) && paging_is_mapped(last);
    return address >= (uintptr_t)__image_start && last < (uintptr_t)__image_end;
}

/* ---- parts of the report ---- */

static void print_place(unsigned number, uint64_t address)
{
    uint64_t offset;
    const char *name = symbol_find(address, &offset);

    if (name)
        log_error("  #%u 0x%016lx %s+0x%lx", number, address, name, offset);
    else
        log_error("  #%u 0x%016lx", number, address);
}

/* Follows the chain of frame pointers: each points to the caller's, then the return address. A stack
 * grows down, so the chain must go up. */
static void print_backtrace(uint64_t rip, uint64_t rbp)
{
    log_error("backtrace:");
    print_place(0, rip);
    for (unsigned i = 1; i < BACKTRACE_MAX && readable(rbp, 2 * sizeof(uint64_t)); i++) {
        const uint64_t *frame = (const uint64_t *)rbp;
        if (frame[1] == 0)
            break;
        print_place(i, frame[1]);
        if (frame[0] <= rbp)
            break;
        rbp = frame[0];
    }
}

static void print_registers(const struct user_frame *f)
{
    log_error("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_error("rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_error("r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    log_error("r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    log_error("rip %016lx  rflags %08lx  cs %02lx  ss %02lx  vector %lu  error %lx", f->rip,
              f->rflags, f->cs, f->ss, f->vector, f->error);
}

static void print_control_registers(void)
{
    log_error("cr0 %08lx  cr2 %016lx  cr3 %012lx  cr4 %08lx  efer %lx", read_cr0(), read_cr2(),
              read_cr3(), read_cr4(), rdmsr(MSR_EFER));
}

static void print_thread(const struct core *core)
{
    const struct thread *thread = core->current;

    if (!thread || !readable((uintptr_t)thread, sizeof(*thread))) {
        log_error("core %u, no thread", core->index);
        return;
    }
    log_error("core %u, thread %lu \"%s\"", core->index, thread->obj.id, thread->name);
    if (readable((uintptr_t)thread->process, sizeof(*thread->process)))
        log_error("process %lu \"%s\"", thread->process->obj.id, thread->process->name);
}

static void print_message(const char *format, va_list arguments)
{
    char text[TEXT_BYTES];

    mnos_vsnprintf(text, sizeof(text), format, arguments);
    log_error("PANIC: %s", text);
}

/* ---- the end ---- */

[[gnu::noreturn]] static void finish(void)
{
    arch_debug_exit(EXIT_CODE);
    arch_halt();
}

/* Makes output possible whatever the machine was doing. The second panic of a core says only that,
 * and a second core that panics waits to be stopped. */
static void seize(void)
{
    static uint32_t owner;
    struct core *core = this_core();

    if (atomic_exchange(&panicking, true)) {
        if (core->index != owner)
            arch_halt();
        uart_write("PANIC within the panic\n", 23);
        finish();
    }
    owner = core->index;
    arch_stop_others();
    uart_init();
    log_seize();
    console_set_style(CONSOLE_ALARM);
}

void panic(const char *format, ...)
{
    va_list arguments;

    seize();
    va_start(arguments, format);
    print_message(format, arguments);
    va_end(arguments);
    print_thread(this_core());
    print_control_registers();
    print_backtrace((uintptr_t)__builtin_return_address(0),
                    *(uint64_t *)__builtin_frame_address(0));
    finish();
}

void panic_frame(const struct user_frame *frame, const char *format, ...)
{
    va_list arguments;

    seize();
    va_start(arguments, format);
    print_message(format, arguments);
    va_end(arguments);
    print_thread(this_core());
    print_registers(frame);
    print_control_registers();
    if ((frame->cs & RING_3) == RING_3) {
        log_error("in ring 3, entered the kernel here:");
        print_backtrace((uintptr_t)__builtin_return_address(0),
                        *(uint64_t *)__builtin_frame_address(0));
    } else {
        print_backtrace(frame->rip, frame->rbp);
    }
    finish();
}
