// SPDX-License-Identifier: MIT
/*
 * mapping.h - the record of one range of a Memory capability in one process: pages in its address
 * space (aspace.h), or I/O ports it may use (ports.h).
 *
 * It belongs to its process, which pays for it and whose aspace lock guards it, and is in the list of
 * the capability it was made through, which the memory object's mappings_lock guards.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "cap/capability.h"
#include "lib/base/list.h"
#include "lib/base/tree.h"
#include "object/memory.h"

struct process;

struct mapping {
    struct tree_node node; /* key: address; for ports the first port */
    struct process *process;
    struct memory *memory;
    struct capability *cap;
    struct mapping *next; /* in cap->mappings */
    struct mapping **link;
    uint64_t first_page; /* within the memory object */
    uint64_t page_count;
    uint64_t
        serial; /* of all mappings of its process, past ones included, only this has it; constant */
    uint32_t rights; /* enum map_rights */
    uint32_t most;   /* those of them that say READ, WRITE and EXECUTE, as it was made; constant */
    /* What goes on while it lasts: bit n of the log's devices is the process's, or MAPPING_TRACE. */
    uint32_t watch;
};

#define MAPPING_TRACE (1u << 31) /* events are recorded */

static inline uint64_t mapping_end(const struct mapping *mapping)
{
    return mapping->node.key + mapping->page_count * PAGE_BYTES;
}

static inline struct mapping *mapping_of(struct tree_node *node)
{
    return node == NULL ? NULL : container_of(node, struct mapping, node);
}

/* A mapping of nothing yet, from page `first` of the object, in the list of `cap`, in no tree. The aspace
 * lock is held. MNOS_ERR_HANDLE: the capability is gone; MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t mapping_create(struct process *process, const struct cap_view *cap, uint64_t first,
                             unsigned rights, struct mapping **mapping);
/* Makes it one through `cap`, from page `first` of its object on, with these rights, and as many pages: a mapping of its own,
 * with a new serial number. Its entries still lead to the old pages; the core is marked (tlb_pending) before the old
 * memory loses sight of it. MNOS_ERR_HANDLE: the capability is gone, and nothing has changed. */
mnos_status_t mapping_exchange(struct mapping *mapping, const struct cap_view *cap, uint64_t first,
                               unsigned rights);
/* A further mapping like `mapping`, of pages that are still to be told, also when its capability is
 * already being drained. */
mnos_status_t mapping_twin(struct mapping *mapping, struct mapping **twin);
/* It is going to cover `count` pages, or ports: whoever has to know is told. Once, before it is used. */
void mapping_tell(struct mapping *mapping, uint64_t count);
static inline void mapping_watch(struct mapping *mapping, uint64_t count);
/* Takes it out of its address space, which is locked, and frees it. */
void mapping_remove(struct mapping *mapping);
/* It is in no tree any more. */
void mapping_destroy(struct mapping *mapping);

/* The first mapping made through `cap` and the process it is in; NULL: there is none. */
struct process *mapping_first_of(struct memory *memory, struct capability *cap,
                                 struct mapping **mapping);
/* True when it still is, now that the process's aspace lock is held. */
bool mapping_is_first(const struct mapping *mapping, const struct process *process,
                      struct memory *memory, const struct capability *cap);

void mapping_caches_create(void);

static inline void mapping_watch(struct mapping *mapping, uint64_t count)
{
    if (mapping->memory->watched)
        mapping_tell(mapping, count);
}
