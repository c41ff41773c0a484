// SPDX-License-Identifier: MIT
/* kobject.c - see kobject.h. */
#include "object/kobject.h"

#include <stddef.h>

#include "abi/inspect.h"
#include "cap/capability.h"
#include "object/process.h"
#include "object/types.h"
#include "sched/deferred.h"

static _Atomic uint64_t next_id = 1;

void kobject_init(struct kobject *object, enum mnos_cap_type type, struct process *payer)
{
    object->type = (uint8_t)type;
    object->dying = false;
    object->guard = object_type(object)->guard;
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

static bool release(struct deferred *deferred)
{
    struct kobject *object = container_of(deferred, struct kobject, deferred);

    return object_type(object)->free(object);
}

bool kobject_is_garbage_locked(struct kobject *object)
{
    const struct ending *ending = object_ending(object);

    return object->caps == 0 && (ending == NULL || ending->progress == END_TOLD);
}

void kobject_unreferenced(struct kobject *object)
{
    const struct object_type *type = object_type(object);
    bool garbage;

    spin_lock(&object->derive);
    garbage = kobject_is_garbage_locked(object);
    spin_unlock(&object->derive);
    if (garbage && kobject_detach(object))
        deferred_add(&object->deferred,
                     type->bytes + (type->more_bytes == NULL ? 0 : type->more_bytes(object)),
                     release);
}

bool kobject_over(struct kobject *object)
{
    bool unreferenced;

    spin_lock(&object->derive);
    object_ending(object)->progress = END_TOLD;
    unreferenced = object->caps == 0;
    spin_unlock(&object->derive);
    return unreferenced;
}

void kobject_describe_id(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info)
{
    (void)is_holder; /* whoever has a capability may know which process or thread it is to */
    info->id = view->object->id;
}
