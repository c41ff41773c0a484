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

#include "abi/types.h"
#include "lib/list.h"
#include "sync/spinlock.h"

struct process;
struct capability;

/* On a per-core list until every core has passed a quiescent point. */
struct deferred {
    struct deferred *next;
    void (*release)(struct deferred *);
};

struct kobject {
    uint8_t type; /* enum mnos_cap_type; constant */
    bool dying;   /* no capability to it can be made any more; guarded by `derive` */
    struct spinlock derive; /* rank LOCK_DERIVE; guards the tree of capabilities to this object */
    uint64_t id;            /* unique since boot; constant */
    struct process *payer;  /* constant; NULL: the kernel */
    struct list payer_link; /* in payer->objects, guarded by the payer's lock */
    struct list caps;       /* top-level capabilities (struct capability, siblings), under `derive` */
    struct deferred deferred;
};
