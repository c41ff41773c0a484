// SPDX-License-Identifier: MIT
/* sleep.c - libFuzzer on the readers of what switches a machine off; the scene is tests/unit/sleep_fuzz.c. */
#include "tests/unit/sleep_fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void unit_check(bool ok, const char *text, const char *file, int line)
{
    if (ok)
        return;
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sleep_fuzz(data, size);
    return 0;
}
