// SPDX-License-Identifier: MIT
/* pci.c - libFuzzer on the readers of configuration space and of the MCFG; the scene is
 * tests/unit/pci_fuzz.c. */
#include "tests/unit/pci_fuzz.h"

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
    pci_fuzz(data, size);
    return 0;
}
