// SPDX-License-Identifier: MIT
/* scene.c - see scene.h. */
#include "tests/guest/scene.h"

#include "abi/interrupt.h"
#include "abi/statistics.h"
#include "lib/mnos/bootstrap.h"
#include "lib/base/string.h"

/* A wait so long is one for ever, however little of its processors the host gives to the machine. */
#define SOON_NS 300000000000ull
/* In counted time: a hundred thousand instructions. */
#define LATE_NS 100000ull
#define STACK_PAGES 8

uint64_t soon(void)
{
    return kinfo_time_ns() + SOON_NS;
}

void sleep_ns(uint64_t duration_ns)
{
    sleep_until(kinfo_time_ns() + duration_ns);
}

bool is_counted(void)
{
    return bootstrap_has_argument("counted");
}

bool is_in_time(uint64_t deadline_ns, uint64_t ended_ns)
{
    return ended_ns >= deadline_ns && (!is_counted() || ended_ns < deadline_ns + LATE_NS);
}

/* ---- capabilities ---- */

mnos_cap_t endpoint_new(void)
{
    mnos_cap_t endpoint = 0;

    CHECK_OK(sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, 0, 0, &endpoint));
    return endpoint;
}

mnos_cap_t endpoint_with_reserve(uint64_t count)
{
    mnos_cap_t endpoint = 0;

    CHECK_OK(sys_cap_create(MNOS_CREATE_ENDPOINT, 0, 0, count, 0, &endpoint));
    return endpoint;
}

mnos_cap_t memory_new(uint64_t page_count)
{
    mnos_cap_t memory = 0;

    CHECK_OK(sys_mem_alloc(page_count, 0, &memory));
    return memory;
}

mnos_cap_t cap_copy(mnos_cap_t cap, mnos_rights_t rights)
{
    mnos_cap_t copy = 0;

    CHECK_OK(sys_cap_create(MNOS_CREATE_COPY, cap, rights, 0, 0, &copy));
    return copy;
}

mnos_cap_t cap_mint(mnos_cap_t endpoint, mnos_badge_t badge, uint64_t event_mask)
{
    mnos_cap_t minted = 0;

    CHECK_OK(
        sys_cap_create(MNOS_CREATE_MINT, endpoint, MNOS_RIGHTS_ALL, badge, event_mask, &minted));
    return minted;
}

mnos_cap_t cap_range(mnos_cap_t cap, mnos_rights_t rights, uint64_t first, uint64_t count)
{
    mnos_cap_t part = 0;

    CHECK_OK(sys_cap_create(MNOS_CREATE_RANGE, cap, rights, first, count, &part));
    return part;
}

void cap_drop(mnos_cap_t cap)
{
    CHECK_OK(sys_cap_delete(cap));
}

mnos_cap_t handle_stale(void)
{
    mnos_cap_t handle = endpoint_new();

    cap_drop(handle);
    return handle;
}

mnos_cap_t handle_forged(mnos_cap_t cap)
{
    return cap + (1ull << MNOS_HANDLE_INDEX_BITS);
}

/* ---- inspection ---- */

static void inspect(mnos_cap_t cap, enum mnos_view view, void *record, uint64_t size)
{
    uint64_t written = 0;

    memset(record, 0, size);
    if (!CHECK_OK(sys_cap_inspect(cap, view, 0, &written)))
        return;
    CHECK_EQ(written, size);
    memcpy(record, ipc_buffer()->data, size);
}

struct mnos_cap_info cap_info(mnos_cap_t cap)
{
    struct mnos_cap_info info;

    inspect(cap, MNOS_VIEW_CAPABILITY, &info, sizeof info);
    return info;
}

struct mnos_process_info process_info(mnos_cap_t process)
{
    struct mnos_process_info info;

    inspect(process, MNOS_VIEW_PROCESS, &info, sizeof info);
    return info;
}

struct mnos_thread_info thread_info(mnos_cap_t thread)
{
    struct mnos_thread_info info;

    inspect(thread, MNOS_VIEW_THREAD, &info, sizeof info);
    return info;
}

bool thread_reaches(mnos_cap_t thread, enum mnos_thread_state state)
{
    uint64_t deadline = soon();

    while (thread_info(thread).state != state) {
        if (kinfo_time_ns() > deadline || check_failed())
            return CHECK(!"the thread comes to wait");
        sleep_ns(MILLISECOND_NS / 5);
    }
    return true;
}

/* ---- processes and threads ---- */

mnos_status_t process_create(const struct mnos_process_params *params, mnos_cap_t *process)
{
    memcpy(ipc_buffer()->data, params, sizeof *params);
    return sys_proc_create(sizeof *params, process);
}

