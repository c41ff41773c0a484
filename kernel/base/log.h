// SPDX-License-Identifier: MIT
/*
 * log.h - the kernel log: lines with level and time into a ring that programs can map (abi/log.h), and on
 * the devices that are the kernel's voice, the serial line and the screen, as long as no program has one.
 *
 * Until user space runs, and in a panic, a line is out when log_write() returns, or the device does not move.
 * After that log_write() only fills the ring, and the devices follow in short steps: log_show_step().
 *
 * Formats: %s %c %d %i %u %x %p with l, ll, z, 0, width, -; nothing else. Usable in any context, also
 * before memory management and in a panic; a leaf lock, never blocks.
 */
#pragma once

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/log.h"
#include "mm/addr.h"

enum log_level {
    LOG_ERROR = MNOS_LOG_ERROR,
    LOG_WARNING = MNOS_LOG_WARNING,
    LOG_INFO = MNOS_LOG_INFO,
    LOG_DEBUG = MNOS_LOG_DEBUG,
};

[[gnu::format(printf, 2, 3)]] void log_write(enum log_level level, const char *format, ...);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Text from sys_debug_write, unprintable bytes shown as '?': its first line, or the part of it that fits. How many bytes
 * that was, the newline included; not 0. */
size_t log_write_user(enum log_level level, const char *text, size_t size_bytes);

/* ---- devices ---- */

enum log_space {
    LOG_PORTS,  /* counted in I/O ports */
    LOG_FRAMES, /* counted in frames of device memory */
};

/* A device that shows text. The log's lock is held when its functions are called. */
struct log_device {
    /* Does a short piece of work towards showing `text` and says how many of its bytes are done with; false: the
     * device cannot take anything now. */
    bool (*show)(const char *text, size_t size_bytes, size_t *taken);
    /* Somebody else may have changed the device: it must be set up again before it shows anything. */
    void (*reset)(void);
    /* What a program must map to have it. */
    enum log_space space;
    uint64_t first, count;
};

/* Text goes to this device, too; at once what it has missed. The first is the one that "console=kernel" keeps. At
 * most LOG_DEVICES_MAX; only at boot. */
#define LOG_DEVICES_MAX 2
void log_add_device(const struct log_device *device);

/* User space runs now: text is shown in steps, and programs may claim the devices, unless the kernel command
 * line has the word "console=kernel" (tests): the first device stays the kernel's then. */
void log_user_space_runs(void);

/* A program maps [first, first + count) so that it can write there. The devices in it, bit n for the n-th that was
 * added, are the program's until as many calls of log_release() as there were of log_claim(). Then they are the
 * kernel's again, and show the last lines that they have missed. */
uint32_t log_claim(enum log_space space, uint64_t first, uint64_t count);
void log_claim_again(uint32_t devices);
void log_release(uint32_t devices);
/* Before the claim: true while the devices in that range have text of the kernel's to show and move; it was a step.
 * To be called until it is false. *until is 0 at first: how much text there was then. What is logged meanwhile is
 * left to the program, so that nobody keeps it from the device by being logged. */
bool log_hand_over_step(enum log_space space, uint64_t first, uint64_t count, uint64_t *until);

/* When the timer should call log_show_step(), if nobody has until then; UINT64_MAX: nothing is to be shown. */
extern _Atomic uint64_t log_retry_ns;
static inline bool log_is_due(uint64_t now_ns)
{
    return __builtin_expect(atomic_load_explicit(&log_retry_ns, memory_order_relaxed) <= now_ns,
                            false);
}

/* Shows a little of what devices of the kernel's have not shown yet, a few thousand instructions; false: there is
 * nothing to show, or no device can take it now. Hold no lock. */
bool log_show_step(void);

/* ---- panics ---- */

/* From here on lines take no lock, and every device is the kernel's again. It shows first the last lines that it has
 * missed: a program may have said there what is wrong. */
void log_seize(void);
/* Waits until every device has shown everything, or none has moved for so long. */
void log_finish(uint64_t patience_ns);

/* The frames that hold the ring (struct mnos_log, abi/log.h) and nothing else. */
paddr_t log_ring_frames(uint64_t *count);
