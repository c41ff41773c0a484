// SPDX-License-Identifier: MIT
/* test_ending.c - how urgently a process or a thread ends, and for whom: docs/ending.md. */
#include "tests/guest/ending_scene.h"

/* ---- a process in the middle of its end, and who destroys it ---- */

struct scene {
    struct child child;
    mnos_cap_t port, ready;
    struct thread destroyer;
    struct spinner spinner;
    _Atomic bool done;
    _Atomic mnos_status_t status;
};

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
