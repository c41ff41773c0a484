// SPDX-License-Identifier: MIT
/* madt.c - see madt.h. Layout: ACPI specification, "Multiple APIC Description Table (MADT)". */
#include "madt.h"

#include "lib/format/acpi.h"
#include "lib/format/bytes.h"
#include "lib/base/string.h"

enum {
    MADT_ENTRIES = 44, /* offset of the first */

    MADT_LOCAL_APIC = 0,
    MADT_IO_APIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LOCAL_NMI = 4,
    MADT_LOCAL_X2APIC = 9,
    MADT_X2APIC_NMI = 10,

    MADT_ENABLED = 1,
    ISA_INTERRUPTS = 16,
    IOAPIC_BYTES = 0x20,

    /* MPS INTI flags. */
    INTI_POLARITY = 3,
    INTI_ACTIVE_LOW = 3,
    INTI_TRIGGER = 3 << 2,
    INTI_LEVEL = 3 << 2,
};

/* Firmware may list a processor under both of its types; then the identifier is the same. */
bool madt_add_cpu(struct madt_info *info, uint32_t acpi_uid, uint32_t apic_id)
{
    uint32_t listed = madt_listed(info);

    for (uint32_t i = 0; i < listed; i++)
        if (info->cpus[i].apic_id == apic_id)
            return false;
    info->core_count++;
    if (listed == MADT_CPUS_MAX)
        return false;
    info->cpus[listed] = (struct madt_cpu){acpi_uid, apic_id};
    return true;
}

bool madt_add_ioapic(struct madt_info *info, uint64_t address, uint32_t first_line)
{
    for (uint32_t i = 0; i < info->ioapic_count; i++)
        if (info->ioapics[i].address == address)
            return false;
    if (info->ioapic_count == MADT_IOAPICS_MAX)
        return false;
    info->ioapics[info->ioapic_count++] = (struct madt_ioapic){address, first_line};
    return true;
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

/* The first that speaks of a line counts. */
bool madt_add_override(struct madt_info *info, uint32_t line, unsigned flags)
{
    for (uint32_t i = 0; i < info->override_count; i++)
        if (info->overrides[i].line == line)
            return false;
    if (info->override_count == MADT_OVERRIDES_MAX)
        return false;
    info->overrides[info->override_count++] =
        (struct madt_override){line, flags_level(flags), flags_active_low(flags)};
    return true;
}

bool madt_add_nmi(struct madt_info *info, bool every_core, uint32_t acpi_uid, unsigned flags,
                  uint8_t pin)
{
    if (info->nmi_count == MADT_NMIS_MAX || pin > 1)
        return false;
    info->nmis[info->nmi_count++] = (struct madt_nmi){.every_core = every_core,
                                                      .acpi_uid = acpi_uid,
                                                      .pin = pin,
                                                      .level = flags_level(flags),
                                                      .active_low = flags_active_low(flags)};
    return true;
}

/* The highest identifier of each kind means "all processors": `everybody`. */
static bool read_cpu(struct madt_info *info, uint64_t uid, uint64_t apic_id, uint64_t flags,
                     uint32_t everybody)
{
    if ((flags & MADT_ENABLED) == 0)
        return true;
    return apic_id != everybody && madt_add_cpu(info, (uint32_t)uid, (uint32_t)apic_id);
}

static bool read_ioapic(struct madt_info *info, const uint8_t *p, uint64_t end)
{
    uint64_t address = bytes_get(p + 4, 4), line = bytes_get(p + 8, 4);

    return address != 0 && address % 16 == 0 && address + IOAPIC_BYTES <= end &&
           line != MADT_LINE_NEXT && madt_add_ioapic(info, address, (uint32_t)line);
}

/* Bus 0 is ISA. */
static bool read_override(struct madt_info *info, const uint8_t *p)
{
    return p[2] == 0 && p[3] < ISA_INTERRUPTS &&
           madt_add_override(info, (uint32_t)bytes_get(p + 4, 4), (unsigned)bytes_get(p + 8, 2));
}

static bool read_nmi(struct madt_info *info, uint64_t uid, uint32_t everybody, unsigned flags,
                     uint8_t pin)
{
    return madt_add_nmi(info, uid == everybody, (uint32_t)uid, flags, pin);
}

/* Smallest length of each entry type that is read; 0: the type is not read. */
static const uint8_t entry_bytes_min[] = {
    [MADT_LOCAL_APIC] = 8, [MADT_IO_APIC] = 12,      [MADT_OVERRIDE] = 10,
    [MADT_LOCAL_NMI] = 6,  [MADT_LOCAL_X2APIC] = 16, [MADT_X2APIC_NMI] = 12,
};

/* `p` is an entry of at least the length above; false: it is ignored. */
static bool read_entry(struct madt_info *info, const uint8_t *p, uint64_t end)
{
    switch (p[0]) {
    case MADT_LOCAL_APIC: return read_cpu(info, p[2], p[3], bytes_get(p + 4, 4), UINT8_MAX);
    case MADT_LOCAL_X2APIC:
        return read_cpu(info, bytes_get(p + 12, 4), bytes_get(p + 4, 4), bytes_get(p + 8, 4),
                        UINT32_MAX);
    case MADT_IO_APIC: return read_ioapic(info, p, end);
    case MADT_OVERRIDE: return read_override(info, p);
    case MADT_LOCAL_NMI:
        return read_nmi(info, p[2], UINT8_MAX, (unsigned)bytes_get(p + 3, 2), p[5]);
    case MADT_X2APIC_NMI:
        return read_nmi(info, bytes_get(p + 4, 4), UINT32_MAX, (unsigned)bytes_get(p + 2, 2), p[8]);
    default: return true;
    }
}

bool madt_parse(const void *table, size_t size, uint64_t end, struct madt_info *info)
{
    const uint8_t *p = table;
    size_t table_end;

    memset(info, 0, sizeof(*info));
    if (!acpi_table_valid(table, size, "APIC"))
        return false;
    table_end = acpi_table_bytes(table);
    if (table_end < MADT_ENTRIES)
        return false;
    for (size_t at = MADT_ENTRIES; table_end - at >= 2; at += p[at + 1]) {
        uint8_t type = p[at], bytes = p[at + 1];

        if (bytes < 2 || bytes > table_end - at) {
            info->ignored++; /* where the next one begins is unknown */
            break;
        }
        if ((type < sizeof(entry_bytes_min) && bytes < entry_bytes_min[type]) ||
            !read_entry(info, p + at, end))
            info->ignored++;
    }
    return true;
}
