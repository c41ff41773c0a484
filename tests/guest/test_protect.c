// SPDX-License-Identifier: MIT
/* test_protect.c - sys_mem_map without a memory: other rights for what is mapped. */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/upcall.h"
#include "tests/guest/claim.h"
#include "tests/guest/mapping.h"

#define READ_ONLY MNOS_MAP_READ
#define PATTERN 0x5EED5EEDull
#define LARGE_AT ((ARENA + (4ull << 30)) & ~(TWO_MIB_PAGES * PAGE - 1))

static mnos_status_t protect(uint64_t address, uint64_t count, uint64_t flags)
{
    return sys_mem_map(MNOS_SELF, 0, address, 0, count, flags);
}

static void fill(uint64_t address, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        *word_at(address + i * PAGE) = PATTERN + i;
}

static void check_filled(uint64_t address, uint64_t count)
{
    for (uint64_t i = 0; i < count && !check_failed(); i++)
        CHECK_EQ(*word_at(address + i * PAGE), PATTERN + i);
}

/* ---- what it does ---- */

/* Faults of this thread, counted, and made good by the right that was missing. */
static volatile unsigned faults;
static volatile uint64_t fault_page;

static void allow_writing(struct mnos_fault *fault)
{
    faults++;
    fault_page = fault->address & ~(PAGE - 1);
    CHECK_OK(protect(fault_page, 1, MAP_RW));
}

/* Whether a write to the page has to be allowed first; afterwards it is. */
static bool write_faults(uint64_t address)
{
    unsigned before = faults;

    *word_at(address + 8) = 1;
    return faults != before && fault_page == address;
}

TEST(protect, rights_go_and_come_back_and_contents_stay)
{
    mnos_cap_t memory = memory_new(16);

    CHECK_OK(map(memory, ARENA, 0, 16));
    fill(ARENA, 16);
    CHECK_OK(upcall_set(allow_writing, MNOS_UPCALL_FAULTS));
    CHECK(!write_faults(ARENA));
    CHECK_OK(protect(ARENA, 16, READ_ONLY));
    for (uint64_t i = 0; i < 16; i++)
        CHECK(write_faults(ARENA + i * PAGE));
    for (uint64_t i = 0; i < 16; i++)
        CHECK(!write_faults(ARENA + i * PAGE));
    CHECK_OK(protect(ARENA, 16, RX));
    CHECK_OK(protect(ARENA, 16, MAP_RW));
    for (uint64_t i = 0; i < 16; i++)
        CHECK(!write_faults(ARENA + i * PAGE));
    CHECK_OK(upcall_clear());
    check_filled(ARENA, 16);
    CHECK_OK(unmap(ARENA, 16));
    cap_drop(memory);
}

TEST(protect, a_part_of_a_mapping_and_parts_of_several)
{
    mnos_cap_t memory = memory_new(40);

    for (uint64_t i = 0; i < 4; i++)
        CHECK_OK(map(memory, ARENA + i * 10 * PAGE, (3 - i) * 10, 10));
    fill(ARENA, 40);
    CHECK_OK(protect(ARENA + 5 * PAGE, 2, READ_ONLY));
    CHECK_OK(protect(ARENA + 14 * PAGE, 20, READ_ONLY));
    CHECK_OK(upcall_set(allow_writing, MNOS_UPCALL_FAULTS));
    for (uint64_t i = 0; i < 40; i++)
        CHECK_EQ(write_faults(ARENA + i * PAGE), (i >= 5 && i < 7) || (i >= 14 && i < 34));
    CHECK_OK(upcall_clear());
    check_filled(ARENA, 40);
    CHECK_OK(unmap(ARENA, 40));
    cap_drop(memory);
}

