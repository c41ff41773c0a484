// SPDX-License-Identifier: MIT
/*
 * test_ending.c - how urgently a process ends, and for whom: docs/ending.md. One core is used, core
 * 0, so that priorities decide; who spins counts its turns, by which "for a while" is measured.
 */
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

static void spin(void *argument)
{
    struct spinner *s = argument;
    struct message msg = {0};

    if (ipc_receive(s->go, &msg, soon()) != MNOS_OK)
        return;
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
        atomic_fetch_add_explicit(&s->turns, 1, memory_order_relaxed);
}

static void spinner_start(struct spinner *s, uint32_t priority)
{
    *s = (struct spinner){.go = endpoint_new()};
    helper_start_at(&s->thread, spin, s, priority, 0);
    thread_reaches(s->thread.thread, MNOS_STATE_RECEIVING);
}

static void spinner_wait(struct spinner *s)
{
    while (atomic_load(&s->turns) == 0 && !check_failed())
        sleep_ns(POLL_NS);
}

static void spinner_finish(struct spinner *s)
{
    atomic_store(&s->stop, true);
    (void)!sys_ipc_notify(s->go, 1);
    helper_finish(&s->thread);
    cap_drop(s->go);
}

/* Until it has spun for a while, or `done`. */
static void watch(struct spinner *s, const _Atomic bool *done)
{
    uint64_t until = atomic_load(&s->turns) + A_WHILE;

    while (atomic_load(&s->turns) < until && !(done != NULL && atomic_load(done)))
        sleep_ns(POLL_NS);
}

/* ---- a process in the middle of its end, and who destroys it ---- */

struct scene {
    struct child child;
    mnos_cap_t port, ready;
    struct thread destroyer;
    struct spinner spinner;
    _Atomic bool done;
    _Atomic mnos_status_t status;
};

/* Has children of its own, of the first one's end the spinner is told; then takes calls and answers
 * none, until an event tells it to end itself. */
static uint64_t be_victim(uint64_t port, uint64_t ready, uint64_t go, uint64_t children)
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

static void destroy(void *argument)
{
    struct scene *s = argument;

    atomic_store(&s->status, sys_proc_destroy(s->child.process, 0));
    atomic_store(&s->done, true);
}

static void destroy_cancelled(void *argument)
{
    struct scene *s = argument;

    CHECK_ERROR(proc_destroy, ERR_CANCELLED, 0, 0, sys_proc_destroy(s->child.process, 0));
    atomic_store(&s->done, true);
}

/* The victim lives. */
static bool scene_begin(struct scene *s, uint32_t spins_at)
{
    *s = (struct scene){.port = endpoint_new(), .ready = endpoint_new()};
    spinner_start(&s->spinner, spins_at);
    return child_create(&s->child) &&
           child_start(&s->child, be_victim, child_give(&s->child, s->port, MNOS_RIGHT_READ),
                       child_give(&s->child, s->ready, MNOS_RIGHT_WRITE),
                       child_give(&s->child, s->spinner.go, MNOS_RIGHT_WRITE), 1) &&
           event_comes(s->ready, 1) &&
           CHECK_OK(sys_thread_control(s->child.thread, MNOS_THREAD_PRIORITY, LOW));
}

/* A thread of priority LOW destroys it; its child has ended, when the spinner takes the core. */
static void scene_destroy(struct scene *s, thread_function *destroyer)
{
    helper_start_at(&s->destroyer, destroyer, s, LOW, 0);
    spinner_wait(&s->spinner);
}

static bool scene_in_the_middle(struct scene *s, thread_function *destroyer, uint32_t spins_at)
{
    if (!scene_begin(s, spins_at))
        return false;
    scene_destroy(s, destroyer);
    return CHECK_EQ(process_info(s->child.process).state, MNOS_PROCESS_DYING) &&
           CHECK_EQ(thread_info(s->destroyer.thread).state, MNOS_STATE_ENDING);
}

static void scene_end(struct scene *s)
{
    spinner_finish(&s->spinner);
    helper_finish(&s->destroyer);
    child_drop(&s->child);
    cap_drop(s->port);
    cap_drop(s->ready);
}

static bool still_ends(const struct scene *s)
{
    return CHECK(!atomic_load(&s->done)) &&
           CHECK_EQ(process_info(s->child.process).state, MNOS_PROCESS_DYING);
}

