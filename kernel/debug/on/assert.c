// SPDX-License-Identifier: MIT
/* assert.c - see assert.h. */
#include "assert.h"

#include "base/panic.h"

void assert_failed(const char *condition, const char *file, int line)
{
    panic("assertion failed: %s (%s:%d)", condition, file, line);
}
