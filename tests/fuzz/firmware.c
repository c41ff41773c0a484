// SPDX-License-Identifier: MIT
/*
 * firmware.c - libFuzzer on the readers of firmware tables (`make fuzz`). The scene is the unit tests'
 * (tests/unit/firmware_fuzz.c); here a failed check is a crash, which libFuzzer keeps with its input.
 */
#include "tests/unit/firmware_fuzz.h"

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
    firmware_fuzz(data, size);
    return 0;
}
