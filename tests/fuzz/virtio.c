// SPDX-License-Identifier: MIT
/* virtio.c - libFuzzer as a virtio device; the scene is tests/unit/virtio_fuzz.c. */
#include "tests/unit/virtio_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    virtio_fuzz(data, size);
    return 0;
}
