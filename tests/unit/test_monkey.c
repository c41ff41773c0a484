// SPDX-License-Identifier: MIT
/*
 * test_monkey.c - hostile processes make random system calls with handles that are sometimes good; all
 * invariants hold all the time, and nothing is left behind when they are gone.
 */
#include <string.h>

#include "abi/inspect.h"
#include "abi/fault.h"
#include "abi/process.h"
#include "cap/derive.h"
#include "object/interrupt.h"
#include "sched/sched.h"
#include "object/fault.h"
#include "tests/unit/kernel_world.h"

enum {
    PROCESSES = 3,
    STEPS = 20000,
    HANDLES = 64,
    CHECK_EVERY = 25,
    BASE_PAGES = 40,
    MAP_BASE = 0x400000,
};

/* Handles that some process had at some time. */
static mnos_cap_t handles[HANDLES];
static unsigned handle_count;
static struct thread *keeper; /* of the root process; never does anything by chance */

static void remember(mnos_cap_t handle)
{
    handles[handle_count++ % HANDLES] = handle;
}

static uint64_t number(uint64_t below)
{
    switch (world_random(12)) {
    case 0: return UINT64_MAX - world_random(3);
    case 1: return below;
    case 2: return (uint64_t)world_random(UINT32_MAX) << 32 | world_random(UINT32_MAX);
    default: return world_random((uint32_t)below);
    }
}

/* Mostly a handle of the process itself, and of the type asked for. */
static mnos_cap_t handle_of(struct process *process, enum mnos_cap_type type)
{
    uint32_t start = world_random(process->captable.page_count * CAPTABLE_PAGE_SLOTS + 1);
    const struct capability *slot;
    mnos_cap_t last = 0;

    if (world_random(30) == 0)
        return handles[world_random(HANDLES)];
    if (world_random(30) == 0)
        return MNOS_SELF;
    for (unsigned pass = 0; pass < 2; pass++, start = 0)
        for (uint32_t at = start; (slot = world_next_slot(process, at)) != NULL;
             at = MNOS_HANDLE_INDEX(last) + 1) {
            last = slot->key;
            if (slot->type == type || type == MNOS_TYPE_NONE || world_random(20) == 0)
                return last;
        }
    return last;
}

/* The type that the first argument of a call should have. */
static enum mnos_cap_type type_for(uint64_t call)
{
    switch (call) {
    case CALL_mem_map:
    case CALL_mem_unmap:
    case CALL_mem_grant:
    case CALL_cap_transfer:
    case CALL_proc_destroy:
    case CALL_thread_create: return MNOS_TYPE_PROCESS;
    case CALL_ipc_send:
    case CALL_ipc_recv:
    case CALL_ipc_call:
    case CALL_ipc_reply:
    case CALL_ipc_notify: return MNOS_TYPE_ENDPOINT;
    case CALL_thread_destroy:
    case CALL_thread_block:
    case CALL_thread_wake:
    case CALL_thread_control: return MNOS_TYPE_THREAD;
    case CALL_irq_bind:
    case CALL_irq_ack: return MNOS_TYPE_INTERRUPT;
    default: return MNOS_TYPE_NONE;
    }
}

static uint64_t address(void)
{
    return world_random(30) == 0 ? number(1ull << 31)
                                 : MAP_BASE + world_random(BASE_PAGES) * (uint64_t)MNOS_PAGE_BYTES;
}

static uint64_t deadline(void)
{
    switch (world_random(3)) {
    case 0: return MNOS_DEADLINE_POLL;
    case 1: return arch_time_ns() + world_random(2000);
    default: return MNOS_DEADLINE_NEVER;
    }
}

static uint64_t info(struct thread *thread)
{
    for (unsigned i = 0; i < MNOS_MESSAGE_MAX_CAPS; i++) {
        thread->buffer->send_caps[i] = handle_of(thread->process, MNOS_TYPE_NONE);
        thread->buffer->send_rights[i] = (uint8_t)(world_random(2) == 0 ? 0xFF : world_random(32));
    }
    return MNOS_INFO(world_random(100), world_random(4100)) | MNOS_INFO_CAPS(world_random(5)) |
           MNOS_INFO_ACCEPT(world_random(5)) | (world_random(10) == 0 ? MNOS_INFO_DROP : 0);
}

