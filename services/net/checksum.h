// SPDX-License-Identifier: MIT
/* checksum.h - the sum of the Internet protocols (RFC 1071). */
#pragma once

#include <stdint.h>

/* The ones' complement sum of `count` bytes as 16-bit words in this machine's byte order, folded; an odd byte at the end
 * is the first of a word. lwIP's LWIP_CHKSUM. */
uint16_t checksum(const void *bytes, int count);
