// SPDX-License-Identifier: MIT
/*
 * test_handles.c - every capability argument of every system call, given what it must refuse: handles
 * that name nothing, capabilities of other types, and each missing right, with the details that RAX
 * has of them.
 */
#include "lib/mnos/bootstrap.h"
#include "tests/guest/claim.h"
#include "tests/guest/scene.h"

/* What stands for a capability of the scene among the arguments of a case. */
enum {
    PROCESS = 0xCA9000,
    THREAD,
    MEMORY,
    ENDPOINT,
    INTERRUPT,
    LOG,
    SCENE_END,
};
#define SCENE_COUNT (SCENE_END - PROCESS)

/* Argument 8 is R13, the endpoint of ipc_reply. */
#define ARGUMENT_R13 8

#define SELF_TOO true
#define NO_ZERO false
#define R MNOS_RIGHT_READ
#define W MNOS_RIGHT_WRITE
#define X MNOS_RIGHT_EXECUTE
#define G MNOS_RIGHT_GRANT
#define V MNOS_RIGHT_REVOKE
#define CALL(name) MNOS_SYS_##name

static mnos_cap_t scene[SCENE_COUNT];

static mnos_cap_t thread_new(mnos_cap_t process)
{
    const struct mnos_thread_params params = {
        .ipc_buffer = ARENA, .affinity = MNOS_AFFINITY_ANY, .flags = MNOS_THREAD_SUSPENDED};
    mnos_cap_t thread = 0;

    CHECK_OK(thread_create_raw(process, &params, &thread));
    return thread;
}

static void scene_begin(void)
{
    scene[PROCESS - PROCESS] = process_new();
    scene[THREAD - PROCESS] = thread_new(scene[0]);
    scene[MEMORY - PROCESS] = memory_new(1);
    scene[ENDPOINT - PROCESS] = endpoint_new();
    scene[INTERRUPT - PROCESS] = cap_range(bootstrap_cap("interrupts"), MNOS_RIGHTS_ALL & ~X, 0, 1);
    scene[LOG - PROCESS] = cap_copy(bootstrap_cap("log"), R | W | G | V);
}

static void scene_finish(void)
{
    process_end(scene[PROCESS - PROCESS]);
    cap_drop(scene[MEMORY - PROCESS]);
    cap_drop(scene[ENDPOINT - PROCESS]);
    cap_drop(scene[INTERRUPT - PROCESS]);
    cap_drop(scene[LOG - PROCESS]);
}

static uint64_t resolve(uint64_t value)
{
    return value >= PROCESS && value < SCENE_END ? scene[value - PROCESS] : value;
}

static uint64_t *argument_of(struct raw_registers *regs, unsigned argument)
{
    uint64_t *const order[] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10,
                               &regs->r8,  &regs->r9,  &regs->r12, &regs->r13};

    return order[argument - 1];
}

/* Makes the call with `handle` in the place of the tested argument; returns RAX. */
static uint64_t call_with(const struct handle_case *test, mnos_cap_t handle)
{
    struct raw_registers regs = test->regs;

    for (unsigned i = 1; i <= ARGUMENT_R13; i++)
        *argument_of(&regs, i) = resolve(*argument_of(&regs, i));
    *argument_of(&regs, test->argument) = handle;
    return raw_call(test->number, &regs);
}

static void check_rax(uint64_t rax, mnos_status_t status, unsigned argument, unsigned detail)
{
    CHECK_EQ(rax & UINT32_MAX, status);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), argument);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), detail);
}

static void check_bad_handles(const struct handle_case *test, mnos_cap_t good)
{
    const mnos_cap_t bad[] = {handle_stale(),
                              handle_forged(good),
                              good | 0x800000,                /* an index beyond the table */
                              good & 0xFFFFFF,                /* no generation */
                              1ull << MNOS_HANDLE_INDEX_BITS, /* slot 0 */
                              UINT64_MAX};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_rax(call_with(test, bad[i]), MNOS_ERR_HANDLE, test->argument, 0);
    if (!test->zero_allowed)
        check_rax(call_with(test, 0), MNOS_ERR_HANDLE, test->argument, 0);
}