/* ---- parameter records ---- */

static void put_process_params(struct thread *thread)
{
    struct mnos_process_params params = {.name = "monkey",
                                         .frames_quota = number(100),
                                         .bytes_quota = number(100000),
                                         .priority_ceiling = world_random(65)};

    if (world_random(2) == 0) {
        params.exit_endpoint = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
        params.exit_events = 1 + world_random(4);
    }
    if (world_random(2) == 0)
        params.fault_endpoint = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
    memcpy(thread->buffer->data, &params, sizeof(params));
}

static void put_thread_params(struct thread *thread)
{
    const struct mnos_thread_params params = {
        .name = "monkey",
        .registers = {.rip = 0x1000},
        .ipc_buffer = world_random(2) == 0 ? address() : 0x30000000 + number(100) * 4096,
        .priority = world_random(64),
        .affinity = world_random(10) == 0 ? 0 : MNOS_AFFINITY_ANY,
        .flags = world_random(2)};

    memcpy(thread->buffer->data, &params, sizeof(params));
}

/* ---- one call ---- */

static bool is_message(uint64_t call)
{
    return call >= CALL_ipc_send && call <= CALL_ipc_reply;
}

static void choose_message(struct thread *thread, uint64_t call)
{
    struct user_frame *frame = &thread->frame;
    struct thread *caller = thread_queue_first(&thread->callers);

    frame->rdi = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
    frame->rsi = info(thread);
    frame->r12 = deadline();
    frame->r13 = 0;
    if (call != CALL_ipc_reply)
        return;
    frame->rdi = caller == NULL ? number(1ull << 31) : caller->reply_id;
    if (world_random(2) == 0) /* in case that it has faulted */
        frame->rsi = MNOS_INFO(MNOS_FAULT_RESUME + world_random(4), world_random(400));
    if (world_random(2) == 0)
        frame->r13 = handle_of(thread->process, MNOS_TYPE_ENDPOINT);
}

static void choose_arguments(struct thread *thread, uint64_t call, uint64_t arguments[6])
{
    struct process *process = thread->process;

    for (unsigned i = 0; i < 6; i++)
        arguments[i] = number(30);
    arguments[0] = handle_of(process, type_for(call));
    switch (call) {
    case CALL_mem_map:
        arguments[0] = world_random(3) == 0 ? arguments[0] : MNOS_SELF;
        arguments[1] = handle_of(process, MNOS_TYPE_MEMORY);
        arguments[2] = address();
        arguments[3] = world_random(8);
        arguments[4] = world_random(8);
        arguments[5] = 1 + world_random(6);
        break;
    case CALL_mem_unmap:
        arguments[0] = world_random(3) == 0 ? arguments[0] : MNOS_SELF;
        arguments[1] = address();
        arguments[2] = world_random(10);
        break;
    case CALL_mem_alloc:
        arguments[0] = number(20);
        arguments[1] = world_random(4) == 0 ? number(9) : 0;
        break;
    case CALL_mem_grant:
        arguments[1] = handle_of(process, MNOS_TYPE_MEMORY);
        arguments[2] = world_random(6);
        arguments[3] = 1 + world_random(6);
        arguments[4] = world_random(32);
        break;
    case CALL_cap_transfer:
        arguments[1] = handle_of(process, MNOS_TYPE_NONE);
        arguments[2] = world_random(32);
        break;
    case CALL_cap_create:
        arguments[0] = 1 + world_random(4);
        if (arguments[0] == MNOS_CREATE_ENDPOINT && world_random(2) == 0)
            arguments[3] = world_random(100);
        if (arguments[0] == MNOS_CREATE_MINT && world_random(2) == 0)
            arguments[0] |= MNOS_MINT_LASTING;
        arguments[1] = handle_of(process, (arguments[0] & MNOS_CREATE_MINT) == MNOS_CREATE_MINT
                                              ? MNOS_TYPE_ENDPOINT
                                          : arguments[0] == MNOS_CREATE_RANGE ? MNOS_TYPE_INTERRUPT
                                                                              : MNOS_TYPE_NONE);
        arguments[2] = world_random(2) == 0 ? MNOS_RIGHTS_ALL : world_random(32);
        break;
    case CALL_proc_create:
        arguments[0] = sizeof(struct mnos_process_params);
        put_process_params(thread);
        break;
    case CALL_thread_create:
        arguments[1] = sizeof(struct mnos_thread_params);
        put_thread_params(thread);
        break;
    case CALL_thread_block: arguments[1] = deadline(); break;
    case CALL_thread_control:
        arguments[1] = world_random(7);
        arguments[2] = world_random(2) == 0 ? 0 : number(70);
        break;
    case CALL_irq_bind: arguments[1] = handle_of(process, MNOS_TYPE_ENDPOINT); break;
    default: break;
    }
}

