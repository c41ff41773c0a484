// SPDX-License-Identifier: MIT
/* random.h - random numbers: from the service of that name when the program was given it, else from the processor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: there is no source. */
bool random_bytes(void *to, size_t count);
/* In a copy of the process: what it draws is neither what its parent draws next nor what another copy does. */
void random_forked(int32_t pid);
