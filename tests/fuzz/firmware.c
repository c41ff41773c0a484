// SPDX-License-Identifier: MIT
/*
 * firmware.c - libFuzzer on the readers of firmware tables (`make fuzz`). The scene is the unit tests'
 * (tests/unit/firmware_fuzz.c); here a failed check is a crash, which libFuzzer keeps with its input.
 */
#include "tests/unit/firmware_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    firmware_fuzz(data, size);
    return 0;
}
