// SPDX-License-Identifier: MIT
/* acpi.c - see acpi.h. Layouts: ACPI specification, "ACPI Software Programming Model". */
#include "acpi.h"

#include "lib/string.h"

enum {
    RSDP_V1_BYTES = 20,
    RSDP_V2_BYTES = 36,
    TABLE_BYTES_MAX = 1 << 20, /* far beyond any real one */
    MADT_ENTRIES = 44,         /* offset of the first */

    MADT_LOCAL_APIC = 0,
    MADT_IO_APIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LOCAL_NMI = 4,
    MADT_LAPIC_ADDRESS = 5,
    MADT_LOCAL_X2APIC = 9,
    MADT_X2APIC_NMI = 10,

    MADT_ENABLED = 1,

    /* MPS INTI flags. */
    INTI_POLARITY = 3,
    INTI_ACTIVE_LOW = 3,
    INTI_TRIGGER = 3 << 2,
    INTI_LEVEL = 3 << 2,

    SPACE_MEMORY = 0,
    SPACE_IO = 1,

    FADT_PM_TIMER = 76,
    FADT_FLAGS = 112,
    FADT_FLAG_TIMER_32 = 1 << 8,
    FADT_X_PM_TIMER = 208,
    HPET_ADDRESS = 40,
};

/* Little-endian number of `bytes` bytes, at any alignment. */
static uint64_t get(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | p[bytes];
    return value;
}

static bool sums_to_zero(const uint8_t *p, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + p[i]);
    return sum == 0;
}

bool acpi_rsdp_parse(const void *rsdp, size_t size, struct acpi_root *root)
{
    const uint8_t *p = rsdp;
    uint64_t xsdt = 0;

    if (size < RSDP_V1_BYTES || memcmp(p, "RSD PTR ", 8) != 0 || !sums_to_zero(p, RSDP_V1_BYTES))
        return false;
    /* Revision 2 adds the XSDT and a checksum over everything. */
    if (p[15] >= 2 && size >= RSDP_V2_BYTES && get(p + 20, 4) >= RSDP_V2_BYTES &&
        sums_to_zero(p, RSDP_V2_BYTES))
        xsdt = get(p + 24, 8);
    root->entry_bytes = xsdt != 0 ? 8 : 4;
    root->address = xsdt != 0 ? xsdt : get(p + 16, 4);
    return root->address != 0;
}

size_t acpi_table_bytes(const void *header)
{
    uint64_t size = get((const uint8_t *)header + 4, 4);

    return size >= ACPI_HEADER_BYTES && size <= TABLE_BYTES_MAX ? (size_t)size : 0;
}

bool acpi_table_valid(const void *table, size_t size, const char *signature)
{
    size_t bytes;

    if (size < ACPI_HEADER_BYTES || memcmp(table, signature, 4) != 0)
        return false;
    bytes = acpi_table_bytes(table);
    return bytes != 0 && bytes <= size && sums_to_zero(table, bytes);
}

size_t acpi_root_count(const void *table, size_t size, unsigned entry_bytes)
{
    if (!acpi_table_valid(table, size, entry_bytes == 8 ? "XSDT" : "RSDT"))
        return 0;
    return (acpi_table_bytes(table) - ACPI_HEADER_BYTES) / entry_bytes;
}

uint64_t acpi_root_entry(const void *table, size_t index, unsigned entry_bytes)
{
    return get((const uint8_t *)table + ACPI_HEADER_BYTES + index * entry_bytes, entry_bytes);
}

static bool flags_level(unsigned flags)
{
    return (flags & INTI_TRIGGER) == INTI_LEVEL;
}

/* "Conforms to the bus" means active high for ISA, the only bus with overrides. */
static bool flags_active_low(unsigned flags)
{
    return (flags & INTI_POLARITY) == INTI_ACTIVE_LOW;
}

static void add_core(struct madt_info *info, uint64_t flags)
{
    if (flags & MADT_ENABLED)
        info->core_count++;
}

static bool add_ioapic(struct madt_info *info, const uint8_t *p)
{
    struct madt_ioapic *ioapic = &info->ioapics[info->ioapic_count];

    if (info->ioapic_count == MADT_IOAPICS_MAX || get(p + 4, 4) == 0)
        return false;
    ioapic->address = get(p + 4, 4);
    ioapic->first_line = (uint32_t)get(p + 8, 4);
    info->ioapic_count++;
    return true;
}

