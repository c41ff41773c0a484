// SPDX-License-Identifier: MIT
/* config - see config.h. */
#include "lib/format/pci/config.h"

#include "lib/format/bytes.h"

/* A list in 192 bytes of capabilities of at least 4 bytes. */
#define CAPABILITIES_MAX ((PCI_CONFIG_BYTES - PCI_CAPABILITIES_FIRST) / 4)

enum {
    STATUS_CAPABILITIES = 1 << 4,
    HEADER_TYPE_MASK = 0x7F,
    HEADER_MANY_FUNCTIONS = 0x80,
    HEADER_FUNCTION = 0,
    HEADER_BRIDGE = 1,

    BAR_PORTS = 1,
    BAR_TYPE_MASK = 6,
    BAR_TYPE_64 = 4,
    BAR_PREFETCHABLE = 8,

    MSI_WIDE = 1 << 7,
    MSI_MASKABLE = 1 << 8,
    MSIX_SIZE_MASK = 0x7FF,
    MSIX_BAR_MASK = 7,

    EXPRESS_CAPABILITIES = 4,
    EXPRESS_BYTES = 12,
    AF_CAPABILITIES = 3,
    AF_RESET = 1 << 1,
    AF_BYTES = 6,
    POWER_BYTES = 8,
};
#define EXPRESS_RESET (1ull << 28)

bool pci_header_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_header *header)
{
    uint8_t type = config[PCI_HEADER_TYPE];

    *header = (struct pci_header){
        .vendor = (uint16_t)bytes_get(config + PCI_VENDOR, 2),
        .device = (uint16_t)bytes_get(config + PCI_DEVICE, 2),
        .class_code = (uint32_t)bytes_get(config + PCI_REVISION + 1, 3),
        .revision = config[PCI_REVISION],
        .type = type & HEADER_TYPE_MASK,
        .many_functions = (type & HEADER_MANY_FUNCTIONS) != 0,
        .has_capabilities = (bytes_get(config + PCI_STATUS, 2) & STATUS_CAPABILITIES) != 0,
    };
    /* 0xFFFF is what nobody answers with; 0 is no vendor either. */
    if (header->vendor == 0xFFFF || header->vendor == 0)
        return false;
    if (header->type == HEADER_FUNCTION) {
        header->bar_count = PCI_BARS;
        header->subsystem_vendor = (uint16_t)bytes_get(config + PCI_SUBSYSTEM_VENDOR, 2);
        header->subsystem = (uint16_t)bytes_get(config + PCI_SUBSYSTEM, 2);
    } else if (header->type == HEADER_BRIDGE) {
        header->bar_count = 2;
        header->secondary = config[PCI_SECONDARY_BUS];
        header->subordinate = config[PCI_SUBORDINATE_BUS];
    }
    return true;
}

void pci_bar_read(uint32_t value, uint32_t mask, uint32_t high_value, uint32_t high_mask,
                  bool has_next, struct pci_bar *bar)
{
    uint64_t size_mask, address;
    uint32_t flags = (value & BAR_PORTS) != 0 ? 3 : 15;

    *bar = (struct pci_bar){.ports = (value & BAR_PORTS) != 0};
    if (!bar->ports) {
        bar->wide = (value & BAR_TYPE_MASK) == BAR_TYPE_64;
        bar->prefetchable = (value & BAR_PREFETCHABLE) != 0;
    }
    if (mask == 0 || mask == UINT32_MAX || (bar->wide && !has_next))
        return;
    size_mask = mask & ~flags;
    address = value & ~flags;
    if (bar->wide) {
        size_mask |= (uint64_t)high_mask << 32;
        address |= (uint64_t)high_value << 32;
    } else {
        /* The upper half of a port BAR may be wired to 0: ports have 16 bits. */
        size_mask |= bar->ports && size_mask >> 16 == 0 ? 0xFFFFFFFFFFFF0000ull : ~0ull << 32;
    }
    /* The bits that can be set are all from one on; an address that is not a multiple of the size
     * is none. */
    if (size_mask == 0 || (~size_mask & (~size_mask + 1)) != 0 || (address & ~size_mask) != 0)
        return;
    bar->bytes = ~size_mask + 1;
    bar->address = address;
}

/* The place after `at`, or the first for 0; 0: the list ends. Places are multiples of 4. */
static uint8_t next_capability(const uint8_t *config, uint8_t at)
{
    uint8_t next = (at == 0 ? config[PCI_CAPABILITIES] : config[at + 1]) & 0xFC;

    return next >= PCI_CAPABILITIES_FIRST ? next : 0;
}

