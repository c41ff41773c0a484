// SPDX-License-Identifier: MIT
/* process.c - threads and processes, from the call that creates them to their first instruction. */
#include "bench/bench.h"
#include "lib/libmnos/layout.h"
#include "lib/libmnos/string.h"

static struct mnos_thread_params newcomer(void)
{
    struct mnos_thread_params params = {.name = "newcomer",
                                        .ipc_buffer = LAYOUT_IPC_BUFFER,
                                        .priority = PRIORITY_SERVER,
                                        .affinity = MNOS_AFFINITY_ANY};

    params.registers.rip = (uint64_t)first_instruction;
    params.registers.rdi = (uint64_t)&SHARED->stamp;
    params.registers.fs_base = LAYOUT_IPC_BUFFER;
    return params;
}

/* The record is in the IPC buffer before. The thread ends itself; its creator drops the capability. */
static uint64_t create_thread(void *context)
{
    const struct peer *peer = context;
    struct mnos_thread_params params = newcomer();
    struct timed create = {
        .rax = MNOS_SYS_thread_create, .rdi = peer->child.process, .rsi = sizeof params};

    memcpy(ipc_buffer()->data, &params, sizeof params);
    timed_syscall(&create);
    if (CHECK_EQ(create.rax, MNOS_OK))
        cap_drop(create.rdx);
    return SHARED->stamp - create.begin;
}

BENCH(thread, "thread-create-run")
{
    struct peer peer;

    if (peer_create(&peer))
        measure("thread-create-run", create_thread, &peer);
    peer_drop(&peer);
}
