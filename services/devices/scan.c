// SPDX-License-Identifier: MIT
/* scan - see scan.h. */
#include "services/devices/scan.h"

#include "abi/types.h"
#include "lib/base/string.h"
#include "services/devices/config.h"

#define DEVICES 32u
#define FUNCTIONS 8u
#define CLASS_DISPLAY 0x03u
#define CLASS_BRIDGE 0x06u
#define MEMORY_END (1ull << 52) /* of physical addresses, by the width of a page table entry */

void scan_copy(device_address_t address, uint8_t config[PCI_CONFIG_BYTES])
{
    for (unsigned offset = 0; offset < PCI_CONFIG_BYTES; offset += 4) {
        uint32_t word = config_read(address, offset, 4);

        memcpy(config + offset, &word, 4);
    }
}

/* What a BAR reads after all ones were written. */
static uint32_t probe(device_address_t address, unsigned offset, uint32_t value)
{
    uint32_t mask;

    config_write(address, offset, 4, UINT32_MAX);
    mask = config_read(address, offset, 4);
    config_write(address, offset, 4, value);
    return mask;
}

static void read_bar(struct function *function, const uint32_t *values, const uint32_t *masks,
                     unsigned index, bool has_next, bool *wide)
{
    struct function_bar *out = &function->bars[index];
    struct pci_bar bar;

    pci_bar_read(values[index], masks[index], has_next ? values[index + 1] : 0,
                 has_next ? masks[index + 1] : 0, has_next, &bar);
    *wide = bar.wide;
    if (bar.bytes == 0)
        return;
    out->address = bar.address;
    out->bytes = bar.bytes;
    out->flags = (bar.ports ? DEVICE_BAR_PORTS : DEVICE_BAR_MEMORY) |
                 (bar.wide ? DEVICE_BAR_64_BIT : 0) |
                 (bar.prefetchable ? DEVICE_BAR_PREFETCHABLE : 0);
}

/* While the sizes are asked for, the function answers at no address: its registers have none. */
static void read_bars(struct function *function, unsigned count)
{
    device_address_t address = function->ids.address;
    uint32_t command = config_read(address, PCI_COMMAND, 2);
    uint32_t values[DEVICE_BARS], masks[DEVICE_BARS];
    bool wide;

    config_write(address, PCI_COMMAND, 2,
                 command & ~(uint32_t)(PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY));
    for (unsigned i = 0; i < count; i++) {
        values[i] = config_read(address, PCI_BAR + 4 * i, 4);
        masks[i] = probe(address, PCI_BAR + 4 * i, values[i]);
    }
    config_write(address, PCI_COMMAND, 2, command);
    for (unsigned i = 0; i < count; i += wide ? 2 : 1)
        read_bar(function, values, masks, i, i + 1 < count, &wide);
}

/* Why a driver could not work with it; NULL: it could. Bridges have no driver. */
static const char *why_unusable(const struct function *function)
{
    for (unsigned i = 0; i < DEVICE_BARS; i++) {
        const struct function_bar *bar = &function->bars[i];

        if ((bar->flags & DEVICE_BAR_MEMORY) == 0)
            continue;
        if (bar->address == 0)
            return "the firmware gave a register window no address";
        if (bar->address >= MEMORY_END || bar->bytes > MEMORY_END - bar->address ||
            config_overlaps(bar->address, bar->bytes))
            return "a register window lies where none can be";
    }
    if ((function->flags & (DEVICE_MSI | DEVICE_MSIX)) == 0)
        return "neither MSI nor MSI-X, and no pin has a known route";
    return NULL;
}

/* The MSI-X table has to lie in a window of memory, wholly. */
static bool msix_usable(const struct function *function)
{
    const struct pci_msix *msix = &function->msix;
    const struct function_bar *bar = &function->bars[msix->table_bar];
    uint64_t bytes = (uint64_t)msix->vectors * PCI_MSIX_ENTRY_BYTES;

    return msix->at != 0 && (bar->flags & DEVICE_BAR_MEMORY) != 0 &&
           msix->table_offset <= bar->bytes && bytes <= bar->bytes - msix->table_offset;
}

