// SPDX-License-Identifier: MIT
/* test_queues.c - run queues, queues of waiting threads and timers, each by itself. */
#include "ipc/wait.h"
#include "object/endpoint.h"
#include "sched/sched.h"
#include "sched/runqueue_inline.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER

TEST(runqueue, gives_the_best_first_and_equals_in_order)
{
    const unsigned priorities[] = {3, 63, 0, 63, 3};
    const unsigned order[] = {1, 3, 0, 4, 2};
    static struct thread threads[5];
    struct runqueue queue;

    runqueue_init(&queue);
    CHECK_EQ(runqueue_best_priority(&queue), -1);
    spin_lock(&queue.lock);
    for (unsigned i = 0; i < 5; i++) {
        threads[i].effective = (uint8_t)priorities[i];
        threads[i].state = THREAD_READY;
        threads[i].affinity = i % 2 == 0 ? MNOS_AFFINITY_ANY : 0;
        list_init(&threads[i].run_link);
        runqueue_insert_locked(&queue, &threads[i], false);
        runqueue_check(&queue);
    }
    for (unsigned i = 0; i < 5; i++) {
        CHECK_PTR_EQ(runqueue_best_locked(&queue), &threads[order[i]]);
        runqueue_remove_locked(&queue, &threads[order[i]]);
        runqueue_check(&queue);
    }
    CHECK_PTR_EQ(runqueue_best_locked(&queue), NULL);
    runqueue_insert_locked(&queue, &threads[0], false);
    runqueue_insert_locked(&queue, &threads[4], true);
    CHECK_PTR_EQ(runqueue_best_locked(&queue), &threads[4]);
    spin_unlock(&queue.lock);
}

TEST(runqueue, random_use_keeps_the_order_among_pinned_and_movable)
{
    enum { THREADS = 40 };
    static struct thread threads[THREADS];
    int64_t arrival[THREADS] = {0}, now = 1, front = -1;
    struct runqueue queue;

    runqueue_init(&queue);
    spin_lock(&queue.lock);
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i].affinity = i % 3 == 0 ? 0 : MNOS_AFFINITY_ANY;
        threads[i].state = THREAD_READY;
        list_init(&threads[i].run_link);
    }
    for (unsigned step = 0; step < 10000; step++) {
        unsigned i = world_random(THREADS);
        struct thread *best = NULL, *movable = NULL;

        if (arrival[i] != 0) {
            runqueue_remove_locked(&queue, &threads[i]);
            arrival[i] = 0;
        } else {
            bool at_front = world_random(4) == 0;

            threads[i].effective = (uint8_t)world_random(4);
            runqueue_insert_locked(&queue, &threads[i], at_front);
            arrival[i] = at_front ? front-- : now++;
        }
        runqueue_check(&queue);
        for (unsigned k = 0; k < THREADS; k++) {
#define BETTER(than)                                                                               \
    ((than) == NULL || threads[k].effective > (than)->effective ||                                 \
     (threads[k].effective == (than)->effective && arrival[k] < arrival[(than)-threads]))
            if (arrival[k] != 0 && BETTER(best))
                best = &threads[k];
            if (arrival[k] != 0 && threads[k].affinity == MNOS_AFFINITY_ANY && BETTER(movable))
                movable = &threads[k];
#undef BETTER
        }
        CHECK_PTR_EQ(runqueue_best_locked(&queue), best);
        CHECK_PTR_EQ(runqueue_best_movable_locked(&queue), movable);
        if (best == NULL || world_random(4) != 0)
            continue;
        i = world_random(THREADS); /* one that runs yields to the first of the best */
        if (arrival[i] != 0)
            continue;
        threads[i].effective = best->effective;
        CHECK_PTR_EQ(runqueue_next_locked(&queue, &threads[i]), best);
        arrival[best - threads] = 0;
        arrival[i] = now++;
        runqueue_check(&queue);
    }
    spin_unlock(&queue.lock);
}

/* As a thread that begins to wait does. */
static bool wait_until(struct timer_queue *queue, struct thread *thread, uint64_t deadline_ns)
{
    thread->state = THREAD_PARKED;
    thread->deadline_ns = deadline_ns;
    return thread->timer.due > deadline_ns && timer_queue_insert(queue, thread);
}

static void wake(struct thread *thread)
{
    thread->state = THREAD_RUNNING;
    thread->deadline_ns = NEVER;
}

/* The next thread whose wait ends, after whatever else is to be done before. */
static struct thread *expire_one(struct timer_queue *queue, uint64_t now_ns)
{
    struct thread *thread;

    do
        thread = timer_queue_step(queue, now_ns);
    while (thread == TIMER_QUEUE_MORE);
    return thread;
}

