// SPDX-License-Identifier: MIT
/*
 * bench.h - the framework of the benchmarks that run as the init process.
 *
 *   BENCH(null_syscall, "null-syscall")
 *   {
 *       ...
 *       measure("null-syscall", round, &context);
 *   }
 *
 * A benchmark runs in a thread of its own below the priority of main(), so that servers can be given
 * one above it, and ends with everything it made taken down. Each metric is printed as the line
 * `bench NAME VALUE UNIT`. A failed check leaves the metric out, and the whole run fails.
 *
 * On the command line: `machine=NAME` tells which benchmarks this machine is for; `only=TEXT|TEXT...`
 * chooses those whose list of metrics contains one of the texts; `trace=NAME` stops before one round of
 * that metric, for trace.py.
 */
#pragma once

#include <stdint.h>

#include "bench/timed.h"
#include "tests/guest/child.h"
#include "tests/guest/output.h"

#define PRIORITY_LOW 30u
#define PRIORITY_CLIENT 40u
#define PRIORITY_SERVER TEST_PRIORITY

#define WARM_UP 100
#define ROUNDS 1001
#define ROUNDS_FEW 101 /* where a round is above a hundred thousand instructions */

struct bench {
    const char *metrics; /* names, separated by blanks */
    const char *machine; /* which run.py boots for it, and tells by `machine=NAME` */
    void (*run)(void);
};

#define BENCH_ON(machine, function, names)                                                         \
    static void bench_##function(void);                                                            \
    __attribute__((section("benches"), used,                                                       \
                   aligned(8))) static const struct bench entry_##function = {names, machine,      \
                                                                              bench_##function};   \
    static void bench_##function(void)
#define BENCH(function, names) BENCH_ON("one-core", function, names)

/* One round: returns the instructions counted. */
typedef uint64_t round_function(void *context);

/* Median over ROUNDS after WARM_UP. */
void measure(const char *name, round_function *round, void *context);
void measure_rounds(const char *name, unsigned rounds, round_function *round, void *context);
/* The least instead: for a beginning that is known to within a few instructions only. */
void measure_least(const char *name, round_function *round, void *context);
/* For what a benchmark has counted by itself. */
void report(const char *name, uint64_t value, const char *unit);
/* ---- the other side: a process with a thread in it and memory that both see ---- */

struct shared {
    uint64_t stamp;
    uint64_t ready;
    uint64_t values[64];
    uint8_t vectors[512];
};

/* Where init and each peer have it, so that a pointer means the same in both. */
#define SHARED ((struct shared *)ARENA)

struct peer {
    struct child child;
    mnos_cap_t endpoint; /* init's own, all rights */
    mnos_cap_t given;    /* the handle of it in the peer */
};

/* A process with `endpoint` new and SHARED mapped; nothing runs in it yet. */
bool peer_create(struct peer *peer);
/* One whose faults come to the endpoint. */
bool peer_create_handled(struct peer *peer);
/* Starts its thread with the handle of the endpoint and `b`, on core 0 or as asked. */
bool peer_start(struct peer *peer, child_function *function, uint64_t b, uint32_t priority);
bool peer_start_at(struct peer *peer, child_function *function, uint64_t b, uint32_t priority,
                   uint32_t affinity);
/* Returns once it waits for a message. */
bool peer_waits(struct peer *peer);
void peer_drop(struct peer *peer);
