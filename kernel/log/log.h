// SPDX-License-Identifier: MIT
/*
 * log.h - the kernel log: lines with level and time into a ring that programs can map (abi/log.h);
 * until user space runs they also go to the serial line and, from phase 2 on, to the framebuffer.
 *
 * Formats: %s %c %d %i %u %x %p with l, ll, z, 0, width, -; nothing else. Usable in any context, also
 * before memory management and in a panic; a leaf lock, never blocks.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"

enum log_level {
    LOG_ERROR,
    LOG_WARNING,
    LOG_INFO,
    LOG_DEBUG,
};

[[gnu::format(printf, 2, 3)]] void log_write(enum log_level level, const char *format, ...);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Text from sys_debug_write: one or more lines, unprintable bytes shown as '?'. */
void log_write_user(const char *text, size_t size_bytes);

/* User space runs now: from here on lines go to the ring only, unless the kernel command line has the
 * word "console=kernel" (tests), which keeps the serial line. */
void log_release_console(void);

/* Where lines go besides the ring: the serial line and the framebuffer, when each is ready. Text is
 * whole lines. It is shown at once what it has missed. At most LOG_SINKS_MAX; only at boot. */
#define LOG_SINKS_MAX 2
void log_add_sink(void (*write)(const char *text, size_t size_bytes));

/* Panics: from here on log lines take no lock, and every sink shows them again; first the last ones that
 * only the ring has got since log_release_console(): a program may have said there what is wrong. */
void log_seize(void);

/* The frames that hold the ring (struct mnos_log, abi/log.h) and nothing else. */
paddr_t log_ring_frames(uint64_t *count);
