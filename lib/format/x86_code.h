// SPDX-License-Identifier: MIT
/* x86_code.h - instructions of the processor, as far as backtraces without frame pointers have to know them: Intel SDM vol 2. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The longest CALL that code_follows_call() knows. */
#define CODE_CALL_BYTES_MAX 7

/* Whether a CALL ends at `end`: with a distance (E8), or through a register or memory (FF /2). The CODE_CALL_BYTES_MAX bytes in front of
 * it are read. They may end so by chance. */
static inline bool code_follows_call(const uint8_t *end)
{
    for (int bytes = 2; bytes <= CODE_CALL_BYTES_MAX; bytes++) {
        if (end[-bytes] == 0xFF && (end[1 - bytes] & 0x38) == 0x10)
            return true;
    }
    return end[-5] == 0xE8;
}
