// SPDX-License-Identifier: MIT
/*
 * log.h - the kernel log ring as a reader sees it: a read-only Memory capability.
 *
 * The ring holds lines of text, "[sssss.uuuuuu] L text\n", L one of E W I D. Byte number p (counted
 * from boot) is at data[p % capacity] while p >= written - capacity. A reader loads `written` with
 * acquire order, copies, loads it again and drops what has been overwritten meanwhile, then skips to
 * the byte after the first newline unless it began at 0.
 */
#pragma once

#include "abi/types.h"

#define MNOS_LOG_MAGIC 0x474F4C534F4E4D31ull

struct mnos_log {
    uint64_t magic;
    uint64_t capacity; /* bytes in data, a power of two */
    uint64_t written;  /* bytes ever written */
    uint64_t reserved[5];
    char data[];
};
