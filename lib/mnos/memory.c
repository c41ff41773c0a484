// SPDX-License-Identifier: MIT
/* memory - see memory.h. */
#include "lib/mnos/memory.h"

#include "abi/inspect.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/lock.h"
#include "lib/mnos/ranges.h"
#include "lib/mnos/syscall.h"

static struct mutex lock; /* guards the two below */
static struct ranges ranges;
static bool ready;

mnos_status_t address_reserve(uint64_t page_count, uint64_t *address)
{
    uint64_t first;
    bool found;

    if (page_count == 0)
        return MNOS_ERR_ARGUMENT;
    mutex_lock(&lock);
    if (!ready) {
        ranges_init(&ranges, LAYOUT_MAPPINGS / MNOS_PAGE_BYTES,
                    (LAYOUT_MAPPINGS_END - LAYOUT_MAPPINGS) / MNOS_PAGE_BYTES);
        ready = true;
    }
    found = ranges_take(&ranges, page_count, &first);
    mutex_unlock(&lock);
    if (!found)
        return MNOS_ERR_MEMORY;
    *address = first * MNOS_PAGE_BYTES;
    return MNOS_OK;
}

void address_release(uint64_t address, uint64_t page_count)
{
    mutex_lock(&lock);
    ranges_give(&ranges, address / MNOS_PAGE_BYTES, page_count);
    mutex_unlock(&lock);
}

mnos_status_t memory_map(mnos_cap_t memory, uint64_t first_page, uint64_t page_count,
                         uint64_t flags, void **address)
{
    uint64_t at;
    mnos_status_t status = address_reserve(page_count, &at);

    if (status != MNOS_OK)
        return status;
    status = sys_mem_map(MNOS_SELF, memory, at, first_page, page_count, flags);
    if (status != MNOS_OK) {
        address_release(at, page_count);
        return status;
    }
    *address = (void *)at;
    return MNOS_OK;
}

void memory_unmap(void *address, uint64_t page_count)
{
    /* Fails only when the capability is gone, and then the mapping is too. */
    (void)!sys_mem_unmap(MNOS_SELF, (uint64_t)address, page_count);
    address_release((uint64_t)address, page_count);
}

mnos_status_t memory_map_all(mnos_cap_t memory, uint64_t flags, void **address,
                             uint64_t *page_count)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;
    mnos_status_t status = sys_cap_inspect(memory, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    *page_count = info->count;
    return memory_map(memory, 0, *page_count, flags, address);
}

mnos_status_t memory_allocate(uint64_t page_count, struct memory_block *block)
{
    mnos_cap_t memory;
    void *address;
    mnos_status_t status = sys_mem_alloc(page_count, 0, &memory);

    if (status != MNOS_OK)
        return status;
    status = memory_map(memory, 0, page_count, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK) {
        (void)!sys_cap_delete(memory);
        return status;
    }
    *block = (struct memory_block){memory, address, page_count};
    return MNOS_OK;
}

void memory_free(const struct memory_block *block)
{
    memory_unmap(block->address, block->page_count);
    (void)!sys_cap_delete(block->memory);
}
