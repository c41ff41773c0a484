// SPDX-License-Identifier: MIT
/*
 * timer.c - time and deadlines. The TSC counts time; the local APIC interrupts at a deadline, by
 * TSC-deadline mode or one-shot count. Which deadline is the scheduler's choice.
 *
 * Both rates are measured in one short window against a clock of known rate. What CPUID says of the TSC
 * is exact, so it is preferred, but only if the measurement agrees: emulators pass on the CPUID of a
 * processor whose TSC they do not run at that rate.
 */
#include "arch/x86_64/apic/timer.h"

#include <stdatomic.h>
#include <stddef.h>

#include "arch/arch.h"
#include "arch/x86_64/apic/clock.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/apic/lapic.h"
#include "boot/boot_code.h"
#include "core.h"
#include "base/log.h"
#include "base/trace.h"

#define NS_PER_S 1000000000ull
/* A deadline farther away is approached in steps: two years. */
#define FAR_NS (1ull << 56)
/* How far a measurement may be off what CPUID says: one part in this many. */
#define TOLERANCE 50

/* Constant after timer_calibrate(). Multipliers have 32 binary places. */
static uint64_t tsc_base;
static uint64_t tsc_to_ns;
static uint64_t ns_to_tsc;
static uint64_t tsc_to_lapic;
static bool use_tsc_deadline;

/* A core's TSC was seen ahead of or behind another's. */
static atomic_bool tsc_differs;
static _Atomic uint64_t boot_core_tsc;
static _Atomic uint64_t other_core_tsc;

/* RDTSC may run before earlier loads have completed. Intel SDM vol 2B, "RDTSC". */
static uint64_t rdtsc_ordered(void)
{
    __asm__ volatile("lfence" ::: "memory");
    return rdtsc();
}

static uint64_t scale(uint64_t value, uint64_t multiplier)
{
    return (uint64_t)((unsigned __int128)value * multiplier >> 32);
}

BOOT_CODE void timer_start_epoch(void)
{
    tsc_base = rdtsc();
}

uint64_t arch_cycles_to_ns(uint64_t cycles)
{
    return scale(cycles, tsc_to_ns);
}

uint64_t arch_time_ns(void)
{
    return scale(rdtsc() - tsc_base, tsc_to_ns);
}

/* ---- rates ---- */

BOOT_CODE static bool close_to(uint64_t a, uint64_t b)
{
    uint64_t difference = a > b ? a - b : b - a;

    return difference < a / TOLERANCE;
}

/* Counts per second, from a count in a window of nanoseconds. */
BOOT_CODE static uint64_t rate(uint64_t count, uint64_t window_ns)
{
    return count * NS_PER_S / window_ns;
}

BOOT_CODE void timer_calibrate(void)
{
    struct clock_window window;
    uint64_t tsc_hz, lapic_hz;
    const char *source;

    lapic_timer_set_mode(LAPIC_TIMER_MASKED);
    source = clock_measure(cpu_facts.tsc_hz, &window);
    lapic_timer_start(0);

    tsc_hz = rate(window.tsc, window.ns);
    lapic_hz = rate(window.lapic, window.ns);
    if (cpu_facts.tsc_hz != 0 && close_to(cpu_facts.tsc_hz, tsc_hz))
        tsc_hz = cpu_facts.tsc_hz;
    tsc_to_ns = (NS_PER_S << 32) / tsc_hz;
    ns_to_tsc = (tsc_hz / 1000 << 32) / (NS_PER_S / 1000);
    tsc_to_lapic = (lapic_hz << 32) / tsc_hz;
    use_tsc_deadline = cpu_facts.tsc_deadline;
    log_info("time: TSC %u kHz%s, local APIC timer %u kHz, measured against %s",
             (unsigned)(tsc_hz / 1000), tsc_hz == cpu_facts.tsc_hz ? " (CPUID)" : "",
             (unsigned)(lapic_hz / 1000), source);
}

/* ---- deadlines ---- */

BOOT_CODE void timer_start_core(void)
{
    lapic_timer_set_mode(use_tsc_deadline ? LAPIC_TIMER_TSC_DEADLINE : LAPIC_TIMER_ONE_SHOT);
}

/* The TSC value at which `deadline_ns` has surely been reached. Seen from now: how exact the rates are then
 * matters for the time that is left, not for all that has passed. */
static uint64_t deadline_tsc(uint64_t deadline_ns)
{
    uint64_t now = rdtsc(), now_ns = scale(now - tsc_base, tsc_to_ns);
    uint64_t left_ns = deadline_ns < now_ns ? 0 : deadline_ns - now_ns;

    return now + scale(left_ns < FAR_NS ? left_ns : FAR_NS, ns_to_tsc) + 2;
}

/* The count begins when it is written, so little may lie between that and reading the clock. Here steps are
 * shorter: 32 bits. */
static void start_count(uint64_t until_tsc)
{
    int64_t left = (int64_t)(until_tsc - rdtsc());
    uint64_t count = left <= 0 ? 0 : scale((uint64_t)left, tsc_to_lapic);

    lapic_timer_start(count < UINT32_MAX ? (uint32_t)count + 1 : UINT32_MAX);
}

void arch_timer_arm(uint64_t deadline_ns)
{
    bool on = deadline_ns != UINT64_MAX;
    uint64_t tsc = on ? deadline_tsc(deadline_ns) : 0;

    if (use_tsc_deadline)
        wrmsr(MSR_TSC_DEADLINE, tsc);
    else if (on)
        start_count(tsc);
    else
        lapic_timer_start(0);
}

uint64_t timer_interrupt(struct core *core)
{
    uint64_t now_ns;

    lapic_eoi();
    core->statistics->timer_interrupts++;
    trace(MNOS_TRACE_TIMER, 0, 0);
    now_ns = arch_time_ns();
    if (now_ns >= core->timer_armed_ns)
        return now_ns;
    if (core->timer_armed_ns != UINT64_MAX)   /* else disarmed when it was on its way already */
        arch_timer_arm(core->timer_armed_ns); /* a step, or a local APIC timer that runs fast */
    return UINT64_MAX;
}

/* ---- agreement of the cores ---- */

/* Run by the boot core again and again while it waits for another to start: its own TSC is announced,
 * and the other's may not be ahead. */
BOOT_CODE void timer_compare_as_boot_core(void)
{
    uint64_t theirs = atomic_load_explicit(&other_core_tsc, memory_order_acquire);

    if (theirs > rdtsc_ordered())
        atomic_store_explicit(&tsc_differs, true, memory_order_relaxed);
    atomic_store_explicit(&boot_core_tsc, rdtsc_ordered(), memory_order_release);
}

/* Run by a starting core: what the boot core announced may not be ahead of its own TSC. */
BOOT_CODE void timer_compare_as_other_core(void)
{
    for (unsigned i = 0; i < 16; i++) {
        uint64_t theirs = atomic_load_explicit(&boot_core_tsc, memory_order_acquire);
        uint64_t mine = rdtsc_ordered();

        if (theirs > mine)
            atomic_store_explicit(&tsc_differs, true, memory_order_relaxed);
        atomic_store_explicit(&other_core_tsc, mine, memory_order_release);
    }
}

void arch_time_info(struct arch_time_info *info)
{
    info->tsc_usable = !atomic_load_explicit(&tsc_differs, memory_order_relaxed);
    info->tsc_base = tsc_base;
    info->tsc_multiplier = tsc_to_ns;
}
