// SPDX-License-Identifier: MIT
/* pci.c - libFuzzer on the readers of configuration space and of the MCFG; the scene is
 * tests/unit/pci_fuzz.c. */
#include "tests/unit/pci_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pci_fuzz(data, size);
    return 0;
}
