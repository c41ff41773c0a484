// SPDX-License-Identifier: MIT
/*
 * log.c - lines with time and level into the ring, and from there to the devices that are the kernel's. How
 * one shows text is its own business (arch uart.c, base/console.c).
 *
 * L1  `shown` of a device is at most `written`; it falls back for nobody, and goes forward only by what
 *     the device has taken or what is announced there as not shown
 * L2  log_retry_ns is UINT64_MAX exactly when no device of the kernel's has anything left to show
 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "abi/log.h"
#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "boot/boot_code.h"
#include "core.h"
#include "lib/base/string.h"
#include "measure.h"
#include "lib/base/printf.h"
#include "base/spinlock.h"

enum {
    CAPACITY = 64 * 1024,
    LINE_BYTES = 256,    /* longer lines are cut */
    REPLAY_BYTES = 1024, /* at most, of the lines that a device has missed */
    NOTE_BYTES = 64,
};
/* A device that has taken nothing for so long is not waited for any more: 11,520 times what a byte takes at
 * 115,200 baud. It gets what it takes when it moves again. */
#define PATIENCE_NS 1000000000ull
/* Between two steps by the timer, which take a tenth of a core then, whatever runs there; between two looks at a
 * device that is full, and at one that has been given up. */
#define STEP_NS 50000ull
#define FULL_NS 1000000ull
#define STUCK_NS 100000000ull

_Static_assert((CAPACITY & (CAPACITY - 1)) == 0, "positions wrap by masking");

/* The ring has its pages to itself: programs map them, and nothing else may be visible there. */
static union {
    struct mnos_log log;
    char pages[(sizeof(struct mnos_log) + CAPACITY + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES];
} ring __attribute__((aligned(MNOS_PAGE_BYTES)));

/* Guards the ring, and the devices with what is known of them. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_LOG);

static struct sink {
    struct log_device device;
    uint64_t shown;      /* position in the ring from which on it has to show what is there */
    uint32_t claims;     /* mappings of programs through which it can be used */
    bool kept;           /* the kernel's whatever is mapped, and shown to without steps */
    bool full;           /* it could not take anything when it was last asked */
    bool stuck;          /* it was waited for in vain, and has not moved since */
    uint64_t idle_since; /* cycles: it has not moved since */
    /* A note of ours that it shows first, up to the end of the array. */
    char note[NOTE_BYTES];
    size_t note_at;
} sinks[LOG_DEVICES_MAX];
static unsigned sink_count;
static bool in_steps; /* user space runs */
static bool seized;

_Atomic uint64_t log_retry_ns = UINT64_MAX;

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

/* ---- showing ---- */

/* Before the rate of the TSC is known, as if it were fast: rather too long than too short. */
static uint64_t passed_ns(uint64_t since_cycles)
{
    uint64_t cycles = arch_cycles() - since_cycles, ns = arch_cycles_to_ns(cycles);

    return ns != 0 ? ns : cycles / 4;
}

static bool is_kernels(const struct sink *sink)
{
    return seized || sink->kept || sink->claims == 0;
}

static bool is_line(const struct sink *sink)
{
    return sink->device.space == LOG_PORTS;
}

static bool is_behind(const struct sink *sink)
{
    return sink->note_at < sizeof(sink->note) || sink->shown != ring.log.written;
}

static void note(struct sink *sink, const char *format, uint64_t number)
{
    char text[NOTE_BYTES];
    size_t length = (size_t)mnos_snprintf(text, sizeof(text), format, (unsigned long)number);

    sink->note_at = sizeof(sink->note) - length;
    memcpy(sink->note + sink->note_at, text, length);
}

/* Leaves out what is older than the last `keep` bytes, and says so. Lines are shown whole. */
static void skip_to_last(struct sink *sink, uint64_t keep)
{
    uint64_t from = ring.log.written - keep, skipped;

    if (ring.log.written - sink->shown <= keep)
        return;
    while (ring.log.data[from++ & (CAPACITY - 1)] != '\n')
        ; /* a line is shorter than this, so one begins */
    skipped = from - sink->shown;
    sink->shown = from;
    note(sink, "[%lu bytes of the log are not shown here]\n", skipped);
}

