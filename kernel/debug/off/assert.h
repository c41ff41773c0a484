// SPDX-License-Identifier: MIT
/* assert.h - release build: assertions are not evaluated, but must compile. See debug/on/assert.h. */
#pragma once

#define assert(condition) ((void)sizeof(!(condition)))
