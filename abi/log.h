// SPDX-License-Identifier: MIT
/*
 * log.h - the kernel log ring as a reader sees it: a read-only Memory capability.
 *
 * The ring holds lines of text, "[sssss.uuuuuu] L text\n", L one of E W I D. Byte number p (counted
 * from boot) is at data[p % capacity] while p >= written - capacity. A reader loads `written` with
 * acquire order, copies, loads it again and drops what has been overwritten meanwhile, then skips to
 * the byte after the first newline unless it began at 0.
 *
 * The kernel shows the log on a serial line until a program opens the line's ports. What it could not get rid
 * of by then, because the line did not move, is from line_shown to line_claimed; it is for the program to send.
 */
#pragma once

#include "abi/types.h"

/* How grave a line is: sys_debug_write. In the ring it is the letter. */
enum mnos_log_level {
    MNOS_LOG_ERROR,   /* E: something does not work */
    MNOS_LOG_WARNING, /* W */
    MNOS_LOG_INFO,    /* I */
    MNOS_LOG_DEBUG,   /* D */
    MNOS_LOG_LEVELS
};

#define MNOS_LOG_MAGIC 0x474F4C534F4E4D31ull

struct mnos_log {
    uint64_t magic;
    uint64_t capacity;  /* bytes in data, a power of two */
    uint64_t written;   /* bytes ever written */
    uint64_t line_port; /* the first I/O port of the line that the kernel shows it on; 0: none */
    uint64_t
        line_shown; /* up to where the line has got it; constant while a program has the line */
    uint64_t line_claimed; /* what was written when a program got the line, the last time */
    uint64_t reserved[2];
    char data[];
};