/* A step of one device that is behind; false: it cannot take anything now. */
static bool show_step_locked(struct sink *sink)
{
    size_t taken = 0, offset, size;
    bool moved;

    skip_to_last(sink, CAPACITY - LINE_BYTES); /* what was overwritten is lost */
    if (sink->note_at < sizeof(sink->note)) {
        moved = sink->device.show(sink->note + sink->note_at, sizeof(sink->note) - sink->note_at,
                                  &taken);
        sink->note_at += taken;
    } else {
        offset = sink->shown & (CAPACITY - 1);
        size = ring.log.written - sink->shown;
        if (size > CAPACITY - offset)
            size = CAPACITY - offset;
        moved = sink->device.show(ring.log.data + offset, size, &taken);
        sink->shown += taken;
    }
    sink->full = !moved;
    if (moved) {
        sink->idle_since = arch_cycles();
        sink->stuck = false;
    } else if (passed_ns(sink->idle_since) > PATIENCE_NS) {
        sink->stuck = true;
    }
    if (is_line(sink))
        __atomic_store_n(&ring.log.line_shown, sink->shown, __ATOMIC_RELAXED);
    return moved;
}

/* All of it, unless the device is stuck. */
static void show_all_locked(struct sink *sink)
{
    if (!sink->stuck)
        sink->idle_since = arch_cycles(); /* it had nothing to do until now */
    while (is_behind(sink) && (show_step_locked(sink) || !sink->stuck))
        arch_relax();
}

/* When to go on, L2. */
static void set_retry_locked(void)
{
    uint64_t now = arch_time_ns(), next = UINT64_MAX;

    for (unsigned i = 0; i < sink_count && in_steps; i++) {
        uint64_t at = now + STEP_NS;

        if (!is_kernels(&sinks[i]) || !is_behind(&sinks[i]))
            continue;
        if (sinks[i].full)
            at = now + (sinks[i].stuck ? STUCK_NS : FULL_NS);
        if (at < next)
            next = at;
    }
    atomic_store_explicit(&log_retry_ns, next, memory_order_relaxed);
}

/* Text that goes out at once: `console=kernel`, which tests ask for, and all until user space runs. */
static void show_kept_locked(struct sink *sink)
{
    uint64_t paused = measure_pause();

    show_all_locked(sink);
    measure_go_on(paused);
}

static void emit(const char *text, size_t size_bytes)
{
    bool locked = !seized; /* in a panic the holder may be the core that panicked */

    if (locked)
        spin_lock(&lock);
    ring_append_locked(text, size_bytes);
    for (unsigned i = 0; i < sink_count; i++) {
        struct sink *sink = &sinks[i];

        if (is_kernels(sink) && (sink->kept || !in_steps))
            show_kept_locked(sink);
        else if (log_retry_ns == UINT64_MAX)
            sink->idle_since = arch_cycles(); /* nothing was asked of it until now */
    }
    set_retry_locked();
    if (locked)
        spin_unlock(&lock);
    if (in_steps && log_retry_ns != UINT64_MAX)
        this_core()->need_resched = true; /* its timer is set on the way out */
}

bool log_show_step(void)
{
    bool moved = false;

    if (atomic_load_explicit(&log_retry_ns, memory_order_relaxed) == UINT64_MAX)
        return false;
    spin_lock(&lock);
    for (unsigned i = 0; i < sink_count; i++)
        if (is_kernels(&sinks[i]) && is_behind(&sinks[i]))
            moved |= show_step_locked(&sinks[i]);
    set_retry_locked();
    spin_unlock(&lock);
    return moved;
}

/* ---- lines ---- */

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

size_t log_write_user(enum log_level level, const char *text, size_t size_bytes)
{
    char line[LINE_BYTES];
    size_t at = 0, length = put_prefix(line, level);

    /* Each byte is read once: the program may change it at any time. */
    while (at < size_bytes && length < sizeof(line) - 1) {
        char c = ((const volatile char *)text)[at++];

        if (c == '\n')
            break;
        line[length++] = c >= ' ' && c <= '~' ? c : '?';
    }
    line[length++] = '\n';
    emit(line, length);
    return at;
}

/* ---- devices ---- */

