// SPDX-License-Identifier: MIT
/* acpi - see acpi.h. ACPI 6.5, "ACPI Software Programming Model". */
#include "acpi.h"

#include <string.h>

#define HEADER_SIZE 36
#define MAX_TABLE_SIZE (UINT32_C(1) << 20)

#define MADT_ENTRIES 44
#define MADT_LAPIC 0
#define MADT_IOAPIC 1
#define MADT_X2APIC 9
#define MADT_ENABLED 1u

static uint32_t read32(const uint8_t *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

static uint64_t read64(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

uint8_t boot_checksum(const uint8_t *bytes, size_t size)
{
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    return (uint8_t)sum;
}

bool boot_rsdp_valid(const uint8_t *rsdp)
{
    return memcmp(rsdp, "RSD PTR ", 8) == 0 && boot_checksum(rsdp, 20) == 0;
}

/* The table at a physical address, if it is in reach, has this signature and a sound checksum. */
static const uint8_t *table_at(uint64_t address, uint64_t limit, const char *signature)
{
    const uint8_t *table = (const uint8_t *)(uintptr_t)address;
    uint32_t size;

    if (address == 0 || address >= limit || limit - address < HEADER_SIZE)
        return NULL;
    if (memcmp(table, signature, 4) != 0)
        return NULL;
    size = read32(table + 4);
    if (size < HEADER_SIZE || size > MAX_TABLE_SIZE || size > limit - address)
        return NULL;
    return boot_checksum(table, size) == 0 ? table : NULL;
}

static const uint8_t *search(const uint8_t *root, unsigned pointer_size, uint64_t limit)
{
    uint32_t size = read32(root + 4);

    for (uint32_t at = HEADER_SIZE; size - at >= pointer_size; at += pointer_size) {
        uint64_t address = pointer_size == 8 ? read64(root + at) : read32(root + at);
        const uint8_t *madt = table_at(address, limit, "APIC");

        if (madt != NULL)
            return madt;
    }
    return NULL;
}

const uint8_t *boot_acpi_find_madt(uint64_t rsdp, uint64_t limit)
{
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)rsdp, *root = NULL;

    if (rsdp == 0 || rsdp >= limit || limit - rsdp < 36 || !boot_rsdp_valid(bytes))
        return NULL;
    if (bytes[15] >= 2)
        root = table_at(read64(bytes + 24), limit, "XSDT");
    if (root != NULL)
        return search(root, 8, limit);
    root = table_at(read32(bytes + 16), limit, "RSDT");
    return root != NULL ? search(root, 4, limit) : NULL;
}

/* Firmware may list a processor under both types; x2APIC entries then repeat the identifier. */
static void add_cpu(struct boot_madt *out, uint32_t uid, uint32_t lapic_id)
{
    for (unsigned i = 0; i < out->cpu_count; i++) {
        if (out->cpus[i].lapic_id == lapic_id)
            return;
    }
    if (out->cpu_count == BOOT_MAX_CPUS)
        return;
    out->cpus[out->cpu_count].uid = uid;
    out->cpus[out->cpu_count++].lapic_id = lapic_id;
}

static void parse_entry(struct boot_madt *out, const uint8_t *entry, unsigned length)
{
    if (entry[0] == MADT_LAPIC && length >= 8 && (read32(entry + 4) & MADT_ENABLED) != 0)
        add_cpu(out, entry[2], entry[3]);
    if (entry[0] == MADT_X2APIC && length >= 16 && (read32(entry + 8) & MADT_ENABLED) != 0)
        add_cpu(out, read32(entry + 12), read32(entry + 4));
    if (entry[0] == MADT_IOAPIC && length >= 12 && out->ioapic_count < BOOT_MAX_IOAPICS)
        out->ioapics[out->ioapic_count++] = read32(entry + 4);
}

void boot_madt_parse(struct boot_madt *out, const uint8_t *madt, size_t size)
{
    size_t at = MADT_ENTRIES;

    out->cpu_count = out->ioapic_count = 0;
    while (at + 2 <= size) {
        unsigned length = madt[at + 1];

        if (length < 2 || length > size - at)
            return;
        parse_entry(out, madt + at, length);
        at += length;
    }
}
