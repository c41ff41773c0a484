// SPDX-License-Identifier: MIT
/*
 * smp.c - starting the other cores. The loader has parked them in its own code and memory; each is
 * handed a stack and the kernel's page tables, and is a part of the scheduler from then on.
 */
#include "arch/x86_64/cpu/smp.h"

#include "arch/arch.h"
#include "arch/x86_64/apic/acpi.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/entry/cpu_entry.h"
#include "arch/x86_64/apic/lapic.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/apic/timer.h"
#include "boot/bootinfo.h"
#include "core.h"
#include "base/log.h"
#include "mm/frame.h"
#include "mm/kmap.h"

#define KERNEL_STACK_PAGES 4
#define PANIC_STACK_PAGES 2

/* For all to start. Generous: an emulator may run 32 cores on two. */
#define START_TIMEOUT_NS 10000000000ull

/* Without x2APIC a command reaches identifiers of eight bits, and 255 is everybody. */
#define XAPIC_ID_MAX 254

/* smp_entry.S reads it. */
paddr_t smp_kernel_root;

void smp_core_main(struct core *core)
{
    cpu_entry_start(core);
    cpu_enable(core);
    lapic_start_core(&acpi_info.madt);
    timer_start_core();
    timer_compare_as_other_core();
}

static bool core_start(struct core *core, const struct boot_cpu *cpu, uint64_t entry)
{
    if (cpu->apic_id > XAPIC_ID_MAX && !lapic_is_x2apic()) {
        log_warning("core %u: APIC id %u cannot be reached without x2APIC", core->index,
                    cpu->apic_id);
        return false;
    }
    if (!frame_overlaps_ram(cpu->handoff & ~(paddr_t)(PAGE_BYTES - 1), 1)) {
        log_warning("core %u: the loader's record of it is not in memory, but at %p", core->index,
                    (void *)cpu->handoff);
        return false;
    }
    core->arch.apic_id = cpu->apic_id;
    core->arch.acpi_uid = cpu->acpi_uid;
    core->kernel_stack_top = kmap_stack(KERNEL_STACK_PAGES);
    core->arch.panic_stack_top = kmap_stack(PANIC_STACK_PAGES);
    boot_cpu_start(cpu, entry, (uint64_t)(uintptr_t)core);
    return true;
}

static uint32_t count_online(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < core_count; i++)
        if (__atomic_load_n(&cores[i].online, __ATOMIC_ACQUIRE))
            count++;
    return count;
}

void smp_start_cores(uint64_t entry)
{
    uint32_t started = 1, online;
    uint64_t deadline_ns;

    smp_kernel_root = paging_kernel_root;
    core_count = boot_info.cpu_count;
    if (acpi_info.madt.core_count > core_count)
        log_warning("firmware lists %u processors, the loader hands over %u",
                    acpi_info.madt.core_count, core_count);
    timer_compare_as_boot_core();
    for (uint32_t i = 1; i < core_count; i++)
        if (core_start(&cores[i], &boot_info.cpus[i], entry))
            started++;
    deadline_ns = arch_time_ns() + START_TIMEOUT_NS;
    while ((online = count_online()) < started && arch_time_ns() < deadline_ns) {
        timer_compare_as_boot_core();
        arch_relax();
    }
    for (uint32_t i = 1; i < core_count; i++)
        if (!__atomic_load_n(&cores[i].online, __ATOMIC_ACQUIRE))
            log_error("core %u (APIC id %u) did not start", i, boot_info.cpus[i].apic_id);
    log_info("%u core%s online", online, online == 1 ? "" : "s");
}
