// SPDX-License-Identifier: MIT
/* nvme.c - libFuzzer as an NVMe controller; the scene is tests/unit/nvme_fuzz.c. */
#include "tests/unit/nvme_fuzz.h"

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
    nvme_fuzz(data, size);
    return 0;
}
