// SPDX-License-Identifier: MIT
/*
 * capability.h - one slot of a capability table, which is also a node of the derivation tree of the
 * object it names.
 *
 * A slot is 64 bytes, one cache line. The tree links are 32-bit references (a slot's physical address
 * divided by its size), which reaches 256 GiB of RAM.
 *
 * C1  type is NONE exactly when the slot is free or being emptied; then no handle names it
 * C2  key is the handle that names the slot: generation and index. It changes whenever a slot is
 *     emptied, so that a reader without a lock that sees the same key before and after reading the
 *     other fields has read one capability
 * C3  rights are a subset of the parent's; the range lies inside the parent's
 * C4  depth is greater than the parent's, at most CAP_DEPTH_MAX
 * C5  parent, child, next and prev form one tree per object, guarded by object->derive
 * C6  whatever carries a badge is the minted capability, which it may be as a ghost, or below it
 */
#pragma once

#include <stdbool.h>

#include "abi/types.h"
#include "assert.h"
#include "mm/addr.h"
#include "object/kobject.h"

#define CAP_DEPTH_MAX 250
/* Of what one process gives another: it can still derive from that. docs/decisions/derivation-depth-limit.md */
#define CAP_DEPTH_GIVEN_MAX 218
/* In a key. */
#define GENERATION_ONE (1ull << MNOS_HANDLE_INDEX_BITS)

/* Reference to a slot or to another kernel object aligned to 64 bytes; 0: none. */
typedef uint32_t cap_ref_t;

struct process;
struct mapping;
struct interrupt_line;

enum cap_flags {
    CAP_REVOKING = 1u << 0, /* nothing can be derived from it or below it */
    CAP_KERNEL = 1u << 1,   /* held by the kernel inside another object: in no table */
    CAP_MINTED = 1u << 2,   /* its badge was minted with it: descendants carry the same */
    CAP_GHOST = 1u << 3,    /* deleted; keeps its place while descendants carry its badge */
    CAP_CURSOR = 1u << 4,   /* where a search for a badge goes on: cap/badge.h */
    CAP_LASTING = 1u << 5,  /* its slot is of the endpoint's reserve: cap/lasting.h */
};

struct capability {
    uint64_t key;
    uint8_t type;   /* enum mnos_cap_type */
    uint8_t rights; /* mnos_rights_t */
    uint8_t depth;
    uint8_t flags;   /* enum cap_flags, guarded by object->derive */
    cap_ref_t owner; /* process whose table it is in; constant for a slot in a table */
    struct kobject *object;
    union {
        struct {                 /* endpoint */
            mnos_badge_t badge;  /* 0: not minted */
            uint64_t event_mask; /* events that can be set through it */
        };
        struct { /* memory: pages; ports: ports; interrupt: lines. Relative to the object */
            uint64_t first;
            uint64_t count;
        };
        struct capability *next_free; /* free slot */
    };
    cap_ref_t parent, child, next, prev;
    union {
        struct list *waiters;           /* endpoint: threads blocked through it; its lock guards */
        struct mapping *mappings;       /* memory: made through it; mappings_lock guards */
        struct interrupt_line *binding; /* interrupt: the line bound through it */
    };
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct capability) == 64, "one cache line; 64 to a page");
_Static_assert((RAM_LIMIT >> 6) - 1 <= UINT32_MAX, "a reference reaches every frame");

static inline cap_ref_t cap_ref(const void *object)
{
    assert((uintptr_t)object % 64 == 0);
    return object == NULL ? 0 : (cap_ref_t)(virt_to_phys(object) >> 6);
}

static inline struct capability *cap_at(cap_ref_t ref)
{
    return ref == 0 ? NULL : (struct capability *)phys_to_virt((paddr_t)ref << 6);
}

static inline struct process *cap_owner(const struct capability *cap)
{
    return cap->owner == 0 ? NULL : (struct process *)phys_to_virt((paddr_t)cap->owner << 6);
}

/* What a lookup found: a consistent copy of one capability, and where it is. Who derives from it changes
 * rights, badge and range to what the new one is to have. */
struct cap_view {
    struct capability *slot;
    uint64_t key;
    struct kobject *object;
    mnos_rights_t rights;
    union {
        struct {
            mnos_badge_t badge;
            uint64_t event_mask;
        };
        struct {
            uint64_t first;
            uint64_t count;
        };
    };
};

/* True while `view` still names what it named; only stable under the lock of the object. */
static inline bool cap_alive(const struct cap_view *view)
{
    return __atomic_load_n(&view->slot->key, __ATOMIC_RELAXED) == view->key;
}

/* Reads what is in a slot, all of it of one capability (C2); false: there is none. */
static inline bool cap_read(struct capability *slot, struct cap_view *view)
{
    uint8_t type;

    view->slot = slot;
    view->key = __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE);
    type = __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE); /* written last: before the others */
    view->object = slot->object;
    view->first = slot->first;
    view->count = slot->count;
    view->rights = slot->rights;
    /* x86 keeps loads in order; the compiler must, too. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return cap_alive(view) && type != MNOS_TYPE_NONE;
}
