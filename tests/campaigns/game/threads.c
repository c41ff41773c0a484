// SPDX-License-Identifier: MIT
/* threads.c - threads that end themselves and each other, in whatever they do, and waits that are ended. */
#include "tests/campaigns/game/game.h"

#include "lib/base/string.h"

/* How often to look whether a worker has come to where it is wanted. */
#define TRIES 200u
#define TRY_NS 20000u

static _Noreturn void worker_entry(worker_function *function, struct mnos_ipc_buffer *buffer,
                                   uint64_t argument)
{
    thread_block_init(buffer, NULL);
    function(argument);
    for (;;)
        (void)!sys_thread_destroy(MNOS_SELF);
}

mnos_cap_t worker_begin_at(uint32_t priority, unsigned slot, worker_function *function,
                           uint64_t argument, uint32_t flags)
{
    struct mnos_thread_params params = {.name = "worker",
                                        .ipc_buffer = BUFFERS_ADDRESS + slot * PAGE,
                                        .priority = priority,
                                        .affinity = MNOS_AFFINITY_ANY,
                                        .flags = flags};
    mnos_cap_t thread = 0;

    if (draw_below(4) == 0)
        params.affinity = draw_below(core_count());
    params.registers.rip = (uint64_t)worker_entry;
    params.registers.rsp = STACKS_ADDRESS + (slot + 1) * STACK_PAGES * PAGE - 8;
    params.registers.fs_base = params.ipc_buffer;
    params.registers.rdi = (uint64_t)function;
    params.registers.rsi = params.ipc_buffer;
    params.registers.rdx = argument;
    memcpy(ipc_buffer()->data, &params, sizeof params);
    if (sys_thread_create(MNOS_SELF, sizeof params, &thread) != MNOS_OK)
        return 0;
    return thread;
}

mnos_cap_t worker_begin(unsigned slot, worker_function *function, uint64_t argument, uint32_t flags)
{
    return worker_begin_at(PRIORITY_PLAYER - 1 - draw_below(8), slot, function, argument, flags);
}

/* One that waits takes no time from others, whatever its priority. */
static mnos_cap_t waiter_begin(unsigned slot, worker_function *function, uint64_t argument)
{
    return worker_begin_at(PRIORITY_PLAYER - 4 + draw_below(16), slot, function, argument, 0);
}

static enum mnos_thread_state state_of(mnos_cap_t thread)
{
    const struct mnos_thread_info *info = (const struct mnos_thread_info *)ipc_buffer()->data;
    uint64_t written;

    if (sys_cap_inspect(thread, MNOS_VIEW_THREAD, 0, &written) != MNOS_OK)
        return MNOS_STATE_DEAD;
    return info->state;
}

static bool is_waiting(enum mnos_thread_state state)
{
    return state >= MNOS_STATE_SENDING && state <= MNOS_STATE_PARKED;
}

/* Whether it is dead, or with `waiting` waits, before long. */
static bool comes_to(mnos_cap_t thread, bool waiting)
{
    for (unsigned i = 0; i < TRIES; i++) {
        enum mnos_thread_state state = state_of(thread);

        if (state == MNOS_STATE_DEAD || (waiting && is_waiting(state)))
            return true;
        pause_ns(TRY_NS);
    }
    return false;
}

/* Ends a worker wherever it is; whether it was this call. That of another player may be gone. */
bool worker_end(mnos_cap_t thread)
{
    mnos_status_t status = thread != 0 ? sys_thread_destroy(thread) : MNOS_ERR_STATE;

    MUST(status == MNOS_OK || status == MNOS_ERR_STATE || status == MNOS_ERR_HANDLE);
    drop(thread);
    return status == MNOS_OK;
}

static void return_at_once(uint64_t)
{
}

/* What a worker does when its function returns. */
void thread_own(void)
{
    mnos_cap_t thread = worker_begin(STACK_WORKER, return_at_once, 0, 0);

    if (thread == 0)
        return;
    if (comes_to(thread, false))
        succeeded(OP_THREAD_OWN);
    (void)worker_end(thread);
}

