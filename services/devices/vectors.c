// SPDX-License-Identifier: MIT
/* vectors - see vectors.h. "PCI Local Bus Specification" 3.0, section 6.8. */
#include "services/devices/vectors.h"

#include "lib/base/string.h"
#include "services/devices/config.h"
#include "services/devices/registers.h"

static bool table_map(const struct function *function, struct registers *registers)
{
    const struct pci_msix *msix = &function->msix;

    return registers_map(registers, function->bars[msix->table_bar].address + msix->table_offset,
                         (uint64_t)msix->vectors * PCI_MSIX_ENTRY_BYTES);
}

static void msix_control(const struct function *function, uint32_t set, uint32_t clear)
{
    unsigned at = function->msix.at + PCI_MSIX_CONTROL;
    uint32_t control = config_read(function->ids.address, at, 2);

    config_write(function->ids.address, at, 2, (control | set) & ~clear);
}

/* A driver before this one may have left entries on: all are masked while the whole function is. */
static bool msix_begin(const struct function *function)
{
    struct registers registers;

    if (!table_map(function, &registers))
        return false;
    msix_control(function, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL, 0);
    for (unsigned i = 0; i < function->msix.vectors; i++)
        mmio_write32(&registers.window, i * PCI_MSIX_ENTRY_BYTES + PCI_MSIX_ENTRY_CONTROL,
                     PCI_MSIX_ENTRY_MASKED);
    msix_control(function, 0, PCI_MSIX_MASK_ALL);
    registers_unmap(&registers);
    return true;
}

static void msi_program(const struct function *function, const struct message_lines *lines)
{
    device_address_t address = function->ids.address;
    const struct pci_msi *msi = &function->msi;
    uint32_t control, log2 = 0;

    while (1u << log2 < function->line_count)
        log2++;
    control = config_read(address, msi->at + PCI_MSI_CONTROL, 2) &
              ~(uint32_t)(PCI_MSI_ENABLE | 7 << PCI_MSI_MULTIPLE_SHIFT);
    config_write(address, msi->at + PCI_MSI_CONTROL, 2, control);
    config_write(address, msi->at + PCI_MSI_ADDRESS, 4, (uint32_t)lines->address);
    if (msi->wide)
        config_write(address, msi->at + PCI_MSI_ADDRESS + 4, 4, (uint32_t)(lines->address >> 32));
    config_write(address, msi->data, 2, lines->data + function->lines[0]);
    if (msi->mask != 0)
        config_write(address, msi->mask, 4, 0);
    config_write(address, msi->at + PCI_MSI_CONTROL, 2,
                 control | PCI_MSI_ENABLE | log2 << PCI_MSI_MULTIPLE_SHIFT);
}

/* As many of its vectors as there are lines for, in a row that begins at a multiple of their
 * number. */
static bool msi_begin(struct table *table, struct function *function,
                      const struct message_lines *lines)
{
    unsigned count = function->msi.vectors;
    uint8_t first = LINE_NONE;

    if (function->line_count == 0) {
        while (count > DEVICE_VECTORS_MAX)
            count /= 2;
        for (; count != 0; count /= 2) {
            first = table_free_lines(table, count, lines->count);
            if (first != LINE_NONE)
                break;
        }
        if (first == LINE_NONE)
            return false;
        for (unsigned i = 0; i < count; i++)
            function->lines[i] = (uint8_t)(first + i);
        function->line_count = (uint8_t)count;
    }
    msi_program(function, lines);
    return true;
}

bool vectors_begin(struct table *table, struct function *function,
                   const struct message_lines *lines)
{
    if (function->msix.at != 0)
        return msix_begin(function);
    return msi_begin(table, function, lines);
}

unsigned vectors_count(const struct function *function)
{
    if (function->msix.at == 0)
        return function->line_count;
    return function->msix.vectors < DEVICE_VECTORS_MAX ? function->msix.vectors
                                                       : DEVICE_VECTORS_MAX;
}

static bool msix_set(const struct function *function, const struct message_lines *lines,
                     unsigned index)
{
    uint64_t at = index * PCI_MSIX_ENTRY_BYTES;
    struct registers registers;

    if (!table_map(function, &registers))
        return false;
    mmio_write32(&registers.window, at + PCI_MSIX_ENTRY_CONTROL, PCI_MSIX_ENTRY_MASKED);
    mmio_write32(&registers.window, at, (uint32_t)lines->address);
    mmio_write32(&registers.window, at + 4, (uint32_t)(lines->address >> 32));
    mmio_write32(&registers.window, at + PCI_MSIX_ENTRY_DATA, lines->data + function->lines[index]);
    mmio_write32(&registers.window, at + PCI_MSIX_ENTRY_CONTROL, 0);
    registers_unmap(&registers);
    return true;
}

mnos_status_t vectors_set(struct table *table, struct function *function,
                          const struct message_lines *lines, unsigned index)
{
    if (index >= vectors_count(function))
        return MNOS_ERR_END;
    if (function->msix.at == 0)
        return MNOS_OK; /* it has its lines since CLAIM */
    if (function->lines[index] == LINE_NONE) {
        function->lines[index] = table_free_lines(table, 1, lines->count);
        if (function->lines[index] == LINE_NONE)
            return MNOS_ERR_QUOTA;
        if (function->line_count <= index)
            function->line_count = (uint8_t)(index + 1);
    }
    return msix_set(function, lines, index) ? MNOS_OK : MNOS_ERR_MEMORY;
}

void vectors_off(const struct function *function)
{
    device_address_t address = function->ids.address;

    if (function->msix.at != 0)
        msix_control(function, PCI_MSIX_MASK_ALL, 0);
    if (function->msi.at != 0) {
        unsigned at = function->msi.at + PCI_MSI_CONTROL;

        config_write(address, at, 2, config_read(address, at, 2) & ~(uint32_t)PCI_MSI_ENABLE);
    }
}

void vectors_release(struct function *function)
{
    memset(function->lines, LINE_NONE, sizeof function->lines);
    function->line_count = 0;
}
