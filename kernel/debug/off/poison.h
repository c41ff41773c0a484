// SPDX-License-Identifier: MIT
/* poison.h - release build: free heap objects are not marked. See debug/on/poison.h. */
#pragma once

static inline void poison_first(void *object)
{
    (void)object;
}

static inline void poison_set(void *object)
{
    (void)object;
}

static inline void poison_clear(void *object)
{
    (void)object;
}
