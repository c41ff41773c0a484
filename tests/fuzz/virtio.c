// SPDX-License-Identifier: MIT
/* virtio.c - libFuzzer as a virtio device; the scene is tests/unit/virtio_fuzz.c. */
#include "tests/unit/virtio_fuzz.h"

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
    virtio_fuzz(data, size);
    return 0;
}
