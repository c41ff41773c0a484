// SPDX-License-Identifier: MIT
/* test_aspace.c - mappings: overlap, splitting, revocation, and failures that leave nothing behind. */
#include "vm/aspace.h"

#include <string.h>

#include "mm/frame.h"
#include "tests/unit/kernel_world.h"

#define BASE 0x400000ull
#define RW (MNOS_MAP_READ | MNOS_MAP_WRITE)
#define PAGES(n) ((n)*MNOS_PAGE_BYTES)

static struct thread *actor;
static mnos_cap_t memory; /* 64 pages */

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
    memory = CALL_VALUE(actor, mem_alloc, 64);
}

static mnos_status_t map(mnos_cap_t cap, uint64_t address, uint64_t first, uint64_t count,
                         uint64_t flags)
{
    return STATUS_OF(CALL(actor, mem_map, MNOS_SELF, cap, address, first, count, flags));
}

static mnos_status_t unmap(uint64_t address, uint64_t count)
{
    return STATUS_OF(CALL(actor, mem_unmap, MNOS_SELF, address, count));
}

/* The page of `memory` that is mapped at `address`; -1: none. */
static int64_t page_at(uint64_t address)
{
    struct memory *object = memory_of(world_object(world_root, memory));
    unsigned rights;
    paddr_t frame;
    uint64_t run;

    if (!arch_aspace_lookup(&world_root->aspace.arch, address, &frame, &rights))
        return -1;
    for (uint64_t page = 0; page < object->page_count; page++)
        if (memory_frame(object, page, &run) == frame)
            return (int64_t)page;
    return -2;
}

static unsigned mapping_count(const struct tree_node *node)
{
    return node == NULL ? 0 : 1 + mapping_count(node->left) + mapping_count(node->right);
}

static unsigned mappings(void)
{
    return mapping_count(world_root->aspace.mappings.root);
}

TEST(aspace, maps_the_pages_asked_for_with_the_rights_asked_for)
{
    unsigned rights;
    paddr_t frame;

    init();
    CHECK_EQ(map(memory, BASE, 10, 20, MNOS_MAP_READ), MNOS_OK);
    for (unsigned i = 0; i < 20; i++)
        CHECK_EQ(page_at(BASE + PAGES(i)), 10 + i);
    CHECK_EQ(page_at(BASE + PAGES(20)), -1);
    CHECK(arch_aspace_lookup(&world_root->aspace.arch, BASE, &frame, &rights));
    CHECK_EQ(rights, MAP_READ);
    CHECK_EQ(map(memory, BASE * 2, 0, 1, RW), MNOS_OK);
    CHECK(arch_aspace_lookup(&world_root->aspace.arch, BASE * 2, &frame, &rights));
    CHECK_EQ(rights, MAP_READ | MAP_WRITE);
    world_check();
}

TEST(aspace, nothing_is_writable_and_executable)
{
    init();
    CHECK_EQ(map(memory, BASE, 0, 1, RW | MNOS_MAP_EXECUTE), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(memory, BASE, 0, 1, MNOS_MAP_WRITE | MNOS_MAP_EXECUTE), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(memory, BASE, 0, 1, 0), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(memory, BASE, 0, 1, 0x20 | MNOS_MAP_READ), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(memory, BASE, 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE_COMBINING), MNOS_ERR_ARGUMENT);
    CHECK_EQ(page_at(BASE), -1);
}

TEST(aspace, mapping_needs_the_rights)
{
    init();
    mnos_cap_t reader = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, memory, MNOS_RIGHT_READ);
    uint64_t rax = CALL(actor, mem_map, MNOS_SELF, reader, BASE, 0, 1, RW);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_WRITE);
    CHECK_EQ(map(reader, BASE, 0, 1, MNOS_MAP_READ | MNOS_MAP_EXECUTE), MNOS_ERR_RIGHTS);
    CHECK_EQ(map(reader, BASE, 0, 1, MNOS_MAP_READ), MNOS_OK);
    mnos_cap_t nothing = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, memory, 0);
    CHECK_EQ(map(nothing, BASE * 2, 0, 1, MNOS_MAP_READ), MNOS_ERR_RIGHTS);
    world_check();
}

TEST(aspace, only_the_range_of_the_capability_is_mapped)
{
    init();
    mnos_cap_t part =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, memory, MNOS_RIGHTS_ALL, 8, 8);
    CHECK_EQ(map(part, BASE, 2, 6, MNOS_MAP_READ), MNOS_OK);
    CHECK_EQ(page_at(BASE), 10);
    CHECK_EQ(map(part, BASE * 2, 2, 7, MNOS_MAP_READ), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(part, BASE * 2, 8, 1, MNOS_MAP_READ), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(part, BASE * 2, UINT64_MAX, 2, MNOS_MAP_READ), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(part, BASE * 2, 1, UINT64_MAX, MNOS_MAP_READ), MNOS_ERR_ARGUMENT);
    CHECK_EQ(map(part, BASE * 2, 0, 0, MNOS_MAP_READ), MNOS_ERR_ARGUMENT);
    world_check();
}

