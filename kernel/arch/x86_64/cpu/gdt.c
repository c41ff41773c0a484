// SPDX-License-Identifier: MIT
/*
 * gdt.c - descriptor table, TSS and entry stacks of each core. Leaves the interrupt table to idt.c and
 * the contents of the port bitmap to ports.c.
 */
#include "arch/x86_64/entry/cpu_entry.h"

#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/selectors.h"
#include "arch/x86_64/mmu/paging.h"
#include "lib/base/string.h"
#include "tcb.h"

/* The accessed bits are set, so that the processor never writes to the table. */
#define DESCRIPTOR_KERNEL_CODE 0x00AF9B000000FFFFull
#define DESCRIPTOR_KERNEL_DATA 0x00CF93000000FFFFull
#define DESCRIPTOR_USER_DATA 0x00CFF3000000FFFFull
#define DESCRIPTOR_USER_CODE 0x00AFFB000000FFFFull
#define DESCRIPTOR_TSS 0x0000890000000000ull /* present, available 64-bit TSS */

ENTRY_DATA static struct cpu_entry entries[MNOS_CORES_MAX];

static void gdt_fill(struct cpu_entry *entry)
{
    uint64_t base = (uint64_t)(uintptr_t)&entry->tss;
    uint64_t limit = TSS_BYTES - 1;

    entry->gdt[0] = 0;
    entry->gdt[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_KERNEL_CODE;
    entry->gdt[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_KERNEL_DATA;
    entry->gdt[SELECTOR_SYSRET_BASE / 8] = 0; /* there is no 32-bit user mode */
    entry->gdt[SELECTOR_USER_DATA / 8] = DESCRIPTOR_USER_DATA;
    entry->gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_USER_CODE;
    entry->gdt[SELECTOR_TSS / 8] =
        DESCRIPTOR_TSS | (limit & 0xFFFF) | (base & 0xFFFFFF) << 16 | (base >> 24 & 0xFF) << 56;
    entry->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void tss_fill(struct cpu_entry *entry)
{
    struct tss *tss = &entry->tss;

    entry->stack_top = (uint64_t)(uintptr_t)(entry->stack + 32);
    tss->rsp[0] = entry->stack_top;
    tss->ist[IST_NMI - 1] = (uint64_t)(uintptr_t)&entry->nmi.gs_base;
    tss->ist[IST_DOUBLE_FAULT - 1] = (uint64_t)(uintptr_t)&entry->double_fault.gs_base;
    tss->ist[IST_MACHINE_CHECK - 1] = (uint64_t)(uintptr_t)&entry->machine_check.gs_base;
    tss->iomap_base = TSS_IOMAP_NONE;
    memset(entry->port_bitmap, 0xFF, sizeof(entry->port_bitmap));
    entry->port_bitmap_end = 0xFF;
}

static void gdt_load(const struct cpu_entry *entry)
{
    struct [[gnu::packed]] {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(entry->gdt) - 1, (uint64_t)(uintptr_t)entry->gdt};

    /* Loading FS and GS clears their bases, so it comes before the bases are set. */
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%ss\n\t"
                     "movl %3, %%fs\n\t"
                     "movl %3, %%gs\n\t"
                     "ltr %w4"
                     :
                     : "m"(pointer), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0),
                       "r"(SELECTOR_TSS)
                     : "rax", "memory");
}

void cpu_entry_set_gs(struct core *core)
{
    struct cpu_entry *entry = core->arch.entry;
    uint64_t base = (uint64_t)(uintptr_t)(paging_isolation ? (void *)entry : (void *)core);

    entry->nmi.gs_base = base;
    entry->double_fault.gs_base = base;
    entry->machine_check.gs_base = base;
    wrmsr(MSR_GS_BASE, base);
}

void cpu_entry_start(struct core *core)
{
    struct cpu_entry *entry = &entries[core->index];

    entry->core = core;
    core->self = core;
    core->arch.entry = entry;
    core->tss = &entry->tss;
    core->running_here = (uint64_t)core->index << 32 | THREAD_RUNNING;
    core->pinned_here = (uint64_t)slow_for_affinity(core->index) << 32;
    gdt_fill(entry);
    tss_fill(entry);
    gdt_load(entry);
    cpu_entry_set_gs(core);
    wrmsr(MSR_FS_BASE, 0);
    wrmsr(MSR_KERNEL_GS, 0);
    idt_load();
}
