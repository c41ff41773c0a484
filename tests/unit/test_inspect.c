// SPDX-License-Identifier: MIT
/* test_inspect.c - a list of many threads, gone through while they end. */
#include "object/inspect.h"

#include "tests/unit/kernel_world.h"

enum { THREADS = 200 };

static struct thread *actor, *colleague;
static struct process *child;
static struct thread *threads[THREADS];
static mnos_cap_t process, handles[THREADS];
static unsigned polls, first, count;

static void init(void)
{
    world_init();
    actor = world_thread_with(world_root, WORLD_PRIORITY, 0, 0, NULL);
    host_core_start(1);
    colleague = world_thread_with(world_root, WORLD_PRIORITY, 1, 0, NULL);
    host_core_select(0);
    child = world_process(world_root, 1000, 4000000, &process);
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] =
            world_thread_with(child, WORLD_PRIORITY, 1, MNOS_THREAD_SUSPENDED, &handles[i]);
        threads[i]->cpu_cycles = 1000;
    }
    polls = 0;
}

static void end_some(void)
{
    if (++polls != 1)
        return;
    host_on_poll = NULL;
    host_core_select(1);
    for (unsigned i = first; i < first + count; i++) {
        struct cap_view view = world_view(child, handles[i]);
        mnos_cap_t own;

        CHECK_EQ(cap_derive(world_root, &view, 0, &own), MNOS_OK);
        CHECK_EQ(CALL(colleague, thread_destroy, own), 0);
    }
    host_core_select(0);
}

/* The name of the thread with this number, told while others end. */
static uint64_t id_of_thread(uint64_t index)
{
    const struct mnos_thread_info *info = (const struct mnos_thread_info *)actor->buffer->data;

    host_on_poll = end_some;
    CALL_VALUE(actor, cap_inspect, process, MNOS_VIEW_PROCESS_THREAD, index);
    host_on_poll = NULL;
    return info->id;
}

TEST(inspect, a_list_of_threads_goes_on_where_one_ended)
{
    init();
    first = 60; /* of the first step, and where the search stands after it */
    count = 10;
    CHECK_EQ(id_of_thread(150), threads[150 + 6]->obj.id);
    CHECK_EQ(id_of_thread(0), threads[0]->obj.id);
    CHECK_EQ(id_of_thread(THREADS - 11), threads[THREADS - 1]->obj.id);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_inspect, process, MNOS_VIEW_PROCESS_THREAD, THREADS - 10)),
             MNOS_ERR_END);
    world_check();
}

TEST(inspect, no_time_of_a_thread_counts_twice)
{
    const struct mnos_process_info *info;

    init();
    first = 0; /* all of the first step */
    count = 64;
    info = (const struct mnos_process_info *)actor->buffer->data;
    host_on_poll = end_some;
    CALL_VALUE(actor, cap_inspect, process, MNOS_VIEW_PROCESS);
    host_on_poll = NULL;
    CHECK_EQ(info->thread_count, THREADS - 64);
    CHECK_EQ(info->cpu_time_ns, arch_cycles_to_ns(THREADS * 1000));
    CALL_VALUE(actor, cap_inspect, process, MNOS_VIEW_PROCESS);
    CHECK_EQ(info->cpu_time_ns, arch_cycles_to_ns(THREADS * 1000));
    world_check();
}
