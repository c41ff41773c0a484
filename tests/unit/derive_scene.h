// SPDX-License-Identifier: MIT
/* derive_scene.h - one thread of the first process, and what it does with capabilities: for the tests of derivation and
 * of revocation. */
#pragma once

#include "cap/derive.h"
#include "tests/unit/kernel_world.h"

enum { MANY = 1000 };

static struct thread *actor;

static inline void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
}

static inline mnos_cap_t make_endpoint(void)
{
    return CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
}

static inline mnos_cap_t copy(mnos_cap_t source, mnos_rights_t rights)
{
    return CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, source, rights);
}

static inline mnos_cap_t mint(mnos_cap_t source, uint64_t badge, uint64_t mask)
{
    return CALL_VALUE(actor, cap_create, MNOS_CREATE_MINT, source, MNOS_RIGHTS_ALL, badge, mask);
}

static inline bool is_alive(mnos_cap_t cap)
{
    return world_object(world_root, cap) != NULL;
}

static inline struct capability *slot_of(mnos_cap_t cap)
{
    return world_view(world_root, cap).slot;
}