static void check_other_types(const struct handle_case *test)
{
    for (unsigned i = 0; i < SCENE_COUNT; i++) {
        uint32_t type = cap_info(scene[i]).type;

        if (type != test->type)
            check_rax(call_with(test, scene[i]), MNOS_ERR_TYPE, test->argument, type);
    }
}

static void check_rights(const struct handle_case *test, mnos_cap_t good)
{
    mnos_rights_t all = cap_info(good).rights;

    for (mnos_rights_t right = 1; right < MNOS_RIGHTS_ALL; right <<= 1) {
        mnos_cap_t weak;

        if ((test->rights & right) == 0)
            continue;
        weak = cap_copy(good, all & ~right);
        check_rax(call_with(test, weak), MNOS_ERR_RIGHTS, test->argument, right);
        cap_drop(weak);
    }
}

static void check_cases(const struct handle_case *cases, size_t count)
{
    scene_begin();
    for (size_t i = 0; i < count && !check_failed(); i++) {
        struct raw_registers regs = cases[i].regs;
        mnos_cap_t good = resolve(*argument_of(&regs, cases[i].argument));

        check_bad_handles(&cases[i], good);
        if (cases[i].type != MNOS_TYPE_NONE)
            check_other_types(&cases[i]);
        check_rights(&cases[i], good);
        if (!check_failed())
            claim_case_holds(&cases[i]);
    }
    scene_finish();
}

#define CHECK_CASES(...)                                                                           \
    do {                                                                                           \
        __attribute__((section("guest_cases"), used,                                               \
                       aligned(8))) static const struct handle_case cases[] = {__VA_ARGS__};       \
        check_cases(cases, sizeof cases / sizeof cases[0]);                                        \
    } while (0)

TEST(handles, of_mem_map)
{
    CHECK_CASES({CALL(mem_map),
                 1,
                 MNOS_TYPE_PROCESS,
                 W,
                 SELF_TOO,
                 {PROCESS, MEMORY, ARENA, 0, 1, MNOS_MAP_READ, 0, 0}},
                {CALL(mem_map),
                 2,
                 MNOS_TYPE_MEMORY,
                 R | W,
                 SELF_TOO, /* 0: what is mapped */
                 {PROCESS, MEMORY, ARENA, 0, 1, MAP_RW, 0, 0}},
                {CALL(mem_map),
                 2,
                 MNOS_TYPE_MEMORY,
                 R | X,
                 SELF_TOO,
                 {PROCESS, MEMORY, ARENA, 0, 1, MNOS_MAP_EXECUTE, 0, 0}});
}

TEST(handles, of_mem_unmap)
{
    CHECK_CASES(
        {CALL(mem_unmap), 1, MNOS_TYPE_PROCESS, W, SELF_TOO, {PROCESS, ARENA, 1, 0, 0, 0, 0, 0}});
}

TEST(handles, of_mem_grant)
{
    CHECK_CASES(
        {CALL(mem_grant), 1, MNOS_TYPE_PROCESS, W, SELF_TOO, {PROCESS, MEMORY, 0, 1, R, 0, 0, 0}},
        {CALL(mem_grant), 2, MNOS_TYPE_MEMORY, G, NO_ZERO, {PROCESS, MEMORY, 0, 1, R, 0, 0, 0}});
}

