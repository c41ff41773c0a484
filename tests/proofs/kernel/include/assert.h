// SPDX-License-Identifier: MIT
/* assert.h - for proofs: what the kernel asserts has to be true in every case, and so has what a proof says. */
#pragma once

#define assert(condition) __CPROVER_assert(condition, #condition)
