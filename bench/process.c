// SPDX-License-Identifier: MIT
/* process.c - threads and processes, from the call that creates them to their first instruction. */
#include "bench/bench.h"
#include "lib/mnos/layout.h"
#include "lib/base/string.h"

static struct mnos_thread_params newcomer(void)
{
    struct mnos_thread_params params = {.name = "newcomer",
                                        .ipc_buffer = LAYOUT_IPC_BUFFER,
                                        .priority = PRIORITY_SERVER,
                                        .affinity = MNOS_AFFINITY_ANY};

    params.registers.rip = (uint64_t)thread_newcomer;
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
    return SHARED->stamp - create.begin - READINGS_COST;
}

BENCH(thread, "thread-create-run")
{
    struct peer peer;

    if (peer_create(&peer))
        measure("thread-create-run", create_thread, &peer);
    peer_drop(&peer);
}

/* ---- a process: one mapped page of code, and a thread ---- */

#define CODE_ADDRESS 0x10000

struct nursery {
    mnos_cap_t code;
    mnos_cap_t ended;
};

static bool nursery_create(struct nursery *nursery)
{
    void *page;

    *nursery = (struct nursery){memory_new(1), endpoint_new()};
    if (!CHECK_OK(memory_map(nursery->code, 0, 1, MAP_RW, &page)))
        return false;
    memcpy(page, process_newcomer, (size_t)(process_newcomer_end - process_newcomer));
    memory_unmap(page, 1);
    return true;
}

/* How the new process tells when its first instruction ran: by its exit code. */
static uint64_t process_result(const struct nursery *nursery, mnos_cap_t process)
{
    struct message msg = {0};
    uint64_t stamp;

    CHECK_OK(ipc_receive(nursery->ended, &msg, soon()));
    stamp = process_info(process).exit_code;
    process_end(process);
    return stamp;
}

/* Records are written to where the system calls want them, as part of the work. */
static mnos_cap_t start_process(const struct nursery *nursery)
{
    mnos_cap_t process = 0, thread = 0;

    *(struct mnos_process_params *)ipc_buffer()->data =
        (struct mnos_process_params){.name = "newcomer",
                                     .frames_quota = 32,
                                     .bytes_quota = 64 * 1024,
                                     .priority_ceiling = PRIORITY_SERVER,
                                     .exit_endpoint = nursery->ended,
                                     .exit_events = 1};
    CHECK_OK(sys_proc_create(sizeof(struct mnos_process_params), &process));
    CHECK_OK(
        sys_mem_map(process, nursery->code, CODE_ADDRESS, 0, 1, MNOS_MAP_READ | MNOS_MAP_EXECUTE));
    *(struct mnos_thread_params *)ipc_buffer()->data =
        (struct mnos_thread_params){.name = "newcomer",
                                    .registers.rip = CODE_ADDRESS,
                                    .ipc_buffer = LAYOUT_IPC_BUFFER,
                                    .priority = PRIORITY_SERVER,
                                    .affinity = MNOS_AFFINITY_ANY};
    CHECK_OK(sys_thread_create(process, sizeof(struct mnos_thread_params), &thread));
    return process;
}

static uint64_t create_process(void *context)
{
    const struct nursery *nursery = context;
    uint64_t begin = reading_begin();

    return readings_between(begin, process_result(nursery, start_process(nursery)));
}

/* From its creation until all that it had has come back, its creator's capabilities included. */
static uint64_t live_process(void *context)
{
    const struct nursery *nursery = context;
    uint64_t begin = reading_begin(), end;

    (void)process_result(nursery, start_process(nursery));
    end = reading_end();
    return readings_between(begin, end);
}

BENCH(process, "proc-create-run process-cycle")
{
    struct nursery nursery;

    if (nursery_create(&nursery)) {
        measure("proc-create-run", create_process, &nursery);
        measure("process-cycle", live_process, &nursery);
    }
    cap_drop(nursery.code);
    cap_drop(nursery.ended);
}
