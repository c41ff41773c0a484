// SPDX-License-Identifier: MIT
/*
 * string.h - the few functions of the C library that the kernel uses and that compilers call on their
 * own. On the machine they are in arch/x86_64/string.c; host tests have the C library's.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

/* Copies at most capacity - 1 bytes of `from` and always ends `to` with a NUL. */
static inline void string_copy(char *to, const char *from, size_t capacity)
{
    size_t i = 0;

    for (; i + 1 < capacity && from[i]; i++)
        to[i] = from[i];
    to[i] = '\0';
}