static bool add_override(struct madt_info *info, const uint8_t *p)
{
    struct madt_override *override = &info->overrides[info->override_count];
    unsigned flags = (unsigned)get(p + 8, 2);

    /* Bus 0 is ISA, which has 16 interrupts. */
    if (info->override_count == MADT_OVERRIDES_MAX || p[2] != 0 || p[3] >= 16)
        return false;
    override->isa_irq = p[3];
    override->line = (uint32_t)get(p + 4, 4);
    override->level = flags_level(flags);
    override->active_low = flags_active_low(flags);
    info->override_count++;
    return true;
}

static bool add_nmi(struct madt_info *info, uint64_t uid, uint64_t everybody, unsigned flags,
                    uint8_t pin)
{
    struct madt_nmi *nmi = &info->nmis[info->nmi_count];

    if (info->nmi_count == MADT_NMIS_MAX || pin > 1)
        return false;
    nmi->every_core = uid == everybody;
    nmi->acpi_uid = (uint32_t)uid;
    nmi->pin = pin;
    nmi->level = flags_level(flags);
    nmi->active_low = flags_active_low(flags);
    info->nmi_count++;
    return true;
}

/* Smallest length of each entry type that is read; 0: the type is not read. */
static const uint8_t entry_bytes_min[] = {
    [MADT_LOCAL_APIC] = 8,  [MADT_IO_APIC] = 12,       [MADT_OVERRIDE] = 10,
    [MADT_LOCAL_NMI] = 6,   [MADT_LAPIC_ADDRESS] = 12, [MADT_LOCAL_X2APIC] = 16,
    [MADT_X2APIC_NMI] = 12,
};

/* `p` is an entry of at least the length above; false: it is ignored. */
static bool add_entry(struct madt_info *info, const uint8_t *p)
{
    switch (p[0]) {
    case MADT_LOCAL_APIC: add_core(info, get(p + 4, 4)); return true;
    case MADT_LOCAL_X2APIC: add_core(info, get(p + 8, 4)); return true;
    case MADT_IO_APIC: return add_ioapic(info, p);
    case MADT_OVERRIDE: return add_override(info, p);
    case MADT_LOCAL_NMI: return add_nmi(info, p[2], 0xFF, (unsigned)get(p + 3, 2), p[5]);
    case MADT_X2APIC_NMI:
        return add_nmi(info, get(p + 4, 4), UINT32_MAX, (unsigned)get(p + 2, 2), p[8]);
    case MADT_LAPIC_ADDRESS: info->lapic_address = get(p + 4, 8); return true;
    default: return true;
    }
}

bool madt_parse(const void *table, size_t size, struct madt_info *info)
{
    const uint8_t *p = table;
    size_t end;

    memset(info, 0, sizeof(*info));
    if (!acpi_table_valid(table, size, "APIC"))
        return false;
    end = acpi_table_bytes(table);
    if (end < MADT_ENTRIES)
        return false;
    info->lapic_address = get(p + 36, 4);
    for (size_t at = MADT_ENTRIES; end - at >= 2; at += p[at + 1]) {
        uint8_t type = p[at], bytes = p[at + 1];

        if (bytes < 2 || bytes > end - at) {
            info->ignored++; /* where the next one begins is unknown */
            break;
        }
        if (type < sizeof(entry_bytes_min) && bytes < entry_bytes_min[type])
            info->ignored++;
        else if (!add_entry(info, p + at))
            info->ignored++;
    }
    return true;
}

uint64_t acpi_hpet_address(const void *table, size_t size)
{
    const uint8_t *p = table;

    if (!acpi_table_valid(table, size, "HPET") || acpi_table_bytes(table) < HPET_ADDRESS + 12 ||
        p[HPET_ADDRESS] != SPACE_MEMORY)
        return 0;
    return get(p + HPET_ADDRESS + 4, 8);
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
        port = get(p + FADT_X_PM_TIMER + 4, 8);
    if (port == 0)
        port = get(p + FADT_PM_TIMER, 4);
    if (port > UINT16_MAX)
        return 0;
    *is_32_bit = (get(p + FADT_FLAGS, 4) & FADT_FLAG_TIMER_32) != 0;
    return (uint16_t)port;
}
