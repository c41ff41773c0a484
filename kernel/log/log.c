// SPDX-License-Identifier: MIT
/*
 * log.c - lines with time and level into the ring and, until user space runs, to the sinks. How a
 * sink shows text is its own business (arch uart.c, console/console.c).
 */
#include "log/log.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "abi/log.h"
#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "boot_code.h"
#include "lib/string.h"
#include "lib/printf.h"
#include "sync/spinlock.h"

enum {
    CAPACITY = 64 * 1024,
    LINE_BYTES = 256,    /* longer lines are cut */
    REPLAY_BYTES = 1024, /* at most, of the lines that a sink has missed */
};
_Static_assert((CAPACITY & (CAPACITY - 1)) == 0, "positions wrap by masking");

/* The ring has its pages to itself: programs map them, and nothing else may be visible there. */
static union {
    struct mnos_log log;
    char pages[(sizeof(struct mnos_log) + CAPACITY + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES];
} ring __attribute__((aligned(MNOS_PAGE_BYTES)));

/* Guards the ring, the sinks and what they write to. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_LOG);
static void (*sinks[LOG_SINKS_MAX])(const char *text, size_t size_bytes);
static unsigned sink_count;  /* sinks that exist */
static unsigned sinks_shown; /* of them, how many get lines: fewer once user space runs */
static bool seized;
static uint64_t released_at; /* position in the ring from which on the sinks have missed lines */

/* Readers on other cores see `written` only after the bytes: release pairs with their acquire. */
static void ring_append_locked(const char *text, size_t size_bytes)
{
    uint64_t at = ring.log.written;
    size_t offset = at & (CAPACITY - 1);
    size_t first = CAPACITY - offset < size_bytes ? CAPACITY - offset : size_bytes;

    if (at == 0) { /* not initialised data, which would make the kernel file larger */
        ring.log.magic = MNOS_LOG_MAGIC;
        ring.log.capacity = CAPACITY;
    }
    memcpy(ring.log.data + offset, text, first);
    memcpy(ring.log.data, text + first, size_bytes - first);
    __atomic_store_n(&ring.log.written, at + size_bytes, __ATOMIC_RELEASE);
}

static void emit(const char *text, size_t size_bytes)
{
    bool locked = !seized; /* in a panic the holder may be the core that panicked */

    if (locked)
        spin_lock(&lock);
    ring_append_locked(text, size_bytes);
    for (unsigned i = 0; i < sinks_shown; i++)
        sinks[i](text, size_bytes);
    if (locked)
        spin_unlock(&lock);
}

static size_t put_prefix(char *line, enum log_level level)
{
    uint64_t now_us = arch_time_ns() / 1000;

    return (size_t)mnos_snprintf(line, LINE_BYTES, "[%5u.%06u] %c ", (unsigned)(now_us / 1000000),
                                 (unsigned)(now_us % 1000000), "EWID"[level]);
}

void log_write(enum log_level level, const char *format, ...)
{
    char line[LINE_BYTES];
    size_t length = put_prefix(line, level);
    va_list arguments;

    va_start(arguments, format);
    length += (size_t)mnos_vsnprintf(line + length, sizeof(line) - length, format, arguments);
    va_end(arguments);
    if (length > sizeof(line) - 1)
        length = sizeof(line) - 1;
    line[length++] = '\n';
    emit(line, length);
}

void log_write_user(const char *text, size_t size_bytes)
{
    char line[LINE_BYTES];
    size_t at = 0;

    while (at < size_bytes) {
        size_t length = put_prefix(line, LOG_INFO);
        char c = 0;

        /* Each byte is read once: the program may change it at any time. */
        while (at < size_bytes && length < sizeof(line) - 1) {
            c = ((const volatile char *)text)[at++];
            if (c == '\n')
                break;
            line[length++] = c >= ' ' && c <= '~' ? c : '?';
        }
        line[length++] = '\n';
        emit(line, length);
    }
}

/* Shows sinks [first, end) what the ring has from `from` on, the beginning of a line. */
static void replay(uint64_t from, unsigned first, unsigned end)
{
    char line[LINE_BYTES];
    size_t length = 0;

    if (ring.log.written - from > REPLAY_BYTES) {
        from = ring.log.written - REPLAY_BYTES;
        while (ring.log.data[from++ & (CAPACITY - 1)] != '\n')
            ; /* a line is shorter than this, so one begins */
    }
    for (uint64_t at = from; at < ring.log.written; at++) {
        line[length++] = ring.log.data[at & (CAPACITY - 1)];
        if (line[length - 1] != '\n')
            continue;
        for (unsigned i = first; i < end; i++)
            sinks[i](line, length);
        length = 0;
    }
}

BOOT_CODE void log_add_sink(void (*write)(const char *text, size_t size_bytes))
{
    spin_lock(&lock);
    if (sink_count < LOG_SINKS_MAX) {
        sinks[sink_count] = write;
        replay(0, sink_count, sink_count + 1);
        sinks_shown = ++sink_count;
    }
    spin_unlock(&lock);
}

BOOT_CODE void log_release_console(void)
{
    spin_lock(&lock);
    /* The serial line was the first that could be added. */
    sinks_shown = boot_cmdline_has("console=kernel") && sink_count > 0 ? 1 : 0;
    released_at = ring.log.written;
    spin_unlock(&lock);
}

void log_seize(void)
{
    seized = true;
    if (sinks_shown < sink_count && released_at != 0)
        replay(released_at, sinks_shown, sink_count);
    sinks_shown = sink_count;
}

paddr_t log_ring_frames(uint64_t *count)
{
    *count = sizeof(ring) / PAGE_BYTES;
    return boot_image_to_phys(&ring);
}
