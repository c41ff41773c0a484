// SPDX-License-Identifier: MIT
/* checksum - see checksum.h. Host tests compile this file as it is. */
#include "services/net/checksum.h"

#include "lib/base/string.h"

#define TURN_BYTES 128

/* Carries go round: 64 bits of them are as good as 16 (RFC 1071, section 2). */
static inline uint64_t add(uint64_t sum, uint64_t value)
{
    sum += value;
    return sum + (sum < value);
}

static inline uint64_t load(const uint8_t *bytes)
{
    uint64_t value;

    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

/* Turns of 128 bytes in one chain of additions with carry, which a compiler does not make of C: neither LEA nor DEC
 * changes the carry. */
static inline uint64_t add_turns(uint64_t sum, const uint8_t *bytes, uint64_t turns)
{
    __asm__("clc\n1:\tadcq (%1), %0\n\tadcq 8(%1), %0\n\tadcq 16(%1), %0\n\tadcq 24(%1), %0\n\t"
            "adcq 32(%1), %0\n\tadcq 40(%1), %0\n\tadcq 48(%1), %0\n\tadcq 56(%1), %0\n\t"
            "adcq 64(%1), %0\n\tadcq 72(%1), %0\n\tadcq 80(%1), %0\n\tadcq 88(%1), %0\n\t"
            "adcq 96(%1), %0\n\tadcq 104(%1), %0\n\tadcq 112(%1), %0\n\tadcq 120(%1), %0\n\t"
            "leaq 128(%1), %1\n\tdecq %2\n\tjnz 1b\n\tadcq $0, %0"
            : "+&r"(sum), "+&r"(bytes), "+&r"(turns)
            :
            : "cc", "memory");
    return sum;
}

uint16_t checksum(const void *bytes, int count)
{
    const uint8_t *at = bytes;
    uint64_t sum = 0, last = 0;

    if (count >= TURN_BYTES) {
        sum = add_turns(sum, at, (uint32_t)count / TURN_BYTES);
        at += count / TURN_BYTES * TURN_BYTES;
        count %= TURN_BYTES;
    }
    for (; count >= 32; count -= 32, at += 32)
        sum = add(add(add(add(sum, load(at)), load(at + 8)), load(at + 16)), load(at + 24));
    for (; count >= 8; count -= 8, at += 8)
        sum = add(sum, load(at));
    if (count > 0) {
        memcpy(&last, at, (uint32_t)count);
        sum = add(sum, last);
    }
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}
