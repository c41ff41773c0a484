/* SPDX-License-Identifier: MIT */
/* test_frame.c - the frame allocator on machines of several shapes. */
#include "mm/frame.h"

#include <string.h>

#include "mm/frame_bits.h"
#include "tests/unit/invariants.h"
#include "tests/unit/kernel_world.h"
#include "tests/unit/ram.h"
#include "tests/unit/unit.h"

#define USABLE(from, to)                                                                           \
    {                                                                                              \
        from, to, BOOT_RANGE_USABLE                                                                \
    }
#define RECLAIMABLE(from, to)                                                                      \
    {                                                                                              \
        from, to, BOOT_RANGE_RECLAIMABLE                                                           \
    }
#define KERNEL(from, to)                                                                           \
    {                                                                                              \
        from, to, BOOT_RANGE_KERNEL                                                                \
    }
#define INIT(...)                                                                                  \
    do {                                                                                           \
        const struct boot_range ranges[] = {__VA_ARGS__};                                          \
        test_ram_init(ranges, sizeof(ranges) / sizeof(ranges[0]));                                 \
    } while (0)

TEST(frame, counts_what_the_memory_map_says)
{
    INIT(USABLE(0, 0x9F000), USABLE(MIB(1), MIB(8)), KERNEL(MIB(8), MIB(9)),
         RECLAIMABLE(MIB(9), MIB(10)));
    CHECK_EQ(frame_count_total(), 0x9F + 7 * 256 + 2 * 256);
    /* Frame 0 is never handed out, and one frame is the bitmap. */
    CHECK_EQ(frame_count_free(), 0x9F + 7 * 256 - 2);
    frame_check();
}

TEST(frame, hands_out_every_frame_once_and_never_frame_0)
{
    static bool seen[4096];
    uint64_t count = 0;
    paddr_t frame;

    INIT(USABLE(0, MIB(2)), RECLAIMABLE(MIB(2), MIB(3)), USABLE(MIB(4), MIB(6)));
    uint64_t expected = frame_count_free();
    while ((frame = frame_alloc()) != PADDR_NONE) {
        CHECK(frame < MIB(2) || (frame >= MIB(4) && frame < MIB(6)));
        CHECK(!seen[frame >> PAGE_SHIFT]);
        seen[frame >> PAGE_SHIFT] = true;
        count++;
    }
    CHECK_EQ(count, expected);
    CHECK_EQ(frame_count_free(), 0);
    CHECK(!seen[0]);
    frame_check();
    for (uint64_t i = 0; i < 4096; i++)
        if (seen[i])
            frame_free(i << PAGE_SHIFT);
    CHECK_EQ(frame_count_free(), expected);
    frame_check();
}

TEST(frame, zeroes_a_frame_on_request)
{
    static const char zeros[PAGE_BYTES];

    INIT(USABLE(MIB(1), MIB(2)));
    paddr_t frame = frame_alloc();
    memset(phys_to_virt(frame), 0xAA, PAGE_BYTES);
    frame_free(frame);
    CHECK_EQ(frame_alloc_zeroed(), frame);
    CHECK(memcmp(phys_to_virt(frame), zeros, PAGE_BYTES) == 0);
}

TEST(frame, keeps_some_frames_zeroed_and_gives_them_out_as_others_too)
{
    paddr_t frames[256];
    uint32_t count = 0;

    INIT(USABLE(MIB(1), MIB(2)));
    uint64_t free = frame_count_free();
    for (paddr_t f = frame_alloc_zeroed(); f != PADDR_NONE; f = frame_alloc_zeroed()) {
        memset(phys_to_virt(f), 0xAA, PAGE_BYTES);
        frames[count++] = f;
    }
    CHECK_EQ(count, free);
    for (uint32_t i = 0; i < 40; i++) /* more than are kept */
        frame_free_zeroing(frames[i]);
    CHECK_EQ(frame_count_free(), 40);
    frame_check();
    paddr_t zeroed = frame_alloc_zeroed();
    CHECK_EQ(*(uint64_t *)phys_to_virt(zeroed), 0);
    for (uint32_t i = 0; i < 39; i++)
        CHECK(frame_alloc() != PADDR_NONE);
    CHECK_EQ(frame_alloc(), PADDR_NONE);
    CHECK_EQ(frame_alloc_zeroed(), PADDR_NONE);
    CHECK_EQ(frame_count_free(), 0);
    frame_check();
}

