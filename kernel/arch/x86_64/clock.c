// SPDX-License-Identifier: MIT
/*
 * clock.c - the clocks of fixed rate that a PC may have, used once: to find out how fast the others
 * run. HPET (IA-PC HPET specification, "Register Definitions"), ACPI power management timer (ACPI
 * specification, "Power Management Timer"), and the 8254 (Intel 8254 datasheet, "Mode 0").
 */
#include "arch/x86_64/clock.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/lapic.h"
#include "log/panic.h"
#include "mm/kmap.h"

/* Long enough for a good measurement (an HPET is read to 10 to 70 ns), short enough not to be felt: a
 * window of one millisecond would be a million instructions where one takes a nanosecond. */
#define WINDOW_NS 200000ull

#define HPET_BYTES 0x400
#define HPET_PERIOD (0x004 / 4) /* femtoseconds */
#define HPET_CONFIG (0x010 / 4)
#define HPET_COUNTER (0x0F0 / 4) /* low half */
#define HPET_ENABLE 1u
#define HPET_PERIOD_MAX 100000000u /* 100 ns, by its specification */
#define FS_PER_NS 1000000ull

#define PM_TIMER_HZ 3579545ull
#define PIT_HZ 1193182ull

#define PIT_COUNTER_0 0x40
#define PIT_CONTROL 0x43

/* A clock that does not move is given up after this many reads. */
#define READS_MAX 1000000u
/* Reading three counters is interrupted now and then (firmware, a hypervisor): the tightest of a few
 * readings is used. */
#define SAMPLES 4

struct clock {
    const char *name;
    uint32_t (*read)(void); /* counts up */
    uint32_t mask;          /* of the bits that count */
    uint64_t period_fs;
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
    *clock = (struct clock){"HPET", hpet_read, UINT32_MAX, hpet[HPET_PERIOD]};
    if (clock->period_fs == 0 || clock->period_fs > HPET_PERIOD_MAX)
        return false;
    hpet[HPET_CONFIG] |= HPET_ENABLE;
    return true;
}

static bool pm_timer_open(struct clock *clock)
{
    uint32_t mask = acpi_info.pm_timer_32_bit ? UINT32_MAX : 0xFFFFFF;

    if (acpi_info.pm_timer == 0)
        return false;
    *clock =
        (struct clock){"the ACPI timer", pm_timer_read, mask, FS_PER_NS * 1000000000 / PM_TIMER_HZ};
    return true;
}

static bool pit_open(struct clock *clock)
{
    *clock = (struct clock){"the 8254", pit_read, 0xFFFF, FS_PER_NS * 1000000000 / PIT_HZ};
    outb(PIT_CONTROL, 0x30); /* counter 0, both bytes, mode 0: counts down and stops mattering */
    outb(PIT_COUNTER_0, 0xFF);
    outb(PIT_COUNTER_0, 0xFF);
    return true;
}

/* The TSC in the middle of the reading of the clock, when that took the least time. */
static struct sample sample_take(const struct clock *clock)
{
    struct sample best = {0};
    uint64_t best_width = UINT64_MAX;

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t before = rdtsc();
        uint32_t now = clock->read();
        uint64_t after = rdtsc();

        if (after - before < best_width) {
            best_width = after - before;
            best = (struct sample){now, before + best_width / 2, lapic_timer_count()};
        }
    }
    return best;
}

/* False: the clock stands still. */
static bool measure(const struct clock *clock, struct clock_window *window)
{
    uint64_t counts = WINDOW_NS * FS_PER_NS / clock->period_fs;
    struct sample first = sample_take(clock), last;
    uint32_t reads = 0;

    while (((clock->read() - first.clock) & clock->mask) < counts)
        if (++reads == READS_MAX)
            return false;
    last = sample_take(clock);
    window->ns = ((last.clock - first.clock) & clock->mask) * clock->period_fs / FS_PER_NS;
    window->tsc = last.tsc - first.tsc;
    window->lapic = first.lapic - last.lapic;
    return window->tsc != 0 && window->lapic != 0;
}

const char *clock_measure(struct clock_window *window)
{
    static bool (*const open[])(struct clock *) = {hpet_open, pm_timer_open, pit_open};
    struct clock clock;

    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        if (open[i](&clock) && measure(&clock, window))
            return clock.name;
    panic("no working clock: neither HPET, ACPI timer nor 8254 counts");
}
