// SPDX-License-Identifier: MIT
/* test_replace.c - MNOS_MAP_REPLACE: what is mapped is exchanged in the step in which the new pages come. */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/claim.h"
#include "tests/guest/mapping.h"

#define OLD 0x01D00000ull
#define NEW 0x3E300000ull
#define LARGE_AT ((ARENA + (4ull << 30)) & ~(TWO_MIB_PAGES * PAGE - 1))
#define UNTOLD 0xDEADull

static mnos_status_t replace(mnos_cap_t memory, uint64_t address, uint64_t first, uint64_t count)
{
    memcpy(ipc_buffer()->data, &(uint64_t){UNTOLD}, sizeof(uint64_t));
    return sys_mem_map(MNOS_SELF, memory, address, first, count, MAP_RW | MNOS_MAP_REPLACE);
}

/* What a call that failed says. */
static uint64_t exchanged(void)
{
    uint64_t pages;

    memcpy(&pages, ipc_buffer()->data, sizeof pages);
    return pages;
}

/* Memory of which page n holds `mark` + n. */
static mnos_cap_t marked(uint64_t count, uint64_t mark, uint64_t flags)
{
    mnos_cap_t memory = 0;

    CHECK_OK(sys_mem_alloc(count, flags, &memory));
    CHECK_OK(map(memory, LARGE_AT + (1ull << 30), 0, count));
    for (uint64_t i = 0; i < count; i++)
        *word_at(LARGE_AT + (1ull << 30) + i * PAGE) = mark + i;
    CHECK_OK(unmap(LARGE_AT + (1ull << 30), count));
    return memory;
}

static void check_marks(uint64_t address, uint64_t count, uint64_t mark)
{
    for (uint64_t i = 0; i < count && !check_failed(); i++)
        CHECK_EQ(*word_at(address + i * PAGE), mark + i);
}

TEST(replace, one_page_and_a_run_in_the_place_of_the_same)
{
    mnos_cap_t old = marked(16, OLD, 0), new = marked(16, NEW, 0);
    struct mnos_process_info before;

    CHECK_OK(map(old, ARENA, 0, 1));
    CHECK_OK(map(old, ARENA + PAGE, 1, 15));
    before = process_info(MNOS_SELF);
    CHECK_OK(replace(new, ARENA, 0, 1));
    check_marks(ARENA, 1, NEW);
    check_marks(ARENA + PAGE, 15, OLD + 1);
    CHECK_OK(replace(new, ARENA + PAGE, 1, 15));
    check_marks(ARENA, 16, NEW);
    CHECK_EQ(exchanged(), UNTOLD); /* success says nothing */
    CHECK_EQ(process_info(MNOS_SELF).bytes_used, before.bytes_used);
    CHECK_OK(sys_cap_revoke(old)); /* has nothing there any more */
    cap_drop(old);
    check_marks(ARENA, 16, NEW);
    CHECK_OK(unmap(ARENA, 16));
    cap_drop(new);
}

TEST(replace, parts_of_mappings_and_gaps)
{
    mnos_cap_t old = marked(40, OLD, 0), new = marked(40, NEW, 0);

    CHECK_OK(map(old, ARENA, 0, 10));
    CHECK_OK(map(old, ARENA + 15 * PAGE, 15, 25));
    CHECK_OK(replace(new, ARENA + 4 * PAGE, 4, 3)); /* within one */
    check_marks(ARENA, 4, OLD);
    check_marks(ARENA + 4 * PAGE, 3, NEW + 4);
    check_marks(ARENA + 7 * PAGE, 3, OLD + 7);
    CHECK_OK(replace(new, ARENA + 9 * PAGE, 9, 20)); /* over a gap, from one into another */
    check_marks(ARENA + 7 * PAGE, 2, OLD + 7);
    check_marks(ARENA + 9 * PAGE, 20, NEW + 9);
    check_marks(ARENA + 29 * PAGE, 11, OLD + 29);
    CHECK_OK(replace(new, ARENA, 0, 40));
    check_marks(ARENA, 40, NEW);
    CHECK_OK(replace(new, ARENA + 40 * PAGE, 0, 10)); /* nothing is there at all */
    check_marks(ARENA + 40 * PAGE, 10, NEW);
    CHECK_OK(unmap(ARENA, 50));
    cap_drop(old);
    cap_drop(new);
}

