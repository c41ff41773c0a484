// SPDX-License-Identifier: MIT
/* mptable.c - see mptable.h. */
#include "mptable.h"

#include "lib/format/bytes.h"
#include "lib/base/string.h"

enum {
    KIB = 1024,
    BIOS_DATA = 0x400, /* IBM PC BIOS data area */
    BIOS_DATA_BYTES = 0x100,
    EBDA_SEGMENT = 0x0E,
    BASE_MEMORY_KIB = 0x13,
    BIOS_ROM = 0xF0000,
    BIOS_ROM_BYTES = 0x10000,
    LOW_MEMORY_LEAST = 0x80000,
    LOW_MEMORY_END = 0xA0000,

    POINTER_BYTES = 16,
    TABLE_BYTES = 44, /* its header */

    ENTRY_CPU = 0,
    ENTRY_BUS = 1,
    ENTRY_IOAPIC = 2,
    ENTRY_INTERRUPT = 3,
    ENTRY_LOCAL_INTERRUPT = 4,
    CPU_BYTES = 20,
    OTHER_BYTES = 8,

    ENABLED = 1,
    SOURCE_INT = 0,
    SOURCE_NMI = 1,
    FLAGS_MASK = 0x0F,
    CONFORMS_TO_BUS = 0,
    LEVEL_ACTIVE_LOW = 0x0F,
    ISA_LINES = 16,
    EVERYBODY = 0xFF,
};

/* What the entries read so far say about the later ones: they come in the order of their types. */
struct reading {
    struct madt_info *info;
    uint64_t end;
    uint64_t pci_buses[4]; /* a bit for each bus that is PCI; the others are ISA or EISA */
    uint8_t first_ioapic;  /* its identifier */
};

static bool read_cpu(struct reading *r, const uint8_t *p)
{
    if ((p[3] & ENABLED) == 0)
        return true;
    return p[1] != EVERYBODY && madt_add_cpu(r->info, p[1], p[1]);
}

static bool read_bus(struct reading *r, const uint8_t *p)
{
    if (memcmp(p + 2, "PCI", 3) == 0)
        r->pci_buses[p[1] / 64] |= UINT64_C(1) << (p[1] % 64);
    return true;
}

static bool read_ioapic(struct reading *r, const uint8_t *p)
{
    uint64_t address = bytes_get(p + 4, 4);
    bool is_first = r->info->ioapic_count == 0;

    if ((p[3] & ENABLED) == 0)
        return true;
    if (address == 0 || address % 16 != 0 || address >= r->end)
        return false;
    if (is_first)
        r->first_ioapic = p[1];
    return madt_add_ioapic(r->info, address, is_first ? 0 : MADT_LINE_NEXT);
}

/* Only the lines of the first I/O APIC below 16 can differ from what is assumed of a line: there ISA
 * interrupts arrive, and those of PCI that a BIOS shares out like them. */
static bool read_interrupt(struct reading *r, const uint8_t *p)
{
    unsigned flags = p[2] & FLAGS_MASK;
    bool is_pci = (r->pci_buses[p[4] / 64] >> (p[4] % 64) & 1) != 0;

    if (p[1] != SOURCE_INT || (p[6] != r->first_ioapic && p[6] != EVERYBODY) || p[7] >= ISA_LINES)
        return true;
    if (is_pci && flags == CONFORMS_TO_BUS)
        flags = LEVEL_ACTIVE_LOW;
    /* Several devices may share a line; the first that is listed has said it all. */
    (void)madt_add_override(r->info, p[7], flags);
    return true;
}

static bool read_local_interrupt(struct reading *r, const uint8_t *p)
{
    if (p[1] != SOURCE_NMI)
        return true;
    return madt_add_nmi(r->info, p[6] == EVERYBODY, p[6], p[2] & FLAGS_MASK, p[7]);
}

