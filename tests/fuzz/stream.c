// SPDX-License-Identifier: MIT
/* stream.c - libFuzzer as the clients of a terminal and its line; the scene is tests/unit/stream_fuzz.c. */
#include "tests/unit/stream_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_fuzz(data, size);
    return 0;
}
