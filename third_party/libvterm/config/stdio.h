// SPDX-License-Identifier: MIT
/* stdio.h - for libvterm: formatted text, and messages about wrong use of it, which are dropped. */
#pragma once

#include "lib/base/printf.h"

#define snprintf mnos_snprintf
#define vsnprintf mnos_vsnprintf
#define fprintf(...) ((void)0)
