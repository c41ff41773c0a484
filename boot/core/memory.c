// SPDX-License-Identifier: MIT
/*
 * memory - the functions that compilers call without being asked. Written with string instructions:
 * short, and fast on processors and in emulators. Host tests use the C library's instead.
 */
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *result = to;
    size_t words = size / 8, rest = size % 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
    return result;
}

void *memset(void *to, int value, size_t size)
{
    void *result = to;
    size_t words = size / 8, rest = size % 8;
    unsigned long long pattern = 0x0101010101010101ull * (unsigned char)value;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
    return result;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *target = to;
    const unsigned char *source = from;

    if (target <= source || target >= source + size)
        return memcpy(to, from, size);
    while (size-- > 0) {
        target[size] = source[size];
        __asm__ volatile("" ::: "memory"); /* or the loop would become a call to memmove */
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a, *right = b;

    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}