TEST(aspace, addresses_outside_user_space_are_refused)
{
    const uint64_t bad[] = {
        0,
        1,
        BASE + 1,
        BASE + 8,
        MNOS_USER_END,
        MNOS_USER_END + PAGES(1),
        1ull << 47,
        0xFFFF800000000000,
        UINT64_MAX - PAGES(1) + 1,
        MNOS_USER_END - PAGES(3),
    };

    init();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(map(memory, bad[i], 0, 4, MNOS_MAP_READ), MNOS_ERR_ADDRESS);
        CHECK_EQ(unmap(bad[i], 4), MNOS_ERR_ADDRESS);
    }
    CHECK_EQ(unmap(BASE, UINT64_MAX), MNOS_ERR_ADDRESS);
    CHECK_EQ(unmap(BASE, 0), MNOS_ERR_ADDRESS);
    CHECK_EQ(mappings(), 0);
}

TEST(aspace, mappings_do_not_overlap)
{
    init();
    CHECK_EQ(map(memory, BASE, 0, 8, MNOS_MAP_READ), MNOS_OK);
    uint64_t bytes = quota_used(&world_root->quota.bytes);
    CHECK_EQ(map(memory, BASE, 0, 1, MNOS_MAP_READ), MNOS_ERR_OVERLAP);
    CHECK_EQ(map(memory, BASE + PAGES(7), 0, 4, MNOS_MAP_READ), MNOS_ERR_OVERLAP);
    CHECK_EQ(map(memory, BASE - PAGES(3), 0, 4, MNOS_MAP_READ), MNOS_ERR_OVERLAP);
    CHECK_EQ(map(memory, BASE - PAGES(3), 0, 20, MNOS_MAP_READ), MNOS_ERR_OVERLAP);
    CHECK_EQ(quota_used(&world_root->quota.bytes), bytes);
    CHECK_EQ(map(memory, BASE - PAGES(3), 0, 3, MNOS_MAP_READ), MNOS_OK);
    CHECK_EQ(map(memory, BASE + PAGES(8), 0, 3, MNOS_MAP_READ), MNOS_OK);
    world_check();
}

TEST(aspace, what_the_kernel_mapped_stays)
{
    init();
    CHECK_EQ(map(memory, MNOS_KINFO_ADDRESS, 0, 1, RW), MNOS_ERR_OVERLAP);
    CHECK_EQ(map(memory, MNOS_KINFO_ADDRESS - PAGES(3), 0, 4, RW), MNOS_ERR_OVERLAP);
    CHECK_EQ(map(memory, actor->buffer_address - PAGES(1), 0, 2, RW), MNOS_ERR_OVERLAP);
    CHECK_EQ(page_at(MNOS_KINFO_ADDRESS - PAGES(3)), -1); /* the part before is undone */
    CHECK_EQ(page_at(actor->buffer_address - PAGES(1)), -1);
    CHECK_EQ(unmap(MNOS_KINFO_ADDRESS, 1), MNOS_ERR_NOT_MAPPED);
    CHECK_EQ(unmap(actor->buffer_address, 1), MNOS_ERR_NOT_MAPPED);
    CHECK_EQ(page_at(actor->buffer_address), -2);
    CHECK_EQ(mappings(), 0);
    world_check();
}

TEST(aspace, unmapping_a_part_keeps_the_rest)
{
    init();
    CHECK_EQ(map(memory, BASE, 0, 20, MNOS_MAP_READ), MNOS_OK);
    CHECK_EQ(unmap(BASE + PAGES(5), 3), MNOS_OK);
    CHECK_EQ(mappings(), 2);
    for (unsigned i = 0; i < 20; i++)
        CHECK_EQ(page_at(BASE + PAGES(i)), i >= 5 && i < 8 ? -1 : (int64_t)i);
    world_check();
    CHECK_EQ(unmap(BASE + PAGES(4), 5), MNOS_ERR_NOT_MAPPED);
    CHECK_EQ(unmap(BASE, 2), MNOS_OK);
    CHECK_EQ(unmap(BASE + PAGES(18), 2), MNOS_OK);
    CHECK_EQ(mappings(), 2);
    world_check();
    CHECK_EQ(map(memory, BASE + PAGES(5), 40, 3, MNOS_MAP_READ), MNOS_OK);
    /* One call across three mappings. */
    CHECK_EQ(unmap(BASE + PAGES(2), 16), MNOS_OK);
    CHECK_EQ(mappings(), 0);
    world_check();
}

