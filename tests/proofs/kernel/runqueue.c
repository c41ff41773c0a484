// SPDX-License-Identifier: MIT
/*
 * runqueue.c - the run queue: from whatever it holds, each operation keeps R1 and R3, and R2 but for the state and the
 * core of a thread, and takes or finds the thread that has its turn.
 *
 * Shapes: those listed below of none to two threads that wait, each of the lower or the higher of two priorities (0 and 63,
 * or 31 and 32), pinned or not; and one more of the lower one. Tickets, but for the change to the next thread, the work, and
 * what runs are free. The lock is held. One core.
 */
#include "kernel/sched/runqueue.c"

#include "tests/proofs/kernel/proof.h"

/* What the proof itself reads wrongly breaks a claim: without checks of their own, cbmc is twice as fast. */
#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "pointer-overflow"
#pragma CPROVER check disable "undefined-shift"

struct core *proof_core;

enum { WAITING = 2, PRIORITIES = 2 };

static struct runqueue queue;
static struct thread waiting[WAITING], other;
static uint8_t priorities[PRIORITIES];
static unsigned count;

/* ---- what holds ---- */

static struct list *list_of(unsigned priority, bool pinned)
{
    return pinned ? &queue.pinneds[priority] : &queue.movables[priority];
}

static bool bit_of(uint64_t bits, unsigned priority)
{
    return (bits >> priority & 1) != 0;
}

/* R2 and R3 of one list, which is a ring; how many threads it has. */
static unsigned length_of(unsigned priority, bool pinned)
{
    struct list *head = list_of(priority, pinned), *at = head->next;
    unsigned length = 0;

    assert(head->prev->next == head);
    for (; at != head; at = at->next, length++) {
        struct thread *thread = container_of(at, struct thread, run_link);

        assert(at->prev->next == at && at->next->prev == at);
        assert(thread->queued_priority == priority && thread->queued_pinned == pinned);
        if (at->next != head)
            assert((int32_t)(thread->ticket -
                             container_of(at->next, struct thread, run_link)->ticket) < 0);
    }
    return length;
}

/* R1 of one of the priorities, all of R2 and R3 there, and how many threads it has. */
static unsigned length_at(unsigned priority)
{
    unsigned movable = length_of(priority, false), pinned = length_of(priority, true);

    assert(bit_of(queue.movable, priority) == (movable != 0));
    assert(bit_of(queue.pinned, priority) == (pinned != 0));
    return movable + pinned;
}

static void assert_sound(unsigned threads)
{
    uint64_t seen = 1ull << priorities[0] | 1ull << priorities[1];

    assert(length_at(priorities[0]) + length_at(priorities[1]) == threads);
    assert(((queue.movable | queue.pinned) & ~seen) == 0);
    assert(queue.ready == (queue.movable | queue.pinned | queue.work));
}

/* ---- shapes ---- */

/* A bit for each choice of a thread. */
enum { OF_HIGHER = 1, IS_PINNED = 2, NOBODY = 4, OTHERS = 2 };

/* Who waits: cbmc knows all of it where the shape is made. */
static const uint8_t shapes[][WAITING] = {
    {NOBODY, NOBODY},       {0, NOBODY},    {IS_PINNED, NOBODY}, {0, 0},
    {0, IS_PINNED},         {IS_PINNED, 0}, {0, OF_HIGHER},      {0, OF_HIGHER | IS_PINNED},
    {IS_PINNED, OF_HIGHER},
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]), ONE_MOVABLE = 1 };

static void choose(struct thread *thread, unsigned choice)
{
    list_init(&thread->run_link);
    thread->effective = priorities[(choice & OF_HIGHER) != 0];
    thread->affinity = (choice & IS_PINNED) != 0 ? 0 : MNOS_AFFINITY_ANY;
    thread->stop = 0;
}

