// SPDX-License-Identifier: MIT
/* partitions_fuzz.h - a disk made of arbitrary bytes, and what must hold of what is found on it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The bytes are the first sectors of a disk of 4,096 sectors and, from the middle on, its last. */
void partitions_fuzz(const uint8_t *data, size_t size);
