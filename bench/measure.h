// SPDX-License-Identifier: MIT
/* measure.h - what main.c needs of measure.c beside bench.h. */
#pragma once

#include <stddef.h>

#include "bench/bench.h"

/* What follows `key` on the command line up to the next blank, and its length; NULL: it is not there. */
const char *argument_value(const char *key, size_t *length);
/* The memory behind SHARED, for peers. */
bool shared_set(mnos_cap_t memory);
