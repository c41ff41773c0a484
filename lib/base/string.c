// SPDX-License-Identifier: MIT
/*
 * string.c - memory and string functions, but memcpy(): that is in memcpy.c for kernel and loader and in
 * lib/mnos/memcpy.S for programs.
 *
 * Bulk work is done by the string instructions on eight bytes at a time: see memcpy.c. Host tests have the
 * C library's functions.
 */
#include "lib/base/string.h"

#include <stdint.h>

void *memmove(void *to, const void *from, size_t size)
{
    volatile char *out = to;
    const volatile char *in = from;

    /* Both kinds of memcpy() go up, which is safe when the target is below, or further ahead than any byte
     * read. */
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size);
    while (size > 0) {
        size--;
        out[size] = in[size];
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    char *out = to;
    size_t words = size / 8;
    uint64_t pattern = 0x0101010101010101ull * (uint8_t)value;

    __asm__ volatile("rep stosq" : "+D"(out), "+c"(words) : "a"(pattern) : "memory");
    if (size & 4) {
        __builtin_memcpy(out, &pattern, 4);
        out += 4;
    }
    if (size & 2) {
        __builtin_memcpy(out, &pattern, 2);
        out += 2;
    }
    if (size & 1)
        *out = (char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a, *right = b;

    for (size_t i = 0; i < size; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

size_t strlen(const char *text)
{
    const volatile char *end = text; /* volatile: the compiler must not turn this into strlen() */

    while (*end)
        end++;
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
    const unsigned char *left = (const unsigned char *)a, *right = (const unsigned char *)b;

    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
        if (left[i] == '\0')
            return 0;
    }
    return 0;
}

size_t strnlen(const char *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length] != '\0')
        length++;
    return length;
}

char *strchr(const char *text, int character)
{
    for (;; text++) {
        if (*text == (char)character)
            return (char *)text;
        if (*text == '\0')
            return NULL;
    }
}

size_t string_copy(char *to, const char *from, size_t capacity)
{
    size_t length = strlen(from);
    size_t fits = length < capacity ? length : capacity - 1;

    if (capacity == 0)
        return length;
    memcpy(to, from, fits);
    to[fits] = '\0';
    return length;
}

bool string_has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    while (*text != '\0') {
        const char *end = text;

        while (*end != '\0' && *end != ' ')
            end++;
        if ((size_t)(end - text) == length && strncmp(text, word, length) == 0)
            return true;
        text = *end == '\0' ? end : end + 1;
    }
    return false;
}
