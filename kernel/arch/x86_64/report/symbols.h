// SPDX-License-Identifier: MIT
/* symbols.h - function names for addresses in the kernel's text, from the table that the build made. */
#pragma once

#include <stdint.h>

/* The function that `address` lies in, and how far; NULL when there is none. */
const char *symbol_find(uint64_t address, uint64_t *offset);
