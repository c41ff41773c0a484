// SPDX-License-Identifier: MIT
/*
 * types.h - what the kernel knows of each type of object, in one table: what is common to all of them (making,
 * deleting and revoking capabilities, freeing, describing) asks it, and knows none.
 *
 * Another type is one file for what it does, a number in abi/types.h, and one row in types.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "assert.h"
#include "base/spinlock.h"
#include "object/ending.h"
#include "object/kobject.h"

/* 0 and NULL stand for: nothing of that kind. Offsets are those behind the struct kobject. */
struct object_type {
    /* Capabilities name a part of it, `first` and `count`, and what is derived from them a part of that. */
    bool has_range;
    /* Offset of the lock that whoever hangs something on a capability to it holds, besides the derivation lock. */
    uint16_t guard;
    /* Offset of its struct ending: it outlives its capabilities until its end is all over. */
    uint16_t ending;
    /* Undoes one thing that hangs on `cap`, or a part of it; false: nothing hangs there any more. The derivation lock
     * is held. What can only be done without it is left as *rest, NULL before, for after_drain(). */
    bool (*drain_locked)(struct kobject *object, struct capability *cap, struct tlb_batch *batch,
                         void **rest);
    void (*after_drain)(void *rest);
    /* Kernel memory that is held up while it waits to be freed, about: of each, and of this one besides. */
    uint16_t bytes;
    uint32_t (*more_bytes)(const struct kobject *object);
    /* Frees it, or a part of it; true: it is gone. Nothing refers to it. */
    bool (*free)(struct kobject *object);
    /* Adds what sys_cap_inspect() tells of this type alone; `is_holder`: who asks may know where it is. */
    void (*describe)(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info);
};

#define OBJECT_TYPES (MNOS_TYPE_THREAD + 1)
extern const struct object_type object_types[OBJECT_TYPES];

static inline const struct object_type *object_type(const struct kobject *object)
{
    assert(object->type != MNOS_TYPE_NONE && object->type < OBJECT_TYPES);
    return &object_types[object->type];
}

static inline struct spinlock *object_guard(struct kobject *object)
{
    return object->guard == 0 ? NULL : (struct spinlock *)((char *)object + object->guard);
}

static inline struct ending *object_ending(struct kobject *object)
{
    uint16_t ending = object_type(object)->ending;

    return ending == 0 ? NULL : (struct ending *)((char *)object + ending);
}
