// SPDX-License-Identifier: MIT
/* files.c - libFuzzer as the clients of the service of files in memory; the scene is tests/unit/file_fuzz.h. */
#include "tests/models/file_server.h"
#include "tests/unit/file_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    file_fuzz(data, size);
    return 0;
}
