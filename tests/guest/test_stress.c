// SPDX-License-Identifier: MIT
/*
 * test_stress.c - many processes on all cores that call, derive, revoke, map and kill at once, for a
 * bounded number of rounds; afterwards nothing may be left of them.
 */
#include "abi/statistics.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"

#define WORKERS_MAX 8
#define ROUNDS 6
#define TRIES 5u
#define ROUND_NS (60 * MILLISECOND_NS)
#define WAIT_NS 200000ull
#define STEPS_NONE 1000000u

/* Frames that caches of kernel objects may keep for each core, and for all together: a slab that holds
 * a few objects of the magazines of each cache. */
#define CACHED_FRAMES_CORE 40
#define CACHED_FRAMES 60

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- what a worker does; every error is expected ---- */

static void exchange_messages(mnos_cap_t endpoint, uint64_t random)
{
    struct message msg = {.label = (uint32_t)random, .length = random >> 32 & 0x3FF, .accept = 2};
    uint64_t deadline = kinfo_time_ns() + WAIT_NS;

    switch (random & 3) {
    case 0: (void)!ipc_send(endpoint, &msg, deadline); return;
    case 1: (void)!ipc_call(endpoint, &msg, deadline); return;
    default: break;
    }
    if (ipc_receive(endpoint, &msg, deadline) != MNOS_OK)
        return;
    for (unsigned i = 0; i < msg.cap_count; i++)
        if (message_cap(&msg, i) != 0)
            (void)!sys_cap_delete(message_cap(&msg, i));
    if (random & 4)
        ipc_reply_status(msg.reply_id, MNOS_OK);
}

static void send_a_cap(mnos_cap_t endpoint, mnos_cap_t memory)
{
    struct message msg = {0};

    message_add_cap(&msg, memory, MNOS_RIGHT_READ);
    message_add_cap(&msg, endpoint, MNOS_RIGHT_WRITE);
    (void)!ipc_send(endpoint, &msg, kinfo_time_ns() + WAIT_NS);
}

static void derive_and_revoke(mnos_cap_t cap, uint64_t random)
{
    mnos_cap_t copy, child;

    if (sys_cap_create(MNOS_CREATE_COPY, cap, MNOS_RIGHT_READ | MNOS_RIGHT_REVOKE, 0, 0, &copy) !=
        MNOS_OK)
        return;
    for (unsigned i = 0; i < (random & 15); i++)
        (void)!sys_cap_create(MNOS_CREATE_COPY, copy, 0, 0, 0, &child);
    (void)!sys_cap_revoke(copy);
    (void)!sys_cap_delete(copy);
}

static void use_memory(mnos_cap_t shared, uint64_t random)
{
    uint64_t address = ARENA + (random & 0xF0) * PAGE;
    mnos_cap_t memory;

    if (sys_mem_map(MNOS_SELF, shared, ARENA - PAGE * 16, 0, 2, MNOS_MAP_READ) == MNOS_OK)
        (void)!sys_mem_unmap(MNOS_SELF, ARENA - PAGE * 16, 2);
    if (sys_mem_alloc(1 + (random & 7), 0, &memory) != MNOS_OK)
        return;
    if (sys_mem_map(MNOS_SELF, memory, address, 0, 1, MAP_RW) == MNOS_OK) {
        *(volatile uint64_t *)address = random;
        if (random & 8)
            (void)!sys_mem_unmap(MNOS_SELF, address, 1);
    }
    (void)!sys_cap_delete(memory);
}

static void use_threads(void)
{
    struct mnos_thread_params params = {
        .ipc_buffer = ARENA + 0x400 * PAGE, .affinity = MNOS_AFFINITY_ANY, .priority = 10};
    struct mnos_process_params process_params = {
        .frames_quota = 12, .bytes_quota = 16384, .priority_ceiling = 10};
    mnos_cap_t thread, process;

    params.registers.rip = ARENA; /* faults, when it runs: nothing is mapped there in the child */
    if (process_create(&process_params, &process) != MNOS_OK)
        return;
    if (thread_create_raw(process, &params, &thread) == MNOS_OK)
        (void)!sys_thread_wake(thread);
    (void)!sys_proc_destroy(process, 0);
    (void)!sys_cap_delete(process);
}

