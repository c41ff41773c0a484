// SPDX-License-Identifier: MIT
/* cc.h - what lwIP asks of a compiler and of a system; the functions are in services/net/port.c. */
#pragma once

#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "lu"
typedef long ssize_t;
#define SSIZE_MAX INT64_MAX

#define BYTE_ORDER LITTLE_ENDIAN
#define lwip_htons(x) ((uint16_t)__builtin_bswap16((uint16_t)(x)))
#define lwip_htonl(x) ((uint32_t)__builtin_bswap32((uint32_t)(x)))

/* Ends the process: the next run begins anew. */
[[noreturn]] void port_assert(const char *text, const char *file, int line);
#define LWIP_PLATFORM_ASSERT(text) port_assert(text, __FILE__, __LINE__)
#define LWIP_PLATFORM_DIAG(text)

uint32_t port_random(void);
#define LWIP_RAND() port_random()

uint16_t checksum(const void *bytes, int count);
#define LWIP_CHKSUM checksum
