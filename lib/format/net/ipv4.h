// SPDX-License-Identifier: MIT
/* ipv4.h - addresses as people write them: 10.0.2.2. An address is a number, its first part the highest byte. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IPV4_TEXT_BYTES 16u /* with the end */

/* Reads decimal digits, and moves *text behind them. False: there are none, or the number is above `max`, which is below
 * UINT32_MAX / 10; *text is as it was then. */
bool ipv4_read_number(const char **text, uint32_t max, uint32_t *value);
/* Reads four numbers with points between, and moves *text behind them. False: they are none; *text is somewhere in
 * them then. */
bool ipv4_read(const char **text, uint32_t *address);
const char *ipv4_text(char text[IPV4_TEXT_BYTES], uint32_t address);
