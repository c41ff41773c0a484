// SPDX-License-Identifier: MIT
/*
 * memcpy.c - memcpy() of kernel and loader; programs have that of lib/mnos/memcpy.S.
 *
 * By the string instructions on eight bytes at a time: each step moves a whole word, which beats any loop
 * of general registers (vector registers belong to user programs), and processors with fast strings do
 * cache lines internally. They need the direction flag clear, as the calling convention promises; kernel
 * entries clear it. It goes strictly upwards: memmove() relies on that.
 */
#include "lib/base/string.h"

static inline void copy_words(char **to, const char **from, size_t words)
{
    __asm__ volatile("rep movsq" : "+D"(*to), "+S"(*from), "+c"(words)::"memory");
}

/* At most seven bytes; not worth the start-up of a string instruction. */
static inline void copy_tail(char *to, const char *from, size_t size)
{
    if (size & 4) {
        __builtin_memcpy(to, from, 4);
        to += 4;
        from += 4;
    }
    if (size & 2) {
        __builtin_memcpy(to, from, 2);
        to += 2;
        from += 2;
    }
    if (size & 1)
        *to = *from;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    char *out = to;
    const char *in = from;

    copy_words(&out, &in, size / 8);
    copy_tail(out, in, size % 8);
    return to;
}
