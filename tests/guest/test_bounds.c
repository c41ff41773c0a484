// SPDX-License-Identifier: MIT
/*
 * test_bounds.c - what memory costs when somebody makes it expensive: many port openings, RAM in pieces,
 * objects of many pieces.
 *
 * tests/guest/run.py runs these once more with `counted` on the command line, on one core of an emulator whose
 * time stamp counter counts instructions; only then are costs compared. Otherwise they show that it works.
 */
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"
#include "tests/guest/output.h"

static uint64_t instructions(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* Checks that `count` times took at most `each` instructions each, when they are counted. */
static void check_cost(const char *what, uint64_t begin, uint64_t count, uint64_t each)
{
    uint64_t cost = instructions() - begin;

    if (!bootstrap_has_argument("counted"))
        return;
    print("%s: %llu instructions, %llu each", what, (unsigned long long)cost,
          (unsigned long long)(cost / count));
    CHECK(cost <= count * each);
}

/* ---- how long a core does not look at interrupts ---- */

/* A better thread on this core wakes again and again, each time a little later in whatever else is done. */
struct watch {
    struct thread thread;
    _Atomic bool over;
    uint64_t latest; /* by so many instructions */
};

/* Of which its own wait, the timer's interrupt and the way to the thread take up to a fourth part. */
#define LATEST 7000u
#define WATCH_NS 11003u

static void watch_loop(void *argument)
{
    struct watch *watch = argument;

    while (!watch->over) {
        uint64_t deadline = kinfo_time_ns() + WATCH_NS, late;

        sleep_until(deadline);
        late = kinfo_time_ns() - deadline;
        if (late > watch->latest)
            watch->latest = late;
    }
}

static void watch_begin(struct watch *watch)
{
    *watch = (struct watch){0};
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, 0));
    if (bootstrap_has_argument("counted"))
        helper_start_at(&watch->thread, watch_loop, watch, TEST_PRIORITY + 1, 0);
}

/* In the emulator an instruction takes a nanosecond. */
static void watch_end(struct watch *watch, const char *what)
{
    watch->over = true;
    if (bootstrap_has_argument("counted")) {
        helper_finish(&watch->thread);
        print("%s: woken after at most %llu instructions", what, (unsigned long long)watch->latest);
    }
    CHECK(watch->latest <= LATEST);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
}

/* ---- mappings ---- */

#define MANY_PAGES 16384ull

static mnos_status_t map(mnos_cap_t memory, uint64_t address, uint64_t first, uint64_t count)
{
    return sys_mem_map(MNOS_SELF, memory, address, first, count, MAP_RW);
}

TEST(bounds, a_mapping_that_meets_an_ipc_buffer_is_taken_back_in_steps)
{
    const struct mnos_thread_params params = {.name = "buffer",
                                              .priority = TEST_PRIORITY,
                                              .affinity = MNOS_AFFINITY_ANY,
                                              .flags = MNOS_THREAD_SUSPENDED,
                                              .ipc_buffer = ARENA + MANY_PAGES * PAGE};
    mnos_cap_t memory = memory_new(MANY_PAGES), thread = 0;
    struct watch watch;

    CHECK_OK(thread_create_raw(MNOS_SELF, &params, &thread));
    watch_begin(&watch);
    CHECK_FAILS(map(memory, ARENA + PAGE, 0, MANY_PAGES), MNOS_ERR_OVERLAP, 3, 0);
    watch_end(&watch, "taking a mapping back");
    CHECK_FAILS(sys_mem_unmap(MNOS_SELF, ARENA + PAGE, 1), MNOS_ERR_NOT_MAPPED, 2, 0);
    CHECK_OK(map(memory, ARENA + PAGE, 0, MANY_PAGES - 1));
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA + PAGE, MANY_PAGES - 1));
    CHECK_OK(sys_thread_destroy(thread));
    cap_drop(thread);
    cap_drop(memory);
}

/* The tables that small pages have left keep large ones away. */
TEST(bounds, a_contiguous_run_over_page_tables_goes_in_steps)
{
    mnos_cap_t memory = 0;
    struct watch watch;

    CHECK_OK(sys_mem_alloc(MANY_PAGES, MNOS_ALLOC_ALIGN_2M, &memory));
    CHECK_OK(map(memory, ARENA, 1, MANY_PAGES - 1));
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, MANY_PAGES - 1));
    watch_begin(&watch);
    CHECK_OK(map(memory, ARENA, 0, MANY_PAGES));
    for (uint64_t i = 0; i < MANY_PAGES; i += 511)
        *(volatile uint64_t *)(ARENA + i * PAGE) = i;
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, MANY_PAGES));
    watch_end(&watch, "a contiguous run in small pages");
    cap_drop(memory);
}

