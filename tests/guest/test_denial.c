// SPDX-License-Identifier: MIT
/* test_denial.c - what the kernel remembers of calls that it has refused: MNOS_VIEW_PROCESS_DENIAL. */
#include "abi/syscalls.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/status.h"
#include "lib/mnos/time.h"
#include "tests/guest/child.h"

static struct mnos_denial denial_of(mnos_cap_t process, uint64_t index)
{
    struct mnos_denial denial = {0};
    uint64_t size = 0;

    CHECK_OK(sys_cap_inspect(process, MNOS_VIEW_PROCESS_DENIAL, index, &size));
    CHECK_EQ(size, sizeof denial);
    memcpy(&denial, ipc_buffer()->data, sizeof denial);
    return denial;
}

static uint64_t object_of(mnos_cap_t cap)
{
    uint64_t size;

    CHECK_OK(sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size));
    return ((const struct mnos_cap_info *)ipc_buffer()->data)->object_id;
}

static void check_denial(uint32_t call, mnos_status_t status, unsigned argument, unsigned detail,
                         mnos_cap_t handle, uint32_t type)
{
    struct mnos_denial denial = denial_of(MNOS_SELF, 0);

    CHECK_EQ(denial.call, call);
    CHECK_EQ((uint32_t)denial.rax, (uint32_t)status);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(denial.rax), argument);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(denial.rax), detail);
    CHECK_EQ(denial.handle, handle);
    CHECK_EQ(denial.type, type);
    if (type != MNOS_TYPE_NONE)
        CHECK_EQ(denial.object_id, object_of(handle));
    else
        CHECK_EQ(denial.object_id, 0);
    CHECK(denial.time_ns <= kinfo_time_ns());
}

TEST(denial, of_a_right_says_handle_type_and_right)
{
    mnos_cap_t memory = memory_new(1), weak = cap_copy(memory, MNOS_RIGHT_READ);

    CHECK_STATUS(sys_mem_map(MNOS_SELF, weak, ARENA, 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE),
                 MNOS_ERR_RIGHTS);
    check_denial(MNOS_SYS_mem_map, MNOS_ERR_RIGHTS, 2, MNOS_RIGHT_WRITE, weak, MNOS_TYPE_MEMORY);
    CHECK_STATUS(sys_irq_ack(memory), MNOS_ERR_TYPE);
    check_denial(MNOS_SYS_irq_ack, MNOS_ERR_TYPE, 1, MNOS_TYPE_MEMORY, memory, MNOS_TYPE_MEMORY);
    cap_drop(weak);
    CHECK_STATUS(sys_ipc_notify(weak, 1), MNOS_ERR_HANDLE);
    check_denial(MNOS_SYS_ipc_notify, MNOS_ERR_HANDLE, 1, 0, weak, MNOS_TYPE_NONE);
    cap_drop(memory);
}

/* The argument at fault is the rights, and what lacks them the handle before it. */
TEST(denial, of_rights_that_are_asked_for_says_of_which_capability)
{
    mnos_cap_t memory = memory_new(1), weak = cap_copy(memory, MNOS_RIGHT_READ), made;

    CHECK_STATUS(sys_cap_create(MNOS_CREATE_COPY, weak, MNOS_RIGHT_WRITE, 0, 0, &made),
                 MNOS_ERR_RIGHTS);
    check_denial(MNOS_SYS_cap_create, MNOS_ERR_RIGHTS, 3, MNOS_RIGHT_WRITE, weak, MNOS_TYPE_MEMORY);
    cap_drop(weak);
    cap_drop(memory);
}

TEST(denial, of_a_message_says_which_endpoint_or_which_of_its_capabilities)
{
    mnos_cap_t endpoint = endpoint_new(), weak = cap_copy(endpoint, MNOS_RIGHT_READ);

    CHECK_STATUS(ipc_send(weak, &(struct message){0}, 0), MNOS_ERR_RIGHTS);
    check_denial(MNOS_SYS_ipc_send, MNOS_ERR_RIGHTS, 1, MNOS_RIGHT_WRITE, weak, MNOS_TYPE_ENDPOINT);
    CHECK_STATUS(ipc_receive(MNOS_SELF, &(struct message){0}, 0), MNOS_ERR_HANDLE);
    check_denial(MNOS_SYS_ipc_recv, MNOS_ERR_HANDLE, 1, 0, 0, MNOS_TYPE_NONE);
    cap_drop(weak);
    cap_drop(endpoint);
}

