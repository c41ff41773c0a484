// SPDX-License-Identifier: MIT
/*
 * early.c - the first thing kmain does: exceptions of the boot core are caught from here on, so that
 * every phase can panic. Runs on the loader's stack and tables, allocates nothing and assumes no
 * processor feature beyond long mode.
 */
#include "arch/x86_64/entry/init.h"

#include "arch/x86_64/entry/cpu_entry.h"
#include "arch/x86_64/cpu/image.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/apic/timer.h"

#define EARLY_PANIC_STACK_BYTES 8192

[[gnu::aligned(16)]] static uint8_t panic_stack[EARLY_PANIC_STACK_BYTES];

void arch_early_init(void)
{
    struct core *core = &cores[0];

    timer_start_epoch();
    /* The bit in page tables has an effect only once CR4.PGE is set, which cpu.c decides. */
    kernel_pages_global = true;
    core->kernel_stack_top = __boot_stack_end;
    core->arch.panic_stack_top = panic_stack + sizeof(panic_stack);
    idt_fill();
    cpu_entry_start(core);
}