TEST(aspace, a_split_that_cannot_be_paid_changes_nothing)
{
    init();
    CHECK_EQ(map(memory, BASE, 0, 20, MNOS_MAP_READ), MNOS_OK);
    uint64_t left = world_root->quota.bytes.limit - quota_used(&world_root->quota.bytes);
    CHECK_EQ(quota_charge_bytes(&world_root->quota, left), MNOS_OK);
    CHECK_EQ(unmap(BASE + PAGES(5), 3), MNOS_ERR_QUOTA);
    for (unsigned i = 0; i < 20; i++)
        CHECK_EQ(page_at(BASE + PAGES(i)), i);
    CHECK_EQ(unmap(BASE + PAGES(15), 5), MNOS_OK); /* needs no split */
    quota_return_bytes(&world_root->quota, left);
    world_check();
}

TEST(aspace, revoking_unmaps_everywhere)
{
    mnos_cap_t handle;
    unsigned rights;
    paddr_t frame;

    init();
    struct process *child = world_process(world_root, 100, 100000, &handle);
    struct thread *thread = world_thread(child, WORLD_PRIORITY);
    mnos_cap_t granted = CALL_VALUE(actor, mem_grant, handle, memory, 4, 8, MNOS_RIGHT_READ);
    CHECK_EQ(CALL(thread, mem_map, MNOS_SELF, granted, BASE, 0, 8, MNOS_MAP_READ), 0);
    CHECK_EQ(CALL(thread, mem_map, MNOS_SELF, granted, BASE * 2, 2, 2, MNOS_MAP_READ), 0);
    CHECK_EQ(map(memory, BASE, 0, 20, MNOS_MAP_READ), MNOS_OK);
    world_check();
    uint32_t flushes = host_cores[0].flushes;
    CHECK_EQ(CALL(actor, cap_revoke, memory), 0);
    CHECK(host_cores[0].flushes > flushes);
    for (unsigned i = 0; i < 8; i++)
        CHECK(!arch_aspace_lookup(&child->aspace.arch, BASE + PAGES(i), &frame, &rights));
    CHECK(!arch_aspace_lookup(&child->aspace.arch, BASE * 2, &frame, &rights));
    CHECK_PTR_EQ(child->aspace.mappings.root, NULL);
    CHECK_EQ(page_at(BASE), 0); /* the revoker's own mapping stays */
    world_check();
}

TEST(aspace, deleting_a_capability_undoes_its_mappings_after_a_split_too)
{
    init();
    mnos_cap_t twin = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, memory, MNOS_RIGHTS_ALL);
    CHECK_EQ(map(twin, BASE, 0, 20, RW), MNOS_OK);
    CHECK_EQ(map(memory, BASE * 2, 0, 20, RW), MNOS_OK);
    CHECK_EQ(unmap(BASE + PAGES(5), 3), MNOS_OK);
    CHECK_EQ(CALL(actor, cap_delete, twin), 0);
    CHECK_EQ(mappings(), 1);
    CHECK_EQ(page_at(BASE), -1);
    CHECK_EQ(page_at(BASE + PAGES(10)), -1);
    CHECK_EQ(page_at(BASE * 2), 0);
    world_check();
}

TEST(aspace, freed_memory_is_mapped_nowhere)
{
    init();
    uint64_t frames = quota_used(&world_root->quota.frames);
    CHECK_EQ(map(memory, BASE, 0, 64, RW), MNOS_OK);
    CHECK_EQ(CALL(actor, cap_delete, memory), 0);
    CHECK(!arch_aspace_lookup(&world_root->aspace.arch, BASE, &(paddr_t){0}, &(unsigned){0}));
    CHECK(quota_used(&world_root->quota.frames) < frames); /* 64 frames less, a few tables more */
    CHECK_EQ(mappings(), 0);
    world_check();
}

TEST(aspace, a_mapping_that_runs_out_of_memory_leaves_nothing)
{
    mnos_status_t status = MNOS_ERR_MEMORY;

    init();
    /* Crosses a border of 2 MiB, and the last page of it one of 512 GiB. */
    const uint64_t address = (1ull << 39) - PAGES(40);
    for (uint64_t left = 0; status != MNOS_OK && left < 20; left++) {
        world_take_frames(left);
        uint64_t bytes = quota_used(&world_root->quota.bytes);
        status = map(memory, address, 0, 64, RW);
        CHECK(status == MNOS_OK || status == MNOS_ERR_MEMORY);
        if (status != MNOS_OK) {
            CHECK_EQ(quota_used(&world_root->quota.bytes), bytes);
            CHECK_EQ(mappings(), 0);
            for (unsigned i = 0; i < 64; i++)
                CHECK_EQ(page_at(address + PAGES(i)), -1);
        }
        world_give_back();
        world_check();
    }
    CHECK_EQ(status, MNOS_OK);
}

static struct thread *urgent;

