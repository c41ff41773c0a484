// SPDX-License-Identifier: MIT
/* trace.c - see trace.h. */
#include "base/trace.h"

#include "boot/boot_code.h"
#include "tcb.h"

#define RING_RECORDS 512u

static struct mnos_trace *shared;
static unsigned watchers;

static uint64_t pages(void)
{
    return 1 + core_count * RING_RECORDS * sizeof(struct mnos_trace_record) / PAGE_BYTES;
}

BOOT_CODE uint64_t trace_bytes(void)
{
    return pages() * PAGE_BYTES;
}

BOOT_CODE void trace_init(void *memory)
{
    shared = memory;
    *shared = (struct mnos_trace){
        .magic = MNOS_TRACE_MAGIC,
        .core_count = core_count,
        .capacity = RING_RECORDS,
        .record_bytes = sizeof(struct mnos_trace_record),
        .rings_offset = PAGE_BYTES,
    };
}

paddr_t trace_frame(uint64_t *page_count)
{
    *page_count = pages();
    return virt_to_phys(shared);
}

void trace_watch(int change)
{
    watchers += (unsigned)change;
    for (uint32_t i = 0; i < core_count; i++)
        __atomic_store_n(&cores[i].tracing, watchers != 0, __ATOMIC_RELAXED);
}

void trace_record(struct core *core, enum mnos_trace_event event, uint64_t first, uint64_t second)
{
    struct mnos_trace_record *rings = (void *)((char *)shared + PAGE_BYTES);
    uint64_t number = shared->cores[core->index].written;

    rings[core->index * RING_RECORDS + number % RING_RECORDS] = (struct mnos_trace_record){
        .tsc = arch_cycles(),
        .event = (uint16_t)event,
        .core = (uint16_t)core->index,
        .thread = core->current == NULL ? 0 : (uint32_t)core->current->obj.id,
        .words = {first, second},
    };
    /* Release: who sees the count sees the record. */
    __atomic_store_n(&shared->cores[core->index].written, number + 1, __ATOMIC_RELEASE);
}
