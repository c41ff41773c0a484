// SPDX-License-Identifier: MIT
/* test_transfer.c - capabilities that go to another process. */
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

TEST(capability, a_transferred_one_is_in_the_other_table_only)
{
    mnos_cap_t process = process_new();
    mnos_cap_t endpoint = endpoint_new();
    mnos_cap_t given = 0;
    struct mnos_cap_info info = {0};
    uint64_t size;

    CHECK_OK(sys_cap_transfer(process, endpoint, MNOS_RIGHT_WRITE, &given));
    CHECK_EQ(cap_info(endpoint).child_count, 1);
    CHECK_OK(sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, 0, &size));
    info = *(struct mnos_cap_info *)ipc_buffer()->data;
    CHECK_EQ(info.handle, given);
    CHECK_EQ(info.rights, MNOS_RIGHT_WRITE);
    CHECK_EQ(info.parent_handle, endpoint);
    CHECK_EQ(info.parent_process_id, process_info(MNOS_SELF).id);
    CHECK_EQ(info.object_id, cap_info(endpoint).object_id);
    CHECK_EQ(process_info(process).cap_count, 1);
    CHECK_OK(sys_cap_revoke(endpoint));
    CHECK_EQ(process_info(process).cap_count, 0);
    CHECK_FAILS(sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, 0, &size), MNOS_ERR_END, 3, 0);
    process_end(process);
    cap_drop(endpoint);
}

/* Bits for each way of asking that tells something of where the capability came from. */
static uint64_t ask_where_it_came_from(uint64_t cap, uint64_t b, uint64_t c, uint64_t d)
{
    const struct mnos_cap_info *info = (const struct mnos_cap_info *)ipc_buffer()->data;
    uint64_t told = 0, size;

    (void)b, (void)c, (void)d;
    if (sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK || info->handle != cap)
        return 4;
    told |= info->parent_process_id != 0 || info->parent_handle != 0;
    if (sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_CAP, 0, &size) != MNOS_OK ||
        info->handle != cap)
        return 8;
    return told | (info->parent_process_id != 0 || info->parent_handle != 0) << 1;
}

TEST(capability, a_holder_is_not_told_whom_it_came_from)
{
    mnos_cap_t endpoint = endpoint_new();
    struct child child;

    if (child_create(&child)) {
        mnos_cap_t given = child_give(&child, endpoint, MNOS_RIGHTS_ALL);

        if (child_start(&child, ask_where_it_came_from, given, 0, 0, 0))
            CHECK_EQ(child_result(&child), 0);
    }
    child_drop(&child);
    cap_drop(endpoint);
}

TEST(capability, a_transfer_to_oneself_is_a_copy)
{
    mnos_cap_t endpoint = endpoint_new();
    mnos_cap_t given = 0;

    CHECK_OK(sys_cap_transfer(MNOS_SELF, endpoint, MNOS_RIGHT_READ, &given));
    CHECK_EQ(cap_info(given).rights, MNOS_RIGHT_READ);
    CHECK_EQ(cap_info(given).parent_handle, endpoint);
    cap_drop(given);
    cap_drop(endpoint);
}

TEST(capability, mem_grant_gives_a_part_of_a_memory)
{
    mnos_cap_t process = process_new();
    mnos_cap_t memory = memory_new(8);
    mnos_cap_t part = cap_range(memory, MNOS_RIGHTS_ALL, 4, 4);
    mnos_cap_t given = 0;
    uint64_t size;

    CHECK_OK(sys_mem_grant(process, part, 1, 3, MNOS_RIGHT_READ, &given));
    CHECK_OK(sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, 0, &size));
    CHECK_EQ(((struct mnos_cap_info *)ipc_buffer()->data)->first, 5);
    CHECK_EQ(((struct mnos_cap_info *)ipc_buffer()->data)->count, 3);
    CHECK_FAILS(sys_mem_grant(process, part, 1, 4, 0, &given), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_mem_grant(process, part, 4, 1, 0, &given), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_mem_grant(process, part, 0, 0, 0, &given), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(sys_mem_grant(process, part, UINT64_MAX, 2, 0, &given), MNOS_ERR_ARGUMENT, 4, 0);
    process_end(process);
    cap_drop(part);
    cap_drop(memory);
}

TEST(capability, nobody_gives_to_the_dead)
{
    mnos_cap_t process = process_new();
    mnos_cap_t memory = memory_new(1);
    mnos_cap_t given;

    CHECK_OK(sys_proc_destroy(process, 0));
    CHECK_FAILS(sys_cap_transfer(process, memory, 0, &given), MNOS_ERR_STATE, 1, 0);
    CHECK_FAILS(sys_mem_grant(process, memory, 0, 1, 0, &given), MNOS_ERR_STATE, 1, 0);
    CHECK_FAILS(sys_mem_map(process, memory, ARENA, 0, 1, MNOS_MAP_READ), MNOS_ERR_STATE, 1, 0);
    CHECK_FAILS(sys_mem_unmap(process, ARENA, 1), MNOS_ERR_STATE, 1, 0);
    cap_drop(process);
    cap_drop(memory);
}
