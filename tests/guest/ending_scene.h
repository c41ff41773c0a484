// SPDX-License-Identifier: MIT
/*
 * ending_scene.h - who spins beside an end, and callers of a thread that ends: for the tests of ending. One core is
 * used, core 0, so that priorities decide; who spins counts its turns, by which "for a while" is measured.
 */
#pragma once

#include <stdatomic.h>

#include "tests/guest/child.h"
#include "tests/guest/claim.h"

enum { LOW = 5, MIDDLE = 30, HIGH = 45, TOP = 47 };

/* Far more turns than a whole end takes. */
#define A_WHILE 5000000ull
#define POLL_NS 20000ull

/* ---- who spins ---- */

struct spinner {
    struct thread thread;
    mnos_cap_t go;
    _Atomic uint64_t turns;
    _Atomic bool stop;
};

static inline void spin(void *argument)
{
    struct spinner *s = argument;
    struct message msg = {0};

    if (ipc_receive(s->go, &msg, soon()) != MNOS_OK)
        return;
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
        atomic_fetch_add_explicit(&s->turns, 1, memory_order_relaxed);
}

static inline void spinner_start(struct spinner *s, uint32_t priority)
{
    *s = (struct spinner){.go = endpoint_new()};
    helper_start_at(&s->thread, spin, s, priority, 0);
    thread_reaches(s->thread.thread, MNOS_STATE_RECEIVING);
}

static inline void spinner_wait(struct spinner *s)
{
    while (atomic_load(&s->turns) == 0 && !check_failed())
        sleep_ns(POLL_NS);
}

static inline void spinner_finish(struct spinner *s)
{
    atomic_store(&s->stop, true);
    (void)!sys_ipc_notify(s->go, 1);
    helper_finish(&s->thread);
    cap_drop(s->go);
}

/* Until it has spun for a while, or `done`. */
static inline void watch(struct spinner *s, const _Atomic bool *done)
{
    uint64_t until = atomic_load(&s->turns) + A_WHILE;

    while (atomic_load(&s->turns) < until && !(done != NULL && atomic_load(done)))
        sleep_ns(POLL_NS);
}

/* ---- a process that ends when it is told ---- */

/* Has children of its own, of the first one's end the spinner is told; then takes calls and answers
 * none, until an event tells it to end itself. */
static inline uint64_t be_victim(uint64_t port, uint64_t ready, uint64_t go, uint64_t children)
{
    struct mnos_process_params params = {.name = "inner",
                                         .frames_quota = 12,
                                         .bytes_quota = 8192,
                                         .exit_endpoint = go,
                                         .exit_events = 1};
    struct message msg;
    mnos_cap_t process;

    for (uint64_t i = 0; i < children; i++) {
        if (process_create(&params, &process) != MNOS_OK)
            return 1;
        params.exit_endpoint = 0;
        params.exit_events = 0;
    }
    (void)!sys_ipc_notify(ready, 1);
    while (ipc_receive(port, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK && msg.kind != MNOS_KIND_EVENTS)
        (void)!sys_ipc_notify(ready, 2);
    return 2;
}

/* ---- callers of a thread that ends ---- */

enum { CALLERS = 34 }; /* more than one step wakes */

struct calls {
    struct thread victim, destroyer, callers[CALLERS], first;
    mnos_cap_t port;
    _Atomic uint64_t turns;
    _Atomic bool stop, done;
    _Atomic unsigned answered;
};

/* Takes all calls and answers none. */
static inline void take_calls(void *argument)
{
    struct calls *c = argument;
    struct message msg;

    while (ipc_receive(c->port, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK)
        ;
}

static inline void call_in_vain(void *argument)
{
    struct calls *c = argument;
    struct message msg = {0};

    CHECK_STATUS(ipc_call(c->port, &msg, MNOS_DEADLINE_NEVER), MNOS_ERR_PEER);
    atomic_fetch_add(&c->answered, 1);
}

/* The most urgent one is told first, and then lets nobody else run. */
static inline void call_and_spin(void *argument)
{
    struct calls *c = argument;

    call_in_vain(c);
    while (!atomic_load_explicit(&c->stop, memory_order_relaxed))
        atomic_fetch_add_explicit(&c->turns, 1, memory_order_relaxed);
}

static inline void destroy_thread_cancelled(void *argument)
{
    struct calls *c = argument;

    CHECK_ERROR(thread_destroy, ERR_CANCELLED, 0, 0, sys_thread_destroy(c->victim.thread));
    atomic_store(&c->done, true);
}

static inline void calls_begin(struct calls *c)
{
    *c = (struct calls){.port = endpoint_new()};
    helper_start_at(&c->victim, take_calls, c, LOW, 0);
    for (unsigned i = 0; i < CALLERS; i++) {
        helper_start_at(&c->callers[i], call_in_vain, c, LOW, 0);
        thread_reaches(c->callers[i].thread, MNOS_STATE_CALLING);
    }
    helper_start_at(&c->first, call_and_spin, c, MIDDLE, 0);
    thread_reaches(c->first.thread, MNOS_STATE_CALLING);
}

static inline void calls_end(struct calls *c)
{
    atomic_store(&c->stop, true);
    helper_finish(&c->first);
    for (unsigned i = 0; i < CALLERS; i++)
        helper_finish(&c->callers[i]);
    CHECK_EQ(c->answered, CALLERS + 1);
    (void)!sys_ipc_notify(c->victim.ended, 1);
    helper_finish(&c->victim);
    cap_drop(c->port);
}