/* Calls that end much are made seldom. */
static uint64_t choose_call(const struct thread *thread)
{
    uint64_t call = MNOS_SYSCALL_BASE + world_random(CALL_thread_control - MNOS_SYSCALL_BASE + 2);

    if (!thread_queue_empty(&thread->callers) && world_random(2) == 0)
        return CALL_ipc_reply;
    if ((call == CALL_proc_destroy || call == CALL_thread_destroy) && world_random(8) != 0)
        return CALL_cap_create;
    if ((call == CALL_cap_revoke || call == CALL_cap_delete) && world_random(3) != 0)
        return CALL_mem_alloc;
    return call;
}

static bool gives_handle(uint64_t call)
{
    return call == CALL_mem_alloc || call == CALL_cap_create || call == CALL_proc_create ||
           call == CALL_thread_create || call == CALL_cap_transfer || call == CALL_mem_grant;
}

static void act(struct thread *thread)
{
    uint64_t arguments[6] = {0};
    uint64_t call = choose_call(thread);
    uint64_t rax;

    if (!world_try_act(thread))
        return;
    if (thread->process != world_root && world_random(20) == 0) {
        thread->frame.vector = 14;
        fault_raise(thread, number(1ull << 31));
        return;
    }
    if (is_message(call)) {
        choose_message(thread, call);
        (void)world_call_again(thread, call);
        return;
    }
    choose_arguments(thread, call, arguments);
    rax = world_call(thread, call, arguments);
    if (rax == 0 && gives_handle(call))
        remember(world_value);
}

/* ---- whose turn it is ---- */

static struct thread *find_ready(struct process *process, unsigned *skip)
{
    struct thread *found;

