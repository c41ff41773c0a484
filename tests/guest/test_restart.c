// SPDX-License-Identifier: MIT
/*
 * test_restart.c - long system calls that are interrupted, and what another thread does to their half-done
 * work meanwhile. Both threads are on one core, and the other one is better: it runs when its deadline
 * interrupts the call, and the call goes on when it waits again.
 */
#include "lib/mnos/memory.h"
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define PRIORITY_OTHER (TEST_PRIORITY + 1)
#define PAGES 16384ull
#define AT (ARENA + PAGE) /* so that no large page can be used */
#define SECRET 0x5EC2E7ull
#define SHORT_NS 20000u
#define TRICKS 8u

struct trick {
    mnos_cap_t part, probe; /* the first PAGES of an object; another page */
    _Atomic bool at_it;     /* the call is being made */
    _Atomic bool over;
    uint64_t done; /* pages that the call had mapped when it was tricked; 0: it was not yet */
};

static bool is_free(const struct trick *trick, uint64_t address)
{
    if (sys_mem_map(MNOS_SELF, trick->probe, address, 0, 1, MNOS_MAP_READ) != MNOS_OK)
        return false;
    CHECK_OK(sys_mem_unmap(MNOS_SELF, address, 1));
    return true;
}

/* How many pages are mapped from AT on. */
static uint64_t pages_mapped(const struct trick *trick)
{
    uint64_t least = 0, most = PAGES;

    while (least < most) {
        uint64_t middle = least + (most - least) / 2;

        if (is_free(trick, AT + middle * PAGE))
            most = middle;
        else
            least = middle + 1;
    }
    return least;
}

/* Puts a mapping in the place of the one that is being made, as long, through the same capability, that ends
 * where the capability ends. */
static void exchange(void *argument)
{
    struct trick *trick = argument;
    uint64_t done;

    for (unsigned pause = 1; !trick->over; pause = pause % 16 + 1) {
        sleep_ns(pause * SHORT_NS);
        if (!trick->at_it || trick->done != 0)
            continue;
        done = pages_mapped(trick);
        if (done == 0 || done == PAGES)
            continue;
        CHECK_OK(sys_mem_unmap(MNOS_SELF, AT, done));
        CHECK_OK(sys_mem_map(MNOS_SELF, trick->part, AT, PAGES - done, done, MNOS_MAP_READ));
        trick->done = done;
    }
}

/* The pages from the end of the capability on are marked; nobody who maps through it sees the mark. */
static void mark(mnos_cap_t whole)
{
    CHECK_OK(sys_mem_map(MNOS_SELF, whole, AT, PAGES, PAGES, MAP_RW));
    for (uint64_t page = 0; page < PAGES; page++)
        *(volatile uint64_t *)(AT + page * PAGE) = SECRET;
    CHECK_OK(sys_mem_unmap(MNOS_SELF, AT, PAGES));
}

static void check_nothing_marked(uint64_t page_count)
{
    for (uint64_t page = 0; page < page_count && !check_failed(); page++)
        CHECK(*(volatile uint64_t *)(AT + page * PAGE) != SECRET);
}

/* One long mapping; true when it was tricked. */
static bool map_once(struct trick *trick)
{
    uint64_t mapped = PAGES;
    mnos_status_t status;

    trick->done = 0;
    trick->at_it = true;
    status = sys_mem_map(MNOS_SELF, trick->part, AT, 0, PAGES, MNOS_MAP_READ);
    trick->at_it = false;
    if (trick->done != 0) {
        CHECK_ERROR_RAX(mem_map, ERR_STATE, 0, 0, claim_rax(status, MNOS_SYS_mem_map));
        if (status != MNOS_OK) { /* nothing more has been mapped */
            mapped = trick->done;
            CHECK(is_free(trick, AT + mapped * PAGE));
        }
    } else {
        CHECK_OK(status);
    }
    check_nothing_marked(mapped);
    CHECK_OK(sys_mem_unmap(MNOS_SELF, AT, mapped));
    return trick->done != 0;
}

TEST(restart, a_mapping_put_in_the_place_of_a_half_made_one_is_not_gone_on_with)
{
    uint64_t deadline = soon();
    mnos_cap_t whole = memory_new(2 * PAGES);
    struct trick trick = {.part = cap_range(whole, MNOS_RIGHT_READ, 0, PAGES),
                          .probe = memory_new(1)};
    unsigned tricks = 0;
    struct thread other;

    mark(whole);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, 0));
    helper_start_at(&other, exchange, &trick, PRIORITY_OTHER, 0);
    while (tricks < TRICKS && !check_failed() && kinfo_time_ns() < deadline)
        tricks += map_once(&trick);
    CHECK_EQ(tricks, TRICKS);
    trick.over = true;
    helper_finish(&other);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
    cap_drop(trick.part);
    cap_drop(trick.probe);
    cap_drop(whole);
}

/* ---- an allocation that is made again because memory was waiting to be freed ---- */

#define SLOTS_PER_PAGE 64u
#define ENDPOINTS 8u
#define NEW_PAGES 8ull
#define HOG_FRAMES 16u