static void read_capabilities(struct function *function, const uint8_t *config)
{
    pci_msi_read(config, &function->msi);
    pci_msix_read(config, &function->msix);
    pci_stop_read(config, &function->stop);
    if (!msix_usable(function))
        function->msix = (struct pci_msix){0};
    function->flags |=
        (function->msi.at != 0 ? DEVICE_MSI : 0) | (function->msix.at != 0 ? DEVICE_MSIX : 0) |
        (function->stop.express_reset != 0 || function->stop.af_reset != 0 ? DEVICE_RESET : 0) |
        (pci_capability_find(config, PCI_CAP_EXPRESS, 0) != 0 ? DEVICE_PCIE : 0);
}

static void add_function(struct table *table, device_address_t address, const uint8_t *config,
                         const struct pci_header *header)
{
    struct function *function = &table->functions[table->count];
    const char *reason;

    if (table->count == FUNCTIONS_MAX) {
        table->left_out++;
        return;
    }
    *function = (struct function){
        .ids = {address, header->vendor, header->device, header->subsystem_vendor,
                header->subsystem, header->class_code, header->revision},
        .state = DEVICE_FREE,
        .secondary_bus = header->secondary,
    };
    memset(function->lines, LINE_NONE, sizeof function->lines);
    if (header->class_code >> 16 == CLASS_BRIDGE || header->type == 1)
        function->flags |= DEVICE_BRIDGE;
    /* The kernel may be drawing in the windows of a display, so they stay where they are. */
    if (header->type == 0 && header->class_code >> 16 != CLASS_DISPLAY)
        read_bars(function, header->bar_count);
    read_capabilities(function, config);
    reason = function->flags & DEVICE_BRIDGE ? NULL : why_unusable(function);
    if (reason != NULL)
        function_fail(function, reason);
    table->count++;
}

/* Marks the bus behind a bridge, if it may be looked for. */
static void follow(const struct pci_header *header, unsigned bus, bool *wanted)
{
    if (header->type == 1 && header->secondary > bus && header->secondary <= header->subordinate)
        wanted[header->secondary] = true;
}

static void scan_bus(struct table *table, unsigned segment, unsigned bus, bool *wanted)
{
    uint8_t config[PCI_CONFIG_BYTES];
    struct pci_header header;

    for (unsigned device = 0; device < DEVICES; device++) {
        unsigned count = 1; /* more when function 0 says so */

        for (unsigned number = 0; number < count; number++) {
            device_address_t address = ADDRESS(segment, bus, device, number);

            if ((config_read(address, PCI_VENDOR, 4) & 0xFFFF) == 0xFFFF)
                continue;
            scan_copy(address, config);
            if (!pci_header_read(config, &header))
                continue;
            if (number == 0 && header.many_functions)
                count = FUNCTIONS;
            add_function(table, address, config, &header);
            follow(&header, bus, wanted);
        }
    }
}

static void scan_segment(struct table *table, const struct config_segment *segment)
{
    bool wanted[256] = {0};

    wanted[segment->first_bus] = true;
    for (unsigned bus = segment->first_bus; bus <= segment->last_bus; bus++)
        if (wanted[bus] && config_bus(ADDRESS(segment->number, bus, 0, 0)))
            scan_bus(table, segment->number, bus, wanted);
}

void scan_all(struct table *table)
{
    struct config_segment segment;

    memset(table, 0, sizeof *table);
    for (unsigned i = 0; config_segment(i, &segment); i++)
        scan_segment(table, &segment);
}

bool scan_same(const struct function *function)
{
    device_address_t address = function->ids.address;

    return config_bus(address) && config_read(address, PCI_VENDOR, 4) ==
                                      ((uint32_t)function->ids.device << 16 | function->ids.vendor);
}
