// SPDX-License-Identifier: MIT
/* ipc.c - messages between two processes: round trips of every size, and a capability in a message. */
#include "bench/bench.h"
#include "lib/base/string.h"

/* Finite, and never reached. */
#define FAR_DEADLINE (1ull << 60)

struct caller {
    struct peer peer;
    struct timed call;
    uint64_t info;
};

static uint64_t round_trip(void *context)
{
    struct caller *caller = context;
    struct timed timed = caller->call;
    uint64_t count = timed_call(&timed);

    CHECK_EQ(timed.rax, MNOS_OK);
    CHECK_EQ(timed.rsi, caller->info);
    return count;
}

/* ---- servers: they run in the peer ---- */

static uint64_t echo(uint64_t endpoint, uint64_t info, uint64_t, uint64_t)
{
    return serve(endpoint, info, MNOS_DEADLINE_NEVER);
}

static uint64_t echo_with_deadline(uint64_t endpoint, uint64_t info, uint64_t, uint64_t)
{
    return serve(endpoint, info, FAR_DEADLINE);
}

static uint64_t echo_stamping(uint64_t endpoint, uint64_t info, uint64_t, uint64_t)
{
    return serve_stamping(endpoint, info, MNOS_DEADLINE_NEVER, &SHARED->stamp);
}

static uint64_t echo_with_vectors(uint64_t endpoint, uint64_t info, uint64_t, uint64_t)
{
    return serve_vectors(endpoint, info, MNOS_DEADLINE_NEVER, SHARED->vectors);
}

/* ---- the same as programs do it, with what libmnos gives them ---- */

/* What a request of 64 bytes holds, and its answer. */
struct record {
    uint64_t values[8];
};

static uint64_t echo_in_c(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct message msg = {0};
    struct record record;

    while (ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK) {
        if (msg.length != sizeof record)
            continue; /* the words in the message are the answer */
        message_get(&msg, &record, sizeof record);
        record.values[0]++;
        message_put(&msg, MNOS_OK, &record, sizeof record);
    }
    return 1;
}

static uint64_t request_words(void *context)
{
    const struct caller *caller = context;
    struct message msg = {0};
    uint64_t begin = reading_begin(), end;
    mnos_status_t status = ipc_request(caller->peer.endpoint, &msg);

    end = reading_end();
    CHECK_EQ(status, MNOS_OK);
    return readings_between(begin, end);
}

static uint64_t request_record(void *context)
{
    const struct caller *caller = context;
    struct record record = {{1, 2, 3, 4, 5, 6, 7, 8}};
    struct message msg = {0};
    uint64_t begin = reading_begin(), end;
    mnos_status_t status;

    message_put(&msg, 0, &record, sizeof record);
    status = ipc_request(caller->peer.endpoint, &msg);
    message_get(&msg, &record, sizeof record);
    end = reading_end();
    CHECK_EQ(status, MNOS_OK);
    CHECK_EQ(record.values[0], 2);
    CHECK_EQ(record.values[7], 8);
    return readings_between(begin, end);
}

/* ---- callers ---- */

static bool caller_begin_at(struct caller *caller, child_function *server, uint64_t info,
                            uint64_t server_info, uint32_t affinity)
{
    *caller = (struct caller){.info = info};
    if (!peer_create(&caller->peer) ||
        !peer_start_at(&caller->peer, server, server_info, PRIORITY_CLIENT, affinity) ||
        !peer_waits(&caller->peer))
        return false;
    caller->call = (struct timed){.rax = MNOS_SYS_ipc_call,
                                  .rdi = caller->peer.endpoint,
                                  .rsi = info,
                                  .deadline = MNOS_DEADLINE_NEVER};
    return true;
}

static bool caller_begin(struct caller *caller, child_function *server, uint64_t info,
                         uint64_t server_info)
{
    return caller_begin_at(caller, server, info, server_info, 0);
}

static void measure_round_trip(const char *name, unsigned length)
{
    struct caller caller;

    if (caller_begin(&caller, echo, MNOS_INFO(0, length), MNOS_INFO(0, length)))
        measure(name, round_trip, &caller);
    peer_drop(&caller.peer);
}

BENCH(ipc_round_trip, "ipc-round-trip-0 ipc-round-trip-32 ipc-round-trip-64 ipc-round-trip-1024 "
                      "ipc-round-trip-4000")
{
    measure_round_trip("ipc-round-trip-0", 0);
    measure_round_trip("ipc-round-trip-32", 32);
    measure_round_trip("ipc-round-trip-64", 64);
    measure_round_trip("ipc-round-trip-1024", 1024);
    measure_round_trip("ipc-round-trip-4000", 4000);
}

