// SPDX-License-Identifier: MIT
/*
 * madt.h - processors and interrupt controllers, as ACPI's MADT lists them. The MP table, which machines
 * without ACPI have, is read into the same structure (mptable.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MADT_CPUS_MAX = 256,
    MADT_IOAPICS_MAX = 16,
    MADT_OVERRIDES_MAX = 16, /* one for each ISA interrupt */
    MADT_NMIS_MAX = 32,
};

struct madt_cpu {
    uint32_t acpi_uid;
    uint32_t apic_id;
};

/* The MP table does not say with which line an I/O APIC begins: where the one before it ends. */
#define MADT_LINE_NEXT UINT32_MAX

struct madt_ioapic {
    uint64_t address; /* physical */
    uint32_t first_line;
};

/* How a line below 16 is to be set up, where an interrupt arrives that is not as ISA interrupts are:
 * edge, active high, and number n on line n. */
struct madt_override {
    uint32_t line;
    bool level;
    bool active_low;
};

struct madt_nmi {
    bool every_core;
    uint32_t acpi_uid; /* when not every core */
    uint8_t pin;       /* LINT number, 0 or 1 */
    bool level;
    bool active_low;
};

struct madt_info {
    uint32_t core_count; /* enabled processors; the first MADT_CPUS_MAX of them are listed */
    struct madt_cpu cpus[MADT_CPUS_MAX];
    uint32_t ioapic_count;
    struct madt_ioapic ioapics[MADT_IOAPICS_MAX];
    uint32_t override_count;
    struct madt_override overrides[MADT_OVERRIDES_MAX];
    uint32_t nmi_count;
    struct madt_nmi nmis[MADT_NMIS_MAX];
    uint32_t ignored; /* entries beyond the limits above, repeated, malformed or of no machine */
};

/* How many processors are listed. */
static inline uint32_t madt_listed(const struct madt_info *info)
{
    return info->core_count < MADT_CPUS_MAX ? info->core_count : MADT_CPUS_MAX;
}

/* Each adds one entry, in any table's words; false: it is ignored, for one of the reasons above. */
bool madt_add_cpu(struct madt_info *info, uint32_t acpi_uid, uint32_t apic_id);
bool madt_add_ioapic(struct madt_info *info, uint64_t address, uint32_t first_line);
/* `flags`: bits 0 and 1 polarity, 2 and 3 trigger mode, by the MultiProcessor Specification and by ACPI. */
bool madt_add_override(struct madt_info *info, uint32_t line, unsigned flags);
bool madt_add_nmi(struct madt_info *info, bool every_core, uint32_t acpi_uid, unsigned flags,
                  uint8_t pin);

/* False when the table, of which `size` bytes can be read, is not a valid MADT; then *info is empty.
 * Registers must lie below `end`. */
bool madt_parse(const void *table, size_t size, uint64_t end, struct madt_info *info);