    if (process->state == MNOS_PROCESS_DYING)
        return NULL;
    for (struct list *l = process->threads.next; l != &process->threads; l = l->next) {
        struct thread *thread = container_of(l, struct thread, process_link);
        bool can = (thread->state == THREAD_READY || thread == this_core()->current) &&
                   thread->stop == 0 && thread != keeper;

        if (can && (*skip)-- == 0)
            return thread;
    }
    for (struct list *l = process->children.next; l != &process->children; l = l->next) {
        found = find_ready(container_of(l, struct process, sibling_link), skip);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static struct thread *somebody(void)
{
    unsigned skip = world_random(8);
    struct thread *thread = find_ready(world_root, &skip);

    if (thread == NULL) {
        skip = 0;
        thread = find_ready(world_root, &skip);
    }
    return thread;
}

/* What all processes get: an endpoint, and all interrupt lines. */
static mnos_cap_t shared, lines;

static void share(void)
{
    shared = CALL_VALUE(keeper, cap_create, MNOS_CREATE_ENDPOINT, 0, 0, 100, 0);
    CHECK_EQ(
        cap_create_root(world_root, interrupt_object(), MNOS_RIGHTS_ALL, 0, HOST_LINES, &lines),
        MNOS_OK);
    remember(shared);
}

/* A new hostile process, with something to play with that it shares with its siblings. */
static void add_process(void)
{
    mnos_cap_t handle, again;
    struct process *process = world_process(world_root, 400, 300000, &handle);

    if (world_random(2) == 0) { /* whoever receives there handles its faults */
        struct cap_view view = world_view(world_root, shared);

        CHECK_EQ(cap_derive_kernel(&process->fault_cap, &view), MNOS_OK);
    }
    for (unsigned i = 0; i < 3; i++)
        (void)world_thread(process, 10 + i);
    again = CALL_VALUE(keeper, cap_create, MNOS_CREATE_COPY, handle, MNOS_RIGHTS_ALL);
    (void)CALL_VALUE(keeper, cap_transfer, handle, shared, MNOS_RIGHTS_ALL);
    (void)CALL_VALUE(keeper, cap_transfer, handle, lines, MNOS_RIGHTS_ALL);
    (void)CALL_VALUE(keeper, cap_transfer, handle, again, MNOS_RIGHTS_ALL);
}

/* Children of the root that are still alive. */
static unsigned alive(void)
{
    unsigned count = 0;

    for (struct list *l = world_root->children.next; l != &world_root->children; l = l->next)
        count++;
    return count;
}

static void settle(void)
{
    for (unsigned i = 0; i < 20; i++)
        world_settle();
}

/* Destroys all processes, and takes all capabilities of the root, except the keeper's and, when
 * `but_shared`, the shared ones. */
static void clear(bool but_shared)
{
    struct capability *slot;

    for (uint32_t i = 1; (slot = world_next_slot(world_root, i)) != NULL; i++) {
        mnos_cap_t handle = slot->key;

        i = MNOS_HANDLE_INDEX(handle);
        if (slot->object == &keeper->obj)
            continue;
        if (but_shared && (handle == shared || handle == lines))
            continue;
        if (slot->type == MNOS_TYPE_PROCESS)
            CHECK_EQ(CALL(keeper, proc_destroy, handle), 0);
        if (world_object(world_root, handle) != NULL)
            CHECK_EQ(CALL(keeper, cap_delete, handle), 0);
    }
}

/* At preemption points devices interrupt now and then, and the core is asked to look at its queue. */
static void interrupt_by_chance(void)
{
    if (world_random(4) != 0)
        return;
    interrupt_deliver(world_random(HOST_LINES));
    this_core()->need_resched = true;
}

static void play(void)
{
    host_on_poll = interrupt_by_chance;
    for (unsigned step = 0; step < STEPS; step++) {
        struct thread *thread;

        host_core_select(world_random(core_count));
        if (alive() < PROCESSES || world_random(50) == 0)
            world_give_back();
        while (alive() < PROCESSES)
            add_process();
        thread = somebody();
        if (world_random(200) == 0) /* for a while there is next to no memory */
            world_take_frames(world_random(30));
        if (thread != NULL)
            act(thread);
        if (world_random(10) == 0)
            settle();
        if (thread == NULL || world_random(10) == 0)
            host_time_pass(world_random(1000));
        if (world_random(10) == 0)
            interrupt_deliver(world_random(HOST_LINES));
        if (thread == NULL) { /* all are blocked or suspended: make room for others */
            world_give_back();
            clear(true);
        }
        if (step % CHECK_EVERY == 0)
            world_check();
    }
}

static void run(uint32_t seed, uint32_t core_total)
{
    world_init();
    for (uint32_t i = 1; i < core_total; i++)
        host_core_start(i);
    world_seed(seed);
    keeper = world_thread(world_root, 50);
    /* Once for what stays: numbers of threads, pages of the root's capability table. */
    share();
    for (unsigned i = 0; i < 1000; i++)
        (void)CALL_VALUE(keeper, cap_create, MNOS_CREATE_COPY, shared, 0);
    add_process();
    clear(false);
    CHECK_EQ(alive(), 0);
    uint64_t free = world_free_frames(), bytes = world_root->quota.bytes_used;
    share();
    play();
    host_on_poll = NULL;
    world_give_back();
    host_core_select(0);
    clear(false);
    settle();
    CHECK_EQ(alive(), 0);
    CHECK_EQ(world_free_frames(), free);
    CHECK_EQ(world_root->quota.bytes_used, bytes);
    world_check();
}

TEST(monkey, random_calls_break_nothing_and_leave_nothing_behind)
{
    run(1, 1);
}

TEST(monkey, nor_do_others)
{
    run(987654321, 1);
}
TEST(monkey, nor_do_they_on_two_cores)
{
    run(2, 2);
}

TEST(monkey, nor_do_they_on_five_cores)
{
    run(77, 5);
}
