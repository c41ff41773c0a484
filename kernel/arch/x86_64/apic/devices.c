// SPDX-License-Identifier: MIT
/*
 * devices.c - see devices.h. Whoever can write to these registers can take interrupts away from the kernel,
 * raise any vector, change the time, or let devices write to all of RAM: no capability reaches them.
 */
#include "arch/x86_64/apic/devices.h"

#include "arch/arch.h"
#include "arch/x86_64/apic/acpi.h"
#include "arch/x86_64/cpu/insn.h"
#include "boot/boot_code.h"
#include "base/log.h"

/* What is written here is an interrupt: the local APIC is at the beginning, if nobody has moved it, and the rest is
 * where messages go. Intel SDM vol 3A, "Local APIC Register Address Map", "Message Address Register Format". */
#define MESSAGES_BASE 0xFEE00000ull
#define MESSAGES_BYTES 0x100000ull

#define APIC_BASE_ADDRESS 0x000FFFFFFFFFF000ull /* in the MSR; the upper bits are reserved */

#define OWN_MAX 64

struct own {
    paddr_t first, end; /* pages: multiples of PAGE_BYTES */
};

/* Written during the boot, by one core. */
static struct own own[OWN_MAX];
static uint32_t own_count;
static bool too_many;

BOOT_CODE static void device_keep(paddr_t address, uint64_t bytes)
{
    if (bytes == 0 || bytes > UINT64_MAX - PAGE_BYTES - address)
        return; /* no such address */
    if (own_count == OWN_MAX) {
        if (!too_many)
            log_warning(
                "devices: more than %u of the machine's own; no device memory can be mapped",
                OWN_MAX);
        too_many = true;
        return;
    }
    own[own_count++] =
        (struct own){address & ~(PAGE_BYTES - 1),
                     (address + bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1)};
}

BOOT_CODE void devices_init(void)
{
    const struct madt_info *madt = &acpi_info.madt;

    device_keep(MESSAGES_BASE, MESSAGES_BYTES);
    device_keep(rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDRESS, PAGE_BYTES);
    for (uint32_t i = 0; i < madt->ioapic_count; i++)
        device_keep(madt->ioapics[i].address, PAGE_BYTES);
    if (acpi_info.hpet != 0)
        device_keep(acpi_info.hpet, PAGE_BYTES);
    for (uint32_t i = 0; i < acpi_info.iommu_count; i++)
        device_keep(acpi_info.iommus[i].address, acpi_info.iommus[i].bytes);
}

bool arch_is_own_device(paddr_t first, uint64_t page_count)
{
    if (too_many || page_count > (UINT64_MAX - first) >> PAGE_SHIFT)
        return true;
    for (uint32_t i = 0; i < own_count; i++)
        if (own[i].first < first + page_count * PAGE_BYTES && first < own[i].end)
            return true;
    return false;
}