/* The list may lead in a circle: no more steps than it can have members. */
#define FOR_EACH_CAPABILITY(config, at)                                                            \
    for (unsigned step_ = 0; has_list(config) && step_ < CAPABILITIES_MAX &&                       \
                             ((at) = next_capability(config, (at))) != 0;                          \
         step_++)

static bool has_list(const uint8_t *config)
{
    return (bytes_get(config + PCI_STATUS, 2) & STATUS_CAPABILITIES) != 0;
}

uint8_t pci_capability_find(const uint8_t config[PCI_CONFIG_BYTES], uint8_t id, unsigned index)
{
    uint8_t at = 0;

    FOR_EACH_CAPABILITY(config, at)
    if (config[at] == id && index-- == 0)
        return at;
    return 0;
}

size_t pci_capability_bytes(const uint8_t config[PCI_CONFIG_BYTES], uint8_t at)
{
    size_t end = PCI_CONFIG_BYTES;
    uint8_t other = 0;

    FOR_EACH_CAPABILITY(config, other)
    if (other > at && other < end)
        end = other;
    return end - at;
}

/* A capability of at least `bytes` that ends within the space; 0: there is none. */
static uint8_t find_whole(const uint8_t *config, uint8_t id, unsigned bytes)
{
    uint8_t at = pci_capability_find(config, id, 0);

    return at != 0 && at + bytes <= PCI_CONFIG_BYTES ? at : 0;
}

void pci_msi_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_msi *msi)
{
    uint8_t at = find_whole(config, PCI_CAP_MSI, 10);
    uint16_t control;
    unsigned log2, data, bytes;

    *msi = (struct pci_msi){0};
    if (at == 0)
        return;
    control = (uint16_t)bytes_get(config + at + PCI_MSI_CONTROL, 2);
    log2 = control >> 1 & 7;
    data = control & MSI_WIDE ? 12 : 8;
    bytes = data + (control & MSI_MASKABLE ? 8 : 2);
    if (log2 > 5 || at + bytes > PCI_CONFIG_BYTES)
        return;
    *msi = (struct pci_msi){
        .at = at,
        .wide = (control & MSI_WIDE) != 0,
        .data = (uint8_t)(at + data),
        .mask = (uint8_t)(control & MSI_MASKABLE ? at + data + 4 : 0),
        .vectors = (uint16_t)(1u << log2),
    };
}

void pci_msix_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_msix *msix)
{
    uint8_t at = find_whole(config, PCI_CAP_MSIX, 12);
    uint32_t table, pending;

    *msix = (struct pci_msix){0};
    if (at == 0)
        return;
    table = (uint32_t)bytes_get(config + at + 4, 4);
    pending = (uint32_t)bytes_get(config + at + 8, 4);
    if ((table & MSIX_BAR_MASK) >= PCI_BARS || (pending & MSIX_BAR_MASK) >= PCI_BARS)
        return;
    *msix = (struct pci_msix){
        .at = at,
        .table_bar = table & MSIX_BAR_MASK,
        .table_offset = table & ~(uint32_t)MSIX_BAR_MASK,
        .pending_bar = pending & MSIX_BAR_MASK,
        .pending_offset = pending & ~(uint32_t)MSIX_BAR_MASK,
        .vectors = (uint16_t)((bytes_get(config + at + PCI_MSIX_CONTROL, 2) & MSIX_SIZE_MASK) + 1),
    };
}

void pci_stop_read(const uint8_t config[PCI_CONFIG_BYTES], struct pci_stop *stop)
{
    uint8_t at = find_whole(config, PCI_CAP_EXPRESS, EXPRESS_BYTES);

    *stop = (struct pci_stop){0};
    if (at != 0 && (bytes_get(config + at + EXPRESS_CAPABILITIES, 4) & EXPRESS_RESET) != 0)
        stop->express_reset = at;
    at = find_whole(config, PCI_CAP_AF, AF_BYTES);
    if (at != 0 && (config[at + AF_CAPABILITIES] & AF_RESET) != 0)
        stop->af_reset = at;
    at = find_whole(config, PCI_CAP_POWER, POWER_BYTES);
    if (at != 0 && (config[at + PCI_POWER_CONTROL] & PCI_POWER_KEEPS_STATE) == 0)
        stop->power = at;
}
