// SPDX-License-Identifier: MIT
/* partitions.c - libFuzzer on the tables of a disk's partitions; the scene is tests/unit/partitions_fuzz.c. */
#include "tests/unit/partitions_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    partitions_fuzz(data, size);
    return 0;
}
