// SPDX-License-Identifier: MIT
/* mappings.h - of lx: its own mappings lie above the program's addresses, behind lx itself (lib/mnos/layout.h). */
#pragma once

#define LAYOUT_MAPPINGS 0x00007FF100000000ull
#define LAYOUT_MAPPINGS_END 0x00007FFE00000000ull