/* ---- pastimes: what a worker is ended in ---- */

static void spin(uint64_t)
{
    for (;;)
        __asm__ volatile("pause");
}

static void wait_to_receive(uint64_t)
{
    struct message msg = {0};

    if (ipc_receive(self.still, &msg, MNOS_DEADLINE_NEVER) == MNOS_ERR_CANCELLED)
        succeeded(OP_CANCEL);
}

static void wait_to_call(uint64_t port)
{
    struct message msg = {.accept = 1};

    if (ipc_call(port, &msg, MNOS_DEADLINE_NEVER) == MNOS_ERR_CANCELLED)
        succeeded(OP_CANCEL);
}

static void wait_parked(uint64_t)
{
    uint64_t now;

    if (sys_thread_block(MNOS_SELF, MNOS_DEADLINE_NEVER, &now) == MNOS_ERR_CANCELLED)
        succeeded(OP_CANCEL);
}

static void map_much(uint64_t)
{
    mnos_cap_t memory;

    while (sys_mem_alloc(8, 0, &memory) == MNOS_OK) {
        (void)!sys_mem_map(MNOS_SELF, memory, WINDOW_ADDRESS + 0x40 * PAGE, 0, 8, MAP_RW);
        drop(memory);
    }
}

static void destroy_a_child(uint64_t process)
{
    if (sys_proc_destroy(process, 0) == MNOS_ERR_CANCELLED)
        succeeded(OP_CANCEL);
}

static void create_and_destroy(uint64_t)
{
    const struct mnos_process_params params = {
        .frames_quota = 8, .bytes_quota = 8192, .priority_ceiling = 10};
    mnos_cap_t process;

    for (;;) {
        memcpy(ipc_buffer()->data, &params, sizeof params);
        if (sys_proc_create(sizeof params, &process) != MNOS_OK)
            return;
        (void)!sys_proc_destroy(process, 0);
        drop(process);
    }
}

static mnos_cap_t worker_with_a_pastime(unsigned slot)
{
    struct child_seat *child = any_child();
    mnos_cap_t port = draw_below(2) == 0 ? self.still : seat()->parent_port;

    switch (draw_below(8)) {
    case 0: return worker_begin(slot, spin, 0, 0);
    case 1: return waiter_begin(slot, wait_to_receive, 0);
    case 2: return waiter_begin(slot, wait_to_call, port);
    case 3: return waiter_begin(slot, wait_parked, 0);
    case 4: return worker_begin(slot, map_much, 0, 0);
    case 5: return worker_begin(slot, create_and_destroy, 0, 0);
    default:
        /* The thread that is to be ended ends a process with children meanwhile. */
        if (child == NULL)
            return worker_begin(slot, spin, 0, 0);
        return worker_begin(slot, destroy_a_child, child->process, 0);
    }
}

/* A worker, or a thread of another player that was given away. */
void thread_other(void)
{
    mnos_cap_t thread = draw_below(4) == 0 ? take(THREAD) : 0;

    if (thread == 0) {
        thread = worker_with_a_pastime(STACK_WORKER);
        if (draw_below(2) == 0)
            pause_ns(draw_below(TRY_NS));
    }
    if (thread != 0 && worker_end(thread))
        succeeded(OP_THREAD_OTHER);
}

/* ---- two threads that end each other ---- */

static struct {
    mnos_cap_t threads[2];
    _Atomic uint32_t arrived;
    _Atomic uint32_t ended;
} duel;

static void end_the_other(uint64_t number)
{
    atomic_fetch_add(&duel.arrived, 1);
    for (unsigned i = 0; i < 64 && atomic_load(&duel.arrived) < 2; i++)
        give_way();
    if (sys_thread_destroy(duel.threads[1 - number]) == MNOS_OK)
        atomic_fetch_add(&duel.ended, 1);
}

