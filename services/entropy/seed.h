// SPDX-License-Identifier: MIT
/* seed.h - where randomness comes from. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/mnos/chacha20.h"

/* Waits whose ends make a seed where the processor has no instruction for it. */
#define SEED_WAITS 256u
#define SEED_WAIT_NS 1000000ull

/* Stirs in what the processor gives. False: it has neither instruction, or they give nothing. */
bool seed_from_processor(struct random *random);
/* Stirs in the cycle at which a wait has ended. */
void seed_from_time(struct random *random, uint64_t cycle);
