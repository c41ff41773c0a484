// SPDX-License-Identifier: MIT
/* kobject.c - see kobject.h. */
#include "object/kobject.h"

#include <stddef.h>

#include "arch/arch.h"
#include "object/endpoint.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/deferred.h"

static _Atomic uint64_t next_id = 1;

void kobject_init(struct kobject *object, enum mnos_cap_type type, struct process *payer)
{
    object->type = (uint8_t)type;
    object->dying = false;
    spin_init(&object->derive, LOCK_DERIVE);
    object->id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
    object->payer = payer;
    object->caps = 0;
    object->revoking = 0;
    list_init(&object->payer_link);
    if (payer != NULL) {
        spin_lock(&payer->lock);
        list_append(&payer->objects, &object->payer_link);
        spin_unlock(&payer->lock);
    }
}

bool kobject_detach(struct kobject *object)
{
    struct process *payer = object->payer;
    bool was_in;

    if (payer == NULL)
        return false; /* the kernel's own objects are for ever */
    spin_lock(&payer->lock);
    was_in = !list_empty(&object->payer_link);
    list_remove(&object->payer_link);
    spin_unlock(&payer->lock);
    return was_in;
}

/* Kernel memory that is held up while it waits to be freed, about. */
static uint32_t bytes_of(const struct kobject *object)
{
    switch (object->type) {
    case MNOS_TYPE_MEMORY: return sizeof(struct memory);
    case MNOS_TYPE_ENDPOINT:
        return (uint32_t)(sizeof(struct endpoint) +
                          lasting_bytes(((const struct endpoint *)object)->lasting));
    case MNOS_TYPE_PROCESS: return sizeof(struct process);
    default: return sizeof(struct thread);
    }
}

static bool release(struct deferred *deferred)
{
    struct kobject *object = container_of(deferred, struct kobject, deferred);

    switch (object->type) {
    case MNOS_TYPE_MEMORY: return memory_free((struct memory *)object);
    case MNOS_TYPE_ENDPOINT: endpoint_free((struct endpoint *)object); break;
    case MNOS_TYPE_PROCESS: process_free((struct process *)object); break;
    case MNOS_TYPE_THREAD: thread_free(container_of(object, struct thread, obj)); break;
    default: break;
    }
    return true;
}

/* A process or thread outlives its capabilities until its end is all over; `derive` is held. */
static bool outlives(const struct kobject *object)
{
    if (object->type == MNOS_TYPE_PROCESS)
        return ((const struct process *)object)->end.progress != END_TOLD;
    if (object->type == MNOS_TYPE_THREAD)
        return container_of(object, struct thread, obj)->end.progress != END_TOLD;
    return false;
}

bool kobject_is_garbage_locked(const struct kobject *object)
{
    return object->caps == 0 && !outlives(object);
}

void kobject_unreferenced(struct kobject *object)
{
    bool garbage;

    spin_lock(&object->derive);
    garbage = kobject_is_garbage_locked(object);
    spin_unlock(&object->derive);
    if (garbage && kobject_detach(object))
        deferred_add(&object->deferred, bytes_of(object), release);
}

bool kobject_over(struct kobject *object, uint8_t *progress)
{
    bool unreferenced;

    spin_lock(&object->derive);
    *progress = END_TOLD;
    unreferenced = object->caps == 0;
    spin_unlock(&object->derive);
    return unreferenced;
}