TEST(frame, reclaims_the_memory_of_the_loader)
{
    INIT(USABLE(MIB(1), MIB(4)), RECLAIMABLE(MIB(4), MIB(5)), USABLE(MIB(5), MIB(6)),
         RECLAIMABLE(MIB(6), MIB(7)));
    uint64_t before = frame_count_free();
    frame_reclaim_boot_memory();
    CHECK_EQ(frame_count_free(), before + 512);
    CHECK(frame_alloc_run(3 * 256, 1, FRAME_LIMIT_NONE) != PADDR_NONE);
    frame_check();
}

TEST(frame, gives_runs_with_alignment_and_limit)
{
    INIT(USABLE(MIB(1), MIB(64)), USABLE(4096 * MIB(1), 4096 * MIB(1) + MIB(64)));
    paddr_t run = frame_alloc_run(512, 512, FRAME_LIMIT_NONE);
    CHECK(run >= FRAME_LIMIT_4G && run % MIB(2) == 0);
    paddr_t low = frame_alloc_run(512, 512, FRAME_LIMIT_4G);
    CHECK(low != PADDR_NONE && low + MIB(2) <= FRAME_LIMIT_4G && low % MIB(2) == 0);
    paddr_t isa = frame_alloc_run(16, 16, MIB(16));
    CHECK(isa != PADDR_NONE && isa + 16 * PAGE_BYTES <= MIB(16) && isa % (16 * PAGE_BYTES) == 0);
    CHECK_EQ(frame_alloc_run(MIB(64) >> PAGE_SHIFT, 1, FRAME_LIMIT_NONE), PADDR_NONE);
    CHECK_EQ(frame_alloc_run(2 * 256, 1, MIB(2)), PADDR_NONE);
    CHECK_EQ(frame_alloc_run(0, 1, FRAME_LIMIT_NONE), PADDR_NONE);
    frame_check();
    frame_free_run(run, 512);
    frame_free_run(low, 512);
    frame_free_run(isa, 16);
    frame_check();
}

TEST(frame, keeps_memory_below_4_gib_for_devices)
{
    INIT(USABLE(MIB(1), MIB(3)), USABLE(4096 * MIB(1), 4096 * MIB(1) + MIB(2)));
    uint64_t high = 0;
    while (high < 400) {
        CHECK(frame_alloc() >= FRAME_LIMIT_4G);
        high++;
    }
    /* When all above is gone, low memory serves as well. */
    while (high++ < 700)
        CHECK(frame_alloc() != PADDR_NONE);
    frame_check();
}

TEST(frame, finds_a_run_between_used_frames)
{
    paddr_t frames[256];

    INIT(USABLE(MIB(1), MIB(2)));
    uint64_t count = 0;
    while ((frames[count] = frame_alloc()) != PADDR_NONE)
        count++;
    CHECK_EQ(count, 255);
    /* Holes of one frame, and one of three that crosses a word of the bitmap. */
    for (paddr_t hole = MIB(1) + 2 * PAGE_BYTES; hole < MIB(1) + 40 * PAGE_BYTES;
         hole += 2 * PAGE_BYTES)
        frame_free(hole);
    for (paddr_t frame = MIB(1) + 62 * PAGE_BYTES; frame < MIB(1) + 65 * PAGE_BYTES;
         frame += PAGE_BYTES)
        frame_free(frame);
    frame_trim();
    CHECK_EQ(frame_alloc_run(4, 1, FRAME_LIMIT_NONE), PADDR_NONE);
    CHECK_EQ(frame_alloc_run(3, 1, FRAME_LIMIT_NONE), MIB(1) + 62 * PAGE_BYTES);
    CHECK_EQ(frame_alloc_run(2, 1, FRAME_LIMIT_NONE), PADDR_NONE);
    frame_check();
}

/* A search for a group looks at a part of RAM, and the next one goes on behind it: what lies further off than one look
 * reaches is found by as many tries as it takes, never by one long search. */
TEST(frame, a_group_far_away_is_found_in_bounded_looks)
{
    enum { RAM_MIB = 64, GROUP = 300 };
    static paddr_t taken[RAM_MIB * 256];
    paddr_t far = MIB(RAM_MIB) - MIB(2) + 4 * PAGE_BYTES, found = PADDR_NONE;
    uint64_t count = 0;
    uint32_t looks = 0;

    INIT(USABLE(MIB(1), MIB(RAM_MIB)));
    while ((taken[count] = frame_alloc()) != PADDR_NONE)
        count++;
    for (uint64_t i = 0; i < count; i++)
        if ((taken[i] >> PAGE_SHIFT) % 2 == 0 ||
            (taken[i] >= far && taken[i] < far + GROUP * PAGE_BYTES))
            frame_free(taken[i]);
    frame_trim();
    while ((found = frame_alloc_group(GROUP, 1)) == PADDR_NONE)
        if (!frame_worth_another_look(&looks))
            break;
    CHECK_EQ(found, far);
    CHECK(looks >= 4);
    frame_free_run(found, GROUP);
    CHECK_EQ(frame_alloc_group(GROUP, 512), PADDR_NONE);
    while (frame_worth_another_look(&looks))
        CHECK_EQ(frame_alloc_group(GROUP, 512), PADDR_NONE);
    frame_check();
}