static void add(struct thread *thread, unsigned choice)
{
    bool pinned = (choice & IS_PINNED) != 0;

    choose(thread, choice);
    thread->queued_priority = thread->effective;
    thread->queued_pinned = pinned;
    thread->ticket = queue.next_ticket++;
    list_append(list_of(thread->effective, pinned), &thread->run_link);
    *(pinned ? &queue.pinned : &queue.movable) |= 1ull << thread->effective;
}

static void fill(unsigned shape)
{
    count = 0;
    for (unsigned i = 0; i < WAITING; i++)
        if (shapes[shape][i] != NOBODY)
            add(&waiting[count++], shapes[shape][i]);
}

/* `other` is in no list, and of the lower priority. */
static void build(unsigned shape, bool pinned)
{
    priorities[0] = shape % 2 == 0 ? 0 : 31;
    priorities[1] = shape % 2 == 0 ? 63 : 32;
    for (unsigned i = 0; i < PRIORITIES; i++) {
        list_init(&queue.movables[priorities[i]]);
        list_init(&queue.pinneds[priorities[i]]);
    }
    queue.movable = queue.pinned = 0;
    queue.next_ticket = nondet_uint32();
    choose(&other, pinned ? IS_PINNED : 0);
    fill(shape);
    queue.work = nondet_uint64();
    queue.ready = queue.movable | queue.pinned | queue.work;
    queue.running_priority = (int)nondet_uint8() - 1;
    queue.lock.serving = 0;
    queue.lock.next = 1; /* held */
}

/* Has the operation made from each shape, with `other` movable, and of two ways pinned. */
static void for_each(unsigned others, void (*operation)(void))
{
    unsigned chosen = nondet_uint32();

    for (unsigned number = 0; number < SHAPES * others; number++)
        if (is_case(chosen, number)) {
            build(number / others, number % others != 0);
            operation();
            assume(false); /* cases do not meet again */
        }
}

/* The first of the threads that wait with this priority, or of those that may run elsewhere: by ticket. NULL: none. */
static struct thread *first_at(unsigned priority, bool movable_only)
{
    struct thread *first = NULL;

    for (unsigned i = 0; i < count; i++)
        if (waiting[i].queued_priority == priority && !(movable_only && waiting[i].queued_pinned) &&
            (first == NULL || (int32_t)(waiting[i].ticket - first->ticket) < 0))
            first = &waiting[i];
    return first;
}

static struct thread *best(bool movable_only)
{
    struct thread *found = first_at(priorities[1], movable_only);

    return found != NULL ? found : first_at(priorities[0], movable_only);
}

static bool is_in_list(const struct thread *thread)
{
    return !list_empty(&thread->run_link);
}

/* ---- proofs ---- */

/* Unwind: 4, runqueue_init.0 65. */
void prove_init(void)
{
    unsigned priority = nondet_uint8();

    assume(priority < MNOS_PRIORITY_COUNT);
    runqueue_init(&queue);
    assert(list_empty(list_of(priority, false)) && list_empty(list_of(priority, true)));
    assert(queue.ready == 0 && queue.movable == 0 && queue.pinned == 0 && queue.work == 0);
    assert(queue.running_priority == -1 && !spin_is_locked(&queue.lock));
}

static void do_insert(bool at_front)
{
    struct thread *first = first_at(other.effective, false);

    runqueue_insert_locked(&queue, &other, at_front);
    assert_sound(count + 1);
    assert(is_in_list(&other));
    assert(other.queued_pinned == (other.affinity != MNOS_AFFINITY_ANY));
    /* In front of all of its priority, or behind them. */
    if (first != NULL)
        assert(runqueue_first_locked(&queue, other.effective) == (at_front ? &other : first));
    for (unsigned i = 0; i < count; i++)
        assert(waiting[i].queued_priority != other.effective ||
               ((int32_t)(other.ticket - waiting[i].ticket) < 0) == at_front);
}

