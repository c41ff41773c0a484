// SPDX-License-Identifier: MIT
/*
 * holdings.h - what a process holds, in words: its capabilities, those that read alike as one.
 *
 * An endpoint is called by who receives there. That is learned of all processes first (holdings_learn()), init before the
 * services, since it has the endpoints of all of them.
 */
#pragma once

#include "abi/inspect.h"

#define HOLDINGS_MAX 64u
#define HOLDING_TEXT_BYTES 72u

struct holdings {
    uint32_t count;
    uint32_t left_out; /* capabilities that found no room among those that read alike */
    struct holding {
        char text[HOLDING_TEXT_BYTES];
        uint32_t times;
        uint64_t kib; /* of memory, in all */
    } of[HOLDINGS_MAX];
};

/* Forgets who receives where. */
void holdings_forget(void);
/* Notes where a process of this name receives. */
void holdings_learn(mnos_cap_t process, const char name[MNOS_NAME_BYTES]);
/* What a process holds; one that ends meanwhile has what was seen of it. */
void holdings_of(mnos_cap_t process, struct holdings *holdings);