/* Returns 0 by itself only after so many steps that it is killed before. */
static uint64_t work(uint64_t seed, uint64_t endpoint, uint64_t memory, uint64_t)
{
    uint64_t random = seed, value;

    for (unsigned i = 0; i < STEPS_NONE; i++) {
        random_next(&random);
        switch (random >> 40 & 15) {
        case 0:
        case 1:
        case 2:
        case 3: exchange_messages(endpoint, random); break;
        case 4: send_a_cap(endpoint, memory); break;
        case 5: (void)!sys_ipc_notify(endpoint, random | 1); break;
        case 6:
        case 7: derive_and_revoke(endpoint, random); break;
        case 8: derive_and_revoke(memory, random); break;
        case 9:
        case 10: use_memory(memory, random); break;
        case 11: use_threads(); break;
        case 12: (void)!sys_thread_yield(); break;
        case 13: (void)!sys_thread_block(MNOS_SELF, kinfo_time_ns() + WAIT_NS / 4, &value); break;
        case 14: (void)!sys_cap_inspect(MNOS_SELF, random >> 20 & 3, random & 63, &value); break;
        default: (void)!sys_cap_inspect(random, 0, 0, &value); break; /* a forged handle */
        }
    }
    return 0;
}

/* ---- one round ---- */

struct shared {
    mnos_cap_t endpoint;
    mnos_cap_t memory;
};

static bool worker_start(struct child *worker, const struct shared *shared, uint64_t seed)
{
    const mnos_rights_t rights = MNOS_RIGHTS_ALL;

    return child_create(worker) &&
           child_start(worker, work, seed, child_give(worker, shared->endpoint, rights),
                       child_give(worker, shared->memory, rights), 0);
}

/* What the test itself does to the workers while they work. */
static void disturb(struct child *workers, unsigned count, const struct shared *shared,
                    uint64_t *random)
{
    struct child *victim = &workers[random_next(random) % count];
    mnos_cap_t given;
    uint64_t now;

    switch (*random >> 32 & 7) {
    case 0: /* takes everybody's capabilities away, and gives one of them new ones */
        CHECK_OK(sys_cap_revoke(shared->endpoint));
        (void)!sys_cap_transfer(victim->process, shared->endpoint, MNOS_RIGHTS_ALL, &given);
        break;
    case 1: CHECK_OK(sys_cap_revoke(shared->memory)); break;
    case 2:
        (void)!sys_thread_block(victim->thread, 0, &now);
        (void)!sys_thread_wake(victim->thread);
        break;
    case 3:
        (void)!sys_thread_block(victim->process, 0, &now);
        (void)!sys_thread_wake(victim->process);
        break;
    case 4:
        child_drop(victim);
        (void)worker_start(victim, shared, *random | 1);
        break;
    case 5: (void)process_info(victim->process); break;
    default: exchange_messages(shared->endpoint, *random); break;
    }
}

static void drop_pending(mnos_cap_t endpoint)
{
    struct message msg = {0};

    while (receive_now(endpoint, &msg) == MNOS_OK)
        ipc_reply_status(msg.reply_id, MNOS_OK);
}

static void run_round(uint64_t seed)
{
    struct shared shared = {endpoint_new(), memory_new(4)};
    unsigned count = core_count() + 2 < WORKERS_MAX ? core_count() + 2 : WORKERS_MAX;
    uint64_t deadline = kinfo_time_ns() + ROUND_NS, random = seed;
    struct child workers[WORKERS_MAX];

    for (unsigned i = 0; i < count; i++)
        (void)worker_start(&workers[i], &shared, random_next(&random) | 1);
    while (kinfo_time_ns() < deadline && !check_failed()) {
        disturb(workers, count, &shared, &random);
        sleep_ns(MILLISECOND_NS / 4);
    }
    for (unsigned i = 0; i < count; i++)
        child_drop(&workers[i]);
    drop_pending(shared.endpoint);
    cap_drop(shared.endpoint);
    cap_drop(shared.memory);
}

TEST(stress, everything_at_once_leaves_nothing_behind)
{
    for (uint64_t round = 1; round <= ROUNDS && !check_failed(); round++) {
        struct mnos_process_info before = process_info(MNOS_SELF);

        run_round(round * 0x9E3779B97F4A7C15ull);
        CHECK_EQ(process_info(MNOS_SELF).thread_count, before.thread_count);
        CHECK_EQ(process_info(MNOS_SELF).cap_count, before.cap_count);
    }
}

