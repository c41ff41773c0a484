// SPDX-License-Identifier: MIT
/* kernel_world.c - see kernel_world.h. */
#include "tests/unit/kernel_world.h"

#include <stdio.h>
#include <string.h>

#include "syscall/calls.h"
#include "cap/derive.h"
#include "sched/info.h"
#include "ipc/wait.h"
#include "vm/mapping.h"
#include "mm/slab.h"
#include "object/interrupt.h"
#include "sched/sched.h"
#include "sched/deferred.h"
#include "tests/unit/ram.h"
#include "base/trace.h"

#define BUFFERS 0x10000000ull
#define TRIES_MAX 10000

struct process *world_root;
uint64_t world_value;

void world_init(void)
{
    const struct boot_range range = {MIB(1), MIB(1 + WORLD_RAM_MIB), BOOT_RANGE_USABLE};
    struct mnos_process_params params = {.name = "root", .priority_ceiling = 63};

    test_ram_init(&range, 1);
    sched_init();
    mapping_caches_create();
    memory_caches_create();
    endpoint_caches_create();
    process_caches_create();
    thread_caches_create();
    interrupt_init();
    trace_init(info_boot_alloc(trace_bytes()));
    info_kinfo_create();
    params.frames_quota = frame_count_free();
    params.bytes_quota = frame_count_free() * PAGE_BYTES;
    CHECK_EQ(process_create(NULL, &params, &world_root), MNOS_OK);
}

/* ---- processes and threads ---- */

struct process *world_process(struct process *parent, uint64_t frames, uint64_t bytes,
                              mnos_cap_t *handle)
{
    const struct mnos_process_params params = {.name = "child",
                                               .frames_quota = frames,
                                               .bytes_quota = bytes,
                                               .priority_ceiling = parent->priority_ceiling};
    struct process *process = NULL;
    mnos_cap_t unused;

    CHECK_EQ(process_create(parent, &params, &process), MNOS_OK);
    CHECK_EQ(cap_create_root(parent, &process->obj, MNOS_RIGHTS_ALL, 0, 0,
                             handle == NULL ? &unused : handle),
             MNOS_OK);
    return process;
}

struct thread *world_thread_with(struct process *process, unsigned priority, uint32_t affinity,
                                 uint32_t flags, mnos_cap_t *handle)
{
    static uint64_t buffers;
    const struct mnos_thread_params params = {.name = "thread",
                                              .registers = {.rip = 0x1000, .rsp = 0x2000},
                                              .ipc_buffer = BUFFERS + buffers++ * PAGE_BYTES,
                                              .priority = priority,
                                              .affinity = affinity};
    struct thread *thread = NULL;
    mnos_cap_t unused;

    CHECK_EQ(thread_create(process, &params, &thread), MNOS_OK);
    CHECK_EQ(cap_create_root(process, &thread->obj, MNOS_RIGHTS_ALL, 0, 0,
                             handle == NULL ? &unused : handle),
             MNOS_OK);
    if ((flags & MNOS_THREAD_SUSPENDED) == 0)
        thread_resume(thread, STOP_SUSPEND);
    return thread;
}

struct thread *world_thread(struct process *process, unsigned priority)
{
    return world_thread_with(process, priority, MNOS_AFFINITY_ANY, 0, NULL);
}

/* ---- acting ---- */

/* Selects the core that runs `thread`, if one does; an idle core is woken first. What these had to
 * finish may move the thread. */
static void select_core_of(struct thread *thread)
{
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        if (this_core()->current == thread)
            return;
        if (thread->state == THREAD_RUNNING)
            host_core_select(thread->core);
        else if (this_core()->current == NULL && tries < MNOS_CORES_MAX)
            (void)host_leave_kernel();
        else
            return;
    }
}

/* What this core runs goes back into its queue. */
static void put_off_current(void)
{
    struct thread *before = this_core()->current;

    if (before == NULL)
        return;
    before->cpu_cycles += arch_cycles();
    arch_thread_save(before, false);
    sched_current_blocked();
    sched_make_ready(before);
}

void world_act(struct thread *thread)
{
    if (!world_try_act(thread)) {
        printf("thread %u is in state %u: ", thread->number, thread->state);
        host_panic("it cannot act");
    }
}

