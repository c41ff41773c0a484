// SPDX-License-Identifier: MIT
/*
 * string.h - the few functions of the C library that kernel and programs use, some of which compilers
 * call on their own, and two more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *text, int character);

/* Copies as much as fits, always terminates, and returns the length of `from`. */
size_t string_copy(char *to, const char *from, size_t capacity);

/* Whether `word` is one of the blank-separated words of `text`. */
bool string_has_word(const char *text, const char *word);