TEST(ending, an_end_is_no_more_urgent_than_who_waits_for_it)
{
    struct scene s;

    if (scene_in_the_middle(&s, destroy, MIDDLE)) {
        watch(&s.spinner, &s.done);
        still_ends(&s);
        CHECK_EQ(thread_info(s.destroyer.thread).waits_for, cap_info(s.child.process).object_id);
    }
    scene_end(&s);
    CHECK_STATUS(s.status, MNOS_OK);
}

TEST(ending, a_waiter_whose_priority_is_raised_raises_the_end)
{
    struct scene s;

    if (scene_in_the_middle(&s, destroy, MIDDLE)) {
        CHECK_OK(sys_thread_control(s.destroyer.thread, MNOS_THREAD_PRIORITY, HIGH));
        watch(&s.spinner, &s.done);
        CHECK(s.done);
        CHECK_STATUS(s.status, MNOS_OK);
        CHECK_EQ(process_info(s.child.process).state, MNOS_PROCESS_DEAD);
    }
    scene_end(&s);
}

TEST(ending, a_second_waiter_raises_the_end_and_both_return)
{
    struct scene s;

    if (scene_in_the_middle(&s, destroy, MIDDLE)) {
        CHECK_OK(sys_proc_destroy(s.child.process, 1)); /* at the priority of the test */
        CHECK_EQ(process_info(s.child.process).exit_code, 0);
    }
    scene_end(&s);
    CHECK_STATUS(s.status, MNOS_OK);
}

TEST(ending, a_waiter_that_is_cancelled_lowers_the_end)
{
    struct scene s;

    if (scene_in_the_middle(&s, destroy_cancelled, TOP)) {
        CHECK_OK(sys_thread_control(s.destroyer.thread, MNOS_THREAD_PRIORITY, HIGH));
        CHECK_OK(sys_thread_control(s.destroyer.thread, MNOS_THREAD_CANCEL, 0));
        /* With a waiter at HIGH it would go on now. */
        CHECK_OK(sys_thread_control(s.spinner.thread.thread, MNOS_THREAD_PRIORITY, MIDDLE));
        watch(&s.spinner, NULL);
        CHECK(s.done);
        CHECK_EQ(process_info(s.child.process).state, MNOS_PROCESS_DYING);
    }
    scene_end(&s); /* it goes on ending nevertheless */
}

TEST(ending, a_waiter_that_is_suspended_waits_on)
{
    struct scene s;
    uint64_t now;

    if (scene_in_the_middle(&s, destroy, MIDDLE)) {
        CHECK_OK(sys_thread_block(s.destroyer.thread, 0, &now));
        CHECK_OK(sys_proc_destroy(s.child.process, 1));
        CHECK(!s.done);
        CHECK_EQ(thread_info(s.destroyer.thread).state, MNOS_STATE_SUSPENDED);
        CHECK_OK(sys_thread_wake(s.destroyer.thread));
    }
    scene_end(&s);
    CHECK_STATUS(s.status, MNOS_OK);
}

TEST(ending, a_waiter_that_is_killed_leaves_the_end_alone)
{
    struct scene s;

    if (scene_in_the_middle(&s, destroy, MIDDLE)) {
        helper_end(&s.destroyer);
        s.destroyer.thread = 0;
        watch(&s.spinner, &s.done);
        still_ends(&s);
    }
    scene_end(&s);
}

/* ---- the end of a thread ---- */

enum { CALLERS = 34 }; /* more than one step wakes */

struct calls {
    struct thread victim, destroyer, callers[CALLERS], first;
    mnos_cap_t port;
    _Atomic uint64_t turns;
    _Atomic bool stop, done;
    _Atomic unsigned answered;
};

