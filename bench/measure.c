// SPDX-License-Identifier: MIT
/* measure.c - rounds, medians, and the peer process. */
#include "bench/measure.h"

#include "lib/mnos/bootstrap.h"
#include "lib/base/string.h"

#define UART_PORT 0x3F8
#define UART_PORTS 8
#define UART_LINE_STATUS (UART_PORT + 5)
#define UART_DATA_READY 1

/* trace.py looks at the last; the others bring all back to where it was before the wait. */
#define TRACED_ROUNDS 4

static mnos_cap_t shared_memory;
static uint64_t samples[ROUNDS];

const char *argument_value(const char *key, size_t *length)
{
    size_t key_length = strlen(key);
    const char *c = bootstrap_arguments();

    for (; *c != '\0'; c++) {
        if (strncmp(c, key, key_length) != 0)
            continue;
        c += key_length;
        for (*length = 0; c[*length] != '\0' && c[*length] != ' '; ++*length)
            ;
        return c;
    }
    return NULL;
}

/* ---- medians ---- */

static void sort(uint64_t *values, unsigned count)
{
    for (unsigned gap = count / 2; gap != 0; gap /= 2)
        for (unsigned i = gap; i < count; i++) {
            uint64_t value = values[i];
            unsigned j = i;

            for (; j >= gap && values[j - gap] > value; j -= gap)
                values[j] = values[j - gap];
            values[j] = value;
        }
}

void report(const char *name, uint64_t value, const char *unit)
{
    if (!check_failed())
        print("bench %s %llu %s", name, (unsigned long long)value, unit);
}

/* ---- tracing ---- */

static bool is_traced(const char *name)
{
    size_t length;
    const char *traced = argument_value("trace=", &length);

    return traced != NULL && strlen(name) == length && strncmp(name, traced, length) == 0;
}

static uint8_t in(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* Says so on the serial line, and goes on when a byte has come there: the tracer is on by then. */
static void wait_for_tracer(void)
{
    mnos_cap_t ports = cap_range(bootstrap_cap("ports"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE,
                                 UART_PORT, UART_PORTS);

    CHECK_OK(sys_mem_map(MNOS_SELF, ports, 0, 0, UART_PORTS, MAP_RW));
    print("trace ready");
    while ((in(UART_LINE_STATUS)&UART_DATA_READY) == 0)
        ;
    (void)in(UART_PORT);
    cap_drop(ports); /* an open port would cost each switch to this process */
}

static void trace(round_function *round, void *context)
{
    wait_for_tracer();
    for (unsigned i = 0; i < TRACED_ROUNDS; i++)
        round(context);
    machine_leave(!check_failed());
}

/* Leaves the sorted counts in `samples`. */
static void sample(const char *name, unsigned rounds, round_function *round, void *context)
{
    for (unsigned i = 0; i < WARM_UP && i < rounds && !check_failed(); i++)
        round(context);
    if (is_traced(name))
        trace(round, context);
    for (unsigned i = 0; i < rounds && !check_failed(); i++)
        samples[i] = round(context);
    sort(samples, rounds);
}

void measure_rounds(const char *name, unsigned rounds, round_function *round, void *context)
{
    sample(name, rounds, round, context);
    report(name, samples[rounds / 2], "instructions");
}

void measure(const char *name, round_function *round, void *context)
{
    measure_rounds(name, ROUNDS, round, context);
}

void measure_least(const char *name, round_function *round, void *context)
{
    sample(name, ROUNDS, round, context);
    report(name, samples[0], "instructions");
}

/* ---- the peer ---- */

bool shared_set(mnos_cap_t memory)
{
    shared_memory = memory;
    return memory != 0;
}

static bool peer_prepare(struct peer *peer, bool handled)
{
    *peer = (struct peer){.endpoint = endpoint_new()};
    memset(SHARED, 0, sizeof *SHARED);
    if (!child_create_watched(&peer->child, handled ? peer->endpoint : 0))
        return false;
    peer->given = child_give(&peer->child, peer->endpoint, MNOS_RIGHTS_ALL);
    return CHECK_OK(sys_mem_map(peer->child.process, shared_memory, ARENA, 0, 1, MAP_RW));
}

bool peer_create(struct peer *peer)
{
    return peer_prepare(peer, false);
}

bool peer_create_handled(struct peer *peer)
{
    return peer_prepare(peer, true);
}

bool peer_waits(struct peer *peer)
{
    return thread_reaches(peer->child.thread, MNOS_STATE_RECEIVING);
}

bool peer_start_at(struct peer *peer, child_function *function, uint64_t b, uint32_t priority,
                   uint32_t affinity)
{
    return child_start_at(&peer->child, function, peer->given, b, priority, affinity);
}

bool peer_start(struct peer *peer, child_function *function, uint64_t b, uint32_t priority)
{
    return peer_start_at(peer, function, b, priority, 0);
}

void peer_drop(struct peer *peer)
{
    child_drop(&peer->child);
    if (peer->endpoint != 0)
        cap_drop(peer->endpoint);
}
