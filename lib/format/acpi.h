// SPDX-License-Identifier: MIT
/*
 * acpi.h - reading ACPI tables out of memory that the firmware wrote. Every function takes a pointer
 * and the number of bytes that may be read there, trusts nothing in between, and reads no byte beyond.
 * Mapping the tables is the caller's business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ACPI_HEADER_BYTES = 36,
    MADT_IOAPICS_MAX = 16,
    MADT_OVERRIDES_MAX = 16, /* one for each ISA interrupt */
    MADT_NMIS_MAX = 32,
};

struct madt_ioapic {
    uint64_t address; /* physical */
    uint32_t first_line;
};

/* Where an ISA interrupt really arrives; those without an override are line = number, edge, high. */
struct madt_override {
    uint8_t isa_irq;
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
    uint64_t lapic_address; /* physical; 0: the table gives none */
    uint32_t core_count;    /* enabled processors listed */
    uint32_t ioapic_count;
    struct madt_ioapic ioapics[MADT_IOAPICS_MAX];
    uint32_t override_count;
    struct madt_override overrides[MADT_OVERRIDES_MAX];
    uint32_t nmi_count;
    struct madt_nmi nmis[MADT_NMIS_MAX];
    uint32_t ignored; /* entries beyond the limits above or malformed */
};

/* The tables the RSDP leads to. */
struct acpi_root {
    uint64_t address;
    unsigned entry_bytes; /* of the addresses in it: 8 (XSDT) or 4 (RSDT) */
};

/* `size` is what can be read at `rsdp`, at least 20 bytes. False: no valid RSDP there. */
bool acpi_rsdp_parse(const void *rsdp, size_t size, struct acpi_root *root);

/* Length field of the header at `table`, of which ACPI_HEADER_BYTES can be read; 0: out of range. */
size_t acpi_table_bytes(const void *header);
/* True when `table` has this signature, the length it says fits, and the checksum is right. */
bool acpi_table_valid(const void *table, size_t size, const char *signature);
/* Number of tables a valid XSDT or RSDT lists, and the address of one of them. */
size_t acpi_root_count(const void *table, size_t size, unsigned entry_bytes);
uint64_t acpi_root_entry(const void *table, size_t index, unsigned entry_bytes);

/* False when the table is not a valid MADT; then *info is empty. */
bool madt_parse(const void *table, size_t size, struct madt_info *info);
/* Physical address of the registers; 0: not a valid HPET table, or not in memory. */
uint64_t acpi_hpet_address(const void *table, size_t size);
/* I/O port of the power management timer; 0: not a valid FADT, or it has none in I/O space. */
uint16_t acpi_pm_timer_port(const void *table, size_t size, bool *is_32_bit);