/* Takes all calls and answers none. */
static void take_calls(void *argument)
{
    struct calls *c = argument;
    struct message msg;

    while (ipc_receive(c->port, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK)
        ;
}

static void call_in_vain(void *argument)
{
    struct calls *c = argument;
    struct message msg = {0};

    CHECK_STATUS(ipc_call(c->port, &msg, MNOS_DEADLINE_NEVER), MNOS_ERR_PEER);
    atomic_fetch_add(&c->answered, 1);
}

/* The most urgent one is told first, and then lets nobody else run. */
static void call_and_spin(void *argument)
{
    struct calls *c = argument;

    call_in_vain(c);
    while (!atomic_load_explicit(&c->stop, memory_order_relaxed))
        atomic_fetch_add_explicit(&c->turns, 1, memory_order_relaxed);
}

static void destroy_thread_cancelled(void *argument)
{
    struct calls *c = argument;

    CHECK_ERROR(thread_destroy, ERR_CANCELLED, 0, 0, sys_thread_destroy(c->victim.thread));
    atomic_store(&c->done, true);
}

static void calls_begin(struct calls *c)
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

static void calls_end(struct calls *c)
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

TEST(ending, callers_of_a_dead_thread_are_told_in_the_order_of_their_priority)
{
    static struct calls c;

    calls_begin(&c);
    helper_start_at(&c.destroyer, destroy_thread_cancelled, &c, LOW, 0);
    while (atomic_load(&c.turns) == 0 && !check_failed())
        sleep_ns(POLL_NS);
    uint64_t until = c.turns + A_WHILE;
    while (c.turns < until)
        sleep_ns(POLL_NS);
    CHECK(c.answered <= 32); /* the others are no more urgent than who spins */
    CHECK_EQ(thread_info(c.destroyer.thread).state, MNOS_STATE_ENDING);
    CHECK_OK(sys_thread_control(c.destroyer.thread, MNOS_THREAD_CANCEL, 0));
    CHECK_EQ(thread_info(c.victim.thread).state, MNOS_STATE_DEAD);
    calls_end(&c);
    helper_finish(&c.destroyer);
    CHECK(c.done);
}

/* ---- a client of a server that dies ---- */

struct client {
    struct thread thread;
    mnos_cap_t port;
    _Atomic bool done;
};

static void be_client(void *argument)
{
    struct client *c = argument;
    struct message msg = {0};

    CHECK_STATUS(ipc_call(c->port, &msg, MNOS_DEADLINE_NEVER), MNOS_ERR_PEER);
    atomic_store(&c->done, true);
}

TEST(ending, a_client_of_a_dying_server_is_told_although_others_spin)
{
    struct client client = {0};
    struct scene s;

    if (scene_begin(&s, MIDDLE)) {
        client.port = s.port;
        helper_start_at(&client.thread, be_client, &client, HIGH, 0);
        event_comes(s.ready, 2); /* the victim has the call */
        scene_destroy(&s, destroy);
        watch(&s.spinner, &client.done);
        CHECK(client.done);
    }
    scene_end(&s);
    helper_finish(&client.thread);
}

/* ---- two that destroy each other ---- */

struct duellist {
    struct thread thread;
    struct duellist *other;
    _Atomic unsigned *ready;
};

static void duel(void *argument)
{
    struct duellist *d = argument;

    atomic_fetch_add(d->ready, 1);
    while (atomic_load(d->ready) < 2)
        (void)!sys_thread_yield();
    (void)!sys_thread_destroy(d->other->thread.thread);
}

/* Whoever is left, if one is, ends by itself. */
static void bury_duellist(struct duellist *d)
{
    (void)!sys_thread_destroy(d->thread.thread);
    (void)!sys_ipc_notify(d->thread.ended, 1);
    helper_finish(&d->thread);
}

TEST(ending, two_threads_destroy_each_other)
{
    for (unsigned round = 0; round < 120 && !check_failed(); round++) {
        _Atomic unsigned ready = 0;
        struct duellist one = {.ready = &ready}, two = {.ready = &ready};

        one.other = &two;
        two.other = &one;
        helper_start_at(&one.thread, duel, &one, MIDDLE, 0);
        helper_start_at(&two.thread, duel, &two, MIDDLE, core_count() - 1);
        while (atomic_load(&ready) < 2)
            sleep_ns(POLL_NS);
        bury_duellist(&one);
        bury_duellist(&two);
    }
}

/* Waits for the event, so that both begin at once. */
static uint64_t destroy_sibling(uint64_t sibling, uint64_t gate, uint64_t, uint64_t)
{
    struct message msg = {0};

    (void)!ipc_receive(gate, &msg, soon());
    return sys_proc_destroy(sibling, 77);
}

TEST(ending, two_siblings_destroy_each_other)
{
    for (unsigned round = 0; round < 60 && !check_failed(); round++) {
        mnos_cap_t gates[2] = {endpoint_new(), endpoint_new()};
        struct child children[2];
        bool ok = child_create(&children[0]) && child_create(&children[1]);

        for (unsigned i = 0; i < 2 && ok; i++)
            ok = child_start_at(
                &children[i], destroy_sibling,
                child_give(&children[i], children[1 - i].process, MNOS_RIGHT_EXECUTE),
                child_give(&children[i], gates[i], MNOS_RIGHT_READ), MIDDLE, i % core_count());
        for (unsigned i = 0; i < 2 && ok; i++)
            CHECK_OK(sys_ipc_notify(gates[i], 1));
        /* One of them ends by the other's hand; and if the other got an answer before, by its own.
         * */
        for (unsigned i = 0; i < 2 && ok; i++)
            CHECK_EQ(child_wait(&children[i]).state, MNOS_PROCESS_DEAD);
        for (unsigned i = 0; i < 2; i++) {
            child_drop(&children[i]);
            cap_drop(gates[i]);
        }
    }
}

/* ---- a thread that ends its process is destroyed ---- */

static uint64_t end_with_children(uint64_t ready, uint64_t count, uint64_t, uint64_t)
{
    struct mnos_process_params params = {.name = "inner", .frames_quota = 12, .bytes_quota = 16384};
    struct mnos_thread_params thread_params = {
        .ipc_buffer = ARENA, .affinity = MNOS_AFFINITY_ANY, .flags = MNOS_THREAD_SUSPENDED};
    mnos_cap_t process, thread;

    for (uint64_t i = 0; i < count; i++)
        if (process_create(&params, &process) != MNOS_OK ||
            thread_create_raw(process, &thread_params, &thread) != MNOS_OK)
            return 1;
    (void)!sys_ipc_notify(ready, 1);
    return 5;
}

static void wait_a_little(unsigned turns)
{
    for (volatile unsigned i = 0; i < turns; i++)
        ;
}

TEST(ending, a_thread_that_ends_its_process_and_its_children_is_destroyed_meanwhile)
{
    mnos_cap_t ready = endpoint_new();

    for (unsigned round = 0; round < 60 && !check_failed(); round++) {
        struct child child;

        if (child_create(&child) &&
            child_start(&child, end_with_children, child_give(&child, ready, MNOS_RIGHT_WRITE), 4,
                        0, 0) &&
            event_comes(ready, 1)) {
            wait_a_little(round * 500);
            (void)!sys_thread_destroy(child.thread); /* it may be dead, or its handle gone */
            /* It had not said so yet: nobody else does. */
            (void)!sys_proc_destroy(child.process, 6);
            CHECK_EQ(child_wait(&child).state, MNOS_PROCESS_DEAD);
        }
        child_drop(&child);
    }
    cap_drop(ready);
}

static uint64_t end_when_told(uint64_t gate, uint64_t, uint64_t, uint64_t)
{
    struct message msg = {0};

    (void)!ipc_receive(gate, &msg, soon());
    return 9;
}

static void end_by_two(const struct child *child, mnos_cap_t gate, unsigned round)
{
    mnos_cap_t given = child_give(child, gate, MNOS_RIGHT_READ), second = 0;

    if (!child_start_beside(child, end_when_told, given, LOW, core_count() - 1, &second))
        return;
    thread_reaches(child->thread, MNOS_STATE_RECEIVING);
    thread_reaches(second, MNOS_STATE_RECEIVING);
    CHECK_OK(sys_ipc_notify(gate, 1));
    CHECK_OK(sys_ipc_notify(gate, 1));
    wait_a_little(round * 600);
    (void)!sys_thread_destroy(round % 2 == 0 ? second : child->thread);
    (void)!sys_proc_destroy(child->process, 6);
    CHECK_EQ(child_wait(child).state, MNOS_PROCESS_DEAD);
}

static uint64_t frames_used(void)
{
    return process_info(MNOS_SELF).frames_used;
}

/* The account that its process is given back to must have what it had, but for what one child has taken and
 * nobody has had the time to free yet. */
TEST(ending, two_threads_end_their_process_and_one_of_them_is_destroyed)
{
    for (unsigned round = 0; round < 30 && !check_failed(); round++) {
        mnos_cap_t gate = endpoint_new();
        uint64_t before = frames_used(), taken;
        struct child child;
        bool created = child_create(&child);

        taken = frames_used() - before;
        if (created && child_start_at(&child, end_when_told,
                                      child_give(&child, gate, MNOS_RIGHT_READ), 0, LOW, 0))
            end_by_two(&child, gate, round);
        child_drop(&child);
        CHECK(frames_used() <= before + taken);
        cap_drop(gate);
    }
}

/* Destroys the thread when a child of its process has ended. */
struct assassin {
    struct thread thread;
    mnos_cap_t told, victim;
    _Atomic bool done;
};

static void destroy_when_told(void *argument)
{
    struct assassin *a = argument;
    struct message msg = {0};

    (void)!ipc_receive(a->told, &msg, soon());
    (void)!sys_thread_destroy(a->victim);
    atomic_store(&a->done, true);
}

/* The first thread ends its process and is destroyed in the middle of it, from core 0; there whom
 * it owed a reply then spins; the second thread, on another core, ends the process as well. */
static void end_twice(const struct child *child, struct calls *c, struct assassin *a,
                      mnos_cap_t ready)
{
    mnos_cap_t gate = endpoint_new(), second = 0;

    child_start_beside(child, end_when_told, child_give(child, gate, MNOS_RIGHT_READ), LOW,
                       core_count() - 1, &second);
    thread_reaches(second, MNOS_STATE_RECEIVING);
    helper_start_at(&c->first, call_and_spin, c, MIDDLE, 0);
    event_comes(ready, 2);
    helper_start_at(&a->thread, destroy_when_told, a, LOW, 0);
    thread_reaches(a->thread.thread, MNOS_STATE_RECEIVING);
    CHECK_OK(sys_ipc_notify(c->port, 1));
    while (atomic_load(&c->turns) == 0 && !check_failed())
        sleep_ns(POLL_NS);
    CHECK_OK(sys_ipc_notify(gate, 1));
    for (uint64_t until = c->turns + A_WHILE; c->turns < until;)
        sleep_ns(POLL_NS);
    atomic_store(&c->stop, true);
    helper_finish(&c->first);
    helper_finish(&a->thread);
    CHECK_EQ(child_wait(child).state, MNOS_PROCESS_DEAD);
    cap_drop(gate);
}

TEST(ending, a_process_that_two_threads_end_ends_once)
{
    mnos_cap_t ready = endpoint_new();
    struct calls c = {.port = endpoint_new()};
    struct assassin a = {.told = endpoint_new()};
    struct child child;

    if (child_create(&child) &&
        child_start(&child, be_victim, child_give(&child, c.port, MNOS_RIGHT_READ),
                    child_give(&child, ready, MNOS_RIGHT_WRITE),
                    child_give(&child, a.told, MNOS_RIGHT_WRITE), 6) &&
        event_comes(ready, 1) &&
        CHECK_OK(sys_thread_control(child.thread, MNOS_THREAD_PRIORITY, LOW)) &&
        CHECK_OK(sys_thread_control(child.thread, MNOS_THREAD_AFFINITY, core_count() - 1))) {
        a.victim = child.thread;
        end_twice(&child, &c, &a, ready);
    }
    child_drop(&child);
    cap_drop(c.port);
    cap_drop(a.told);
    cap_drop(ready);
}

static uint64_t wait_and_spin(uint64_t gate, uint64_t, uint64_t, uint64_t)
{
    struct message msg = {0};

    while (ipc_receive(gate, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK)
        ;
    for (volatile bool spins = true; spins;)
        ;
    return 0;
}

struct takeover {
    struct thread thread;
    mnos_cap_t process, doomed, gate;
    _Atomic bool done;
};

static void destroy_the_doomed(void *argument)
{
    struct takeover *t = argument;

    while (process_info(t->process).state == MNOS_PROCESS_ALIVE)
        sleep_ns(POLL_NS);
    (void)!sys_ipc_notify(t->gate, 1);
    (void)!sys_thread_destroy(t->doomed);
    atomic_store(&t->done, true);
}

TEST(ending, a_core_ends_the_process_of_the_thread_that_it_runs)
{
    mnos_cap_t ready = endpoint_new(), gate = endpoint_new();
    struct takeover t = {.gate = gate};
    mnos_cap_t second = 0;
    struct child child;

    if (child_create(&child) &&
        child_start_beside(&child, wait_and_spin, child_give(&child, gate, MNOS_RIGHT_READ),
                           LOW + 5, 0, &second) &&
        child_start_at(&child, end_with_children, child_give(&child, ready, MNOS_RIGHT_WRITE), 6,
                       LOW, 0)) {
        t.process = child.process;
        t.doomed = child.thread;
        helper_start_at(&t.thread, destroy_the_doomed, &t, LOW + 5, 0);
        CHECK_EQ(child_wait(&child).state, MNOS_PROCESS_DEAD);
        helper_finish(&t.thread);
    }
    child_drop(&child);
    cap_drop(ready);
    cap_drop(gate);
}