bool world_try_act(struct thread *thread)
{
    struct core *core;

    select_core_of(thread);
    core = this_core();
    core->need_resched = false;
    core->halted = false;
    if (core->current == thread)
        return true;
    put_off_current();
    if (!sched_remove_ready(thread, THREAD_PAIRED))
        return false;
    thread->state = THREAD_RUNNING;
    thread->core = core->index;
    core->current = thread;
    thread->cpu_cycles -= arch_cycles();
    core->runqueue.running_priority = thread->effective;
    core->need_resched = false;
    arch_thread_load(thread);
    return true;
}

static void set_arguments(struct thread *thread, uint64_t number, const uint64_t arguments[6])
{
    thread->frame.rax = number;
    thread->frame.rdi = arguments[0];
    thread->frame.rsi = arguments[1];
    thread->frame.rdx = arguments[2];
    thread->frame.r10 = arguments[3];
    thread->frame.r8 = arguments[4];
    thread->frame.r9 = arguments[5];
}

/* A thread whose call was interrupted can do nothing but go on with it. */
static void begin(struct thread *thread, uint64_t number, const uint64_t arguments[6])
{
    struct user_frame before = thread->frame;

    set_arguments(thread, number, arguments);
    if (thread->record.number == 0)
        return;
    if (before.rax != number || before.rdi != arguments[0] || before.rsi != arguments[1] ||
        before.rdx != arguments[2])
        host_panic("a thread makes another call than the one that was interrupted");
}

/* Makes the call, or goes on with it when it was interrupted; true when it has been, again. The kernel would go on
 * with it on its way out; here that is for the test to say, so that other things can happen in between. */
static bool execute(struct thread *thread, uint64_t *rax)
{
    struct core *core = this_core();
    bool again;

    core->need_resched = false;
    if (thread->record.number != 0) {
        atomic_fetch_or(&thread->stop, STOP_CALL);
        call_resume(thread);
    } else {
        thread->frame.rip += 2;
        host_system_call();
    }
    *rax = WORLD_WAITS;
    again = (thread->stop & STOP_CALL) != 0;
    atomic_fetch_and(&thread->stop, ~(uint32_t)STOP_CALL);
    if (core->current == thread && (thread->stop & STOP_KILL) != 0) {
        again = false;
        put_off_current(); /* it ends on the way out */
    } else if (core->current == thread && !again) {
        *rax = thread->frame.rax;
        world_value = thread->frame.rdx;
    }
    tlb_batch_leave_kernel();
    while (deferred_is_due(core))
        (void)deferred_step();
    return again;
}

bool world_call_once(struct thread *thread, uint64_t number, const uint64_t arguments[6],
                     uint64_t *rax)
{
    world_act(thread);
    begin(thread, number, arguments);
    return execute(thread, rax);
}

void world_settle(void)
{
    uint32_t self = this_core()->index;

    for (uint32_t i = 0; i < core_count; i++) {
        host_core_select((self + 1 + i) % core_count);
        (void)host_leave_kernel();
    }
}

/* All that this core has, however urgent other things are. */
static void finish_work_here(void)
{
    struct core *core = this_core();

    if (runqueue_best_work(&core->runqueue) < 0)
        return;
    if (core->next != NULL)
        (void)host_leave_kernel();
    put_off_current();
    for (unsigned steps = 0; runqueue_best_work(&core->runqueue) >= 0; steps++) {
        if (steps == TRIES_MAX)
            host_panic("work goes on for ever");
        work_run(core);
    }
}

static bool any_has_work(void)
{
    for (uint32_t i = 0; i < core_count; i++)
        if (runqueue_best_work(&cores[i].runqueue) >= 0)
            return true;
    return false;
}

void world_finish_work(void)
{
    uint32_t self = this_core()->index;

    /* What is done on one core may put back what waits for it on another. */
    do {
        for (uint32_t i = 0; i < core_count; i++) {
            host_core_select((self + 1 + i) % core_count);
            finish_work_here();
        }
    } while (any_has_work());
}

void world_kill(struct thread *thread)
{
    thread_kill(thread);
    sched_quiesce();
    thread_evict(thread);
}

/* As the call's registers are now. An interrupted call is made again after all cores have done what
 * is more urgent, if the thread still can. */
