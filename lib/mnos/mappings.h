// SPDX-License-Identifier: MIT
/* mappings.h - the addresses that libmnos hands out for mappings (memory.h). A program with another layout has a header
 * of this name of its own (personality/linux/lx/native). */
#pragma once

#define LAYOUT_MAPPINGS 0x0000010000000000ull
#define LAYOUT_MAPPINGS_END 0x0000020000000000ull
