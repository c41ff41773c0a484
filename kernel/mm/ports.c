// SPDX-License-Identifier: MIT
/* ports.c - see ports.h. */
#include "mm/ports.h"

#include <stdatomic.h>
#include <stddef.h>

#include "core.h"
#include "mm/mapping.h"
#include "object/memory.h"
#include "object/process.h"
#include "sched/sched.h"

/* Sets the bits of every opening again: some were cleared with one that overlapped it. */
static void reopen_locked(struct process *process, struct tree_node *node)
{
    struct mapping *opening = mapping_of(node);

    if (opening == NULL)
        return;
    reopen_locked(process, node->left);
    /* The bitmap exists, so this allocates nothing and cannot fail. */
    (void)arch_ports_open(&process->ports, &process->quota, (uint32_t)node->key,
                          (uint32_t)opening->page_count);
    reopen_locked(process, node->right);
}

/* Ports are open, and every core has seen it: none sets its bit any more. One that has switched to the
 * process meanwhile by the old bits takes the ports over now. */
static void no_plain_switch(struct process *process)
{
    atomic_store(&process->aspace.arch.plain_on, 0);
    arch_ports_changed();
}

mnos_status_t ports_open(struct process *process, const struct cap_view *cap, uint32_t first,
                         uint32_t count)
{
    struct mapping *opening;
    mnos_status_t status;
    bool first_open;

    spin_lock(&process->aspace.lock);
    status = mapping_create(process, cap, first, 0, &opening);
    if (status == MNOS_OK) {
        status = arch_ports_open(&process->ports, &process->quota, first, count);
        if (status == MNOS_OK) {
            opening->page_count = count;
            tree_insert(&process->port_openings, &opening->node, first);
        } else {
            mapping_destroy(opening);
        }
    }
    first_open = status == MNOS_OK && process->open_ports == NULL;
    if (status == MNOS_OK)
        __atomic_store_n(&process->open_ports, process->ports, __ATOMIC_RELEASE);
    spin_unlock(&process->aspace.lock);
    if (status == MNOS_OK)
        arch_ports_changed(); /* cores that run the process have the bitmap loaded */
    if (first_open)
        no_plain_switch(process);
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
        arch_ports_close(process->ports, (uint32_t)opening->node.key,
                         (uint32_t)opening->page_count);
        tree_remove(&process->port_openings, &opening->node);
        mapping_destroy(opening);
        if (process->port_openings.root == NULL)
            __atomic_store_n(&process->open_ports, NULL, __ATOMIC_RELEASE);
        reopen_locked(process, process->port_openings.root);
    }
    spin_unlock(&process->aspace.lock);
    batch->ports = true;
    this_core()->tlb_pending = true;
    return true;
}

void ports_destroy(struct process *process)
{
    struct tree_node *node;

    spin_lock(&process->aspace.lock);
    while ((node = tree_first(&process->port_openings)) != NULL) {
        tree_remove(&process->port_openings, node);
        mapping_destroy(mapping_of(node));
    }
    spin_unlock(&process->aspace.lock);
    arch_ports_destroy(&process->ports, &process->quota);
}
