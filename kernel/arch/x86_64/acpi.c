// SPDX-License-Identifier: MIT
/* acpi.c - finds and maps the ACPI tables the kernel needs; lib/format reads them. */
#include "arch/x86_64/acpi.h"

#include <stddef.h>

#include "arch/arch.h"
#include "log/log.h"
#include "mm/kmap.h"

#define RSDP_BYTES 36
#define ACPI_TABLES_MAX 128
#define ACPI_TABLE_PAGES_MAX 257 /* of acpi_table_bytes(), at any alignment */

struct acpi_info acpi_info;

/* Maps a whole table, read-only; NULL when its address or header makes no sense. */
static const void *table_map(paddr_t address, size_t *bytes)
{
    const void *header;

    *bytes = 0;
    if (address == 0 || address >> PAGE_SHIFT >= arch_physical_pages() - ACPI_TABLE_PAGES_MAX)
        return NULL;
    header = kmap_device(address, ACPI_HEADER_BYTES, KMAP_CACHED);
    *bytes = acpi_table_bytes(header);
    kmap_release((void *)(uintptr_t)header, ACPI_HEADER_BYTES);
    if (*bytes == 0)
        return NULL;
    if (acpi_info.tables_end == 0 || address < acpi_info.tables_first)
        acpi_info.tables_first = address;
    if (address + *bytes > acpi_info.tables_end)
        acpi_info.tables_end = address + *bytes;
    return kmap_device(address, *bytes, KMAP_CACHED);
}

static void table_unmap(const void *table, size_t bytes)
{
    kmap_release((void *)(uintptr_t)table, bytes);
}

/* What a table is decided by each parser, from its signature and checksum. */
static void table_read(paddr_t address)
{
    struct acpi_info *info = &acpi_info;
    struct madt_info madt;
    size_t bytes;
    const void *table = table_map(address, &bytes);

    if (table == NULL)
        return;
    if (info->hpet == 0)
        info->hpet = acpi_hpet_address(table, bytes);
    if (info->pm_timer == 0)
        info->pm_timer = acpi_pm_timer_port(table, bytes, &info->pm_timer_32_bit);
    if (info->madt.ioapic_count == 0 && madt_parse(table, bytes, &madt))
        info->madt = madt;
    table_unmap(table, bytes);
}

static bool root_find(paddr_t rsdp, struct acpi_root *root)
{
    void *pointer;
    bool found;

    if (rsdp == 0)
        return false;
    pointer = kmap_device(rsdp, RSDP_BYTES, KMAP_CACHED);
    found = acpi_rsdp_parse(pointer, RSDP_BYTES, root);
    kmap_release(pointer, RSDP_BYTES);
    return found;
}

void acpi_init(paddr_t rsdp)
{
    struct acpi_root root;
    const void *table;
    size_t bytes, count;

    if (!root_find(rsdp, &root)) {
        log_warning("acpi: no valid RSDP: no interrupt lines, no ACPI clocks");
        return;
    }
    table = table_map(root.address, &bytes);
    count = table == NULL ? 0 : acpi_root_count(table, bytes, root.entry_bytes);
    if (count == 0)
        log_warning("acpi: the table of tables is damaged");
    if (count > ACPI_TABLES_MAX)
        count = ACPI_TABLES_MAX;
    for (size_t i = 0; i < count; i++)
        table_read(acpi_root_entry(table, i, root.entry_bytes));
    if (table != NULL)
        table_unmap(table, bytes);
    if (acpi_info.madt.ignored != 0)
        log_warning("acpi: %u malformed or surplus MADT entries ignored", acpi_info.madt.ignored);
}

bool arch_firmware_tables(paddr_t *first, paddr_t *end)
{
    *first = acpi_info.tables_first;
    *end = acpi_info.tables_end;
    return *end != 0;
}
