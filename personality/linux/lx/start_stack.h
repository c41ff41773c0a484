// SPDX-License-Identifier: MIT
/*
 * start_stack.h - what a program of Linux finds on its stack: argument count, arguments, environment, auxiliary vector,
 * and the texts that they point to (System V ABI, AMD64 supplement, "Process Initialization"). Host tests compile it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define START_WORDS_MAX 2048u /* arguments and environment together */
#define START_AUXILIARY_MAX 24u

struct start_stack {
    const char *const *arguments; /* `argument_count` of them */
    const char *const *environment;
    uint32_t argument_count, environment_count;
    const char *path; /* AT_EXECFN */
    uint8_t random[16];
    /* Pairs, without those that point into the stack (AT_EXECFN, AT_PLATFORM, AT_RANDOM) and AT_NULL. */
    uint64_t auxiliary[START_AUXILIARY_MAX][2];
    uint32_t auxiliary_count;
};

/* Builds it at the end of `image`, which has `size` bytes and will end at address `top`, both multiples of 16. Returns how
 * many bytes there are, whose beginning is the program's RSP; 0: they do not fit. */
size_t start_stack_build(const struct start_stack *start, uint8_t *image, size_t size,
                         uint64_t top);
