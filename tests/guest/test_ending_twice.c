// SPDX-License-Identifier: MIT
/* test_ending_twice.c - ends that meet: two that destroy each other, and two that end the same: docs/ending.md. */
#include "tests/guest/ending_scene.h"

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
