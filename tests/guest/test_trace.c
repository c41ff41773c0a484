// SPDX-License-Identifier: MIT
/* test_trace.c - the event trace: what is recorded, when, and what a reader finds. */
#include "abi/trace.h"

#include <stdatomic.h>

#include "lib/mnos/bootstrap.h"
#include "tests/guest/scene.h"

#define QUIET_CALLS 1000

static const struct mnos_trace *trace_begin(void)
{
    void *address = NULL;

    CHECK_OK(memory_map(bootstrap_cap("trace"), 0, cap_info(bootstrap_cap("trace")).count,
                        MNOS_MAP_READ, &address));
    return address;
}

static void trace_end(const struct mnos_trace *trace)
{
    memory_unmap((void *)(uintptr_t)trace, cap_info(bootstrap_cap("trace")).count);
}

static uint64_t written(const struct mnos_trace *trace, uint32_t core)
{
    return atomic_load((const _Atomic uint64_t *)&trace->cores[core].written);
}

static uint64_t written_in_all(const struct mnos_trace *trace)
{
    uint64_t sum = 0;

    for (uint32_t core = 0; core < trace->core_count; core++)
        sum += written(trace, core);
    return sum;
}

static const struct mnos_trace_record *record(const struct mnos_trace *trace, uint32_t core,
                                              uint64_t number)
{
    const struct mnos_trace_record *rings =
        (const void *)((const char *)trace + trace->rings_offset);

    return &rings[core * trace->capacity + number % trace->capacity];
}

/* How many records of an event and its words one of the cores has. */
static unsigned found(const struct mnos_trace *trace, enum mnos_trace_event event, uint64_t first,
                      uint64_t second)
{
    unsigned count = 0;

    for (uint32_t core = 0; core < trace->core_count; core++) {
        uint64_t end = written(trace, core);

        for (uint64_t i = end < trace->capacity ? 0 : end - trace->capacity; i < end; i++) {
            const struct mnos_trace_record *r = record(trace, core, i);

            count += r->event == event && r->words[0] == first && r->words[1] == second;
        }
    }
    return count;
}

TEST(trace, it_can_only_be_read)
{
    mnos_cap_t cap = bootstrap_cap("trace");
    const struct mnos_trace *trace;

    CHECK_FAILS(sys_mem_map(MNOS_SELF, cap, ARENA, 0, 1, MAP_RW), MNOS_ERR_RIGHTS, 2,
                MNOS_RIGHT_WRITE);
    trace = trace_begin();
    CHECK_EQ(trace->magic, MNOS_TRACE_MAGIC);
    CHECK(trace->core_count >= core_count());
    CHECK_EQ(trace->record_bytes, sizeof(struct mnos_trace_record));
    CHECK_EQ(trace->capacity & (trace->capacity - 1), 0);
    CHECK(trace->rings_offset + (uint64_t)trace->core_count * trace->capacity * 32 <=
          cap_info(cap).count * PAGE);
    trace_end(trace);
}

TEST(trace, nothing_is_recorded_while_nobody_has_it_mapped)
{
    mnos_cap_t endpoint = endpoint_new();
    const struct mnos_trace *trace = trace_begin();
    uint64_t before = written_in_all(trace);

    trace_end(trace);
    for (unsigned i = 0; i < QUIET_CALLS; i++)
        CHECK_OK(sys_ipc_notify(endpoint, 1));
    trace = trace_begin();
    CHECK(written_in_all(trace) - before < QUIET_CALLS / 2);
    before = written_in_all(trace);
    for (unsigned i = 0; i < QUIET_CALLS; i++)
        CHECK_OK(sys_ipc_notify(endpoint, 1));
    CHECK(written_in_all(trace) - before >= 2 * QUIET_CALLS); /* the event and the call */
    trace_end(trace);
    cap_drop(endpoint);
}

static void answer(void *argument)
{
    mnos_cap_t endpoint = *(mnos_cap_t *)argument;
    struct message msg = {0};

    CHECK_OK(ipc_receive(endpoint, &msg, soon()));
    CHECK_OK(ipc_reply(&msg));
}

TEST(trace, it_has_what_this_thread_and_others_did)
{
    mnos_cap_t endpoint = endpoint_new(), client = cap_mint(endpoint, 77, 4),
               memory = memory_new(1);
    uint64_t endpoint_id = cap_info(endpoint).object_id, self = thread_info(MNOS_SELF).id;
    uint64_t process_id = process_info(MNOS_SELF).id, memory_id = cap_info(memory).object_id;
    const struct mnos_trace *trace = trace_begin();
    struct message msg = {0};
    struct thread server;
    uint64_t server_id;

    helper_start(&server, answer, &endpoint);
    server_id = thread_info(server.thread).id;
    CHECK(thread_reaches(server.thread, MNOS_STATE_RECEIVING));
    CHECK_OK(ipc_call(client, &msg, soon()));
    helper_finish(&server);
    CHECK_OK(sys_ipc_notify(client, 4));
    CHECK_OK(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MAP_RW));
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, 1));
    CHECK_OK(sys_cap_revoke(memory));
    CHECK_EQ(found(trace, MNOS_TRACE_THREAD_CREATE, server_id, process_id), 1);
    CHECK(found(trace, MNOS_TRACE_SWITCH, server_id, process_id) >= 1);
    CHECK_EQ(found(trace, MNOS_TRACE_RECEIVE, endpoint_id, 0), 1);
    CHECK_EQ(found(trace, MNOS_TRACE_CALL, endpoint_id, 77), 1);
    CHECK_EQ(found(trace, MNOS_TRACE_REPLY, self, 0), 1);
    CHECK_EQ(found(trace, MNOS_TRACE_NOTIFY, endpoint_id, 4), 1);
    CHECK_EQ(found(trace, MNOS_TRACE_MAP, ARENA, 1), 1);
    CHECK_EQ(found(trace, MNOS_TRACE_UNMAP, ARENA, 1), 1);
    CHECK_EQ(found(trace, MNOS_TRACE_REVOKE, memory_id, memory), 1);
    trace_end(trace);
    cap_drop(memory);
    cap_drop(client);
    cap_drop(endpoint);
}

TEST(trace, a_ring_that_is_full_keeps_the_latest_in_order)
{
    mnos_cap_t endpoint = endpoint_new();
    const struct mnos_trace *trace = trace_begin();
    uint64_t goal = 3ull * trace->capacity, end;
    uint32_t core = 0;

    while (written(trace, core) < goal) {
        CHECK_OK(sys_ipc_notify(endpoint, 1));
        core = (core + 1) % trace->core_count;
    }
    end = written(trace, core);
    for (uint64_t i = end - trace->capacity / 2; i < end; i++) {
        CHECK(record(trace, core, i)->tsc >= record(trace, core, i - 1)->tsc);
        CHECK(record(trace, core, i)->event != 0);
        CHECK_EQ(record(trace, core, i)->core, core);
    }
    trace_end(trace);
    cap_drop(endpoint);
}