/* ---- RAM in single frames ---- */

#define HOLE_PAGES 16384u
#define HOLE_PAGES_UNCOUNTED 4096u
#define SPARE_PAGES 512u /* for the kernel, and for what each core keeps */

/* In memory of their own, since each child of the other tests gets a copy of the variables. */
#define LIST_PAGES (HOLE_PAGES * sizeof(mnos_cap_t) / PAGE)
static mnos_cap_t *const pieces = (mnos_cap_t *)(ARENA + 0x20000000);
static mnos_cap_t rest[256];

static uint64_t hole_pages(void)
{
    return bootstrap_has_argument("counted") ? HOLE_PAGES : HOLE_PAGES_UNCOUNTED;
}

/* All memory that is left, in the objects from number `count` on; how many there are then. */
static unsigned take_rest(unsigned count)
{
    for (uint64_t pages = 1u << 16; pages != 0; pages /= 2)
        while (count < sizeof rest / sizeof rest[0] &&
               sys_mem_alloc(pages, 0, &rest[count]) == MNOS_OK)
            count++;
    return count;
}

/* Fewer than there are frames: in the first run the table of capabilities has to grow. */
static unsigned take_pieces(void)
{
    unsigned count = 0;

    while (count < hole_pages() / 8 * 7 && sys_mem_alloc(1, 0, &pieces[count]) == MNOS_OK)
        count++;
    return count;
}

/* Each page is another one, and zero. */
static void check_pages(mnos_cap_t memory, uint64_t count)
{
    CHECK_OK(map(memory, ARENA, 0, count));
    for (uint64_t i = 0; i < count && !check_failed(); i++) {
        volatile uint64_t *page = (volatile uint64_t *)(ARENA + i * PAGE);

        CHECK_EQ(*page, 0);
        *page = i + 1;
    }
    for (uint64_t i = 0; i < count && !check_failed(); i++)
        CHECK_EQ(*(volatile uint64_t *)(ARENA + i * PAGE), i + 1);
    CHECK_OK(sys_mem_unmap(MNOS_SELF, ARENA, count));
}

static void use_fragments(uint64_t count)
{
    mnos_cap_t memory = 0;
    struct watch watch;

    watch_begin(&watch);
    CHECK_STATUS(sys_mem_alloc(64, MNOS_ALLOC_CONTIGUOUS, &memory), MNOS_ERR_MEMORY);
    if (CHECK_OK(sys_mem_alloc(count, 0, &memory))) {
        check_pages(memory, count);
        cap_drop(memory);
    }
    watch_end(&watch, "memory in single frames");
}

TEST(bounds, single_frames_make_an_object_as_large_as_they_are_many)
{
    mnos_cap_t hole = 0, list = memory_new(LIST_PAGES);
    unsigned rest_count, count;

    CHECK_OK(map(list, (uint64_t)pieces, 0, LIST_PAGES));
    CHECK_OK(sys_mem_alloc(hole_pages(), MNOS_ALLOC_CONTIGUOUS, &hole));
    rest_count = take_rest(0);
    cap_drop(hole);
    count = take_pieces();
    CHECK_EQ(count, hole_pages() / 8 * 7);
    rest_count = take_rest(rest_count);
    for (unsigned i = 0; i < count; i += 2)
        cap_drop(pieces[i]);
    use_fragments(count / 2 - SPARE_PAGES);
    for (unsigned i = 1; i < count; i += 2)
        cap_drop(pieces[i]);
    for (unsigned i = 0; i < rest_count; i++)
        cap_drop(rest[i]);
    cap_drop(list);
}

/* ---- ports ---- */

#define OPENINGS 4000u
#define FREE_PORTS 0x2000u /* where no device of the machine is */

TEST(bounds, each_port_opening_that_is_revoked_costs_the_same)
{
    mnos_cap_t ports = cap_range(bootstrap_cap("ports"), MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE,
                                 FREE_PORTS, 2 * OPENINGS);
    mnos_cap_t copy = cap_copy(ports, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
    uint64_t begin = instructions();

    for (uint64_t i = 0; i < OPENINGS && !check_failed(); i++)
        CHECK_OK(sys_mem_map(MNOS_SELF, copy, 0, 2 * i, 1, MAP_RW));
    check_cost("opening a port", begin, OPENINGS, 2000);
    begin = instructions();
    CHECK_OK(sys_cap_revoke(ports));
    check_cost("closing a port", begin, OPENINGS, 1000);
    cap_drop(ports);
}
