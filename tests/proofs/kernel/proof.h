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

/* Whether listed case `number` is the one that was chosen. A planted mistake may be tried in one case alone: ONLY_CASE, which
 * is below 0 in a proof. */
static inline bool is_case(unsigned chosen, unsigned number)
{
    return (ONLY_CASE < 0 || number == ONLY_CASE) && chosen == number;
}

/* Only cases in which this is so are looked at from here on. */
static inline void assume(bool condition)
{
    __CPROVER_assume(condition);
}
