// SPDX-License-Identifier: MIT
/*
 * firmware - reads from the firmware's tables what starting processors and masking interrupts needs:
 * ACPI's, or the MP table of a machine without ACPI. The readers are the kernel's (lib/format).
 */
#include "console.h"
#include "context.h"
#include "cpu.h"
#include "lib/format/acpi.h"
#include "lib/format/mptable.h"

#define FIRMWARE_BIOS 0

static const struct boot_context *context;

/* Everything that the front end reaches is mapped at its physical address. Of what lies above 4 GiB a
 * firmware need not map more than it lists. */
static const void *map(uint64_t address, size_t bytes)
{
    if (address + bytes > BOOT_BELOW_4G && !boot_memmap_lists(&context->map, address, bytes))
        return NULL;
    __asm__("" : "+r"(address)); /* the compiler takes small numbers for NULL */
    return (const void *)(uintptr_t)address;
}

static void unmap(const void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

/* Registers in memory are a lie of the table; writing there would destroy what we have loaded. */
static void check_ioapics(struct boot_context *c)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < c->madt.ioapic_count; i++) {
        if (!boot_memmap_has_ram(&c->map, c->madt.ioapics[i].address, BOOT_PAGE_SIZE))
            c->madt.ioapics[kept++] = c->madt.ioapics[i];
    }
    c->madt.ioapic_count = kept;
}

/* A BIOS leaves the MP table in low memory, which other firmware need not even map. */
void boot_firmware_read(struct boot_context *c)
{
    uint64_t end = cpu_physical_end();
    const struct physical_memory memory = {
        .end = end < c->platform->reach ? end : c->platform->reach,
        .map = map,
        .unmap = unmap,
    };
    static struct acpi_tables acpi; /* large for a stack; entered once */
    enum acpi_result result;

    context = c;
    result = acpi_read(&memory, c->platform->rsdp, &acpi);
    if (result == ACPI_NO_RSDP)
        c->platform->rsdp = 0; /* nothing to hand on */
    if (acpi.madt.core_count != 0 || c->platform->firmware_type != FIRMWARE_BIOS ||
        !mptable_read(&memory, &c->madt))
        c->madt = acpi.madt;
    check_ioapics(c);
    if (c->madt.core_count == 0)
        boot_print("firmware: %s, and there is no MP table: only one processor, no interrupt lines",
                   result == ACPI_NO_RSDP   ? "has no ACPI tables"
                   : result == ACPI_NO_ROOT ? "its ACPI tables are damaged"
                                            : "its ACPI tables list no processor");
}
