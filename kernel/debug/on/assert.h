// SPDX-License-Identifier: MIT
/* assert.h - debug build: a false assertion is a kernel bug and ends in the panic report. */
#pragma once

[[gnu::noreturn]] void assert_failed(const char *condition, const char *file, int line);

#define assert(condition) ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))
