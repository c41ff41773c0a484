// SPDX-License-Identifier: MIT
/* kobject.c - see kobject.h. */
#include "object/kobject.h"

#include <stddef.h>

#include "arch/arch.h"
#include "object/endpoint.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "sync/deferred.h"

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

static void release(struct deferred *deferred)
{
    struct kobject *object = container_of(deferred, struct kobject, deferred);

    switch (object->type) {
    case MNOS_TYPE_MEMORY: memory_free((struct memory *)object); break;
    case MNOS_TYPE_ENDPOINT: endpoint_free((struct endpoint *)object); break;
    case MNOS_TYPE_PROCESS: process_free((struct process *)object); break;
    case MNOS_TYPE_THREAD: thread_free(container_of(object, struct thread, obj)); break;
    default: break;
    }
}

/* A process or thread outlives its capabilities as long as it is not dead. */
static bool outlives(const struct kobject *object)
{
    if (object->type == MNOS_TYPE_PROCESS)
        return ((const struct process *)object)->state != MNOS_PROCESS_DEAD;
    if (object->type == MNOS_TYPE_THREAD)
        return !container_of(object, struct thread, obj)->buried;
    return false;
}

void kobject_unreferenced(struct kobject *object)
{
    if (!outlives(object) && kobject_detach(object))
        deferred_add(&object->deferred, release);
}
