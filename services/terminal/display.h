// SPDX-License-Identifier: MIT
/* display.h - the framebuffer of the machine as a screen of cells: what boot found of it, and a font that suits it. */
#pragma once

#include "abi/types.h"
#include "services/terminal/screen.h"

/* Maps the framebuffer, which the kernel writes to no longer then, and has all of it show blanks. `font_height`: 0 for what
 * suits. MNOS_ERR_NOT_FOUND: the machine has none. MNOS_ERR_FORMAT: its pixels are none that can be drawn. */
mnos_status_t display_open(struct screen *screen, mnos_cap_t framebuffer, mnos_cap_t fonts,
                           unsigned font_height);