TEST(replace, many_small_mappings_and_through_their_own_capability)
{
    mnos_cap_t memory = marked(200, OLD, 0);

    for (uint64_t i = 0; i < 200; i++)
        CHECK_OK(map(memory, ARENA + i * PAGE, 199 - i, 1));
    CHECK_OK(replace(memory, ARENA, 0, 200));
    check_marks(ARENA, 200, OLD);
    CHECK_OK(replace(memory, ARENA, 100, 100));
    check_marks(ARENA, 100, OLD + 100);
    check_marks(ARENA + 100 * PAGE, 100, OLD + 100);
    CHECK_OK(unmap(ARENA, 200));
    cap_drop(memory);
}

TEST(replace, large_pages_in_both_places)
{
    const uint64_t count = 3 * TWO_MIB_PAGES;
    mnos_cap_t old = marked(count, OLD, MNOS_ALLOC_ALIGN_2M);
    mnos_cap_t new = marked(count, NEW, MNOS_ALLOC_ALIGN_2M);

    CHECK_OK(map(old, LARGE_AT, 0, count));
    CHECK_OK(replace(new, LARGE_AT + 500 * PAGE, 500, 600));
    check_marks(LARGE_AT, 500, OLD);
    check_marks(LARGE_AT + 500 * PAGE, 600, NEW + 500);
    check_marks(LARGE_AT + 1100 * PAGE, count - 1100, OLD + 1100);
    CHECK_OK(replace(new, LARGE_AT, 0, count));
    check_marks(LARGE_AT, count, NEW);
    CHECK_OK(unmap(LARGE_AT, count));
    cap_drop(old);
    cap_drop(new);
}