mnos_cap_t process_new(void)
{
    const struct mnos_process_params params = {.name = "empty",
                                               .frames_quota = 32,
                                               .bytes_quota = 64 * 1024,
                                               .priority_ceiling = TEST_PRIORITY};
    mnos_cap_t process = 0;

    CHECK_OK(process_create(&params, &process));
    return process;
}

void process_end(mnos_cap_t process)
{
    CHECK_OK(sys_proc_destroy(process, 0));
    cap_drop(process);
}

mnos_status_t thread_create_raw(mnos_cap_t process, const struct mnos_thread_params *params,
                                mnos_cap_t *thread)
{
    memcpy(ipc_buffer()->data, params, sizeof *params);
    return sys_thread_create(process, sizeof *params, thread);
}

void helper_start_at(struct thread *thread, thread_function *function, void *argument,
                     uint32_t priority, uint32_t affinity)
{
    if (!CHECK_OK(
            thread_create(thread, "helper", function, argument, STACK_PAGES, priority, affinity)))
        *thread = (struct thread){0};
}

void helper_start(struct thread *thread, thread_function *function, void *argument)
{
    helper_start_at(thread, function, argument, TEST_PRIORITY, MNOS_AFFINITY_ANY);
}

void helper_finish(struct thread *thread)
{
    if (thread->thread != 0)
        CHECK_OK(thread_join(thread, soon()));
}

void helper_end(struct thread *thread)
{
    if (thread->thread == 0)
        return;
    CHECK_OK(sys_thread_destroy(thread->thread));
    CHECK_OK(sys_ipc_notify(thread->ended, 1));
    CHECK_OK(thread_join(thread, soon()));
}

uint32_t core_count(void)
{
    return kinfo()->core_count;
}

/* ---- messages ---- */

uint64_t raw_call(uint64_t number, struct raw_registers *regs)
{
    register uint64_t r10 __asm__("r10") = regs->r10;
    register uint64_t r8 __asm__("r8") = regs->r8;
    register uint64_t r9 __asm__("r9") = regs->r9;
    register uint64_t r12 __asm__("r12") = regs->r12;
    register uint64_t r13 __asm__("r13") = regs->r13;
    uint64_t rax = number, rdi = regs->rdi, rsi = regs->rsi, rdx = regs->rdx;

    __asm__ volatile("syscall"
                     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9),
                       "+r"(r12), "+r"(r13)
                     :
                     : "rcx", "r11", "memory");
    *regs = (struct raw_registers){rdi, rsi, rdx, r10, r8, r9, r12, r13};
    return rax;
}

static void pattern(uint8_t *bytes, size_t length, uint8_t seed)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(seed + i * 7 + i / 256);
}

void message_fill_pattern(struct message *msg, uint32_t label, size_t length, uint8_t seed)
{
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];

    pattern(bytes, length, seed);
    message_put(msg, label, bytes, length);
}

bool message_has_pattern(const struct message *msg, size_t length, uint8_t seed)
{
    uint8_t wanted[MNOS_MESSAGE_MAX_BYTES];
    uint8_t found[MNOS_MESSAGE_MAX_BYTES];

    if (msg->length != length)
        return false;
    message_get(msg, found, length);
    pattern(wanted, length, seed);
    return memcmp(wanted, found, length) == 0;
}

mnos_status_t receive_now(mnos_cap_t endpoint, struct message *msg)
{
    return ipc_receive(endpoint, msg, MNOS_DEADLINE_POLL);
}

bool event_comes(mnos_cap_t endpoint, uint64_t events)
{
    struct message msg = {0};

    return CHECK_OK(ipc_receive(endpoint, &msg, soon())) && CHECK_EQ(msg.kind, MNOS_KIND_EVENTS) &&
           CHECK_EQ(msg.words[0], events);
}

bool no_event_comes(mnos_cap_t endpoint)
{
    struct message msg = {0};

    return ipc_receive(endpoint, &msg, kinfo_time_ns() + 5 * MILLISECOND_NS) == MNOS_ERR_DEADLINE;
}

uint64_t line_fired(uint64_t line)
{
    const struct mnos_statistics *statistics;
    uint64_t count = 0, pages = cap_info(bootstrap_cap("statistics")).count;
    void *address;

    if (CHECK_OK(memory_map(bootstrap_cap("statistics"), 0, pages, MNOS_MAP_READ, &address))) {
        statistics = address;
        count = line < MNOS_INTERRUPT_LINES ? statistics->line_interrupts[line]
                                            : statistics->line_spurious;
        memory_unmap(address, pages);
    }
    return count;
}
