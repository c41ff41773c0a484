// SPDX-License-Identifier: MIT
/*
 * kobject.h - what all kernel objects have in common: type, identity, payer, and the root of the
 * derivation tree of the capabilities to them.
 *
 * An object lives until its last capability is deleted or the process that pays for it is destroyed,
 * whichever is first (process and thread objects: object/process.h). It is freed after every core has
 * passed a quiescent point, so a pointer that a lookup returned is good until the kernel entry ends.
 */
#pragma once

#include <stdbool.h>

#include "abi/types.h"
#include "lib/base/list.h"
#include "sched/deferred.h"
#include "base/spinlock.h"

struct cap_view;
struct capability;
struct mnos_cap_info;
struct process;
struct tlb_batch;

struct kobject {
    uint8_t type;           /* enum mnos_cap_type; constant */
    bool dying;             /* no capability to it can be made any more; guarded by `derive` */
    uint16_t guard;         /* of its type, here because every deletion looks at it; constant */
    struct spinlock derive; /* rank LOCK_DERIVE; guards the tree of capabilities to this object */
    uint64_t id;            /* unique since boot; constant */
    struct process *payer;  /* constant; NULL: the kernel */
    struct list payer_link; /* in payer->objects, guarded by the payer's lock */
    uint32_t caps;          /* first top-level capability (cap_ref_t), under `derive` */
    uint32_t revoking;      /* revocations in progress in the tree, under `derive` */
    struct deferred deferred;
};

/* Sets up the common part; the object has no capability yet. */
void kobject_init(struct kobject *object, enum mnos_cap_type type, struct process *payer);
/* No capability to it is left, seen under `derive`; and it does not outlive them, or it was just over. */
bool kobject_is_garbage_locked(struct kobject *object);
/* Its last capability is gone. Hold no lock. */
void kobject_unreferenced(struct kobject *object);
/* A process or thread has ended, as its `progress` says from now on. True: no capability is left, and the
 * caller goes on with kobject_unreferenced() when it holds no lock. Either sees the other: who deletes the last
 * capability asks under `derive` as well. */
bool kobject_over(struct kobject *object);
/* Takes the object off its payer's list; false: somebody else has done so and will free it. */
bool kobject_detach(struct kobject *object);
/* Of types that are known by their identity: struct object_type.describe. */
void kobject_describe_id(const struct cap_view *view, bool is_holder, struct mnos_cap_info *info);
