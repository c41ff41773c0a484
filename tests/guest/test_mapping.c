// SPDX-License-Identifier: MIT
/* test_mapping.c - what a mapping allows, and how it ends: by revocation, deletion and unmapping, in processes that run. */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/mapping.h"
#include "tests/guest/output.h"

/* ---- what a mapping allows ---- */

static uint64_t read_word(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    return *word_at(address);
}

static uint64_t write_word(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    *word_at(address) = 9;
    return *word_at(address);
}

static uint64_t call_code(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    return ((uint64_t(*)(void))address)();
}

/* Runs `function` on memory that begins with `mov eax, 77; ret`, mapped with `flags`. */
static struct mnos_process_info run_on(child_function *function, uint64_t flags)
{
    static const uint8_t code[] = {0xB8, 77, 0, 0, 0, 0xC3};
    struct mnos_process_info info = {0};
    mnos_cap_t memory = memory_new(1);
    struct child child;

    CHECK_OK(map(memory, ARENA, 0, 1));
    memcpy((void *)ARENA, code, sizeof code);
    if (child_create(&child) && CHECK_OK(sys_mem_map(child.process, memory, ARENA, 0, 1, flags)) &&
        child_start(&child, function, ARENA, 0, 0, 0))
        info = child_wait(&child);
    child_drop(&child);
    CHECK_OK(unmap(ARENA, 1));
    cap_drop(memory);
    return info;
}

