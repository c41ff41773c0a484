// SPDX-License-Identifier: MIT
/* dns.c - libFuzzer as a server of names; the scene is tests/unit/dns_fuzz.c. */
#include "tests/unit/dns_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dns_fuzz(data, size);
    return 0;
}