BOOT_CODE void log_add_device(const struct log_device *device)
{
    struct sink *sink = &sinks[sink_count];

    spin_lock(&lock);
    if (sink_count < LOG_DEVICES_MAX) {
        sink_count++;
        sink->device = *device;
        sink->note_at = sizeof(sink->note);
        if (is_line(sink))
            ring.log.line_port = device->first;
        skip_to_last(sink, REPLAY_BYTES);
        show_all_locked(sink);
    }
    spin_unlock(&lock);
}

BOOT_CODE void log_user_space_runs(void)
{
    spin_lock(&lock);
    for (unsigned i = 0; i < sink_count; i++)
        sinks[i].kept = is_line(&sinks[i]) && boot_cmdline_has("console=kernel");
    in_steps = true;
    set_retry_locked();
    spin_unlock(&lock);
}

/* The devices that can be reached in a range, bit n for sinks[n]. */
static uint32_t devices_in(enum log_space space, uint64_t first, uint64_t count)
{
    uint32_t found = 0;

    for (unsigned i = 0; i < sink_count; i++) {
        const struct log_device *device = &sinks[i].device;

        if (device->space == space && first < device->first + device->count &&
            device->first < first + count)
            found |= 1u << i;
    }
    return found;
}

uint32_t log_claim(enum log_space space, uint64_t first, uint64_t count)
{
    uint32_t devices = devices_in(space, first, count);

    if (devices != 0)
        log_claim_again(devices);
    return devices;
}

void log_claim_again(uint32_t devices)
{
    spin_lock(&lock);
    for (unsigned i = 0; i < sink_count; i++) {
        if ((devices >> i & 1) == 0)
            continue;
        if (sinks[i].claims++ == 0 && is_line(&sinks[i]))
            ring.log.line_claimed = ring.log.written;
    }
    set_retry_locked();
    spin_unlock(&lock);
}

/* It begins anew, with the last of what it has missed. */
static void take_back_locked(struct sink *sink)
{
    sink->device.reset();
    skip_to_last(sink, REPLAY_BYTES);
    sink->stuck = false;
    sink->idle_since = arch_cycles();
}

void log_release(uint32_t devices)
{
    spin_lock(&lock);
    for (unsigned i = 0; i < sink_count; i++) {
        if ((devices >> i & 1) == 0 || --sinks[i].claims != 0)
            continue;
        if (!sinks[i].kept)
            take_back_locked(&sinks[i]);
    }
    set_retry_locked();
    spin_unlock(&lock);
    this_core()->need_resched = true;
}

bool log_hand_over_step(enum log_space space, uint64_t first, uint64_t count, uint64_t *until)
{
    uint32_t devices = devices_in(space, first, count);
    bool goes_on = false;

    if (devices == 0)
        return false;
    spin_lock(&lock);
    if (*until == 0)
        *until = ring.log.written;
    for (unsigned i = 0; i < sink_count; i++) {
        struct sink *sink = &sinks[i];

        if ((devices >> i & 1) != 0 && is_kernels(sink) && sink->shown < *until)
            goes_on |= show_step_locked(sink) || !sink->stuck;
    }
    set_retry_locked();
    spin_unlock(&lock);
    return goes_on;
}

/* ---- panics ---- */

void log_seize(void)
{
    seized = true;
    in_steps = false;
    for (unsigned i = 0; i < sink_count; i++) {
        struct sink *sink = &sinks[i];

        if (sink->claims != 0 && sink->kept)
            sink->device.reset();
        else if (sink->claims != 0)
            take_back_locked(sink);
        show_all_locked(sink);
    }
}

void log_finish(uint64_t patience_ns)
{
    bool goes_on;

    do {
        goes_on = false;
        for (unsigned i = 0; i < sink_count; i++) {
            struct sink *sink = &sinks[i];

            if (is_behind(sink))
                goes_on |= show_step_locked(sink) || passed_ns(sink->idle_since) < patience_ns;
        }
        arch_relax();
    } while (goes_on);
}

paddr_t log_ring_frames(uint64_t *count)
{
    *count = sizeof(ring) / PAGE_BYTES;
    return boot_image_to_phys(&ring);
}
