// SPDX-License-Identifier: MIT
/* check.c - CHECK(), CHECK_EQ() and CHECK_STR_EQ() of tests/unit for the targets of libFuzzer: one that fails ends the run, and libFuzzer keeps
 * the input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

void unit_check(bool ok, const char *text, const char *file, int line)
{
    if (ok)
        return;
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, text);
    abort();
}

void unit_check_eq(uint64_t left, uint64_t right, const char *text, const char *file, int line)
{
    if (left == right)
        return;
    fprintf(stderr, "%s:%d: check failed: %s: %#llx, %#llx\n", file, line, text,
            (unsigned long long)left, (unsigned long long)right);
    abort();
}

void unit_check_str(const char *left, const char *right, const char *text, const char *file,
                    int line)
{
    if (strcmp(left, right) == 0)
        return;
    fprintf(stderr, "%s:%d: check failed: %s: \"%s\", \"%s\"\n", file, line, text, left, right);
    abort();
}
