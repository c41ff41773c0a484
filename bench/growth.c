// SPDX-License-Identifier: MIT
/*
 * growth.c - what a message, finding a capability, waking a thread and mapping a page cost with 10,
 * 1,000 and 100,000 capabilities, threads that wait for a deadline, or mappings in existence. Each kind
 * is measured on a machine of its own, which ends with it: nothing is taken down.
 */
#include "bench/bench.h"
#include "lib/base/printf.h"

/* Mappings, or IPC buffers: from here on. */
#define CROWD (ARENA + 0x40000000ull)
#define CROWD_MAPPING_BYTES (2 * PAGE) /* apart, so that no two are neighbours */
#define SPOT (ARENA + 0x200000)
#define FAR_DEADLINE (1ull << 60)

static const unsigned sizes[] = {10, 1000, 100000};

/* Adds number `index` to the crowd; false: there is no room for it. */
typedef bool add_function(void *context, unsigned index);

struct crowd {
    const char *kind;
    add_function *add;
    void *context;
    mnos_cap_t *newest; /* a capability to look up, or NULL */
};

struct scene {
    struct peer server, listener;
    mnos_cap_t endpoint, memory;
};

static uint64_t echo(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    return serve(endpoint, 0, MNOS_DEADLINE_NEVER);
}

static uint64_t listen(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    return listen_stamping(endpoint, 0, MNOS_DEADLINE_NEVER, &SHARED->stamp);
}

static bool scene_create(struct scene *scene)
{
    scene->endpoint = endpoint_new();
    scene->memory = memory_new(2);
    return peer_create(&scene->server) && peer_create(&scene->listener) &&
           peer_start(&scene->server, echo, 0, PRIORITY_CLIENT) && peer_waits(&scene->server) &&
           peer_start(&scene->listener, listen, 0, PRIORITY_SERVER) &&
           peer_waits(&scene->listener) &&
           CHECK_OK(sys_mem_map(MNOS_SELF, scene->memory, SPOT, 0, 1, MAP_RW));
}

/* ---- the four operations ---- */

static uint64_t timed_ok(struct timed timed)
{
    uint64_t count = timed_syscall(&timed);

    CHECK_EQ(timed.rax, MNOS_OK);
    return count;
}

static uint64_t op_ipc(void *context)
{
    const struct scene *scene = context;
    struct timed timed = {
        .rax = MNOS_SYS_ipc_call, .rdi = scene->server.endpoint, .deadline = MNOS_DEADLINE_NEVER};
    uint64_t count = timed_call(&timed);

    CHECK_EQ(timed.rax, MNOS_OK);
    return count;
}

static uint64_t op_lookup(void *context)
{
    const struct scene *scene = context;

    return timed_ok((struct timed){.rax = MNOS_SYS_ipc_notify, .rdi = scene->endpoint, .rsi = 1});
}

static uint64_t op_wake(void *context)
{
    const struct scene *scene = context;
    struct timed timed = {.rax = MNOS_SYS_ipc_notify, .rdi = scene->listener.endpoint, .rsi = 1};

    timed_syscall(&timed);
    return SHARED->stamp - timed.begin - READINGS_COST;
}

static uint64_t op_map(void *context)
{
    const struct scene *scene = context;
    uint64_t count = timed_ok((struct timed){.rax = MNOS_SYS_mem_map,
                                             .rsi = scene->memory,
                                             .rdx = SPOT + PAGE,
                                             .r10 = 1,
                                             .r8 = 1,
                                             .r9 = MAP_RW});

    CHECK_OK(sys_mem_unmap(MNOS_SELF, SPOT + PAGE, 1));
    return count;
}

static void measure_all(const char *kind, unsigned count, struct scene *scene)
{
    static const struct {
        const char *name;
        round_function *round;
    } operations[] = {{"ipc", op_ipc}, {"lookup", op_lookup}, {"wake", op_wake}, {"map", op_map}};
    char name[64];

    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        mnos_snprintf(name, sizeof name, "growth-%s-%u-%s", kind, count, operations[i].name);
        measure_rounds(name, ROUNDS_FEW, operations[i].round, scene);
    }
}

static void grow(const struct crowd *crowd)
{
    struct scene scene = {0};
    unsigned count = 0;
    bool room = true;

    if (!scene_create(&scene))
        return;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0] && room; i++) {
        while (count < sizes[i] && (room = crowd->add(crowd->context, count)))
            count++;
        if (crowd->newest != NULL)
            scene.endpoint = *crowd->newest;
        measure_all(crowd->kind, count, &scene);
    }
}

/* ---- the crowds ---- */

struct family {
    mnos_cap_t parent, newest;
};

static bool add_capability(void *context, unsigned)
{
    struct family *family = context;

    return sys_cap_create(MNOS_CREATE_COPY, family->parent, MNOS_RIGHTS_ALL, 0, 0,
                          &family->newest) == MNOS_OK;
}

BENCH_ON("large", growth_capabilities, "growth-capabilities")
{
    struct family family = {endpoint_new(), 0};

    grow(&(struct crowd){"capabilities", add_capability, &family, &family.newest});
}

static bool add_thread(void *, unsigned index)
{
    struct mnos_thread_params *params = (struct mnos_thread_params *)ipc_buffer()->data;
    mnos_cap_t thread;

    *params = (struct mnos_thread_params){.name = "sleeper",
                                          .registers.rip = (uint64_t)park_for_ever,
                                          .registers.rdi = FAR_DEADLINE + index * 1000ull,
                                          .ipc_buffer = CROWD + index * PAGE,
                                          .priority = PRIORITY_SERVER,
                                          .affinity = MNOS_AFFINITY_ANY};
    return sys_thread_create(MNOS_SELF, sizeof *params, &thread) == MNOS_OK;
}

BENCH_ON("large", growth_threads, "growth-threads")
{
    grow(&(struct crowd){"threads", add_thread, NULL, NULL});
}

static bool add_mapping(void *context, unsigned index)
{
    const mnos_cap_t *memory = context;

    return sys_mem_map(MNOS_SELF, *memory, CROWD + index * CROWD_MAPPING_BYTES, 0, 1, MAP_RW) ==
           MNOS_OK;
}

BENCH_ON("large", growth_mappings, "growth-mappings")
{
    mnos_cap_t memory = memory_new(1);

    grow(&(struct crowd){"mappings", add_mapping, &memory, NULL});
}