TEST(memory, a_mapping_allows_what_its_flags_say)
{
    CHECK_EQ(run_on(call_code, RX).exit_code, 77);
    CHECK_EQ(run_on(call_code, MNOS_MAP_EXECUTE).exit_code, 77);
    CHECK_EQ(run_on(write_word, MAP_RW).exit_code, 9);
    CHECK_EQ(run_on(write_word, MNOS_MAP_WRITE).exit_code, 9);
    CHECK_EQ(run_on(read_word, MNOS_MAP_READ).exit_reason, MNOS_EXIT_SELF);
    CHECK_EQ(run_on(call_code, MAP_RW).exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(run_on(call_code, MNOS_MAP_READ).exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(run_on(write_word, MNOS_MAP_READ).exit_reason, MNOS_EXIT_FAULT);
    CHECK_EQ(run_on(write_word, RX).exit_reason, MNOS_EXIT_FAULT);
}

/* ---- revocation of what is mapped ---- */

/* Tells `ready`, then reads for ever: what it reads goes away. */
static uint64_t read_for_ever(uint64_t ready, uint64_t address, uint64_t, uint64_t)
{
    (void)!sys_ipc_notify(ready, 1);
    while (*word_at(address) == 0) /* nobody writes there */
        ;
    return 0;
}

static void check_reader_faults(mnos_cap_t memory, mnos_cap_t mapped,
                                mnos_status_t (*remove)(mnos_cap_t memory, struct child *child))
{
    mnos_cap_t ready = endpoint_new();
    struct mnos_process_info info;
    struct message msg = {0};
    struct child child;

    if (child_create(&child) &&
        CHECK_OK(sys_mem_map(child.process, mapped, ARENA, 0, 1, MNOS_MAP_READ)) &&
        child_start(&child, read_for_ever, child_give(&child, ready, MNOS_RIGHT_WRITE), ARENA, 0,
                    0) &&
        CHECK_OK(ipc_receive(ready, &msg, soon()))) {
        CHECK_OK(remove(memory, &child));
        info = child_wait(&child);
        CHECK_EQ(info.exit_reason, MNOS_EXIT_FAULT);
        CHECK_EQ(VECTOR_OF(info.exit_code), 14);
    }
    child_drop(&child);
    cap_drop(ready);
}

static mnos_status_t remove_by_revoke(mnos_cap_t memory, struct child *)
{
    return sys_cap_revoke(memory);
}

static mnos_status_t remove_by_delete(mnos_cap_t memory, struct child *)
{
    return sys_cap_delete(memory);
}

static mnos_status_t remove_by_unmap(mnos_cap_t, struct child *child)
{
    return sys_mem_unmap(child->process, ARENA, 1);
}

TEST(memory, revoke_unmaps_from_a_running_process)
{
    mnos_cap_t memory = memory_new(1);
    mnos_cap_t copy = cap_copy(memory, MNOS_RIGHT_READ);

    check_reader_faults(memory, copy, remove_by_revoke);
    cap_drop(memory);
}

TEST(memory, delete_unmaps_what_was_mapped_through_it)
{
    mnos_cap_t memory = memory_new(1);
    mnos_cap_t copy = cap_copy(memory, MNOS_RIGHT_READ);

    check_reader_faults(copy, copy, remove_by_delete);
    cap_drop(memory);
}

TEST(memory, unmap_reaches_a_running_process)
{
    mnos_cap_t memory = memory_new(1);

    check_reader_faults(memory, memory, remove_by_unmap);
    cap_drop(memory);
}

TEST(memory, revoke_leaves_mappings_of_the_capability_itself)
{
    mnos_cap_t memory = memory_new(2);
    mnos_cap_t copy = cap_copy(memory, MNOS_RIGHTS_ALL);

    CHECK_OK(map(memory, ARENA, 0, 2));
    CHECK_OK(map(copy, ARENA + 2 * PAGE, 0, 2));
    CHECK_OK(sys_cap_revoke(memory));
    *word_at(ARENA) = 5;
    CHECK_FAILS(unmap(ARENA + 2 * PAGE, 2), MNOS_ERR_NOT_MAPPED, 2, 0);
    CHECK_FAILS(map(copy, ARENA + 2 * PAGE, 0, 2), MNOS_ERR_HANDLE, 2, 0);
    CHECK_OK(unmap(ARENA, 2));
    cap_drop(memory);
}

TEST(memory, page_tables_are_charged_to_the_process_that_is_mapped_into)
{
    mnos_cap_t process = process_new();
    mnos_cap_t memory = memory_new(1);
    uint64_t before = process_info(process).frames_used;
    mnos_status_t status = MNOS_OK;

    CHECK_OK(sys_mem_map(process, memory, ARENA, 0, 1, MNOS_MAP_READ));
    CHECK(process_info(process).frames_used > before);
    for (uint64_t i = 1; i < 64 && status == MNOS_OK; i++) /* a page table for each */
        status = sys_mem_map(process, memory, ARENA + (i << 21), 0, 1, MNOS_MAP_READ);
    CHECK_EQ(status, MNOS_ERR_QUOTA);
    CHECK(process_info(process).frames_used <= 32);
    process_end(process);
    cap_drop(memory);
}

/* ---- grants ---- */

/* Maps what comes with the message, one page of it for reading, and answers with its first word. */
static uint64_t read_granted(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct message msg = {.accept = 1};
    mnos_cap_t memory;

    if (ipc_receive(endpoint, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK || msg.cap_count != 1)
        return 1;
    memory = message_cap(&msg, 0);
    if (sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MAP_RW) != MNOS_ERR_RIGHTS ||
        sys_mem_map(MNOS_SELF, memory, ARENA, 0, 2, MNOS_MAP_READ) != MNOS_ERR_ARGUMENT ||
        sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MNOS_MAP_READ) != MNOS_OK)
        return 2;
    msg = (struct message){.words = {*word_at(ARENA)}, .length = 8, .reply_id = msg.reply_id};
    (void)!ipc_reply(&msg);
    while (*word_at(ARENA) != 0x5EEF) /* what is written there later is seen */
        (void)!sys_thread_yield();
    return 0;
}

TEST(memory, a_part_granted_into_a_message_is_the_same_frames)
{
    mnos_cap_t memory = memory_new(4), part = 0, endpoint = endpoint_new();
    struct message msg = {0};
    struct child child;

    CHECK_OK(map(memory, ARENA, 0, 4));
    *word_at(ARENA + 2 * PAGE) = 0x5EED;
    CHECK_OK(sys_mem_grant(MNOS_SELF, memory, 2, 1, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT, &part));
    message_add_cap(&msg, part, MNOS_RIGHT_READ);
    if (child_create(&child) &&
        child_start(&child, read_granted, child_give(&child, endpoint, MNOS_RIGHT_READ), 0, 0, 0) &&
        CHECK_OK(ipc_call(endpoint, &msg, soon()))) {
        CHECK_EQ(msg.words[0], 0x5EED);
        *word_at(ARENA + 2 * PAGE) = 0x5EEF;
        CHECK_EQ(child_result(&child), 0);
    }
    child_drop(&child);
    CHECK_OK(unmap(ARENA, 4));
    cap_drop(part);
    cap_drop(memory);
    cap_drop(endpoint);
}
