// SPDX-License-Identifier: MIT
/* label.h - what the label of a request holds: bits 0 to 7 operation, 8 to 11 lane, 12 to 31
 * sequence. */
#pragma once

#include <stdint.h>

#define LABEL_OPERATIONS 256u
#define LABEL_LANES 16u
#define LABEL_SEQUENCE_MAX ((1u << 20) - 1)

static inline uint32_t label_make(uint32_t operation, uint32_t lane, uint32_t sequence)
{
    return operation | lane << 8 | sequence << 12;
}

static inline uint32_t label_operation(uint32_t label)
{
    return label & 0xFF;
}

static inline uint32_t label_lane(uint32_t label)
{
    return label >> 8 & (LABEL_LANES - 1);
}

static inline uint32_t label_sequence(uint32_t label)
{
    return label >> 12;
}

/* 1 to LABEL_SEQUENCE_MAX, round and round; 0 is never sent. */
static inline uint32_t label_next(uint32_t sequence)
{
    return sequence == LABEL_SEQUENCE_MAX ? 1 : sequence + 1;
}
