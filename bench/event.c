// SPDX-License-Identifier: MIT
/* event.c - what comes from outside: a device interrupt, and the passing of a deadline. */
#include "abi/interrupt.h"
#include "bench/bench.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/edu.h"

/* ---- an interrupt: a message of QEMU's edu device, which needs no I/O port once it is set up (ports cost when
 * processes change) ---- */

static struct edu edu;

static uint64_t driver(uint64_t endpoint, uint64_t interrupt, uint64_t, uint64_t)
{
    if (sys_irq_bind(interrupt, endpoint, 1) != MNOS_OK)
        return 1;
    return handle_interrupts(endpoint, interrupt, MNOS_DEADLINE_NEVER, &SHARED->stamp);
}

static uint64_t be_interrupted(void *)
{
    uint64_t last;

    edu_clear(&edu); /* so that the next cause is new */
    SHARED->stamp = 0;
    last = write_and_spin(&edu.words[EDU_RAISE], &SHARED->stamp);
    return SHARED->stamp - last - READINGS_COST_WRITE;
}

static bool device_start(mnos_cap_t line)
{
    if (!edu_begin(&edu))
        return false;
    edu_use_messages(&edu, line);
    cap_drop(edu.config); /* closes its ports */
    edu.config = 0;
    return true;
}

BENCH(irq, "irq-wake")
{
    mnos_cap_t line = cap_range(bootstrap_cap("interrupts"),
                                MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                                MNOS_MESSAGE_LINE_FIRST, 1);
    mnos_cap_t given;
    struct peer peer;

    if (peer_create(&peer)) {
        given = child_give(&peer.child, line, MNOS_RIGHT_WRITE);
        if (peer_start(&peer, driver, given, PRIORITY_SERVER) && peer_waits(&peer) &&
            device_start(line)) {
            measure_least("irq-wake", be_interrupted, NULL);
            cap_drop(edu.window);
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
