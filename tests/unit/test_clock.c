/* SPDX-License-Identifier: MIT */
/* test_clock.c - how fast the TSC runs, measured against models of clocks; the time of the model passes with
 * each access, a microsecond for a port. The file under test is included below. */
#include <string.h>

#include "arch/x86_64/apic/acpi.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/apic/lapic.h"
#include "mm/kmap.h"
#include "tests/unit/unit.h"

enum {
    TSC_MHZ = 2600,
    LAPIC_MHZ = 1000,
    PM_PORT = 0x608,
    TOLERANCE_PPM = 100,
};

static struct model {
    uint64_t now_ps;
    bool pm_dead, pit_dead, pm_slow, tsc_dead;
    unsigned outlier_every; /* so many accesses apart, one takes 30 us more */
    unsigned accesses;
    uint64_t outlier_ps; /* another time */
    uint64_t pit_loaded_ps;
    uint16_t pit_latch;
    bool pit_high;
    uint32_t lapic_start;
    uint64_t lapic_started_ps;
} model;

struct acpi_tables acpi_info;
volatile uint32_t *lapic_registers;

static void pass(uint64_t ps)
{
    model.now_ps += ps;
    if (model.outlier_every != 0 && ++model.accesses % model.outlier_every == 0)
        model.now_ps += model.outlier_ps != 0 ? model.outlier_ps : 30000000;
}

static uint64_t model_rdtsc(void)
{
    pass(10000);
    return model.tsc_dead ? 77 : model.now_ps * TSC_MHZ / 1000000;
}

static uint32_t model_inl(uint16_t port)
{
    uint64_t count;

    CHECK_EQ(port, PM_PORT);
    pass(500000);
    count = (uint64_t)((unsigned __int128)model.now_ps * 3579545 / 1000000000000u);
    pass(500000);
    if (model.pm_slow)
        count /= 5000;
    return model.pm_dead ? 0xFFFFFF : (count + 0xFFF000) & 0xFFFFFF; /* it wraps soon */
}

static void model_outb(uint16_t port, uint8_t value)
{
    pass(1000000);
    if (port == 0x43 && value == 0x30) {
        model.pit_loaded_ps = model.now_ps;
    } else if (port == 0x43) {
        uint64_t passed = model.now_ps - model.pit_loaded_ps;

        model.pit_latch = (uint16_t)(0xFFFF - (unsigned __int128)passed * 1193182 / 1000000000000u);
        model.pit_high = false;
    }
}

static uint8_t model_inb(uint16_t port)
{
    uint8_t value = (uint8_t)(model.pit_high ? model.pit_latch >> 8 : model.pit_latch);

    CHECK_EQ(port, 0x40);
    pass(1000000);
    model.pit_high = !model.pit_high;
    return model.pit_dead ? 0xFF : value;
}

void lapic_timer_start(uint32_t count)
{
    model.lapic_start = count;
    model.lapic_started_ps = model.now_ps;
}

uint32_t lapic_timer_count(void)
{
    pass(50000);
    return model.lapic_start -
           (uint32_t)((model.now_ps - model.lapic_started_ps) * LAPIC_MHZ / 1000000);
}

/* The registers of an HPET do not move by themselves here, so there is none to be found but a dead one. */
static uint32_t dead_hpet[0x400 / 4];

static void *model_kmap(void)
{
    return dead_hpet;
}

#define rdtsc() model_rdtsc()
#define inl(port) model_inl(port)
#define inb(port) model_inb(port)
#define outb(port, value) model_outb(port, value)
#define kmap_device(address, bytes, cache) model_kmap()
#include "kernel/arch/x86_64/apic/clock.c" /* NOLINT */
#undef rdtsc
#undef inl
#undef inb
#undef outb
#undef kmap_device

static void machine(bool has_pm_timer)
{
    model = (struct model){.now_ps = 123456789};
    acpi_info = (struct acpi_tables){.pm_timer = has_pm_timer ? PM_PORT : 0};
}

static bool near(uint64_t count, const struct clock_window *window, uint64_t mhz)
{
    double ppm = ((double)count * 1000 / (double)window->ns / (double)mhz - 1) * 1e6;

    return ppm < TOLERANCE_PPM && ppm > -TOLERANCE_PPM;
}

static void check_measures(uint64_t tsc_hz, const char *name)
{
    struct clock_window window;

    CHECK_STR_EQ(clock_measure(tsc_hz, &window), name);
    CHECK(near(window.tsc, &window, TSC_MHZ));
    CHECK(near(window.lapic, &window, LAPIC_MHZ));
}

TEST(clock, the_acpi_timer_is_good_to_100_millionths)
{
    for (unsigned i = 0; i < 50; i++) {
        machine(true);
        model.now_ps += i * 997 * 1000;
        check_measures(0, "the ACPI timer");
    }
}

TEST(clock, the_8254_is_good_to_100_millionths)
{
    for (unsigned i = 0; i < 50; i++) {
        machine(false);
        model.now_ps += i * 997 * 1000;
        check_measures(0, "the 8254");
    }
}

TEST(clock, an_interruption_does_no_harm)
{
    /* A reading makes up to six accesses, so that some are spared. */
    for (unsigned every = 13; every < 60; every++) {
        machine(true);
        model.outlier_every = every;
        check_measures(0, "the ACPI timer");
        machine(false);
        model.outlier_every = every;
        check_measures(0, "the 8254");
    }
}

TEST(clock, one_that_stands_still_is_passed_over)
{
    machine(true);
    acpi_info.hpet = 0xFED00000;
    dead_hpet[1] = 10000000;
    model.pm_dead = true;
    check_measures(0, "the 8254");
}

TEST(clock, one_that_crawls_is_passed_over)
{
    machine(true);
    model.pm_slow = true;
    check_measures(0, "the 8254");
}

TEST(clock, without_any_what_cpuid_says_is_used)
{
    machine(false);
    model.pit_dead = true;
    check_measures(TSC_MHZ * 1000000ull, "the TSC, since no clock counts");
    machine(false);
    model.pit_dead = true;
    model.outlier_every = 50000; /* once in the window */
    model.outlier_ps = 2000000000;
    check_measures(TSC_MHZ * 1000000ull, "the TSC, since no clock counts");
}

TEST(clock, without_any_and_without_cpuid_the_kernel_says_so)
{
    struct clock_window window;

    machine(false);
    model.pit_dead = true;
    EXPECT_PANIC(clock_measure(0, &window));
    model.tsc_dead = true;
    EXPECT_PANIC(clock_measure(TSC_MHZ * 1000000ull, &window));
}