static void do_append(void)
{
    do_insert(false);
}

/* Unwind: 5, for_each.0 19. */
void prove_append(void)
{
    for_each(OTHERS, do_append);
}

static void do_prepend(void)
{
    do_insert(true);
}

/* Unwind: 5, for_each.0 19. */
void prove_prepend(void)
{
    for_each(OTHERS, do_prepend);
}

static void do_remove(void)
{
    if (count == 0)
        return;
    runqueue_remove_locked(&queue, &waiting[0]);
    assert_sound(count - 1);
    assert(!is_in_list(&waiting[0]));
    if (count > 1) {
        runqueue_remove_locked(&queue, &waiting[1]);
        assert_sound(0);
    }
}

/* Unwind: 5, for_each.0 10. */
void prove_remove(void)
{
    for_each(1, do_remove);
}

/* Tickets that are known, and go through 0 behind the first that waits: cbmc has to know which thread is taken out. */
static void choose_tickets(void)
{
    queue.next_ticket = UINT32_MAX;
    for (unsigned i = 0; i < count; i++)
        waiting[i].ticket = queue.next_ticket++;
}

static void do_next(void)
{
    struct thread *first, *next;

    choose_tickets();
    first = first_at(other.effective, false);
    next = runqueue_next_locked(&queue, &other);
    assert(next == first);
    assert_sound(count);
    assert(is_in_list(&other) == (first != NULL));
    if (first == NULL)
        return;
    assert(!is_in_list(first) && other.queued_pinned == (other.affinity != MNOS_AFFINITY_ANY));
    for (unsigned i = 0; i < count; i++) /* behind all of its priority */
        assert(&waiting[i] == first || waiting[i].queued_priority != other.effective ||
               (int32_t)(other.ticket - waiting[i].ticket) > 0);
}

/* Unwind: 5, for_each.0 19. */
void prove_next(void)
{
    for_each(OTHERS, do_next);
}

static void do_next_stopped(void)
{
    uint32_t ticket;

    choose_tickets();
    ticket = queue.next_ticket;
    for (unsigned i = 0; i < count; i++)
        waiting[i].stop = STOP_KILL;
    assert(runqueue_next_locked(&queue, &other) == NULL);
    assert_sound(count);
    assert(!is_in_list(&other) && queue.next_ticket == ticket);
}

/* Unwind: 5, for_each.0 19. Nothing changes for one that must not run. */
void prove_next_stopped(void)
{
    for_each(OTHERS, do_next_stopped);
}

static void do_best(void)
{
    int highest = best(false) == NULL ? -1 : best(false)->queued_priority;

    assert(runqueue_best_locked(&queue) == best(false));
    assert(runqueue_best_movable_locked(&queue) == best(true));
    assert(runqueue_has_movable(&queue) == (best(true) != NULL));
    assert(runqueue_best_thread(&queue) == highest);
    if (runqueue_best_work(&queue) > highest)
        highest = runqueue_best_work(&queue);
    assert(runqueue_best_priority(&queue) == highest);
    assert_sound(count);
}

/* Unwind: 5, for_each.0 10. */
void prove_best(void)
{
    for_each(1, do_best);
}

/* Unwind: 5. From one shape: threads and work have nothing to do with each other but `ready`. */
void prove_work(void)
{
    uint8_t priority = nondet_uint8();
    uint64_t before;
    bool better;

    assume(priority < MNOS_PRIORITY_COUNT);
    build(ONE_MOVABLE, false);
    spin_unlock(&queue.lock);
    before = queue.work;
    better = runqueue_work_begins(&queue, priority);
    assert(better == (priority >= queue.running_priority));
    assert(queue.work == (before | 1ull << priority));
    assert_sound(count);
    runqueue_work_ends(&queue, priority);
    assert(queue.work == (before & ~(1ull << priority)));
    assert_sound(count);
    assert(!spin_is_locked(&queue.lock));
}