/* ---- the bits, against a plain array ---- */

enum { BITS = 4096 };
static bool taken[BITS];

static uint64_t plain_find(uint64_t from, uint64_t end, uint64_t count, uint64_t align)
{
    for (uint64_t first = (from + align - 1) / align * align; first + count <= end;
         first += align) {
        uint64_t i = 0;

        while (i < count && !taken[first + i])
            i++;
        if (i == count)
            return first;
    }
    return end;
}

/* In steps of a few words, as long as there is more to look at. */
static uint64_t find_in_steps(uint64_t from, uint64_t end, uint64_t count, uint64_t align)
{
    uint64_t found = end;

    while (from < end && found == end) {
        uint64_t words = 2 * count / FRAME_WORD_BITS + 3;

        found = frame_bits_find_run(&from, end, count, align, &words);
    }
    return found;
}

static void compare_with_plain(uint64_t from, uint64_t end)
{
    static const uint64_t shapes[][2] = {{1, 1},     {2, 1},     {3, 1},   {7, 1},   {64, 1},
                                         {65, 1},    {200, 1},   {2, 2},   {4, 4},   {8, 8},
                                         {16, 16},   {64, 64},   {1, 512}, {80, 64}, {512, 1},
                                         {512, 512}, {700, 512}, {1500, 1}};

    CHECK_EQ(frame_bits_find_free(from, end), plain_find(from, end, 1, 1));
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        CHECK_EQ(find_in_steps(from, end, shapes[i][0], shapes[i][1]),
                 plain_find(from, end, shapes[i][0], shapes[i][1]));
}

static void mark_both(uint64_t first, uint64_t end, bool used)
{
    for (uint64_t i = first; i < end; i++)
        if (taken[i] != used) {
            frame_bits_mark(i, i + 1, used);
            taken[i] = used;
        }
}

TEST(frame, bits_are_searched_as_a_plain_array_would_be)
{
    static uint64_t memory[BITS / 32];

    CHECK(frame_bits_bytes(BITS) <= sizeof(memory));
    frame_bits_init(memory, BITS);
    memset(taken, true, sizeof(taken));
    world_seed(7);
    for (unsigned round = 0; round < 600; round++) {
        uint64_t first = world_random(BITS), length = 1 + world_random(1 << world_random(12));
        bool used = world_random(3) == 0;

        mark_both(first, first + length < BITS ? first + length : BITS, used);
        if (round % 10 == 0) /* every other one, somewhere */
            for (uint64_t i = world_random(BITS / 2); i < BITS / 2 + 300; i += 2)
                mark_both(i, i + 1, true);
        compare_with_plain(world_random(BITS), BITS);
        compare_with_plain(0, BITS - world_random(BITS / 4));
    }
}

TEST(frame, knows_ram_from_device_memory)
{
    INIT(USABLE(MIB(1), MIB(2)), KERNEL(MIB(2), MIB(3)), USABLE(MIB(8), MIB(9)));
    CHECK(frame_overlaps_ram(MIB(2), 1024));
    CHECK(!frame_overlaps_ram(MIB(3), 5 * 256));
    CHECK(frame_overlaps_ram(MIB(3), 5 * 256 + 1));
    CHECK(frame_overlaps_ram(MIB(3), UINT64_MAX));
}

TEST(frame, has_no_bits_for_holes_above_ram)
{
    const struct boot_range device = {3072 * MIB(1), 4096 * MIB(1), BOOT_RANGE_OTHER};

    /* 64 MiB of RAM need 2 KiB of bitmap, whatever else the map has above. */
    INIT(USABLE(MIB(1), MIB(64)), device);
    CHECK_EQ(frame_count_free(), 63 * 256 - 1);
}

TEST(frame, double_free_is_a_panic)
{
    INIT(USABLE(MIB(1), MIB(4)));
    paddr_t run = frame_alloc_run(4, 1, FRAME_LIMIT_NONE);
    frame_free_run(run, 4);
    EXPECT_PANIC(frame_free_run(run, 4));
    EXPECT_PANIC(frame_free(run));
    EXPECT_PANIC(frame_free(PADDR_NONE));
}

TEST(frame, no_memory_for_the_bitmap_is_a_panic)
{
    EXPECT_PANIC(INIT(RECLAIMABLE(MIB(1), MIB(64))));
}
