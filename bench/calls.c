// SPDX-License-Identifier: MIT
/* calls.c - system calls that move no message: the cheapest, events, and giving up the processor. */
#include "bench/bench.h"

static uint64_t one_syscall(void *context)
{
    struct timed timed = *(const struct timed *)context;
    uint64_t count = timed_syscall(&timed);

    CHECK_EQ((uint32_t)timed.rax, MNOS_OK);
    return count;
}

/* Nobody else is there to yield to. */
BENCH(null_syscall, "null-syscall")
{
    struct timed timed = {.rax = MNOS_SYS_thread_yield};

    measure("null-syscall", one_syscall, &timed);
}

BENCH(notify_idle, "notify-idle")
{
    mnos_cap_t endpoint = endpoint_new();
    struct timed timed = {.rax = MNOS_SYS_ipc_notify, .rdi = endpoint, .rsi = 1};

    measure("notify-idle", one_syscall, &timed);
    cap_drop(endpoint);
}

/* ---- a waiting thread of higher priority ---- */

static uint64_t listener(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    return listen_stamping(endpoint, 0, MNOS_DEADLINE_NEVER, &SHARED->stamp);
}

static uint64_t notify_and_see(void *context)
{
    struct timed timed = *(const struct timed *)context;

    timed_syscall(&timed);
    CHECK_EQ(timed.rax, MNOS_OK);
    return SHARED->stamp - timed.begin - READINGS_COST;
}

BENCH(notify_wake, "notify-wake")
{
    struct timed timed = {.rax = MNOS_SYS_ipc_notify, .rsi = 1};
    struct peer peer;

    if (peer_create(&peer) && peer_start(&peer, listener, 0, PRIORITY_SERVER) &&
        peer_waits(&peer)) {
        timed.rdi = peer.endpoint;
        measure("notify-wake", notify_and_see, &timed);
    }
    peer_drop(&peer);
}

/* ---- yielding ---- */

static uint64_t yielder(uint64_t, uint64_t, uint64_t, uint64_t)
{
    yield_for_ever();
    return 0;
}

BENCH(yield, "yield-ping-pong")
{
    struct timed timed = {.rax = MNOS_SYS_thread_yield};
    struct peer peer;

    if (peer_create(&peer) && peer_start(&peer, yielder, 0, PRIORITY_CLIENT))
        measure("yield-ping-pong", one_syscall, &timed);
    peer_drop(&peer);
}