TEST(timer_queue, expires_in_the_order_of_deadlines)
{
    static struct thread threads[100];
    struct thread *thread;
    struct timer_queue queue;
    uint64_t last = 0;
    unsigned count = 0;

    timer_queue_init(&queue);
    CHECK_PTR_EQ(expire_one(&queue, UINT64_MAX - 1), NULL);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t deadline = 10 + i * 37 % 100;
        bool first = deadline < queue.earliest;
        threads[i].timer.due = UINT64_MAX;
        CHECK_EQ(wait_until(&queue, &threads[i], deadline), first);
    }
    CHECK_EQ(queue.earliest, 10);
    for (unsigned i = 0; i < 100; i += 2)
        timer_queue_remove(&threads[i]);
    timer_queue_remove(&threads[0]); /* harmless */
    tree_check(&queue.tree);
    CHECK_PTR_EQ(expire_one(&queue, queue.earliest - 1), NULL);
    while ((thread = expire_one(&queue, 200)) != NULL) {
        CHECK((thread - threads) % 2 == 1 && thread->deadline_ns >= last);
        CHECK_EQ(thread->timer.due, UINT64_MAX);
        CHECK_PTR_EQ(thread->timer.queue, NULL);
        last = thread->deadline_ns;
        count++;
    }
    CHECK_EQ(count, 50);
    CHECK_EQ(queue.earliest, UINT64_MAX);
}

TEST(timer_queue, an_entry_serves_the_waits_that_follow)
{
    static struct thread thread = {.timer.due = UINT64_MAX}, other = {.timer.due = UINT64_MAX};
    struct timer_queue queue, elsewhere;

    timer_queue_init(&queue);
    timer_queue_init(&elsewhere);
    CHECK(wait_until(&queue, &thread, 100));
    wake(&thread);
    CHECK_EQ(thread.timer.due, 100);
    CHECK(!wait_until(&queue, &thread, 300));
    CHECK_EQ(thread.timer.due, 100);
    CHECK_PTR_EQ(expire_one(&queue, 100), NULL); /* early: entered again */
    CHECK_EQ(thread.timer.due, 300);
    CHECK_PTR_EQ(thread.timer.queue, &queue);
    wake(&thread);
    CHECK(wait_until(&elsewhere, &thread, 200)); /* earlier: where it waits now */
    CHECK_PTR_EQ(thread.timer.queue, &elsewhere);
    CHECK_EQ(queue.earliest, UINT64_MAX);
    CHECK(!wait_until(&elsewhere, &other, 250));
    wake(&thread);
    CHECK_PTR_EQ(expire_one(&elsewhere, 0), NULL); /* what nobody waits for does not stay first */
    CHECK_EQ(elsewhere.earliest, 250);
    CHECK_EQ(thread.timer.due, UINT64_MAX);
    CHECK_PTR_EQ(expire_one(&elsewhere, 250), &other);
}

TEST(timer_queue, a_thread_on_its_way_into_a_wait_keeps_its_entry)
{
    static struct thread thread = {.timer.due = UINT64_MAX};
    struct timer_queue queue;

    timer_queue_init(&queue);
    CHECK(wait_until(&queue, &thread, 100));
    thread.state = THREAD_PAIRED; /* the deadline is stored, the wait not visible */
    CHECK_PTR_EQ(expire_one(&queue, 150), NULL);
    CHECK(thread.timer.due > 150 && thread.timer.due != UINT64_MAX);
    thread.state = THREAD_PARKED;
    CHECK_PTR_EQ(expire_one(&queue, thread.timer.due), &thread);
}

TEST(thread_queue, random_use_keeps_priority_and_order)
{
    enum { THREADS = 40 };
    static struct thread threads[THREADS];
    unsigned arrival[THREADS] = {0}, now = 1;
    struct thread_queue queue;

    thread_queue_init(&queue);
    for (unsigned step = 0; step < 10000; step++) {
        unsigned i = world_random(THREADS);
        struct thread *best = NULL;

        if (arrival[i] != 0) {
            thread_queue_remove(&queue, &threads[i]);
            arrival[i] = 0;
        } else {
            threads[i].effective = (uint8_t)world_random(6);
            thread_queue_insert(&queue, &threads[i], false);
            arrival[i] = now++;
        }
        thread_queue_check(&queue);
        for (unsigned k = 0; k < THREADS; k++)
            if (arrival[k] != 0 &&
                (best == NULL || threads[k].effective > best->effective ||
                 (threads[k].effective == best->effective && arrival[k] < arrival[best - threads])))
                best = &threads[k];
        CHECK_PTR_EQ(thread_queue_first(&queue), best);
    }
}
