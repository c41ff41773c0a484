// SPDX-License-Identifier: MIT
/* date.h - dates as HTTP writes them (RFC 9110, 5.6.7), in seconds since the beginning of 1970. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATE_TEXT_BYTES 30u       /* "Sun, 06 Nov 1994 08:49:37 GMT" and its end */
#define DATE_LAST 253402300799ull /* the last second of the year 9999 */

/* Writes a date up to DATE_LAST. */
void date_text(char text[DATE_TEXT_BYTES], uint64_t seconds);
/* Reads `bytes` of text in one of the three forms; false: it is no date from 1970 on. */
bool date_read(const char *text, size_t bytes, uint64_t *seconds);
