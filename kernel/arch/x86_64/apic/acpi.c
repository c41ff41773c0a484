// SPDX-License-Identifier: MIT
/* acpi.c - lets lib/format read the tables of the firmware, and checks what they say against what the
 * kernel knows of the machine. */
#include "arch/x86_64/apic/acpi.h"

#include <stddef.h>

#include "arch/arch.h"
#include "lib/format/mptable.h"
#include "base/log.h"
#include "mm/frame.h"
#include "mm/kmap.h"

struct acpi_tables acpi_info;

static const void *map(uint64_t address, size_t bytes)
{
    return kmap_device(address, bytes, KMAP_CACHED);
}

static void unmap(const void *memory, size_t bytes)
{
    kmap_release((void *)(uintptr_t)memory, bytes);
}

/* Registers in RAM would be a way to write there: such a table is not believed. */
static void check_registers(struct acpi_tables *tables)
{
    struct madt_info *madt = &tables->madt;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < madt->ioapic_count; i++) {
        if (frame_overlaps_ram(madt->ioapics[i].address & ~(paddr_t)(PAGE_BYTES - 1), 1))
            log_warning("ioapic: registers at %p would be RAM: not used",
                        (void *)madt->ioapics[i].address);
        else
            madt->ioapics[kept++] = madt->ioapics[i];
    }
    madt->ioapic_count = kept;
    if (tables->hpet != 0 && frame_overlaps_ram(tables->hpet & ~(paddr_t)(PAGE_BYTES - 1), 2)) {
        log_warning("hpet: registers at %p would be RAM: not used", (void *)tables->hpet);
        tables->hpet = 0;
    }
}

static void read_mptable(const struct physical_memory *memory, enum acpi_result result)
{
    const char *acpi = result == ACPI_READ      ? "no MADT"
                       : result == ACPI_NO_ROOT ? "damaged tables"
                                                : "no tables";

    if (acpi_info.madt.core_count != 0)
        return;
    if (mptable_read(memory, &acpi_info.madt))
        log_info("acpi: %s; the MP table lists %u processors and %u I/O APICs", acpi,
                 acpi_info.madt.core_count, acpi_info.madt.ioapic_count);
    else
        log_warning("acpi: %s, and no MP table: no interrupt lines", acpi);
}

void acpi_init(paddr_t rsdp)
{
    const struct physical_memory memory = {
        .end = arch_physical_pages() << PAGE_SHIFT, .map = map, .unmap = unmap};
    enum acpi_result result = acpi_read(&memory, rsdp, &acpi_info);

    read_mptable(&memory, result);
    check_registers(&acpi_info);
    if (acpi_info.ignored != 0)
        log_warning("acpi: %u tables ignored: damaged or out of reach", acpi_info.ignored);
    if (acpi_info.madt.ignored != 0)
        log_warning("acpi: %u repeated, malformed or surplus entries ignored",
                    acpi_info.madt.ignored);
}

bool arch_firmware_tables(paddr_t *first, paddr_t *end)
{
    *first = acpi_info.tables_first;
    *end = acpi_info.tables_end;
    return *end != 0;
}