static uint64_t run(struct thread *thread)
{
    uint64_t rax;

    for (unsigned tries = 0; execute(thread, &rax); tries++) {
        if (tries == TRIES_MAX)
            host_panic("a system call is interrupted for ever");
        world_settle();
        if (thread->state == THREAD_ENDING)
            break; /* the kernel has made it again, and it waits for an end */
        if (thread->state != THREAD_READY && thread->state != THREAD_RUNNING)
            return WORLD_WAITS;
        world_act(thread);
    }
    if (thread->state != THREAD_ENDING)
        return rax;
    world_finish_work();
    world_value = thread->frame.rdx;
    return thread->state == THREAD_ENDING ? WORLD_WAITS : thread->frame.rax;
}

uint64_t world_call(struct thread *thread, uint64_t number, const uint64_t arguments[6])
{
    world_act(thread);
    begin(thread, number, arguments);
    return run(thread);
}

uint64_t world_call_again(struct thread *thread, uint64_t number)
{
    thread->frame.rax = number;
    return run(thread);
}

/* ---- messages ---- */

static uint64_t ipc(struct thread *thread, uint64_t number, uint64_t rdi, uint64_t rsi,
                    uint64_t r12, uint64_t r13)
{
    world_act(thread);
    thread->frame.rax = number;
    thread->frame.rdi = rdi;
    thread->frame.rsi = rsi;
    thread->frame.r12 = r12;
    thread->frame.r13 = r13;
    return run(thread);
}

uint64_t world_send(struct thread *from, mnos_cap_t endpoint, uint64_t info, uint64_t deadline_ns)
{
    return ipc(from, MNOS_SYS_ipc_send, endpoint, info, deadline_ns, 0);
}

uint64_t world_ipc_call(struct thread *from, mnos_cap_t endpoint, uint64_t info,
                        uint64_t deadline_ns)
{
    return ipc(from, MNOS_SYS_ipc_call, endpoint, info, deadline_ns, 0);
}

uint64_t world_receive(struct thread *to, mnos_cap_t endpoint, uint64_t accept,
                       uint64_t deadline_ns)
{
    return ipc(to, MNOS_SYS_ipc_recv, endpoint, MNOS_INFO_ACCEPT(accept), deadline_ns, 0);
}

uint64_t world_reply(struct thread *to, uint64_t reply_id, uint64_t info, mnos_cap_t endpoint)
{
    return ipc(to, MNOS_SYS_ipc_reply, reply_id, info, MNOS_DEADLINE_NEVER, endpoint);
}

bool world_woke_with(const struct thread *thread, mnos_status_t status)
{
    return (thread->state == THREAD_READY || thread->state == THREAD_RUNNING) &&
           STATUS_OF(thread->frame.rax) == status;
}

/* ---- looking ---- */

struct kobject *world_object(struct process *process, mnos_cap_t handle)
{
    struct cap_view view;

    if (cap_lookup(&process->captable, handle, MNOS_TYPE_NONE, 0, &view) != RESULT_OK)
        return NULL;
    return view.object;
}

struct cap_view world_view(struct process *process, mnos_cap_t handle)
{
    struct cap_view view = {0};

    CHECK_EQ(cap_lookup(&process->captable, handle, MNOS_TYPE_NONE, 0, &view), MNOS_OK);
    return view;
}

uint64_t world_free_frames(void)
{
    uint32_t self = this_core()->index;

    world_finish_work();
    for (uint32_t i = 0; i < core_count; i++) {
        host_core_select(i);
        while (deferred_step())
            ;
        slab_trim();
        frame_trim();
    }
    host_core_select(self);
    return frame_count_free();
}

/* ---- scarcity ---- */

struct capability *world_next_slot(struct process *process, uint32_t index)
{
    for (; index < captable_end(&process->captable); index++) {
        struct capability *slot = captable_slot(&process->captable, index);

        if (slot->type != MNOS_TYPE_NONE)
            return slot;
    }
    return NULL;
}

static struct {
    uint64_t count;
    paddr_t frames[MIB(WORLD_RAM_MIB) / MNOS_PAGE_BYTES];
} taken;

void world_take_frames(uint64_t left)
{
    paddr_t frame = frame_alloc();

    for (; frame != PADDR_NONE; frame = frame_alloc()) {
        taken.frames[taken.count++] = frame;
        if (frame_count_free() <= left)
            return;
    }
}

void world_give_back(void)
{
    while (taken.count != 0)
        frame_free(taken.frames[--taken.count]);
}

static uint32_t random_state = 12345;

void world_seed(uint32_t seed)
{
    random_state = seed;
}

uint32_t world_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}
