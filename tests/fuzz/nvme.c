// SPDX-License-Identifier: MIT
/* nvme.c - libFuzzer as an NVMe controller; the scene is tests/unit/nvme_fuzz.c. */
#include "tests/unit/nvme_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nvme_fuzz(data, size);
    return 0;
}