TEST(denial, of_a_quota_says_which_and_whose)
{
    mnos_cap_t memory;

    CHECK_STATUS(sys_mem_alloc(UINT32_MAX, 0, &memory), MNOS_ERR_QUOTA);
    check_denial(MNOS_SYS_mem_alloc, MNOS_ERR_QUOTA, 0, MNOS_QUOTA_FRAMES, 0, MNOS_TYPE_NONE);
}

TEST(denial, the_last_eight_are_kept_and_success_is_none)
{
    uint64_t size;

    for (uint64_t i = 0; i < MNOS_DENIALS_KEPT + 3; i++)
        CHECK_STATUS(sys_cap_delete(1000 + i), MNOS_ERR_HANDLE);
    CHECK_OK(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS, 0, &size));
    for (uint64_t i = 0; i < MNOS_DENIALS_KEPT; i++)
        CHECK_EQ(denial_of(MNOS_SELF, i).handle, 1000 + MNOS_DENIALS_KEPT + 2 - i);
    CHECK_FAILS(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_DENIAL, MNOS_DENIALS_KEPT, &size),
                MNOS_ERR_END, 3, 0);
    CHECK_STATUS(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_DENIAL, UINT64_MAX, &size),
                 MNOS_ERR_END);
}

static uint64_t be_refused(uint64_t, uint64_t, uint64_t, uint64_t)
{
    return sys_cap_delete(12345);
}

TEST(denial, of_another_process_is_shown_to_who_may_read_it)
{
    struct child child;
    mnos_cap_t weak;
    uint64_t size;

    CHECK(child_create(&child));
    CHECK(child_start(&child, be_refused, 0, 0, 0, 0));
    CHECK_EQ(child_result(&child), MNOS_ERR_HANDLE);
    weak = cap_copy(child.process, MNOS_RIGHT_WRITE);

    CHECK_EQ(denial_of(child.process, 0).handle, 12345);
    CHECK_FAILS(sys_cap_inspect(weak, MNOS_VIEW_PROCESS_DENIAL, 0, &size), MNOS_ERR_RIGHTS, 1,
                MNOS_RIGHT_READ);
    cap_drop(weak);
    child_drop(&child);
}

static const char *explained(mnos_status_t status)
{
    static char text[320];

    return error_explain(text, sizeof text, status, "try");
}

static bool says(const char *text, const char *part)
{
    for (; *text != 0; text++)
        if (strncmp(text, part, strlen(part)) == 0)
            return true;
    return false;
}

/* The text of libmnos, which asks for what the kernel remembers. */
TEST(denial, is_explained_with_handle_type_and_name)
{
    mnos_cap_t log = bootstrap_cap("log"), memory;
    const char *text;

    ipc_buffer()->data[0] = 42;
    text = explained(sys_irq_ack(log));
    CHECK(says(text, "(irq_ack, argument interrupt: found type memory; memory 0x"));
    CHECK(says(text, " \"log\")"));
    CHECK_EQ(ipc_buffer()->data[0], 42);
    text = explained(sys_cap_delete(0x4711));
    CHECK(says(text, "(cap_delete, argument cap; handle 0x4711)"));
    text = explained(sys_mem_alloc(UINT32_MAX, 0, &memory));
    CHECK(says(text, "(mem_alloc: of frames; init has "));
    CHECK(says(text, " now; raise frames = of [service.init] in the manifest)"));
    /* Whoever's status it is that is explained twice, it is explained alike. */
    CHECK(says(explained(MNOS_ERR_QUOTA), "(mem_alloc: of frames; init has "));
    CHECK(!says(explained(MNOS_ERR_ACCEPT), "("));
}
