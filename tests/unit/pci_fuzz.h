// SPDX-License-Identifier: MIT
/* pci_fuzz.h - the readers of configuration space and of the MCFG on bytes that nobody would
 * write. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads what `data` makes, and checks what must hold whatever is in it. */
void pci_fuzz(const uint8_t *data, size_t size);
