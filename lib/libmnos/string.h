// SPDX-License-Identifier: MIT
/*
 * string.h - the memory and string functions of the C library that this system uses; the compiler
 * itself calls the first four.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
char *strchr(const char *text, int character);

/* Copies as much as fits, always terminates, and returns the length of `from`. */
size_t string_copy(char *to, const char *from, size_t size);

/* Whether `word` is one of the blank-separated words of `text`. */
bool string_has_word(const char *text, const char *word);