static bool read_entry(struct reading *r, const uint8_t *p)
{
    switch (p[0]) {
    case ENTRY_CPU: return read_cpu(r, p);
    case ENTRY_BUS: return read_bus(r, p);
    case ENTRY_IOAPIC: return read_ioapic(r, p);
    case ENTRY_INTERRUPT: return read_interrupt(r, p);
    case ENTRY_LOCAL_INTERRUPT: return read_local_interrupt(r, p);
    default: return true;
    }
}

/* `p` is a whole table with a right checksum. Its length says how many entries there are: the count in
 * it is 0 under qboot, which microvm machines start with. */
static void read_entries(const uint8_t *p, size_t bytes, struct reading *r)
{
    for (size_t at = TABLE_BYTES; at < bytes;) {
        size_t entry_bytes = p[at] == ENTRY_CPU ? CPU_BYTES : OTHER_BYTES;

        if (p[at] > ENTRY_LOCAL_INTERRUPT || entry_bytes > bytes - at) {
            r->info->ignored++; /* where the next one begins is unknown */
            return;
        }
        if (!read_entry(r, p + at))
            r->info->ignored++;
        at += entry_bytes;
    }
}

static bool table_read(const struct physical_memory *memory, uint64_t address,
                       struct madt_info *info)
{
    struct reading reading = {.info = info, .end = memory->end};
    const uint8_t *table = physical_map(memory, address, TABLE_BYTES);
    size_t bytes;
    bool valid;

    if (table == NULL)
        return false;
    bytes = memcmp(table, "PCMP", 4) == 0 ? bytes_get(table + 4, 2) : 0;
    memory->unmap(table, TABLE_BYTES);
    if (bytes < TABLE_BYTES)
        return false;
    table = physical_map(memory, address, bytes);
    if (table == NULL)
        return false;
    valid = memcmp(table, "PCMP", 4) == 0 && bytes_sum_to_zero(table, bytes);
    if (valid)
        read_entries(table, bytes, &reading);
    memory->unmap(table, bytes);
    return valid && info->core_count != 0;
}

/* Tries every pointer in [address, address + bytes), which are multiples of 16. */
static bool search(const struct physical_memory *memory, uint64_t address, size_t bytes,
                   struct madt_info *info)
{
    const uint8_t *place = physical_map(memory, address, bytes);
    bool found = false;

    if (place == NULL)
        return false;
    for (size_t at = 0; at + POINTER_BYTES <= bytes && !found; at += POINTER_BYTES) {
        const uint8_t *p = place + at;

        if (memcmp(p, "_MP_", 4) != 0 || p[8] != 1 || !bytes_sum_to_zero(p, POINTER_BYTES))
            continue;
        memset(info, 0, sizeof(*info));
        found = table_read(memory, bytes_get(p + 4, 4), info);
    }
    memory->unmap(place, bytes);
    return found;
}

/* MultiProcessor Specification, "MP Floating Pointer Structure": the first KiB of the extended BIOS data
 * area, the last KiB of base memory, the BIOS. A firmware without a BIOS data area uses the second. */
bool mptable_read(const struct physical_memory *memory, struct madt_info *info)
{
    const uint8_t *data = physical_map(memory, BIOS_DATA, BIOS_DATA_BYTES);
    uint64_t places[3] = {0, 0, LOW_MEMORY_END - KIB};

    memset(info, 0, sizeof(*info));
    if (data != NULL) {
        places[0] = bytes_get(data + EBDA_SEGMENT, 2) << 4;
        places[1] = bytes_get(data + BASE_MEMORY_KIB, 2) * KIB - KIB;
        memory->unmap(data, BIOS_DATA_BYTES);
    }
    for (unsigned i = 0; i < 3; i++)
        if (places[i] >= LOW_MEMORY_LEAST && places[i] <= LOW_MEMORY_END - KIB &&
            search(memory, places[i], KIB, info))
            return true;
    if (search(memory, BIOS_ROM, BIOS_ROM_BYTES, info))
        return true;
    memset(info, 0, sizeof(*info));
    return false;
}
