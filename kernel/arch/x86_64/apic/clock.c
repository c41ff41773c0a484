// SPDX-License-Identifier: MIT
/*
 * clock.c - the clocks of fixed rate that a PC may have, used once: to find out how fast the others
 * run. HPET (IA-PC HPET specification, "Register Definitions"), ACPI power management timer (ACPI
 * specification, "Power Management Timer"), and the 8254 (Intel 8254 datasheet, "Mode 0").
 */
#include "arch/x86_64/apic/clock.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/apic/acpi.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/apic/lapic.h"
#include "base/panic.h"
#include "mm/kmap.h"

/*
 * How long each clock is watched: until a count more or less, and what the two readings take in a virtual
 * machine, are less than 100 millionths of it. An HPET counts every 10 to 100 ns: 20,000 counts, and at least
 * 400 us; no more, because the boot waits, and every microsecond is 1,000 instructions where one takes a
 * nanosecond. A port takes a microsecond to read, in a virtual machine several.
 */
#define HPET_COUNTS 20000u
#define HPET_WINDOW_NS 400000ull
#define PM_TIMER_WINDOW_NS 12000000ull
#define PIT_WINDOW_NS 25000000ull /* it starts again after 55 ms */
#define TSC_WINDOW_NS 5000000ull

#define HPET_BYTES 0x400
#define HPET_PERIOD (0x004 / 4) /* femtoseconds */
#define HPET_CONFIG (0x010 / 4)
#define HPET_COUNTER (0x0F0 / 4) /* low half */
#define HPET_ENABLE 1u
#define HPET_PERIOD_MAX 100000000u /* 100 ns, by its specification */
#define FS_PER_NS 1000000ull
#define NS_PER_S 1000000000ull

#define PM_TIMER_HZ 3579545ull
#define PIT_HZ 1193182ull

#define PIT_COUNTER_0 0x40
#define PIT_CONTROL 0x43

/* A clock that does not move is given up after this many reads, one that moves too slowly when the TSC has
 * counted this far: a second or two. */
#define READS_MAX 100000u
#define WINDOW_CYCLES_MAX (1ull << 32)
/* Reading three counters is interrupted now and then (firmware, a hypervisor): the tightest of a few
 * readings is used. */
#define SAMPLES 8

struct clock {
    const char *name;
    uint32_t (*read)(void); /* counts up */
    uint32_t mask;          /* of the bits that count */
    uint64_t period_fs;
    uint64_t window_ns;
};

struct sample {
    uint32_t clock;
    uint64_t tsc;
    uint32_t lapic;
};

static volatile uint32_t *hpet;

static uint32_t hpet_read(void)
{
    return hpet[HPET_COUNTER];
}

static uint32_t pm_timer_read(void)
{
    return inl(acpi_info.pm_timer);
}

/* It counts down. */
static uint32_t pit_read(void)
{
    uint32_t count;

    outb(PIT_CONTROL, 0x00); /* latch counter 0 */
    count = inb(PIT_COUNTER_0);
    count |= (uint32_t)inb(PIT_COUNTER_0) << 8;
    return 0xFFFF - count;
}

static bool hpet_open(struct clock *clock)
{
    if (acpi_info.hpet == 0)
        return false;
    hpet = kmap_device(acpi_info.hpet, HPET_BYTES, KMAP_UNCACHED);
    *clock = (struct clock){"HPET", hpet_read, UINT32_MAX, hpet[HPET_PERIOD], HPET_WINDOW_NS};
    if (clock->period_fs == 0 || clock->period_fs > HPET_PERIOD_MAX)
        return false;
    if (clock->window_ns < HPET_COUNTS * clock->period_fs / FS_PER_NS)
        clock->window_ns = HPET_COUNTS * clock->period_fs / FS_PER_NS;
    hpet[HPET_CONFIG] |= HPET_ENABLE;
    return true;
}

static bool pm_timer_open(struct clock *clock)
{
    uint32_t mask = acpi_info.pm_timer_32_bit ? UINT32_MAX : 0xFFFFFF;

    if (acpi_info.pm_timer == 0)
        return false;
    *clock = (struct clock){"the ACPI timer", pm_timer_read, mask,
                            FS_PER_NS * NS_PER_S / PM_TIMER_HZ, PM_TIMER_WINDOW_NS};
    return true;
}

static bool pit_open(struct clock *clock)
{
    *clock =
        (struct clock){"the 8254", pit_read, 0xFFFF, FS_PER_NS * NS_PER_S / PIT_HZ, PIT_WINDOW_NS};
    outb(PIT_CONTROL, 0x30); /* counter 0, both bytes, mode 0: counts down and stops mattering */
    outb(PIT_COUNTER_0, 0xFF);
    outb(PIT_COUNTER_0, 0xFF);
    return true;
}

/* The reading of all three that took the least time, with the TSC in its middle. */
static struct sample sample_take(const struct clock *clock)
{
    struct sample best = {0};
    uint64_t best_width = UINT64_MAX;

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t before = rdtsc();
        struct sample this = {.clock = clock->read(), .lapic = lapic_timer_count()};
        uint64_t width = rdtsc() - before;

        if (width >= best_width)
            continue;
        best_width = width;
        best = this;
        best.tsc = before + width / 2;
    }
    return best;
}

/* Waits until the clock has counted to `counts` from `first` on; false: it stands still, or as good as that.
 * With a count of 1 that is all this asks, and a new count of the 8254 has been loaded. */
static bool wait_counts(const struct clock *clock, uint32_t first, uint64_t counts)
{
    uint64_t begin = rdtsc();
    uint32_t last = first, reads = 0;

    for (;;) {
        uint32_t now = clock->read();

        if (((now - first) & clock->mask) >= counts)
            return true;
        reads = now == last ? reads + 1 : 0;
        last = now;
        if (reads == READS_MAX || rdtsc() - begin > WINDOW_CYCLES_MAX)
            return false;
    }
}

static bool measure(const struct clock *clock, struct clock_window *window)
{
    uint64_t counts = clock->window_ns * FS_PER_NS / clock->period_fs;
    struct sample first, last;

    if (!wait_counts(clock, clock->read(), 1))
        return false;
    lapic_timer_start(UINT32_MAX);
    first = sample_take(clock);
    if (!wait_counts(clock, first.clock, counts))
        return false;
    last = sample_take(clock);
    window->ns = ((last.clock - first.clock) & clock->mask) * clock->period_fs / FS_PER_NS;
    window->tsc = last.tsc - first.tsc;
    window->lapic = first.lapic - last.lapic;
    return window->tsc != 0 && window->lapic != 0;
}

/* The TSC is a clock, too, once somebody says how fast it runs. */
static uint32_t tsc_read(void)
{
    return (uint32_t)rdtsc();
}

const char *clock_measure(uint64_t tsc_hz, struct clock_window *window)
{
    static bool (*const open[])(struct clock *) = {hpet_open, pm_timer_open, pit_open};
    struct clock clock;

    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        if (open[i](&clock) && measure(&clock, window))
            return clock.name;
    clock = (struct clock){"the TSC, since no clock counts", tsc_read, UINT32_MAX,
                           tsc_hz == 0 ? 0 : FS_PER_NS * NS_PER_S / tsc_hz, TSC_WINDOW_NS};
    if (tsc_hz != 0 && measure(&clock, window))
        return clock.name;
    panic("no working clock: neither HPET, ACPI timer nor 8254 counts, and CPUID does not tell the "
          "TSC's frequency");
}