BENCH(ipc_library, "ipc-library-0 ipc-library-64")
{
    struct caller caller;

    if (caller_begin(&caller, echo_in_c, 0, 0)) {
        measure("ipc-library-0", request_words, &caller);
        measure("ipc-library-64", request_record, &caller);
    }
    peer_drop(&caller.peer);
}

BENCH(ipc_deadline, "ipc-round-trip-deadline")
{
    struct caller caller;

    if (caller_begin(&caller, echo_with_deadline, 0, 0)) {
        caller.call.deadline = FAR_DEADLINE;
        measure("ipc-round-trip-deadline", round_trip, &caller);
    }
    peer_drop(&caller.peer);
}

/* ---- live vector registers on both sides ---- */

static void vectors_fill(uint8_t *vectors, uint8_t seed)
{
    for (unsigned i = 0; i < sizeof SHARED->vectors; i++)
        vectors[i] = (uint8_t)(seed + i * 13);
}

static bool vectors_match(const uint8_t *vectors, uint8_t seed)
{
    uint8_t wanted[sizeof SHARED->vectors];

    vectors_fill(wanted, seed);
    return memcmp(vectors, wanted, sizeof wanted) == 0;
}

static uint64_t round_trip_vectors(void *context)
{
    struct caller *caller = context;
    struct timed timed = caller->call;
    uint8_t vectors[sizeof SHARED->vectors];
    uint64_t count;

    vectors_fill(vectors, 1);
    count = timed_call_vectors(&timed, vectors);
    CHECK_EQ(timed.rax, MNOS_OK);
    CHECK(vectors_match(vectors, 1));
    CHECK(vectors_match(SHARED->vectors, 2));
    return count;
}

BENCH(ipc_vectors, "ipc-round-trip-vectors")
{
    struct caller caller = {0};

    if (peer_create(&caller.peer)) {
        vectors_fill(SHARED->vectors, 2);
        caller.call = (struct timed){
            .rax = MNOS_SYS_ipc_call, .rdi = caller.peer.endpoint, .deadline = MNOS_DEADLINE_NEVER};
        if (peer_start(&caller.peer, echo_with_vectors, 0, PRIORITY_CLIENT) &&
            peer_waits(&caller.peer))
            measure("ipc-round-trip-vectors", round_trip_vectors, &caller);
    }
    peer_drop(&caller.peer);
}

/* ---- a capability, one way ---- */

static uint64_t call_with_cap(void *context)
{
    struct caller *caller = context;
    struct timed timed = caller->call;

    ipc_buffer()->send_caps[0] = caller->peer.child.ended;
    ipc_buffer()->send_rights[0] = 0xFF;
    timed_call(&timed);
    CHECK_EQ(timed.rax, MNOS_OK);
    CHECK_OK(sys_cap_revoke(caller->peer.child.ended)); /* out of the server's table again */
    return SHARED->stamp - timed.begin - READINGS_COST;
}

BENCH(ipc_cap, "ipc-call-cap")
{
    struct caller caller;

    if (caller_begin(&caller, echo_stamping, MNOS_INFO_CAPS(1), MNOS_INFO_ACCEPT(1)))
        measure("ipc-call-cap", call_with_cap, &caller);
    peer_drop(&caller.peer);
}

/* ---- replies that are not the most common ones ---- */

#define PARKED 4 /* callers that wait for an answer all the time */

static uint64_t park_then_echo(uint64_t endpoint, uint64_t info, uint64_t, uint64_t)
{
    struct message msg = {0};

    for (unsigned i = 0; i < PARKED; i++)
        if (ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK)
            return 1;
    return serve(endpoint, info, MNOS_DEADLINE_NEVER);
}

static void call_in_vain(void *endpoint)
{
    struct message msg = {0};

    CHECK_STATUS(ipc_call((mnos_cap_t)endpoint, &msg, MNOS_DEADLINE_NEVER), MNOS_ERR_PEER);
}

BENCH(ipc_parked, "ipc-reply-parked")
{
    struct thread parked[PARKED];
    struct caller caller;
    bool started = caller_begin(&caller, park_then_echo, 0, 0);

    for (unsigned i = 0; started && i < PARKED; i++) {
        helper_start_at(&parked[i], call_in_vain, (void *)caller.peer.endpoint, PRIORITY_CLIENT, 0);
        CHECK(thread_reaches(parked[i].thread, MNOS_STATE_CALLING));
    }
    if (started)
        measure("ipc-reply-parked", round_trip, &caller);
    peer_drop(&caller.peer); /* who is parked wakes: its server has died */
    for (unsigned i = 0; started && i < PARKED; i++)
        helper_finish(&parked[i]);
}

static uint64_t echo_with_cap(uint64_t endpoint, uint64_t cap, uint64_t, uint64_t)
{
    ipc_buffer()->send_caps[0] = cap;
    ipc_buffer()->send_rights[0] = 0xFF;
    return serve(endpoint, MNOS_INFO_CAPS(1), MNOS_DEADLINE_NEVER);
}

