// SPDX-License-Identifier: MIT
/*
 * panic.c - the last words of the kernel. Nothing here takes a lock, allocates, or touches memory that
 * it has not checked; when it fails all the same, the panic within the panic says so and ends.
 */
#include "base/panic.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arch/user_frame.h"
#include "arch/x86_64/cpu/image.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/report/symbols.h"
#include "arch/x86_64/report/uart.h"
#include "boot/bootinfo.h"
#include "base/console.h"
#include "core.h"
#include "lib/base/printf.h"
#include "lib/format/x86_code.h"
#include "base/log.h"
#include "object/process.h"
#include "object/thread.h"
#include "version.h"

enum {
    EXIT_CODE = 37, /* what tests look for */
    BACKTRACE_MAX = 24,
    TEXT_BYTES = 256,
    RING_3 = 3,
};

/* How long a device that does not move is waited for when the report is told: for good, unless the emulator is
 * to be left. */
#define PATIENCE_NS 60000000000ull
/* The same for the last byte, and for a panic within the panic: a second and more. */
#define LAST_CYCLES (1ull << 33)

static _Atomic bool panicking;

/* ---- what can be read without a fault ---- */

/* Before the kernel has tables of its own, its image is all that is known to be mapped. */
static bool mapped(uint64_t address)
{
    if (paging_kernel_root != PADDR_NONE)
        return paging_is_mapped(address);
    return address >= (uintptr_t)__image_start && address < (uintptr_t)__image_end;
}

static bool readable(const void *object, size_t bytes)
{
    return (uintptr_t)object % sizeof(uint64_t) == 0 && mapped((uintptr_t)object) &&
           mapped((uintptr_t)object + bytes - 1);
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

/* Whether a CALL of the kernel ends at `address`. */
static bool follows_call(uint64_t address)
{
    if (address < (uintptr_t)__boot_text_start + CODE_CALL_BYTES_MAX ||
        address > (uintptr_t)__text_end || !mapped(address - CODE_CALL_BYTES_MAX))
        return false;
    return code_follows_call((const uint8_t *)address);
}

/*
 * The calls whose return addresses are on the core's stack: there are no frame pointers to follow. Some may have
 * returned long ago. A call is shown by the address of its last byte, since the next function may begin
 * behind one that never returns.
 */
static void print_calls(const uint64_t *stack)
{
    const uint64_t *top = this_core()->kernel_stack_top;
    unsigned found = 1;

    for (; found < BACKTRACE_MAX && stack < top && readable(stack, sizeof(*stack)); stack++)
        if (follows_call(*stack))
            print_place(found++, *stack - 1);
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

    if (!thread || !readable(thread, sizeof(*thread))) {
        log_error("core %u, no thread", core->index);
        return;
    }
    log_error("core %u, thread %lu \"%s\"", core->index, thread->obj.id, thread->name);
    if (readable(thread->process, sizeof(*thread->process)))
        log_error("process %lu \"%s\"", thread->process->obj.id, thread->process->name);
}

static void print_message(const char *format, va_list arguments)
{
    char text[TEXT_BYTES], build[ARCH_BUILD_TEXT];

    mnos_vsnprintf(text, sizeof(text), format, arguments);
    log_error("PANIC: %s", text);
    arch_build_text(build);
    log_error(KERNEL_VERSION ", build %s", build);
}

/* ---- the end ---- */

[[gnu::noreturn]] static void finish(void)
{
    log_finish(boot_cmdline_has("debug-exit") ? PATIENCE_NS : UINT64_MAX);
    uart_finish(LAST_CYCLES);
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
        uart_cry("PANIC within the panic\n", LAST_CYCLES);
        arch_debug_exit(EXIT_CODE);
        arch_halt();
    }
    owner = core->index;
    arch_stop_others();
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
    log_error("backtrace:");
    print_calls(__builtin_frame_address(0));
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
    log_error("backtrace:");
    print_place(0, frame->rip);
    print_calls((frame->cs & RING_3) == RING_3 ? __builtin_frame_address(0) : (void *)frame->rsp);
    finish();
}
