// SPDX-License-Identifier: MIT
/* acpi.c - see acpi.h. Layouts: ACPI specification, "ACPI Software Programming Model". */
#include "acpi.h"

#include "lib/format/bytes.h"
#include "lib/base/string.h"

enum {
    RSDP_V1_BYTES = 20,
    RSDP_V2_BYTES = 36,
    RSDP_REVISION = 15,
    TABLE_BYTES_MAX = 1 << 20, /* far beyond any real one */

    SPACE_MEMORY = 0,
    SPACE_IO = 1,

    FADT_DSDT = 40,
    FADT_PM_TIMER = 76,
    FADT_FLAGS = 112,
    FADT_FLAG_TIMER_32 = 1 << 8,
    FADT_X_DSDT = 140,
    FADT_X_PM_TIMER = 208,
    HPET_ADDRESS = 40,
    HPET_BYTES = 0x400,
};

bool acpi_rsdp_parse(const void *rsdp, size_t size, struct acpi_roots *roots)
{
    const uint8_t *p = rsdp;

    *roots = (struct acpi_roots){0, 0};
    if (size < RSDP_V1_BYTES || memcmp(p, "RSD PTR ", 8) != 0 ||
        !bytes_sum_to_zero(p, RSDP_V1_BYTES))
        return false;
    roots->rsdt = bytes_get(p + 16, 4);
    /* Revision 2 adds the XSDT and a checksum over everything. */
    if (size >= RSDP_V2_BYTES && p[RSDP_REVISION] >= 2 && bytes_get(p + 20, 4) >= RSDP_V2_BYTES &&
        bytes_sum_to_zero(p, RSDP_V2_BYTES))
        roots->xsdt = bytes_get(p + 24, 8);
    return true;
}

size_t acpi_table_bytes(const void *header)
{
    uint64_t size = bytes_get((const uint8_t *)header + 4, 4);

    return size >= ACPI_HEADER_BYTES && size <= TABLE_BYTES_MAX ? (size_t)size : 0;
}

bool acpi_table_valid(const void *table, size_t size, const char *signature)
{
    size_t bytes;

    if (size < ACPI_HEADER_BYTES || memcmp(table, signature, 4) != 0)
        return false;
    bytes = acpi_table_bytes(table);
    return bytes != 0 && bytes <= size && bytes_sum_to_zero(table, bytes);
}

uint64_t acpi_hpet_address(const void *table, size_t size, uint64_t end)
{
    const uint8_t *p = table;
    uint64_t address;

    if (!acpi_table_valid(table, size, "HPET") || acpi_table_bytes(table) < HPET_ADDRESS + 12 ||
        p[HPET_ADDRESS] != SPACE_MEMORY)
        return 0;
    address = bytes_get(p + HPET_ADDRESS + 4, 8);
    return address % 8 == 0 && address < end && end - address >= HPET_BYTES ? address : 0;
}

uint16_t acpi_pm_timer_port(const void *table, size_t size, bool *is_32_bit)
{
    const uint8_t *p = table;
    uint64_t port = 0;
    size_t bytes;

    if (!acpi_table_valid(table, size, "FACP"))
        return 0;
    bytes = acpi_table_bytes(table);
    if (bytes < FADT_FLAGS + 4)
        return 0;
    if (bytes >= FADT_X_PM_TIMER + 12 && p[FADT_X_PM_TIMER] == SPACE_IO)
        port = bytes_get(p + FADT_X_PM_TIMER + 4, 8);
    /* The newer field may be empty or of no machine; then the older one counts. */
    if (port == 0 || port > UINT16_MAX)
        port = bytes_get(p + FADT_PM_TIMER, 4);
    if (port > UINT16_MAX)
        return 0;
    *is_32_bit = (bytes_get(p + FADT_FLAGS, 4) & FADT_FLAG_TIMER_32) != 0;
    return (uint16_t)port;
}

/* ---- from the RSDP on ---- */

/* Reads the header of the table at `address`: its length and its first letters. False: its address or
 * its length makes no sense. */
static bool header_read(const struct physical_memory *memory, uint64_t address, size_t *bytes,
                        char signature[4])
{
    const void *header = physical_map(memory, address, ACPI_HEADER_BYTES);

    if (header == NULL)
        return false;
    *bytes = acpi_table_bytes(header);
    memcpy(signature, header, 4);
    memory->unmap(header, ACPI_HEADER_BYTES);
    return *bytes != 0 && physical_exists(memory, address, *bytes);
}

static void note_place(struct acpi_tables *out, uint64_t address, size_t bytes)
{
    if (out->tables_end == 0 || address < out->tables_first)
        out->tables_first = address;
    if (address + bytes > out->tables_end)
        out->tables_end = address + bytes;
}

/* False: there is no room for all. */
static bool iommus_parse(struct acpi_tables *out, const void *table, size_t bytes, uint64_t end)
{
    struct acpi_iommu unit;
    size_t at = 0;

    while (acpi_iommu_next(table, bytes, &at, &unit)) {
        if (unit.address == 0 || unit.address >= end || unit.bytes > end - unit.address)
            continue;
        if (out->iommu_count == ACPI_IOMMUS_MAX)
            return false;
        out->iommus[out->iommu_count++] = unit;
    }
    return true;
}

