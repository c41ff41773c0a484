// SPDX-License-Identifier: MIT
/* machine.c - phase 4 of the boot core: the order in which the parts of the machine come up. */
#include "arch/x86_64/entry/init.h"

#include "arch/x86_64/apic/acpi.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/smp.h"
#include "arch/x86_64/apic/devices.h"
#include "arch/x86_64/entry/cpu_entry.h"
#include "arch/x86_64/apic/ioapic.h"
#include "arch/x86_64/apic/lapic.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/cpu/port_bitmap.h"
#include "arch/x86_64/apic/timer.h"
#include "boot/bootinfo.h"
#include "core.h"
#include "base/log.h"

#define FEATURES_BYTES 192

void arch_machine_init(void)
{
    struct core *core = &cores[0];
    char features[FEATURES_BYTES];

    core->arch.apic_id = boot_info.cpus[0].apic_id;
    core->arch.acpi_uid = boot_info.cpus[0].acpi_uid;
    cpu_detect();
    if (paging_isolation)
        idt_fill();
    cpu_enable(core);
    arch_cpu_features_text(features, sizeof(features));
    log_info("cpu: %s", features);

    acpi_init(boot_info.rsdp);
    devices_init();
    lapic_init();
    lapic_start_core(&acpi_info.madt);
    if (!boot_info.cpus_listed)
        core->arch.apic_id = lapic_own_id();
    ioapic_init(&acpi_info.madt);
    timer_calibrate();
    timer_start_core();
    ports_init();
}

void arch_start_cores(void)
{
    smp_start_cores((uint64_t)(uintptr_t)smp_entry);
}