static void wake_urgent(void)
{
    if (urgent->state == THREAD_SUSPENDED)
        thread_resume(urgent, STOP_SUSPEND);
}

TEST(aspace, a_long_mapping_is_interrupted_and_continued)
{
    uint64_t rax;

    init();
    urgent = world_thread_with(world_root, 60, MNOS_AFFINITY_ANY, MNOS_THREAD_SUSPENDED, NULL);
    /* Free frames in pieces of eight: an object of many extents. */
    static paddr_t frames[WORLD_RAM_MIB * 256];
    unsigned count = 0;
    while ((frames[count] = frame_alloc()) != PADDR_NONE)
        count++;
    for (unsigned i = 0; i < count; i++)
        if (frames[i] >> 15 & 1)
            frame_free(frames[i]);
    frame_trim();
    mnos_cap_t large = CALL_VALUE(actor, mem_alloc, 3000);
    struct memory *object = memory_of(world_object(world_root, large));
    memory_check(object);
    CHECK(object->extent_count > 256);
    const uint64_t arguments[6] = {MNOS_SELF, large, BASE, 0, 3000, RW};
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_mem_map, arguments, &rax));
    host_on_poll = NULL;
    CHECK(actor->record.done != 0 && actor->record.done < 3000);
    world_check();
    CHECK_EQ(map(large, BASE, 0, 3000, RW), MNOS_OK);
    CHECK_EQ(actor->record.number, 0);
    world_check();
    /* And unmapping. */
    thread_suspend(urgent, STOP_SUSPEND);
    CHECK_EQ(urgent->state, THREAD_READY); /* stops when it would run */
    CHECK_EQ(unmap(BASE, 3000), MNOS_OK);
    CHECK_EQ(mappings(), 0);
    world_check();
}

TEST(aspace, what_replaces_a_half_made_mapping_is_not_gone_on_with)
{
    uint64_t rax, done;

    init();
    urgent = world_thread_with(world_root, 60, MNOS_AFFINITY_ANY, MNOS_THREAD_SUSPENDED, NULL);
    mnos_cap_t whole = CALL_VALUE(actor, mem_alloc, 4000);
    mnos_cap_t part =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, whole, MNOS_RIGHT_READ, 0, 2000);
    const uint64_t address = BASE + PAGES(1); /* no large pages */
    const uint64_t arguments[6] = {MNOS_SELF, part, address, 0, 2000, MNOS_MAP_READ};
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_mem_map, arguments, &rax));
    host_on_poll = NULL;
    done = actor->record.done;
    CHECK(done != 0 && done < 2000);
    /* As long, through the same capability, and up to its end. */
    CHECK_EQ(CALL(urgent, mem_unmap, MNOS_SELF, address, done), 0);
    CHECK_EQ(CALL(urgent, mem_map, MNOS_SELF, part, address, 2000 - done, done, MNOS_MAP_READ), 0);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, part, address, 0, 2000, MNOS_MAP_READ)),
             MNOS_ERR_STATE);
    CHECK(!arch_aspace_lookup(&world_root->aspace.arch, address + PAGES(done), &(paddr_t){0},
                              &(unsigned){0}));
    CHECK_EQ(mappings(), 1);
    world_check();
}

TEST(aspace, random_mappings_agree_with_a_model)
{
    enum { SPAN = 100 };
    int64_t model[SPAN];

    init();
    for (unsigned i = 0; i < SPAN; i++)
        model[i] = -1;
    for (unsigned step = 0; step < 3000; step++) {
        uint64_t at = world_random(SPAN), count = 1 + world_random(12);
        uint64_t first = world_random(64);
        bool free = at + count <= SPAN, whole = at + count <= SPAN;

        for (uint64_t i = at; i < at + count && i < SPAN; i++) {
            free &= model[i] < 0;
            whole &= model[i] >= 0;
        }
        if (at + count > SPAN || first + count > 64)
            continue;
        if (world_random(2) == 0) {
            CHECK_EQ(map(memory, BASE + PAGES(at), first, count, RW),
                     free ? MNOS_OK : MNOS_ERR_OVERLAP);
            for (uint64_t i = 0; free && i < count; i++)
                model[at + i] = (int64_t)(first + i);
        } else {
            CHECK_EQ(unmap(BASE + PAGES(at), count), whole ? MNOS_OK : MNOS_ERR_NOT_MAPPED);
            for (uint64_t i = 0; whole && i < count; i++)
                model[at + i] = -1;
        }
        if (step % 50 != 0)
            continue;
        world_check();
        for (unsigned i = 0; i < SPAN; i++)
            CHECK_EQ(page_at(BASE + PAGES(i)), model[i]);
    }
    CHECK_EQ(CALL(actor, cap_delete, memory), 0);
    CHECK_EQ(mappings(), 0);
    world_check();
}
