// SPDX-License-Identifier: MIT
/* test_trace.c - the rings of the event trace, and who switches it on. */
#include "base/trace.h"

#include "cap/derive.h"
#include "sched/info.h"
#include "mm/frame.h"
#include "tests/unit/kernel_world.h"

static struct thread *actor;
static mnos_cap_t handle;
static const struct mnos_trace *shared;

static void init(void)
{
    struct memory *memory;
    uint64_t pages;

    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
    CHECK(host_leave_kernel());
    shared = phys_to_virt(trace_frame(&pages));
    CHECK_EQ(memory_create_fixed(MNOS_MEMORY_RAM, virt_to_phys(shared), pages, true, &memory),
             MNOS_OK);
    memory->watched = true;
    CHECK_EQ(cap_create_root(world_root, &memory->obj, MNOS_RIGHT_READ, 0, pages, &handle),
             MNOS_OK);
}

static const struct mnos_trace_record *record(uint32_t core, uint64_t number)
{
    const struct mnos_trace_record *ring =
        (const void *)((const char *)shared + shared->rings_offset);

    return &ring[core * shared->capacity + number % shared->capacity];
}

static uint64_t map(uint64_t address, uint64_t pages)
{
    return CALL(actor, mem_map, MNOS_SELF, handle, address, 0, pages, MNOS_MAP_READ);
}

TEST(trace, it_is_on_while_it_is_mapped)
{
    init();
    CHECK(!cores[0].tracing);
    CHECK_EQ(map(0x100000, 3), 0);
    CHECK(cores[0].tracing);
    CHECK_EQ(map(0x200000, 1), 0);
    CHECK_EQ(CALL(actor, mem_unmap, MNOS_SELF, 0x101000, 1), 0); /* out of the middle */
    CHECK_EQ(CALL(actor, mem_unmap, MNOS_SELF, 0x100000, 1), 0);
    CHECK_EQ(CALL(actor, mem_unmap, MNOS_SELF, 0x102000, 1), 0);
    CHECK(cores[0].tracing);
    CHECK_EQ(CALL(actor, mem_unmap, MNOS_SELF, 0x200000, 1), 0);
    CHECK(!cores[0].tracing);
    uint64_t written = shared->cores[0].written;
    trace(MNOS_TRACE_TIMER, 0, 0);
    CHECK_EQ(shared->cores[0].written, written);
    CHECK_EQ(map(0x100000, 3), 0);
    CHECK_EQ(CALL(actor, cap_delete, handle), 0);
    CHECK(!cores[0].tracing);
    world_check();
}

TEST(trace, records_say_what_when_and_who)
{
    init();
    CHECK_EQ(map(0x100000, 1), 0);
    uint64_t written = shared->cores[0].written;
    uint64_t before = arch_cycles();
    trace(MNOS_TRACE_INTERRUPT, 4, 0x30);
    CHECK_EQ(shared->cores[0].written, written + 1);
    const struct mnos_trace_record *r = record(0, written);
    CHECK_EQ(r->event, MNOS_TRACE_INTERRUPT);
    CHECK_EQ(r->core, 0);
    CHECK_EQ(r->thread, actor->obj.id);
    CHECK_EQ(r->words[0], 4);
    CHECK_EQ(r->words[1], 0x30);
    CHECK(r->tsc >= before && r->tsc <= arch_cycles());
}

TEST(trace, a_ring_keeps_the_latest)
{
    init();
    CHECK_EQ(map(0x100000, 1), 0);
    CHECK_EQ(shared->capacity & (shared->capacity - 1), 0);
    uint64_t first = shared->cores[0].written;
    for (uint64_t i = 0; i < 3 * shared->capacity; i++)
        trace(MNOS_TRACE_NOTIFY, first + i, 0);
    uint64_t written = shared->cores[0].written;
    CHECK_EQ(written, first + 3 * shared->capacity);
    for (uint64_t i = written - shared->capacity; i < written; i++)
        CHECK_EQ(record(0, i)->words[0], i);
}

TEST(trace, calls_leave_events)
{
    init();
    CHECK_EQ(map(0x100000, 1), 0);
    uint64_t written = shared->cores[0].written;
    mnos_cap_t port = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    struct thread *receiver = world_thread(world_root, 30);
    CHECK_EQ(record(0, written)->event, MNOS_TRACE_THREAD_CREATE);
    CHECK_EQ(record(0, written)->words[0], receiver->obj.id);
    written = shared->cores[0].written;
    CHECK_EQ(world_receive(receiver, port, 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    written = shared->cores[0].written;
    CHECK_EQ(CALL(actor, ipc_notify, port, 8), 0);
    while (record(0, written)->event == MNOS_TRACE_SWITCH)
        written++; /* to the actor */
    CHECK_EQ(record(0, written)->event, MNOS_TRACE_NOTIFY);
    CHECK_EQ(record(0, written)->words[0], world_object(world_root, port)->id);
    CHECK_EQ(record(0, written)->words[1], 8);
    CHECK(host_leave_kernel());
    CHECK_EQ(record(0, written + 1)->event, MNOS_TRACE_SWITCH);
    CHECK_EQ(record(0, written + 1)->words[0], receiver->obj.id);
}
