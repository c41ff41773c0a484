// SPDX-License-Identifier: MIT
/* window - see window.h; and dma_open() of dma.h. */
#include "lib/driver/window.h"

#include "abi/inspect.h"
#include "lib/client/device.h"
#include "lib/driver/dma.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

static mnos_status_t map_part(struct window_part *out, mnos_cap_t devices, uint32_t bar,
                              uint32_t part)
{
    struct device_bar_part reply;
    mnos_cap_t memory;
    mnos_status_t status = device_bar(devices, bar, part, &reply, &memory);
    void *address;

    if (status != MNOS_OK)
        return status;
    status = memory_map(memory, 0, reply.page_count, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK) {
        (void)!sys_cap_delete(memory);
        return status;
    }
    out->offset = reply.offset;
    out->registers = (struct mmio){(uint8_t *)address + reply.page_offset, reply.bytes};
    return MNOS_OK;
}

mnos_status_t device_window_map(struct device_windows *windows, mnos_cap_t devices, uint32_t bar)
{
    mnos_status_t status = MNOS_OK;

    if (bar >= DEVICE_BARS)
        return MNOS_ERR_END;
    for (uint32_t part = windows->bars[bar].part_count;
         part < WINDOW_PARTS_MAX && status == MNOS_OK; part++) {
        status = map_part(&windows->bars[bar].parts[part], devices, bar, part);
        if (status == MNOS_OK)
            windows->bars[bar].part_count = part + 1;
    }
    return status == MNOS_ERR_END && windows->bars[bar].part_count != 0 ? MNOS_OK : status;
}

mnos_status_t device_registers_map(mnos_cap_t devices, uint32_t bar, struct mmio *registers)
{
    struct window_part part;
    mnos_status_t status = map_part(&part, devices, bar, 0);

    if (status == MNOS_OK && part.offset != 0)
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK)
        *registers = part.registers;
    return status;
}

bool device_window_part(const struct device_windows *windows, uint32_t bar, uint64_t offset,
                        uint64_t bytes, struct mmio *part)
{
    if (bar >= DEVICE_BARS)
        return false;
    for (uint32_t i = 0; i < windows->bars[bar].part_count; i++) {
        const struct window_part *have = &windows->bars[bar].parts[i];

        if (offset >= have->offset &&
            mmio_part(&have->registers, offset - have->offset, bytes, part))
            return true;
    }
    return false;
}

mnos_status_t dma_open(struct dma_memory *memory, mnos_cap_t devices, mnos_cap_t piece)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    struct device_dma dma;
    uint64_t size, pages;
    void *address;
    mnos_status_t status = sys_cap_inspect(piece, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    pages = info->count;
    status = device_dma_use(devices, piece, &dma, memory->table, DMA_BLOCKS_MAX);
    if (status != MNOS_OK)
        return status;
    if (dma.block_count > UINT64_MAX / dma.block_bytes ||
        dma.block_bytes * dma.block_count < pages * MNOS_PAGE_BYTES)
        return MNOS_ERR_FORMAT;
    status = memory_map(piece, 0, pages, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK)
        return status;
    memory->memory = piece;
    memory->address = address;
    memory->bytes = pages * MNOS_PAGE_BYTES;
    memory->taken = 0;
    memory->block_bytes = dma.block_bytes;
    memory->block_count = (uint32_t)dma.block_count;
    return MNOS_OK;
}

uint64_t dma_reach(mnos_cap_t devices, mnos_cap_t piece)
{
    static uint64_t table[DMA_BLOCKS_MAX];
    struct device_dma dma;

    if (device_dma_use(devices, piece, &dma, table, DMA_BLOCKS_MAX) != MNOS_OK ||
        dma.block_count == 0)
        return 0;
    for (uint64_t i = 1; i < dma.block_count; i++)
        if (table[i] != table[0] + i * dma.block_bytes)
            return 0;
    return table[0];
}
