// SPDX-License-Identifier: MIT
/* check.c - CHECK() of tests/unit for the targets of libFuzzer: one that fails ends the run, and libFuzzer keeps
 * the input. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

void unit_check(bool ok, const char *text, const char *file, int line)
{
    if (ok)
        return;
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, text);
    abort();
}
