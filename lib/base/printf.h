// SPDX-License-Identifier: MIT
/*
 * printf.h - formatted text. Conversions: %s %c %d %i %u %x %X %p %%, with l, ll, z and h lengths,
 * widths (also *), precision for strings, left-justification (-) and zero padding (0).
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Like snprintf: writes at most `size` bytes including the terminating 0, and returns the length
 * that the whole text has. */
__attribute__((format(printf, 3, 4))) int mnos_snprintf(char *out, size_t size, const char *format,
                                                        ...);
__attribute__((format(printf, 3, 0))) int mnos_vsnprintf(char *out, size_t size, const char *format,
                                                         va_list arguments);