TEST(handles, of_ipc_send)
{
    CHECK_CASES(
        {CALL(ipc_send), 1, MNOS_TYPE_ENDPOINT, W, NO_ZERO, {ENDPOINT, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_ipc_recv)
{
    CHECK_CASES(
        {CALL(ipc_recv), 1, MNOS_TYPE_ENDPOINT, R, NO_ZERO, {ENDPOINT, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_ipc_call)
{
    CHECK_CASES(
        {CALL(ipc_call), 1, MNOS_TYPE_ENDPOINT, W, NO_ZERO, {ENDPOINT, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_ipc_reply)
{
    CHECK_CASES({CALL(ipc_reply),
                 ARGUMENT_R13,
                 MNOS_TYPE_ENDPOINT,
                 R,
                 SELF_TOO,
                 {0, 0, 0, 0, 0, 0, 0, ENDPOINT}},
                {CALL(ipc_reply),
                 1,
                 MNOS_TYPE_ENDPOINT,
                 W,
                 NO_ZERO,
                 {ENDPOINT, MNOS_INFO_NOTIFY, 1, 0, 0, 0, 0, ENDPOINT}},
                {CALL(ipc_reply),
                 ARGUMENT_R13,
                 MNOS_TYPE_ENDPOINT,
                 R,
                 NO_ZERO,
                 {ENDPOINT, MNOS_INFO_NOTIFY, 1, 0, 0, 0, 0, ENDPOINT}});
}

TEST(handles, of_ipc_notify)
{
    CHECK_CASES(
        {CALL(ipc_notify), 1, MNOS_TYPE_ENDPOINT, W, NO_ZERO, {ENDPOINT, 1, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_cap_create)
{
    CHECK_CASES({CALL(cap_create),
                 2,
                 MNOS_TYPE_NONE,
                 0,
                 NO_ZERO,
                 {MNOS_CREATE_COPY, MEMORY, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_create),
                 2,
                 MNOS_TYPE_ENDPOINT,
                 G,
                 NO_ZERO,
                 {MNOS_CREATE_MINT, ENDPOINT, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_create),
                 2,
                 MNOS_TYPE_ENDPOINT,
                 R | G,
                 NO_ZERO,
                 {MNOS_CREATE_MINT | MNOS_MINT_LASTING, ENDPOINT, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_create),
                 2,
                 MNOS_TYPE_NONE,
                 0,
                 NO_ZERO,
                 {MNOS_CREATE_RANGE, MEMORY, 0, 0, 1, 0, 0, 0}});
}

TEST(handles, of_cap_delete)
{
    CHECK_CASES({CALL(cap_delete), 1, MNOS_TYPE_NONE, 0, NO_ZERO, {MEMORY, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_cap_transfer)
{
    CHECK_CASES(
        {CALL(cap_transfer),
         1,
         MNOS_TYPE_PROCESS,
         W,
         SELF_TOO,
         {PROCESS, MEMORY, R, 0, 0, 0, 0, 0}},
        {CALL(cap_transfer), 2, MNOS_TYPE_NONE, G, NO_ZERO, {PROCESS, MEMORY, R, 0, 0, 0, 0, 0}},
        {CALL(cap_transfer), 2, MNOS_TYPE_NONE, G, NO_ZERO, {PROCESS, THREAD, R, 0, 0, 0, 0, 0}},
        {CALL(cap_transfer),
         2,
         MNOS_TYPE_NONE,
         G,
         NO_ZERO,
         {PROCESS, INTERRUPT, R, 0, 0, 0, 0, 0}});
}

TEST(handles, of_cap_revoke)
{
    CHECK_CASES({CALL(cap_revoke), 1, MNOS_TYPE_NONE, V, NO_ZERO, {MEMORY, 0, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_revoke), 1, MNOS_TYPE_NONE, V, NO_ZERO, {PROCESS, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_cap_inspect)
{
    CHECK_CASES({CALL(cap_inspect),
                 1,
                 MNOS_TYPE_NONE,
                 0,
                 NO_ZERO,
                 {MEMORY, MNOS_VIEW_CAPABILITY, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_inspect),
                 1,
                 MNOS_TYPE_PROCESS,
                 R,
                 SELF_TOO,
                 {PROCESS, MNOS_VIEW_PROCESS, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_inspect),
                 1,
                 MNOS_TYPE_PROCESS,
                 R,
                 SELF_TOO,
                 {PROCESS, MNOS_VIEW_PROCESS_THREAD, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_inspect),
                 1,
                 MNOS_TYPE_PROCESS,
                 R,
                 SELF_TOO,
                 {PROCESS, MNOS_VIEW_PROCESS_CAP, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_inspect),
                 1,
                 MNOS_TYPE_THREAD,
                 R,
                 SELF_TOO,
                 {THREAD, MNOS_VIEW_THREAD, 0, 0, 0, 0, 0, 0}},
                {CALL(cap_inspect),
                 1,
                 MNOS_TYPE_ENDPOINT,
                 R,
                 NO_ZERO,
                 {ENDPOINT, MNOS_VIEW_BADGE, 1, 0, 0, 0, 0, 0}});
}

TEST(handles, of_proc_destroy)
{
    CHECK_CASES(
        {CALL(proc_destroy), 1, MNOS_TYPE_PROCESS, X, SELF_TOO, {PROCESS, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_thread_create)
{
    CHECK_CASES({CALL(thread_create),
                 1,
                 MNOS_TYPE_PROCESS,
                 W,
                 SELF_TOO,
                 {PROCESS, sizeof(struct mnos_thread_params), 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_thread_destroy)
{
    CHECK_CASES(
        {CALL(thread_destroy), 1, MNOS_TYPE_THREAD, X, SELF_TOO, {THREAD, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_thread_block_and_thread_wake)
{
    mnos_cap_t memory = memory_new(1);
    uint64_t value;

    CHECK_CASES(
        {CALL(thread_block), 1, MNOS_TYPE_NONE, X, SELF_TOO, {THREAD, 0, 0, 0, 0, 0, 0, 0}},
        {CALL(thread_block), 1, MNOS_TYPE_NONE, X, SELF_TOO, {PROCESS, 0, 0, 0, 0, 0, 0, 0}},
        {CALL(thread_wake), 1, MNOS_TYPE_NONE, X, SELF_TOO, {THREAD, 0, 0, 0, 0, 0, 0, 0}},
        {CALL(thread_wake), 1, MNOS_TYPE_NONE, X, SELF_TOO, {PROCESS, 0, 0, 0, 0, 0, 0, 0}});
    CHECK_FAILS(sys_thread_block(memory, 0, &value), MNOS_ERR_TYPE, 1, MNOS_TYPE_MEMORY);
    CHECK_FAILS(sys_thread_wake(memory), MNOS_ERR_TYPE, 1, MNOS_TYPE_MEMORY);
    cap_drop(memory);
}

TEST(handles, of_irq_bind)
{
    CHECK_CASES({CALL(irq_bind),
                 1,
                 MNOS_TYPE_INTERRUPT,
                 W,
                 NO_ZERO,
                 {INTERRUPT, ENDPOINT, 1, 0, 0, 0, 0, 0}},
                {CALL(irq_bind),
                 2,
                 MNOS_TYPE_ENDPOINT,
                 W,
                 NO_ZERO,
                 {INTERRUPT, ENDPOINT, 1, 0, 0, 0, 0, 0}});
}

TEST(handles, of_thread_control)
{
    CHECK_CASES({CALL(thread_control),
                 1,
                 MNOS_TYPE_THREAD,
                 X,
                 SELF_TOO,
                 {THREAD, MNOS_THREAD_CANCEL, 0, 0, 0, 0, 0, 0}},
                {CALL(thread_control),
                 1,
                 MNOS_TYPE_THREAD,
                 W,
                 SELF_TOO,
                 {THREAD, MNOS_THREAD_PRIORITY, 1, 0, 0, 0, 0, 0}});
}

TEST(handles, of_irq_ack)
{
    CHECK_CASES(
        {CALL(irq_ack), 1, MNOS_TYPE_INTERRUPT, W, NO_ZERO, {INTERRUPT, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_debug_write)
{
    CHECK_CASES({CALL(debug_write), 1, MNOS_TYPE_MEMORY, W, NO_ZERO, {LOG, 0, 0, 0, 0, 0, 0, 0}});
}

TEST(handles, of_proc_quota)
{
    CHECK_CASES(
        {CALL(proc_quota), 1, MNOS_TYPE_PROCESS, W, SELF_TOO, {PROCESS, 0, 0, 0, 0, 0, 0, 0}});
}