TEST(protect, large_pages_are_cut_at_the_ends_of_the_range_only)
{
    mnos_cap_t memory = 0;

    if (!CHECK_OK(sys_mem_alloc(3 * TWO_MIB_PAGES, MNOS_ALLOC_ALIGN_2M, &memory)))
        return;
    CHECK_OK(map(memory, LARGE_AT, 0, 3 * TWO_MIB_PAGES));
    fill(LARGE_AT, 3 * TWO_MIB_PAGES);
    CHECK_OK(protect(LARGE_AT + 500 * PAGE, TWO_MIB_PAGES + 100, READ_ONLY));
    CHECK_OK(upcall_set(allow_writing, MNOS_UPCALL_FAULTS));
    for (uint64_t i = 0; i < 3 * TWO_MIB_PAGES; i += 10)
        CHECK_EQ(write_faults(LARGE_AT + i * PAGE), i >= 500 && i < 600 + TWO_MIB_PAGES);
    CHECK_OK(upcall_clear());
    CHECK_OK(protect(LARGE_AT, 3 * TWO_MIB_PAGES, READ_ONLY));
    CHECK_OK(protect(LARGE_AT, 3 * TWO_MIB_PAGES, MAP_RW));
    check_filled(LARGE_AT, 3 * TWO_MIB_PAGES);
    CHECK_OK(unmap(LARGE_AT, 3 * TWO_MIB_PAGES));
    cap_drop(memory);
}

TEST(protect, device_memory_keeps_its_caching_and_is_never_executable)
{
    mnos_cap_t devices = bootstrap_cap("device");
    mnos_cap_t bridge = cap_range(devices, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, BRIDGE_PAGE, 1);

    CHECK_OK(map(bridge, ARENA, 0, 1));
    CHECK_OK(protect(ARENA, 1, READ_ONLY));
    CHECK_EQ(*(volatile uint32_t *)ARENA, BRIDGE_ID);
    CHECK_FAILS(protect(ARENA, 1, RX), MNOS_ERR_RIGHTS, 6, MNOS_RIGHT_EXECUTE);
    CHECK_OK(protect(ARENA, 1, MAP_RW));
    CHECK_OK(unmap(ARENA, 1));
    cap_drop(bridge);
}

/* ---- what it refuses ---- */

