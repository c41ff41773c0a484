// SPDX-License-Identifier: MIT
/*
 * string - memory and string functions: see string.h.
 *
 * Copies and fills use string instructions on eight bytes at a time: fast on real processors, and
 * few instructions where each iteration counts as one.
 */
#include "lib/libmnos/string.h"

#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    void *result = to;
    size_t words = count / 8, bytes = count % 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
    return result;
}

void *memmove(void *to, const void *from, size_t count)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((uintptr_t)to - (uintptr_t)from >= count)
        return memcpy(to, from, count); /* copying upwards overwrites nothing still needed */
    while (count-- > 0) {
        t[count] = f[count];
        __asm__ volatile("" : : : "memory"); /* or the compiler makes this a call of memmove */
    }
    return to;
}

void *memset(void *to, int byte, size_t count)
{
    void *result = to;
    size_t words = count / 8, bytes = count % 8;
    uint64_t pattern = 0x0101010101010101ull * (uint8_t)byte;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(pattern) : "memory");
    return result;
}

int memcmp(const void *a, const void *b, size_t count)
{
    const uint8_t *x = a, *y = b;

    for (size_t i = 0; i < count; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

size_t strnlen(const char *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length] != 0)
        length++;
    return length;
}

size_t strlen(const char *text)
{
    const char *end = text;

    while (*end != 0) {
        end++;
        __asm__ volatile("" : "+r"(end)); /* or the compiler makes this a call of strlen */
    }
    return (size_t)(end - text);
}

int strncmp(const char *a, const char *b, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        if (a[i] != b[i])
            return (uint8_t)a[i] < (uint8_t)b[i] ? -1 : 1;
        if (a[i] == 0)
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int character)
{
    for (;; text++) {
        if (*text == (char)character)
            return (char *)text;
        if (*text == 0)
            return NULL;
    }
}

size_t string_copy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);
    size_t fits = length < size ? length : size - 1;

    if (size == 0)
        return length;
    memcpy(to, from, fits);
    to[fits] = 0;
    return length;
}

bool string_has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    while (*text != 0) {
        const char *end = text;

        while (*end != 0 && *end != ' ')
            end++;
        if ((size_t)(end - text) == length && strncmp(text, word, length) == 0)
            return true;
        text = *end == 0 ? end : end + 1;
    }
    return false;
}
