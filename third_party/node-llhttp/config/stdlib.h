// SPDX-License-Identifier: MIT
/* stdlib.h - for llhttp: what cannot be ends the process. */
#pragma once

#define abort() __builtin_trap()
