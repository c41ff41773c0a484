// SPDX-License-Identifier: MIT
/* stdio.h - for llhttp: its debugging output goes nowhere. */
#pragma once

#define fprintf(...) ((void)0)