/* False: the table, of one of the kinds that are read, is damaged. */
static bool table_parse(struct acpi_tables *out, const void *table, size_t bytes, uint64_t end)
{
    if (acpi_table_valid(table, bytes, "HPET")) {
        if (out->hpet == 0)
            out->hpet = acpi_hpet_address(table, bytes, end);
        return out->hpet != 0;
    }
    if (acpi_table_valid(table, bytes, "FACP")) {
        if (out->pm_timer == 0)
            out->pm_timer = acpi_pm_timer_port(table, bytes, &out->pm_timer_32_bit);
        return true; /* not every machine has that timer */
    }
    if (acpi_table_valid(table, bytes, "DMAR") || acpi_table_valid(table, bytes, "IVRS"))
        return iommus_parse(out, table, bytes, end);
    return out->madt.core_count != 0 || madt_parse(table, bytes, end, &out->madt);
}

static bool is_read(const char signature[4])
{
    static const char kinds[][5] = {"APIC", "FACP", "HPET", "DMAR", "IVRS"};

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (memcmp(signature, kinds[i], 4) == 0)
            return true;
    return false;
}

/* The DSDT is in no list: the FADT names it. It is not read here, but belongs to the tables. */
static void dsdt_note(const struct physical_memory *memory, const void *table, size_t bytes,
                      struct acpi_tables *out)
{
    const uint8_t *fadt = table;
    uint64_t address = 0;
    char signature[4];

    if (!acpi_table_valid(table, bytes, "FACP") || bytes < FADT_FLAGS + 4)
        return;
    if (bytes >= FADT_X_DSDT + 8)
        address = bytes_get(fadt + FADT_X_DSDT, 8);
    if (address == 0)
        address = bytes_get(fadt + FADT_DSDT, 4);
    if (address != 0 && header_read(memory, address, &bytes, signature) &&
        memcmp(signature, "DSDT", 4) == 0)
        note_place(out, address, bytes);
}

/* Only tables that are read are mapped as a whole: there may be a hundred others. */
static bool table_read(const struct physical_memory *memory, uint64_t address,
                       struct acpi_tables *out)
{
    char signature[4];
    const void *table;
    size_t bytes;
    bool valid;

    if (!header_read(memory, address, &bytes, signature))
        return false;
    note_place(out, address, bytes);
    if (!is_read(signature))
        return true;
    table = physical_map(memory, address, bytes);
    if (table == NULL)
        return false;
    valid = table_parse(out, table, bytes, memory->end);
    dsdt_note(memory, table, bytes, out);
    memory->unmap(table, bytes);
    return valid;
}

static void tables_read(const struct physical_memory *memory, const uint8_t *addresses,
                        size_t count, unsigned entry_bytes, struct acpi_tables *out)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t address = bytes_get(addresses + i * entry_bytes, entry_bytes);

        if (address != 0 && (i >= ACPI_TABLES_MAX || !table_read(memory, address, out)))
            out->ignored++;
    }
}

/* False: there is no valid table of tables at `address`. */
static bool root_read(const struct physical_memory *memory, uint64_t address, unsigned entry_bytes,
                      struct acpi_tables *out)
{
    char signature[4];
    const uint8_t *root;
    size_t bytes;
    bool valid;

    if (!header_read(memory, address, &bytes, signature))
        return false;
    root = physical_map(memory, address, bytes);
    if (root == NULL)
        return false;
    valid = acpi_table_valid(root, bytes, entry_bytes == 8 ? "XSDT" : "RSDT");
    if (valid) {
        note_place(out, address, bytes);
        tables_read(memory, root + ACPI_HEADER_BYTES, (bytes - ACPI_HEADER_BYTES) / entry_bytes,
                    entry_bytes, out);
    }
    memory->unmap(root, bytes);
    return valid;
}

/* Only an RSDP of revision 2 has more than the first 20 bytes. */
static bool rsdp_read(const struct physical_memory *memory, uint64_t address,
                      struct acpi_roots *roots)
{
    size_t bytes = RSDP_V1_BYTES;
    const uint8_t *rsdp = physical_map(memory, address, bytes);
    bool found, has_more;

    if (rsdp == NULL)
        return false;
    found = acpi_rsdp_parse(rsdp, bytes, roots);
    has_more = found && rsdp[RSDP_REVISION] >= 2;
    memory->unmap(rsdp, bytes);
    if (!has_more)
        return found;
    bytes = RSDP_V2_BYTES;
    rsdp = physical_map(memory, address, bytes);
    if (rsdp == NULL)
        return found;
    found = acpi_rsdp_parse(rsdp, bytes, roots);
    memory->unmap(rsdp, bytes);
    return found;
}

enum acpi_result acpi_read(const struct physical_memory *memory, uint64_t rsdp,
                           struct acpi_tables *out)
{
    struct acpi_roots roots;
    bool found;

    memset(out, 0, sizeof(*out));
    if (!rsdp_read(memory, rsdp, &roots))
        return ACPI_NO_RSDP;
    found = root_read(memory, roots.xsdt, 8, out);
    if (out->madt.core_count == 0)
        found |= root_read(memory, roots.rsdt, 4, out);
    return found ? ACPI_READ : ACPI_NO_ROOT;
}
