// SPDX-License-Identifier: MIT
/*
 * config - see config.h. Each bus that is used is mapped as a whole, 1 MiB of addresses and half a
 * page of page tables, for good: functions are looked at again when their drivers die.
 */
#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/driver/mmio.h"
#include "lib/driver/ports.h"
#include "lib/format/pci/mcfg.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "services/devices/config_open.h"

#define SEGMENTS_MAX 8u
#define BUSES_MAX 256u
#define BUS_PAGES (MCFG_BUS_BYTES / MNOS_PAGE_BYTES)
#define FUNCTION_BYTES 4096u

/* "PCI Local Bus Specification" 3.0, section 3.2.2.3.2, configuration mechanism 1. */
#define PORT_ADDRESS 0xCF8
#define PORT_DATA 0xCFC
#define PORT_ENABLE 0x80000000u

static struct {
    bool by_ports;
    unsigned segment_count;
    struct mcfg_segment segments[SEGMENTS_MAX];
    unsigned bus_count;
    struct {
        device_address_t address; /* of its first function */
        struct mmio window;
    } buses[BUSES_MAX];
} space;

/* ---- accesses ---- */

static uint32_t port_read(device_address_t address, unsigned offset, unsigned bytes)
{
    uint16_t port = (uint16_t)(PORT_DATA + offset % 4);

    port_write32(PORT_ADDRESS, PORT_ENABLE | address << 8 | (offset & ~3u));
    if (bytes == 1)
        return port_read8(port);
    return bytes == 2 ? port_read16(port) : port_read32(port);
}

static void port_write(device_address_t address, unsigned offset, unsigned bytes, uint32_t value)
{
    uint16_t port = (uint16_t)(PORT_DATA + offset % 4);

    port_write32(PORT_ADDRESS, PORT_ENABLE | address << 8 | (offset & ~3u));
    if (bytes == 1)
        port_write8(port, (uint8_t)value);
    else if (bytes == 2)
        port_write16(port, (uint16_t)value);
    else
        port_write32(port, value);
}

/* The function's 4 KiB; false: its bus was not made reachable. */
static bool function_window(device_address_t address, struct mmio *window)
{
    for (unsigned i = 0; i < space.bus_count; i++)
        if (space.buses[i].address >> 8 == address >> 8)
            return mmio_part(&space.buses[i].window, (address & 0xFF) * FUNCTION_BYTES,
                             FUNCTION_BYTES, window);
    return false;
}

uint32_t config_read(device_address_t address, unsigned offset, unsigned bytes)
{
    struct mmio window;

    if (space.by_ports)
        return ADDRESS_SEGMENT(address) == 0 ? port_read(address, offset, bytes) : UINT32_MAX;
    if (!function_window(address, &window))
        return UINT32_MAX >> (32 - 8 * bytes);
    switch (bytes) {
    case 1: return mmio_read8(&window, offset);
    case 2: return mmio_read16(&window, offset);
    default: return mmio_read32(&window, offset);
    }
}

void config_write(device_address_t address, unsigned offset, unsigned bytes, uint32_t value)
{
    struct mmio window;

    if (space.by_ports) {
        if (ADDRESS_SEGMENT(address) == 0)
            port_write(address, offset, bytes, value);
        return;
    }
    if (!function_window(address, &window))
        return;
    switch (bytes) {
    case 1: mmio_write8(&window, offset, (uint8_t)value); break;
    case 2: mmio_write16(&window, offset, (uint16_t)value); break;
    default: mmio_write32(&window, offset, value); break;
    }
}

/* ---- which buses there are ---- */

bool config_segment(unsigned index, struct config_segment *segment)
{
    if (space.by_ports) {
        *segment = (struct config_segment){.last_bus = 255};
        return index == 0;
    }
    if (index >= space.segment_count)
        return false;
    *segment =
        (struct config_segment){space.segments[index].number, space.segments[index].first_bus,
                                space.segments[index].last_bus};
    return true;
}

static const struct mcfg_segment *segment_of(device_address_t address)
{
    for (unsigned i = 0; i < space.segment_count; i++) {
        const struct mcfg_segment *segment = &space.segments[i];

        if (segment->number == ADDRESS_SEGMENT(address) &&
            segment->first_bus <= ADDRESS_BUS(address) && ADDRESS_BUS(address) <= segment->last_bus)
            return segment;
    }
    return NULL;
}

static bool map_bus(const struct mcfg_segment *segment, device_address_t address)
{
    uint64_t first = segment->address / MNOS_PAGE_BYTES + ADDRESS_BUS(address) * BUS_PAGES;
    void *mapped;
    mnos_status_t status = memory_map(bootstrap_cap("device"), first, BUS_PAGES,
                                      MNOS_MAP_READ | MNOS_MAP_WRITE, &mapped);

    if (status != MNOS_OK) {
        log_error(status, "map the configuration space of a bus");
        return false;
    }
    space.buses[space.bus_count].address = address & ~0xFFu;
    space.buses[space.bus_count].window = (struct mmio){mapped, MCFG_BUS_BYTES};
    space.bus_count++;
    return true;
}

bool config_bus(device_address_t address)
{
    const struct mcfg_segment *segment;
    struct mmio window;

    if (space.by_ports)
        return ADDRESS_SEGMENT(address) == 0;
    segment = segment_of(address);
    if (segment == NULL)
        return false;
    if (function_window(address, &window))
        return true;
    return space.bus_count < BUSES_MAX && map_bus(segment, address);
}

bool config_overlaps(uint64_t address, uint64_t bytes)
{
    for (unsigned i = 0; i < space.segment_count; i++) {
        const struct mcfg_segment *segment = &space.segments[i];
        uint64_t first = segment->address + segment->first_bus * MCFG_BUS_BYTES;
        uint64_t end = segment->address + (segment->last_bus + 1) * MCFG_BUS_BYTES;

        if (address < end && first < address + bytes)
            return true;
    }
    return false;
}

/* ---- at start ---- */

static bool inspect(mnos_cap_t cap, struct mnos_cap_info *info)
{
    uint64_t size;

    if (cap == 0 || sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return false;
    memcpy(info, ipc_buffer()->data, sizeof *info);
    return true;
}

/* Takes down what the MCFG says, if the firmware has one. */
static void read_segments(void)
{
    mnos_cap_t acpi = bootstrap_find("acpi");
    struct mnos_cap_info tables, device;
    const uint8_t *mcfg;
    size_t bytes;
    void *region;

    if (!inspect(acpi, &tables) || !inspect(bootstrap_cap("device"), &device) ||
        memory_map(acpi, 0, tables.count, MNOS_MAP_READ, &region) != MNOS_OK)
        return;
    mcfg = mcfg_find(region, (size_t)tables.count * MNOS_PAGE_BYTES, &bytes);
    while (mcfg != NULL && space.segment_count < SEGMENTS_MAX &&
           mcfg_segment(mcfg, bytes, space.segment_count, device.count * MNOS_PAGE_BYTES,
                        &space.segments[space.segment_count]))
        space.segment_count++;
    memory_unmap(region, tables.count);
}

mnos_status_t config_open(void)
{
    uint64_t first, count;

    read_segments();
    if (space.segment_count != 0)
        return MNOS_OK;
    space.by_ports = true;
    return ports_open(bootstrap_find("config_ports"), &first, &count);
}

const char *config_way(void)
{
    return space.by_ports ? "I/O ports 0xcf8 and 0xcfc" : "memory (ECAM)";
}
