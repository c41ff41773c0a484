// SPDX-License-Identifier: MIT
/*
 * poison.h - debug build: a free heap object carries a mark that depends on its address, so that
 * freeing it again, and most writes to it after it was freed, end in a panic. The second word of the
 * object holds the mark; the first one is the allocator's.
 */
#pragma once

#include <stdint.h>

#include "assert.h"

#define POISON_MARK 0xDEADFA11F2EEDA7Aull

/* An object that was never handed out. */
static inline void poison_first(void *object)
{
    uint64_t *words = object;

    words[1] = POISON_MARK ^ (uintptr_t)object;
}

static inline void poison_set(void *object)
{
    uint64_t *words = object;

    assert(words[1] != (POISON_MARK ^ (uintptr_t)object)); /* freed twice */
    poison_first(object);
}

static inline void poison_clear(void *object)
{
    uint64_t *words = object;

    assert(words[1] == (POISON_MARK ^ (uintptr_t)object)); /* written after it was freed */
    words[1] = 0;
}