static uint64_t round_trip_for_cap(void *context)
{
    struct caller *caller = context;
    struct timed timed = caller->call;
    uint64_t count = timed_call(&timed);

    CHECK_EQ(timed.rax, MNOS_OK);
    CHECK_EQ(timed.rsi, MNOS_INFO_CAPS(1));
    CHECK_OK(sys_cap_delete(ipc_buffer()->recv_caps[0]));
    return count;
}

BENCH(ipc_reply_cap, "ipc-reply-cap")
{
    struct caller caller = {0};
    mnos_cap_t memory = memory_new(1);

    if (peer_create(&caller.peer)) {
        caller.call = (struct timed){.rax = MNOS_SYS_ipc_call,
                                     .rdi = caller.peer.endpoint,
                                     .rsi = MNOS_INFO_ACCEPT(1),
                                     .deadline = MNOS_DEADLINE_NEVER};
        if (peer_start(&caller.peer, echo_with_cap,
                       child_give(&caller.peer.child, memory, MNOS_RIGHTS_ALL), PRIORITY_CLIENT) &&
            peer_waits(&caller.peer))
            measure("ipc-reply-cap", round_trip_for_cap, &caller);
    }
    peer_drop(&caller.peer);
    cap_drop(memory);
}

/* ---- two that wake one another in turn, as the ends of a ring do ---- */

static uint64_t ring_peer(uint64_t endpoint, uint64_t target, uint64_t, uint64_t)
{
    return ring_for_ever(endpoint, target, MNOS_DEADLINE_NEVER);
}

struct ring_end {
    struct peer peer;
    mnos_cap_t own;
};

static uint64_t ring_round(void *context)
{
    const struct ring_end *end = context;
    struct timed timed = {.rax = MNOS_SYS_ipc_reply,
                          .rdi = end->peer.endpoint,
                          .rsi = MNOS_INFO_NOTIFY,
                          .rdx = 1,
                          .deadline = MNOS_DEADLINE_NEVER,
                          .receive_from = end->own};
    uint64_t count = timed_reply_and_wait(&timed);

    CHECK_EQ(timed.rax, MNOS_OK);
    CHECK_EQ(timed.rdx, 1);
    return count;
}

BENCH(ring, "ring-trip")
{
    struct ring_end end = {.own = endpoint_new()};

    if (peer_create(&end.peer) &&
        peer_start(&end.peer, ring_peer, child_give(&end.peer.child, end.own, MNOS_RIGHT_WRITE),
                   PRIORITY_CLIENT) &&
        peer_waits(&end.peer))
        measure("ring-trip", ring_round, &end);
    peer_drop(&end.peer);
    cap_drop(end.own);
}

/* ---- between cores: the instructions of both, since the counter goes on for either ---- */

#define OTHER_CORE 1
/* Long enough for the other caller to be served and for its core to be idle again. */
#define OTHER_CALL_NS 100000

/* Lets the server be called from the other core when `go` is set. */
struct other_caller {
    mnos_cap_t go;
    mnos_cap_t server;
};

static void call_when_told(void *argument)
{
    const struct other_caller *other = argument;
    struct message msg = {0};

    while (CHECK_OK(ipc_receive(other->go, &msg, MNOS_DEADLINE_NEVER))) {
        msg = (struct message){0};
        CHECK_OK(ipc_call(other->server, &msg, MNOS_DEADLINE_NEVER));
    }
}

struct cross_caller {
    struct caller caller; /* first: round_trip() takes it */
    struct other_caller other;
};

static uint64_t round_trip_after_other(void *context)
{
    struct cross_caller *cross = context;

    CHECK_OK(sys_ipc_notify(cross->other.go, 1));
    sleep_ns(OTHER_CALL_NS);
    return round_trip(&cross->caller);
}

BENCH_ON("two-cores", cross_core, "ipc-cross-core-unpinned ipc-cross-core-pinned")
{
    struct cross_caller cross;
    struct thread other;

    if (caller_begin_at(&cross.caller, echo, 0, 0, MNOS_AFFINITY_ANY)) {
        cross.other = (struct other_caller){endpoint_new(), cross.caller.peer.endpoint};
        helper_start_at(&other, call_when_told, &cross.other, PRIORITY_CLIENT, OTHER_CORE);
        measure("ipc-cross-core-unpinned", round_trip_after_other, &cross);
        helper_end(&other);
        cap_drop(cross.other.go);
    }
    peer_drop(&cross.caller.peer);
    if (caller_begin_at(&cross.caller, echo, 0, 0, OTHER_CORE))
        measure("ipc-cross-core-pinned", round_trip, &cross.caller);
    peer_drop(&cross.caller.peer);
}
