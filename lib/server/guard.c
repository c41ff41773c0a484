// SPDX-License-Identifier: MIT
/* guard - see guard.h. */
#include "lib/server/guard.h"

#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/upcall.h"

#define VECTOR_PAGE_FAULT 14u

static struct guard *first;
static mnos_cap_t spare; /* one page that stands for all that is gone */

static struct guard *guard_at(uint64_t address)
{
    for (struct guard *guard = first; guard != NULL; guard = guard->next)
        if (address - (uint64_t)guard->address < guard->pages * MNOS_PAGE_BYTES)
            return guard;
    return NULL;
}

/* What cannot be mended is met again without this handler, and ends the process. */
static void on_fault(struct mnos_fault *fault)
{
    struct guard *guard = fault->vector == VECTOR_PAGE_FAULT ? guard_at(fault->address) : NULL;
    uint64_t page = fault->address & ~((uint64_t)MNOS_PAGE_BYTES - 1);

    if (guard != NULL) {
        guard->lost = true;
        if (sys_mem_map(MNOS_SELF, spare, page, 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE) == MNOS_OK)
            return;
    }
    (void)!upcall_clear();
}

mnos_status_t guard_begin(void)
{
    mnos_status_t status = sys_mem_alloc(1, 0, &spare);

    return status == MNOS_OK ? upcall_set(on_fault, MNOS_UPCALL_FAULTS) : status;
}

mnos_status_t guard_map(struct guard *guard, mnos_cap_t memory, uint64_t pages)
{
    void *address;
    mnos_status_t status = memory_map(memory, 0, pages, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);

    if (status != MNOS_OK)
        return status;
    *guard = (struct guard){.address = address, .pages = pages, .next = first};
    first = guard;
    return MNOS_OK;
}

/* Where pages were lost some are the spare one and some are nothing: each goes by itself. */
static void unmap_each(const struct guard *guard)
{
    for (uint64_t i = 0; i < guard->pages; i++)
        (void)!sys_mem_unmap(MNOS_SELF, (uint64_t)guard->address + i * MNOS_PAGE_BYTES, 1);
}

void guard_unmap(struct guard *guard)
{
    struct guard **link = &first;

    if (guard->address == NULL)
        return;
    while (*link != guard)
        link = &(*link)->next;
    *link = guard->next;
    if (guard->lost)
        unmap_each(guard);
    memory_unmap(guard->address, guard->pages);
    *guard = (struct guard){0};
}