enum found { FOUND_ZEROS, FOUND_OLD_CONTENTS, FOUND_NO_MEMORY };

static uint64_t bytes_used(void)
{
    return process_info(MNOS_SELF).bytes_used;
}

/* Takes that many bytes, and what a process takes, out of the account of who calls. */
static void hog_bytes(uint64_t bytes)
{
    const struct mnos_process_params params = {
        .name = "hog", .frames_quota = HOG_FRAMES, .bytes_quota = bytes};
    mnos_cap_t process;

    CHECK_OK(process_create(&params, &process));
}

/* Leaves `left` bytes in the account. */
static void hog_all_but(uint64_t left)
{
    uint64_t before = bytes_used(), record;

    hog_bytes(1);
    record = bytes_used() - before - 1;
    hog_bytes(process_info(MNOS_SELF).bytes_quota - bytes_used() - record - left);
}

static void fill(mnos_cap_t memory, uint64_t pages)
{
    CHECK_OK(sys_mem_map(MNOS_SELF, memory, AT, 0, pages, MAP_RW));
    for (uint64_t page = 0; page < pages; page++)
        *(volatile uint64_t *)(AT + page * PAGE) = SECRET;
    CHECK_OK(sys_mem_unmap(MNOS_SELF, AT, pages));
}

static uint64_t look_into(mnos_cap_t memory)
{
    if (sys_mem_map(MNOS_SELF, memory, AT, 0, NEW_PAGES, MNOS_MAP_READ) != MNOS_OK)
        return FOUND_NO_MEMORY;
    for (uint64_t page = 0; page < NEW_PAGES; page++)
        if (*(volatile uint64_t *)(AT + page * PAGE) != 0)
            return FOUND_OLD_CONTENTS;
    return FOUND_ZEROS;
}

/* In a child: deletes memory with contents, and objects, which wait to be freed; its table is full, and there are not
 * enough bytes for `more` and another page of slots, before they have been. */
static void fill_the_table(uint64_t old_pages, uint64_t more)
{
    mnos_cap_t endpoints[ENDPOINTS], old = 0;
    uint64_t before, of_memory, of_endpoints;

    (void)endpoint_new(); /* the first page of the table, and its root */
    before = bytes_used();
    CHECK_OK(sys_mem_alloc(old_pages, MNOS_ALLOC_CONTIGUOUS, &old));
    of_memory = bytes_used() - before;
    before = bytes_used();
    for (unsigned i = 0; i < ENDPOINTS; i++)
        endpoints[i] = endpoint_new();
    of_endpoints = bytes_used() - before;
    fill(old, old_pages);
    hog_all_but((more != 0 ? more : of_memory) + PAGE - of_endpoints / 2);
    cap_drop(old);
    for (unsigned i = 1; i < ENDPOINTS; i++)
        cap_drop(endpoints[i]);
    while ((process_info(MNOS_SELF).cap_count + 1) % SLOTS_PER_PAGE != 0)
        (void)cap_copy(endpoints[0], MNOS_RIGHT_READ);
}

static uint64_t allocate_when_the_table_is_full(uint64_t old_pages, uint64_t, uint64_t, uint64_t)
{
    mnos_cap_t new = 0;

    fill_the_table(old_pages, 0);
    if (sys_mem_alloc(NEW_PAGES, 0, &new) != MNOS_OK)
        return FOUND_NO_MEMORY;
    return look_into(new);
}

TEST(restart, memory_whose_capability_had_no_room_at_first_is_zeroed_all_the_same)
{
    /* Old contents are found where the frames of the new object begin in those of the old one. */
    for (uint64_t pages = 40; pages < 96 && !check_failed(); pages += 7) {
        struct child child;

        if (child_create(&child) &&
            child_start(&child, allocate_when_the_table_is_full, pages, 0, 0, 0))
            CHECK_EQ(child_result(&child), FOUND_ZEROS);
        child_drop(&child);
    }
}

static mnos_status_t thread_in(mnos_cap_t process, uint64_t buffer)
{
    const struct mnos_thread_params params = {.name = "new",
                                              .ipc_buffer = buffer,
                                              .affinity = MNOS_AFFINITY_ANY,
                                              .flags = MNOS_THREAD_SUSPENDED};
    mnos_cap_t thread;

    return thread_create_raw(process, &params, &thread);
}

static uint64_t make_a_thread_when_the_table_is_full(uint64_t, uint64_t, uint64_t, uint64_t)
{
    uint64_t before;

    (void)endpoint_new();
    before = bytes_used();
    CHECK_OK(thread_in(MNOS_SELF, ARENA));
    fill_the_table(NEW_PAGES, bytes_used() - before);
    return thread_in(MNOS_SELF, ARENA + PAGE);
}

TEST(restart, a_thread_whose_capability_had_no_room_at_first_is_made_all_the_same)
{
    struct child child;

    if (child_create(&child) &&
        child_start(&child, make_a_thread_when_the_table_is_full, 0, 0, 0, 0))
        CHECK_EQ(child_result(&child), MNOS_OK);
    child_drop(&child);
}