TEST(protect, refuses_what_is_no_range_and_no_rights)
{
    mnos_cap_t memory = memory_new(4);

    CHECK_OK(map(memory, ARENA, 0, 2));
    CHECK_OK(map(memory, ARENA + 3 * PAGE, 2, 1));
    CHECK_ERROR(mem_map, ERR_NOT_MAPPED, 3, 0, protect(ARENA, 4, READ_ONLY));
    CHECK_FAILS(protect(ARENA - PAGE, 2, READ_ONLY), MNOS_ERR_NOT_MAPPED, 3, 0);
    CHECK_FAILS(protect((uint64_t)ipc_buffer(), 1, READ_ONLY), MNOS_ERR_NOT_MAPPED, 3, 0);
    CHECK_FAILS(protect(MNOS_KINFO_ADDRESS, 1, READ_ONLY), MNOS_ERR_NOT_MAPPED, 3, 0);
    CHECK_FAILS(protect(ARENA, 0, READ_ONLY), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(protect(ARENA + 1, 1, READ_ONLY), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(protect(ARENA, UINT64_MAX, READ_ONLY), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(protect(MNOS_USER_END, 1, READ_ONLY), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, 0, ARENA, 1, 1, READ_ONLY), MNOS_ERR_ARGUMENT, 4, 0);
    CHECK_FAILS(protect(ARENA, 1, 0), MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(protect(ARENA, 1, MNOS_MAP_WRITE | MNOS_MAP_EXECUTE), MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(protect(ARENA, 1, READ_ONLY | MNOS_MAP_WRITE_COMBINING), MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(protect(ARENA, 1, 1ull << 40 | READ_ONLY), MNOS_ERR_ARGUMENT, 6, 0);
    *word_at(ARENA) = PATTERN; /* nothing has changed before the gap either */
    CHECK_OK(unmap(ARENA, 2));
    CHECK_OK(unmap(ARENA + 3 * PAGE, 1));
    cap_drop(memory);
}

TEST(protect, a_quota_that_is_spent_changes_no_right)
{
    mnos_cap_t process = process_new(), memory = memory_new(6);
    struct mnos_process_info info;

    CHECK_OK(sys_mem_map(process, memory, ARENA, 0, 6, MAP_RW));
    info = process_info(process);
    CHECK_OK(sys_proc_quota(process, 0, -(int64_t)(info.bytes_quota - info.bytes_used)));
    CHECK_ERROR(mem_map, ERR_QUOTA, 0, MNOS_QUOTA_BYTES,
                sys_mem_map(process, 0, ARENA + PAGE, 0, 3, READ_ONLY));
    CHECK_EQ(process_info(process).bytes_used, info.bytes_used);
    CHECK_OK(sys_mem_map(process, 0, ARENA, 0, 6, READ_ONLY)); /* no mapping to split */
    process_end(process);
    cap_drop(memory);
}

/* ---- what can be executed ---- */

static uint64_t frames_used(mnos_cap_t process)
{
    return process_info(process).frames_used;
}

TEST(protect, what_can_be_executed_is_in_small_pages)
{
    mnos_cap_t process = process_new(), memory = 0;
    uint64_t before = frames_used(process);

    CHECK_OK(sys_mem_alloc(2 * TWO_MIB_PAGES, MNOS_ALLOC_ALIGN_2M, &memory));
    CHECK_OK(sys_mem_map(process, memory, LARGE_AT, 0, 2 * TWO_MIB_PAGES, RX));
    CHECK_EQ(frames_used(process) - before, 4); /* two tables of 512 pages, two that lead there */
    CHECK_OK(sys_mem_unmap(process, LARGE_AT, 2 * TWO_MIB_PAGES));
    process_end(process);
    process = process_new();
    CHECK_OK(sys_mem_map(process, memory, LARGE_AT, 0, 2 * TWO_MIB_PAGES, MAP_RW));
    CHECK_EQ(frames_used(process) - before, 2);
    CHECK_OK(sys_mem_map(process, 0, LARGE_AT, 0, 2 * TWO_MIB_PAGES, READ_ONLY));
    CHECK_EQ(frames_used(process) - before, 2);
    CHECK_OK(sys_mem_map(process, 0, LARGE_AT + TWO_MIB_PAGES * PAGE, 0, TWO_MIB_PAGES, RX));
    CHECK_EQ(frames_used(process) - before, 3);
    CHECK_OK(sys_mem_map(process, 0, LARGE_AT, 0, 2 * TWO_MIB_PAGES, RX));
    CHECK_EQ(frames_used(process) - before, 4);
    process_end(process);
    cap_drop(memory);
}

TEST(protect, large_pages_that_become_executable_keep_their_contents)
{
    mnos_cap_t memory = 0;

    CHECK_OK(sys_mem_alloc(3 * TWO_MIB_PAGES, MNOS_ALLOC_ALIGN_2M, &memory));
    CHECK_OK(map(memory, LARGE_AT, 0, 3 * TWO_MIB_PAGES));
    fill(LARGE_AT, 3 * TWO_MIB_PAGES);
    *(volatile uint8_t *)(LARGE_AT + 600 * PAGE + 64) = 0xC3; /* RET */
    CHECK_OK(protect(LARGE_AT + PAGE, 3 * TWO_MIB_PAGES - 2, RX));
    ((void (*)(void))(LARGE_AT + 600 * PAGE + 64))();
    check_filled(LARGE_AT, 3 * TWO_MIB_PAGES);
    CHECK_OK(unmap(LARGE_AT, 3 * TWO_MIB_PAGES));
    cap_drop(memory);
}

TEST(protect, without_tables_for_small_pages_nothing_becomes_executable)
{
    mnos_cap_t process = process_new(), memory = 0;
    struct mnos_process_info info;

    CHECK_OK(sys_mem_alloc(2 * TWO_MIB_PAGES, MNOS_ALLOC_ALIGN_2M, &memory));
    CHECK_OK(sys_mem_map(process, memory, LARGE_AT, 0, 2 * TWO_MIB_PAGES, MAP_RW));
    info = process_info(process);
    CHECK_OK(sys_proc_quota(process, 1 - (int64_t)(info.frames_quota - info.frames_used), 0));
    CHECK_ERROR(mem_map, ERR_QUOTA, 0, MNOS_QUOTA_FRAMES,
                sys_mem_map(process, 0, LARGE_AT, 0, 2 * TWO_MIB_PAGES, RX));
    CHECK_EQ(frames_used(process), info.frames_used + 1); /* the first has been cut */
    CHECK_OK(sys_proc_quota(process, 1, 0));
    CHECK_OK(sys_mem_map(process, 0, LARGE_AT, 0, 2 * TWO_MIB_PAGES, RX));
    CHECK_EQ(frames_used(process), info.frames_used + 2);
    process_end(process);
    cap_drop(memory);
}

/* ---- whose rights count ---- */

TEST(protect, own_capabilities_count_for_their_holder)
{
    mnos_cap_t memory = memory_new(2), weak = cap_copy(memory, MNOS_RIGHT_READ);

    CHECK_OK(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, READ_ONLY));
    CHECK_OK(protect(ARENA, 1, MAP_RW)); /* the capability has it, and is ours */
    CHECK_OK(protect(ARENA, 1, RX));
    CHECK_OK(sys_mem_map(MNOS_SELF, weak, ARENA + PAGE, 1, 1, READ_ONLY));
    CHECK_ERROR(mem_map, ERR_RIGHTS, 6, MNOS_RIGHT_WRITE, protect(ARENA + PAGE, 1, MAP_RW));
    CHECK_FAILS(protect(ARENA, 2, MAP_RW), MNOS_ERR_RIGHTS, 6, MNOS_RIGHT_WRITE);
    CHECK_FAILS(protect(ARENA + PAGE, 1, RX), MNOS_ERR_RIGHTS, 6, MNOS_RIGHT_EXECUTE);
    CHECK_OK(unmap(ARENA, 2));
    cap_drop(weak);
    cap_drop(memory);
}

/* Whether a child can make its own text writable, which its parent mapped: by its address, or what it was given. */
static uint64_t make_text_writable(uint64_t address, uint64_t process, uint64_t, uint64_t)
{
    mnos_status_t status = sys_mem_map(MNOS_SELF, 0, address, 0, 1, MAP_RW);

    if (status != MNOS_ERR_RIGHTS)
        return 1000 + (uint64_t)status;
    return process == 0 ? status : sys_mem_map(process, 0, address, 0, 1, MAP_RW);
}

TEST(protect, a_child_cannot_make_its_text_writable)
{
    uint64_t text = (uint64_t)make_text_writable & ~(PAGE - 1);
    struct child child;

    if (child_create(&child) && child_start(&child, make_text_writable, text, 0, 0, 0))
        CHECK_EQ(child_result(&child), MNOS_ERR_RIGHTS);
    child_drop(&child);
    if (child_create(&child) &&
        child_start(&child, make_text_writable, text,
                    child_give(&child, child.process, MNOS_RIGHTS_ALL), 0, 0))
        CHECK_EQ(child_result(&child), MNOS_ERR_RIGHTS);
    child_drop(&child);
}

/* Variables that its parent mapped with Write it may give up, and have again. */
static uint64_t give_up_and_take_back(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    mnos_status_t status = sys_mem_map(MNOS_SELF, 0, address, 0, 1, READ_ONLY);

    if (status == MNOS_OK)
        status = sys_mem_map(MNOS_SELF, 0, address, 0, 1, RX);
    if (status != MNOS_ERR_RIGHTS)
        return 1000 + (uint64_t)status;
    return sys_mem_map(MNOS_SELF, 0, address, 0, 1, MAP_RW);
}

TEST(protect, what_was_mapped_with_a_right_can_have_it_again_and_nothing_else)
{
    static uint64_t variables[1024];
    uint64_t page = ((uint64_t)variables + PAGE - 1) & ~(PAGE - 1);
    struct child child;

    if (child_create(&child) && child_start(&child, give_up_and_take_back, page, 0, 0, 0))
        CHECK_EQ(child_result(&child), MNOS_OK);
    child_drop(&child);
}

/* ---- while it is revoked ---- */

#define TEXT_PAGES 200u
#define REVOCATIONS 40u

/* Makes what it was given to read writable as often as it can, and writes; until that is taken away. Its capability has
 * Write, so that is allowed, until the capability dies. */
static uint64_t write_until_revoked(uint64_t memory, uint64_t ready, uint64_t, uint64_t)
{
    mnos_status_t status = sys_mem_map(MNOS_SELF, memory, ARENA, 0, TEXT_PAGES, READ_ONLY);

    (void)!sys_ipc_notify(ready, 1);
    while (status == MNOS_OK) {
        status = sys_mem_map(MNOS_SELF, 0, ARENA, 0, TEXT_PAGES, MAP_RW);
        if (status == MNOS_OK)
            status = sys_mem_map(MNOS_SELF, 0, ARENA, 0, TEXT_PAGES, READ_ONLY);
    }
    return status;
}

TEST(protect, nothing_is_writable_again_once_a_revocation_has_begun)
{
    mnos_cap_t memory = memory_new(TEXT_PAGES), ready = endpoint_new();
    struct message msg = {0};

    for (unsigned i = 0; i < REVOCATIONS && !check_failed(); i++) {
        struct child child;
        mnos_cap_t given;

        if (child_create(&child)) {
            given = child_give(&child, memory, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
            if (child_start(&child, write_until_revoked, given,
                            child_give(&child, ready, MNOS_RIGHT_WRITE), 0, 0)) {
                uint64_t status;

                CHECK_OK(ipc_receive(ready, &msg, soon()));
                CHECK_OK(sys_cap_revoke(memory));
                status = child_result(&child);
                CHECK(status == MNOS_ERR_NOT_MAPPED || status == MNOS_ERR_RIGHTS);
            }
        }
        child_drop(&child);
    }
    cap_drop(memory);
    cap_drop(ready);
}

/* ---- another core ---- */

static uint64_t write_for_ever(uint64_t done, uint64_t, uint64_t, uint64_t)
{
    while (sys_ipc_notify(done, 1) == MNOS_OK)
        *word_at(ARENA) += 1;
    return 0;
}

TEST(protect, a_right_that_is_taken_is_gone_on_every_core)
{
    mnos_cap_t memory = memory_new(1), done = endpoint_new();
    struct message msg = {0};
    struct child child;

    CHECK_OK(map(memory, ARENA, 0, 1));
    if (child_create(&child)) {
        CHECK_OK(sys_mem_map(child.process, memory, ARENA, 0, 1, MAP_RW));
        if (child_start_at(&child, write_for_ever, child_give(&child, done, MNOS_RIGHT_WRITE), 0,
                           TEST_PRIORITY - 1, core_count() - 1)) {
            uint64_t last;

            CHECK_OK(ipc_receive(done, &msg, soon()));
            CHECK_OK(sys_mem_map(child.process, 0, ARENA, 0, 1, READ_ONLY));
            last = *word_at(ARENA);
            CHECK_EQ(child_wait(&child).exit_reason, MNOS_EXIT_FAULT);
            CHECK_EQ(*word_at(ARENA), last);
        }
    }
    child_drop(&child);
    CHECK_OK(unmap(ARENA, 1));
    cap_drop(memory);
    cap_drop(done);
}