TEST(replace, what_is_no_mapping_is_in_the_way)
{
    mnos_cap_t memory = marked(8, NEW, 0);
    const struct mnos_thread_params params = {.ipc_buffer = ARENA + 5 * PAGE,
                                              .affinity = MNOS_AFFINITY_ANY,
                                              .flags = MNOS_THREAD_SUSPENDED};
    mnos_cap_t thread = 0;

    CHECK_OK(thread_create_raw(MNOS_SELF, &params, &thread));
    CHECK_FAILS(replace(memory, ARENA, 0, 8), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_EQ(exchanged(), 0);
    CHECK_FAILS(replace(memory, ARENA + 5 * PAGE, 0, 1), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_EQ(exchanged(), 0);
    CHECK_FAILS(replace(memory, MNOS_KINFO_ADDRESS, 0, 1), MNOS_ERR_OVERLAP, 3, 0);
    CHECK_OK(replace(memory, ARENA, 0, 5));
    check_marks(ARENA, 5, NEW);
    CHECK_OK(sys_thread_destroy(thread));
    cap_drop(thread);
    CHECK_OK(unmap(ARENA, 5));
    cap_drop(memory);
}

/* The step that meets the buffer is the first that fails: what came before is told and stays. */
TEST(replace, a_failure_says_how_much_has_been_exchanged)
{
    const uint64_t count = 2 * TWO_MIB_PAGES, at = LARGE_AT;
    mnos_cap_t old = marked(count, OLD, 0), new = marked(count, NEW, 0);
    const struct mnos_thread_params params = {.ipc_buffer = at + 700 * PAGE,
                                              .affinity = MNOS_AFFINITY_ANY,
                                              .flags = MNOS_THREAD_SUSPENDED};
    mnos_cap_t thread = 0;
    uint64_t done;

    CHECK_OK(map(old, at, 0, 700));
    CHECK_OK(thread_create_raw(MNOS_SELF, &params, &thread));
    CHECK_FAILS(replace(new, at, 0, count), MNOS_ERR_OVERLAP, 3, 0);
    done = exchanged();
    CHECK(done >= TWO_MIB_PAGES && done <= 700);
    check_marks(at, done, NEW);
    check_marks(at + done * PAGE, 700 - done, OLD + done);
    CHECK_OK(sys_thread_destroy(thread));
    cap_drop(thread);
    CHECK_OK(unmap(at, 700));
    cap_drop(old);
    cap_drop(new);
}

TEST(replace, a_quota_that_is_spent_exchanges_nothing)
{
    mnos_cap_t process = process_new(), old = memory_new(6), new = memory_new(6);
    struct mnos_process_info info;

    CHECK_OK(sys_mem_map(process, old, ARENA, 0, 6, MAP_RW));
    info = process_info(process);
    CHECK_OK(sys_proc_quota(process, 0, -(int64_t)(info.bytes_quota - info.bytes_used)));
    CHECK_FAILS(sys_mem_map(process, new, ARENA + PAGE, 0, 3, MAP_RW | MNOS_MAP_REPLACE),
                MNOS_ERR_QUOTA, 0, MNOS_QUOTA_BYTES);
    CHECK_EQ(exchanged(), 0);
    CHECK_OK(
        sys_mem_map(process, new, ARENA, 0, 6, MAP_RW | MNOS_MAP_REPLACE)); /* record for record */
    CHECK_EQ(process_info(process).bytes_used, info.bytes_used);
    process_end(process);
    cap_drop(old);
    cap_drop(new);
}

TEST(replace, refuses_what_mapping_refuses)
{
    mnos_cap_t memory = memory_new(2), weak = cap_copy(memory, MNOS_RIGHT_READ);
    mnos_cap_t ports =
        cap_range(bootstrap_cap("ports"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, 0x80, 1);

    CHECK_FAILS(replace(handle_stale(), ARENA, 0, 1), MNOS_ERR_HANDLE, 2, 0);
    CHECK_EQ(exchanged(), 0);
    CHECK_FAILS(replace(weak, ARENA, 0, 1), MNOS_ERR_RIGHTS, 2, MNOS_RIGHT_WRITE);
    CHECK_FAILS(replace(memory, ARENA, 1, 2), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(replace(memory, ARENA + 1, 0, 1), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(replace(memory, MNOS_USER_END, 0, 1), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(replace(ports, 0, 0, 1), MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MNOS_MAP_REPLACE), MNOS_ERR_ARGUMENT, 6,
                0);
    CHECK_FAILS(replace(0, ARENA, 0, 1), MNOS_ERR_ARGUMENT, 6, 0);
    cap_drop(weak);
    cap_drop(memory);
    cap_drop(ports);
}

/* ---- while others look ---- */

#define WINDOW_PAGES 300u
#define ROUNDS 60u

/* Reads all the time: no page is ever missing, and each is an old or a new one. */
static uint64_t look(uint64_t, uint64_t, uint64_t, uint64_t)
{
    for (uint64_t i = 0; *word_at(ARENA) != 0; i = (i + 7) % WINDOW_PAGES) {
        uint64_t seen = *word_at(ARENA + (1 + i) * PAGE);

        if (seen != OLD + i && seen != NEW + i)
            return 1 + seen;
    }
    return 0;
}

TEST(replace, no_page_is_ever_missing)
{
    mnos_cap_t old = marked(WINDOW_PAGES, OLD, 0), new = marked(WINDOW_PAGES, NEW, 0);
    mnos_cap_t flag = memory_new(1);
    struct child child;

    CHECK_OK(map(flag, ARENA, 0, 1));
    *word_at(ARENA) = 1;
    if (child_create(&child)) {
        CHECK_OK(sys_mem_map(child.process, flag, ARENA, 0, 1, MAP_RW));
        CHECK_OK(sys_mem_map(child.process, old, ARENA + PAGE, 0, WINDOW_PAGES, MNOS_MAP_READ));
        if (child_start_at(&child, look, 0, 0, TEST_PRIORITY, core_count() - 1)) {
            for (unsigned i = 0; i < ROUNDS && !check_failed(); i++) {
                CHECK_OK(sys_mem_map(child.process, i % 2 == 0 ? new : old, ARENA + PAGE, 0,
                                     WINDOW_PAGES, MNOS_MAP_READ | MNOS_MAP_REPLACE));
                (void)!sys_thread_yield();
            }
            *word_at(ARENA) = 0;
            CHECK_EQ(child_result(&child), 0);
        }
    }
    child_drop(&child);
    CHECK_OK(unmap(ARENA, 1));
    cap_drop(flag);
    cap_drop(old);
    cap_drop(new);
}
