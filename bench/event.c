// SPDX-License-Identifier: MIT
/* event.c - what comes from outside: a device interrupt, and the passing of a deadline. */
#include "bench/bench.h"
#include "lib/libmnos/bootstrap.h"

/* ---- an interrupt: a timer of the HPET, which needs no I/O port (ports cost when processes change) ---- */

/* IA-PC HPET Specification, "Register Overview"; QEMU has the registers where every PC has them. */
#define HPET_FRAME (0xFED00000ull / MNOS_PAGE_BYTES)
#define HPET_CONFIG 0x10
#define HPET_COUNTER 0xF0
#define HPET_TIMER_CONFIG 0x100
#define HPET_TIMER_COMPARATOR 0x108
#define HPET_ENABLE 1ull
#define HPET_TIMER_INTERRUPTS (1ull << 2)
#define HPET_TIMER_ROUTE_SHIFT 9

/* An edge-triggered line that the timer can be routed to. The clock that has it is silent. */
#define HPET_LINE 8ull
/* 20 us. */
#define HPET_DELAY 2000

static volatile uint64_t *const hpet = (volatile uint64_t *)(ARENA + 0x100000);

static uint64_t driver(uint64_t endpoint, uint64_t interrupt, uint64_t, uint64_t)
{
    if (sys_irq_bind(interrupt, endpoint, 1) != MNOS_OK)
        return 1;
    return handle_interrupts(endpoint, interrupt, MNOS_DEADLINE_NEVER, &SHARED->stamp);
}

static uint64_t be_interrupted(void *)
{
    uint64_t last;

    SHARED->stamp = 0;
    hpet[HPET_TIMER_COMPARATOR / 8] = hpet[HPET_COUNTER / 8] + HPET_DELAY;
    last = spin_until(&SHARED->stamp);
    return SHARED->stamp - last - READINGS_COST_BEHIND;
}

static bool hpet_start(void)
{
    if (!CHECK_OK(
            sys_mem_map(MNOS_SELF, bootstrap_cap("device"), (uint64_t)hpet, HPET_FRAME, 1, MAP_RW)))
        return false;
    hpet[HPET_CONFIG / 8] |= HPET_ENABLE;
    hpet[HPET_TIMER_CONFIG / 8] = HPET_TIMER_INTERRUPTS | HPET_LINE << HPET_TIMER_ROUTE_SHIFT;
    return true;
}

static void hpet_stop(void)
{
    hpet[HPET_TIMER_CONFIG / 8] = 0;
    CHECK_OK(sys_mem_unmap(MNOS_SELF, (uint64_t)hpet, 1));
}

BENCH(irq, "irq-wake")
{
    mnos_cap_t line =
        cap_range(bootstrap_cap("interrupts"), MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, HPET_LINE, 1);
    mnos_cap_t given;
    struct peer peer;

    if (peer_create(&peer)) {
        given = child_give(&peer.child, line, MNOS_RIGHT_WRITE);
        if (peer_start(&peer, driver, given, PRIORITY_SERVER) && peer_waits(&peer) &&
            hpet_start()) {
            measure_least("irq-wake", be_interrupted, NULL);
            hpet_stop();
        }
    }
    cap_drop(line);
    peer_drop(&peer);
}

/* ---- a deadline, on a core that idles until it comes ---- */

#define SLEEP_NS 50000

static uint64_t sleep_and_look(void *)
{
    uint64_t deadline_ns = kinfo_time_ns() + SLEEP_NS, now_ns;

    (void)!sys_thread_block(MNOS_SELF, deadline_ns, &now_ns);
    now_ns = kinfo_time_ns();
    CHECK(now_ns >= deadline_ns);
    /* From nanoseconds to readings of the counter. */
    return ((now_ns - deadline_ns) << 32) / kinfo()->tsc_multiplier;
}

BENCH(timer, "timer-wake")
{
    if (CHECK_EQ(kinfo()->tsc_usable, 1))
        measure("timer-wake", sleep_and_look, NULL);
}