/* ---- frames of the machine ---- */

static uint64_t frames_counted(void)
{
    const struct mnos_statistics *statistics;
    uint64_t free = 0;
    void *address;

    sleep_ns(20 * MILLISECOND_NS); /* idle cores update the count */
    if (CHECK_OK(memory_map(bootstrap_cap("statistics"), 0, 1, MNOS_MAP_READ, &address))) {
        statistics = address;
        free = statistics->frames_free;
        memory_unmap(address, 1);
    }
    return free;
}

/* When it has stopped changing: a core may need long for what it still has to release. */
static uint64_t frames_free(void)
{
    uint64_t limit = soon(), last = frames_counted(), now = frames_counted();

    for (unsigned same = 0; same < 3 && kinfo_time_ns() < limit; now = frames_counted()) {
        same = now == last ? same + 1 : 0;
        last = now;
    }
    return now;
}

/* Whether so many come to be free: other cores may have some still to release. */
static bool frames_come_back(uint64_t wanted)
{
    uint64_t deadline = soon();

    while (frames_counted() < wanted)
        if (kinfo_time_ns() > deadline)
            return CHECK(!"the frames come back");
    return true;
}

/* Frames of earlier rounds may come back late, when the emulator lets a core stand still for longer than frames_free() looks:
 * then more are free once. What is given back twice makes more free each time. */
TEST(stress, the_machine_has_its_frames_back)
{
    uint64_t slack = CACHED_FRAMES + CACHED_FRAMES_CORE * core_count();
    uint64_t before, after;
    unsigned tries = 0;

    run_round(5);
    after = frames_free();
    do {
        before = after;
        for (unsigned i = 0; i < 3 && !check_failed(); i++)
            run_round(7 + i);
        frames_come_back(before - slack);
        after = frames_free();
    } while (after > before + slack && ++tries < TRIES && !check_failed());
    CHECK(after <= before + slack);
}

TEST(stress, a_process_created_and_destroyed_a_thousand_times_costs_nothing)
{
    uint64_t before;

    for (unsigned i = 0; i < 100; i++)
        process_end(process_new());
    before = frames_free();
    for (unsigned i = 0; i < 1000 && !check_failed(); i++)
        process_end(process_new());
    frames_come_back(before - 8 * core_count());
}

/* ---- revoking while others derive ---- */

/* Until `cap` is gone. When its account is full it revokes in the middle of the tree that is revoked. */
static uint64_t derive_for_ever(uint64_t cap, uint64_t ready, uint64_t, uint64_t)
{
    mnos_status_t status = MNOS_OK;
    mnos_cap_t last = cap, copy;

    (void)!sys_ipc_notify(ready, 1);
    for (unsigned i = 0; status != MNOS_ERR_HANDLE || last != cap; i++) {
        if (status == MNOS_ERR_QUOTA)
            (void)!sys_cap_revoke(cap);
        if (status != MNOS_OK)
            last = cap;
        status = sys_cap_create(MNOS_CREATE_COPY, last, MNOS_RIGHTS_ALL, 0, 0, &copy);
        if (status == MNOS_OK && i % 8 == 0)
            last = copy;
    }
    return 0;
}

TEST(stress, revocation_ends_though_others_derive_all_the_time)
{
    mnos_cap_t endpoint = endpoint_new(), ready = endpoint_new();
    struct child children[4];
    unsigned count = core_count() < 4 ? core_count() : 4;
    struct message msg = {0};

    for (unsigned i = 0; i < count; i++)
        if (child_create(&children[i])) {
            mnos_cap_t told = child_give(&children[i], ready, MNOS_RIGHT_WRITE);

            child_start(&children[i], derive_for_ever,
                        child_give(&children[i], endpoint, MNOS_RIGHTS_ALL), told, 0, 0);
        }
    CHECK_OK(ipc_receive(ready, &msg, soon()));
    sleep_ns(2 * MILLISECOND_NS);
    CHECK_OK(sys_cap_revoke(endpoint));
    CHECK_EQ(cap_info(endpoint).child_count, 0);
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(child_wait(&children[i]).exit_reason, MNOS_EXIT_SELF);
        child_drop(&children[i]);
    }
    cap_drop(ready);
    cap_drop(endpoint);
}
