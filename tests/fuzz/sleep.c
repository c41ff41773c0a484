// SPDX-License-Identifier: MIT
/* sleep.c - libFuzzer on the readers of what switches a machine off; the scene is tests/unit/sleep_fuzz.c. */
#include "tests/unit/sleep_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sleep_fuzz(data, size);
    return 0;
}
