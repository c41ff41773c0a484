// SPDX-License-Identifier: MIT
/* mapping.c - see mapping.h. */
#include "vm/mapping.h"

#include <stddef.h>

#include "boot/boot_code.h"
#include "base/log.h"
#include "core.h"
#include "mm/slab.h"
#include "object/memory.h"
#include "object/process.h"
#include "base/trace.h"

static struct slab_cache *mapping_cache;

BOOT_CODE void mapping_caches_create(void)
{
    mapping_cache = slab_cache_create("mapping", sizeof(struct mapping), 8);
}

[[gnu::always_inline]] static inline void leave_cap(struct mapping *mapping)
{
    spin_lock(&mapping->memory->mappings_lock);
    *mapping->link = mapping->next;
    if (mapping->next != NULL)
        mapping->next->link = mapping->link;
    if (mapping->watch == MAPPING_TRACE)
        trace_watch(-1);
    else if (mapping->watch != 0)
        log_release(mapping->watch);
    spin_unlock(&mapping->memory->mappings_lock);
}

void mapping_tell(struct mapping *mapping, uint64_t count)
{
    const struct memory *memory = mapping->memory;

    spin_lock(&mapping->memory->mappings_lock);
    if (memory->flavour == MNOS_MEMORY_RAM) {
        mapping->watch = MAPPING_TRACE;
        trace_watch(1);
    } else if (memory->flavour == MNOS_MEMORY_PORTS) {
        mapping->watch = log_claim(LOG_PORTS, memory->single.frame + mapping->first_page, count);
    } else if ((mapping->rights & MAP_WRITE) != 0) {
        mapping->watch =
            log_claim(LOG_FRAMES, memory->single.frame / PAGE_BYTES + mapping->first_page, count);
    }
    spin_unlock(&mapping->memory->mappings_lock);
}

/* In the place of `from`, which is in the list of its capability and is no longer afterwards. */
static void take_place(struct mapping *mapping, const struct mapping *from)
{
    spin_lock(&from->memory->mappings_lock);
    mapping->memory = from->memory;
    mapping->cap = from->cap;
    mapping->next = from->next;
    mapping->link = from->link;
    *mapping->link = mapping;
    if (mapping->next != NULL)
        mapping->next->link = &mapping->next;
    spin_unlock(&from->memory->mappings_lock);
}

/* Puts it into the list of `view`'s capability, if that still exists. */
[[gnu::always_inline]] static inline bool join_cap(struct mapping *mapping,
                                                   const struct cap_view *view)
{
    bool alive;

    spin_lock(&mapping->memory->mappings_lock);
    alive = cap_alive(view);
    if (alive) {
        mapping->cap = view->slot;
        mapping->next = view->slot->mappings;
        mapping->link = &view->slot->mappings;
        if (mapping->next != NULL)
            mapping->next->link = &mapping->next;
        view->slot->mappings = mapping;
    }
    spin_unlock(&mapping->memory->mappings_lock);
    return alive;
}

mnos_status_t mapping_create(struct process *process, const struct cap_view *cap, uint64_t first,
                             unsigned rights, struct mapping **created)
{
    struct mapping *mapping;
    void *object;
    mnos_status_t status = quota_slab_take(&process->quota, mapping_cache, &object);

    if (status != MNOS_OK)
        return status;
    mapping = object;
    mapping->process = process;
    mapping->memory = memory_of(cap->object);
    mapping->first_page = first;
    mapping->page_count = 0;
    mapping->serial = ++process->aspace.last_serial;
    mapping->rights = rights;
    mapping->most = rights & (MAP_READ | MAP_WRITE | MAP_EXECUTE);
    mapping->watch = 0;
    if (!join_cap(mapping, cap)) {
        quota_slab_free(&process->quota, mapping_cache, mapping);
        return MNOS_ERR_HANDLE;
    }
    *created = mapping;
    return MNOS_OK;
}

/* Who revokes meanwhile may find the stand-in in the list, and waits for the address space's lock, which is held. */
mnos_status_t mapping_exchange(struct mapping *mapping, const struct cap_view *cap, uint64_t first,
                               unsigned rights)
{
    struct mapping stand_in = {.process = mapping->process, .memory = (struct memory *)cap->object};

    if (!join_cap(&stand_in, cap))
        return MNOS_ERR_HANDLE;
    this_core()->tlb_pending = true;
    leave_cap(mapping);
    take_place(mapping, &stand_in);
    mapping->first_page = first;
    mapping->serial = ++mapping->process->aspace.last_serial;
    mapping->rights = rights;
    mapping->most = rights & (MAP_READ | MAP_WRITE | MAP_EXECUTE);
    mapping->watch = 0;
    mapping_watch(mapping, mapping->page_count);
    return MNOS_OK;
}

mnos_status_t mapping_twin(struct mapping *mapping, struct mapping **created)
{
    struct mapping *twin;
    void *object;
    mnos_status_t status = quota_slab_take(&mapping->process->quota, mapping_cache, &object);

    if (status != MNOS_OK)
        return status;
    twin = object;
    twin->process = mapping->process;
    twin->memory = mapping->memory;
    twin->cap = mapping->cap;
    twin->serial = ++mapping->process->aspace.last_serial;
    twin->rights = mapping->rights;
    twin->most = mapping->most;
    twin->watch = mapping->watch;
    spin_lock(&mapping->memory->mappings_lock);
    twin->next = mapping->next;
    twin->link = &mapping->next;
    if (twin->next != NULL)
        twin->next->link = &twin->next;
    mapping->next = twin;
    if (twin->watch == MAPPING_TRACE)
        trace_watch(1);
    else if (twin->watch != 0)
        log_claim_again(twin->watch);
    spin_unlock(&mapping->memory->mappings_lock);
    *created = twin;
    return MNOS_OK;
}

void mapping_destroy(struct mapping *mapping)
{
    leave_cap(mapping);
    quota_slab_free(&mapping->process->quota, mapping_cache, mapping);
}

struct process *mapping_first_of(struct memory *memory, struct capability *cap,
                                 struct mapping **mapping)
{
    struct process *process;

    spin_lock(&memory->mappings_lock);
    *mapping = cap->mappings;
    process = *mapping == NULL ? NULL : (*mapping)->process;
    spin_unlock(&memory->mappings_lock);
    return process;
}

bool mapping_is_first(const struct mapping *mapping, const struct process *process,
                      struct memory *memory, const struct capability *cap)
{
    bool is_first;

    spin_lock(&memory->mappings_lock);
    is_first = cap->mappings == mapping && mapping->process == process;
    spin_unlock(&memory->mappings_lock);
    return is_first;
}