void thread_mutual(void)
{
    atomic_store(&duel.arrived, 0);
    for (unsigned i = 0; i < 2; i++)
        duel.threads[i] = worker_begin(STACK_WORKER + i, end_the_other, i, MNOS_THREAD_SUSPENDED);
    if (duel.threads[0] != 0 && duel.threads[1] != 0) {
        (void)!sys_thread_wake(duel.threads[0]);
        (void)!sys_thread_wake(duel.threads[1]);
        if (comes_to(duel.threads[0], false) && comes_to(duel.threads[1], false))
            succeeded(OP_THREAD_MUTUAL);
    }
    for (unsigned i = 0; i < 2; i++)
        (void)worker_end(duel.threads[i]);
}

/* ---- waits that are ended, threads and processes that are stopped ---- */

void cancel(void)
{
    worker_function *waits[] = {wait_to_receive, wait_to_call, wait_parked};
    struct child_seat *child = draw_below(8) == 0 ? any_child() : NULL;
    mnos_cap_t thread;

    if (child != NULL) /* the end of a child, which goes on when the wait for it is over */
        thread = waiter_begin(STACK_WORKER, destroy_a_child, child->process);
    else
        thread = waiter_begin(STACK_WORKER, waits[draw_below(3)], self.still);
    if (thread == 0)
        return;
    if ((child != NULL || comes_to(thread, true)) &&
        sys_thread_control(thread, MNOS_THREAD_CANCEL, 0) == MNOS_OK)
        (void)comes_to(thread, false);
    (void)worker_end(thread);
}

static void change_thread(mnos_cap_t thread)
{
    mnos_status_t status;

    if (draw_below(2) == 0)
        status =
            sys_thread_control(thread, MNOS_THREAD_PRIORITY, PRIORITY_PLAYER - 8 + draw_below(8));
    else
        status =
            sys_thread_control(thread, MNOS_THREAD_AFFINITY,
                               draw_below(2) == 0 ? MNOS_AFFINITY_ANY : draw_below(core_count()));
    if (status == MNOS_OK)
        succeeded(OP_CHANGE);
}

/* Priority and core of what runs, waits, or ends something. */
void change(void)
{
    mnos_cap_t thread = draw_below(2) == 0 ? take(THREAD) : 0;

    if (thread != 0) {
        change_thread(thread);
        put_back(THREAD, thread);
        return;
    }
    thread = worker_with_a_pastime(STACK_WORKER);
    for (unsigned i = 0; i < 4 && thread != 0; i++)
        change_thread(thread);
    (void)worker_end(thread);
    /* What others have made of this player's own. */
    (void)!sys_thread_control(MNOS_SELF, MNOS_THREAD_PRIORITY,
                              self.seat == 0 ? TEST_PRIORITY : PRIORITY_PLAYER);
}

static void stop_for_a_while(mnos_cap_t target)
{
    uint64_t now;

    if (target == 0)
        return;
    if (sys_thread_block(target, 0, &now) == MNOS_OK)
        succeeded(OP_SUSPEND);
    if (draw_below(2) == 0)
        pause_ns(draw_below(TRY_NS));
    (void)!sys_thread_wake(target);
}

static void stop_what_was_given(enum relation relation)
{
    mnos_cap_t target = take(relation);

    stop_for_a_while(target);
    if (target != 0)
        put_back(relation, target);
}

void suspend(void)
{
    struct child_seat *child = any_child();
    mnos_cap_t worker;

    switch (draw_below(6)) {
    case 0: stop_what_was_given(SIBLING); break;
    case 1: stop_what_was_given(GRANDCHILD); break;
    case 2: stop_what_was_given(THREAD); break;
    case 3:
        worker = worker_with_a_pastime(STACK_WORKER);
        stop_for_a_while(worker);
        (void)worker_end(worker);
        break;
    default: stop_for_a_while(child != NULL ? child->process : 0); break;
    }
}
