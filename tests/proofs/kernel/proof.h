// SPDX-License-Identifier: MIT
/* proof.h - what the proofs have in common. Any number is one that cbmc chooses: it tries all at once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "assert.h"

bool nondet_bool(void);
uint8_t nondet_uint8(void);
uint32_t nondet_uint32(void);
int64_t nondet_int64(void);
uint64_t nondet_uint64(void);

/* Only cases in which this is so are looked at from here on. */
static inline void assume(bool condition)
{
    __CPROVER_assume(condition);
}
