// SPDX-License-Identifier: MIT
/* frame.c - libFuzzer as a network card and as a stack; the scene is tests/unit/frame_fuzz.c. */
#include "tests/unit/frame_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    frame_fuzz(data, size);
    return 0;
}
