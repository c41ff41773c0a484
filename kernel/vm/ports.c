// SPDX-License-Identifier: MIT
/* ports.c - see ports.h. */
#include "vm/ports.h"

#include <stdatomic.h>
#include <stddef.h>

#include "core.h"
#include "vm/mapping.h"
#include "object/memory.h"
#include "object/process.h"
#include "sched/sched.h"

/* In the tree of mappings a port stands where its page would be beyond all user addresses. */
#define PORTS_BASE (1ull << 63)
_Static_assert(PORTS_BASE >= MNOS_USER_END, "ports are behind all pages");

static uint64_t key_of(uint32_t port)
{
    return PORTS_BASE + port * PAGE_BYTES;
}

static uint32_t first_port(const struct mapping *opening)
{
    return (uint32_t)((opening->node.key - PORTS_BASE) / PAGE_BYTES);
}

/* The order matters: a core that loads the process's ports later sees them open, or its bit in plain_on is
 * cleared here, or it clears that itself (thread_arch.c). */
static void announce_locked(struct process *process)
{
    atomic_store(&process->open_ports, process->ports);
    atomic_store(&process->aspace.arch.plain_on, 0);
}

static mnos_status_t open_locked(struct process *process, const struct cap_view *cap,
                                 uint32_t first, uint32_t count)
{
    struct mapping *opening;
    mnos_status_t status;

    if (aspace_overlaps_locked(&process->aspace, key_of(first), count))
        return MNOS_ERR_OVERLAP;
    status = mapping_create(process, cap, first, 0, &opening);
    if (status != MNOS_OK)
        return status;
    mapping_watch(opening, count);
    status = arch_ports_open(&process->ports, &process->quota, first, count);
    if (status != MNOS_OK) {
        mapping_destroy(opening);
        return status;
    }
    opening->page_count = count;
    tree_insert(&process->aspace.mappings, &opening->node, key_of(first));
    announce_locked(process);
    return MNOS_OK;
}

mnos_status_t ports_open(struct process *process, const struct cap_view *cap, uint32_t first,
                         uint32_t count)
{
    mnos_status_t status;

    spin_lock(&process->aspace.lock);
    status = open_locked(process, cap, first, count);
    spin_unlock(&process->aspace.lock);
    /* Cores that run the process have the old bitmap loaded. It may end while they are waited for. */
    if (status == MNOS_OK)
        arch_ports_changed();
    return status;
}

bool ports_close_one_of(struct memory *memory, struct capability *cap, struct tlb_batch *batch)
{
    struct mapping *opening;
    struct process *process = mapping_first_of(memory, cap, &opening);

    if (process == NULL)
        return false;
    spin_lock(&process->aspace.lock);
    if (mapping_is_first(opening, process, memory, cap)) {
        if (process->ports != NULL) /* else the process ends */
            arch_ports_close(process->ports, first_port(opening), (uint32_t)opening->page_count);
        tree_remove(&process->aspace.mappings, &opening->node);
        mapping_destroy(opening);
        if (tree_at_or_above(&process->aspace.mappings, PORTS_BASE) == NULL)
            atomic_store(&process->open_ports, NULL);
    }
    spin_unlock(&process->aspace.lock);
    batch->ports = true;
    this_core()->tlb_pending = true;
    return true;
}

void ports_destroy(struct process *process)
{
    spin_lock(&process->aspace.lock);
    atomic_store(&process->open_ports, NULL);
    arch_ports_destroy(&process->ports, &process->quota);
    spin_unlock(&process->aspace.lock);
}
