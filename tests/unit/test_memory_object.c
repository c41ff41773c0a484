// SPDX-License-Identifier: MIT
/* test_memory_object.c - RAM, device memory and ports as objects, and the accounts that pay for them. */
#include "object/memory.h"

#include <string.h>

#include "cap/derive.h"
#include "mm/frame.h"
#include "mm/quota.h"
#include "sched/deferred.h"
#include "tests/unit/kernel_world.h"

static struct thread *actor;

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
}

TEST(memory_object, new_memory_is_zero_whatever_was_there)
{
    uint64_t run;

    init();
    mnos_cap_t first = CALL_VALUE(actor, mem_alloc, 100);
    struct memory *memory = memory_of(world_object(world_root, first));
    for (unsigned i = 0; i < 100; i++)
        memset(phys_to_virt(memory_frame(memory, i, &run)), 0xAA, MNOS_PAGE_BYTES);
    CHECK_EQ(CALL(actor, cap_delete, first), 0);
    (void)world_free_frames();
    mnos_cap_t second = CALL_VALUE(actor, mem_alloc, 3000);
    memory = memory_of(world_object(world_root, second));
    for (unsigned i = 0; i < 3000; i++) {
        const uint64_t *page = phys_to_virt(memory_frame(memory, i, &run));
        for (unsigned k = 0; k < MNOS_PAGE_BYTES / 8; k++)
            if (page[k] != 0)
                CHECK_EQ(page[k], 0);
    }
}

TEST(memory_object, allocation_flags_are_kept)
{
    uint64_t run;

    init();
    mnos_cap_t large = CALL_VALUE(actor, mem_alloc, 600, MNOS_ALLOC_ALIGN_2M);
    struct memory *memory = memory_of(world_object(world_root, large));
    CHECK_EQ(memory_frame(memory, 0, &run) % (2ull << 20), 0);
    CHECK_EQ(run, 600);
    mnos_cap_t low = CALL_VALUE(actor, mem_alloc, 4, MNOS_ALLOC_BELOW_4G | MNOS_ALLOC_CONTIGUOUS);
    memory = memory_of(world_object(world_root, low));
    CHECK(memory_frame(memory, 3, &run) < FRAME_LIMIT_4G);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, 1, 8)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, 0)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, UINT64_MAX)), MNOS_ERR_ARGUMENT);
    world_check();
}

TEST(memory_object, the_quota_and_the_machine_bound_it)
{
    mnos_cap_t handle;

    init();
    struct process *child = world_process(world_root, 50, 100000, &handle);
    struct thread *thread = world_thread(child, WORLD_PRIORITY);
    uint64_t frames = quota_used(&child->quota.frames), bytes = quota_used(&child->quota.bytes);
    CHECK_EQ(STATUS_OF(CALL(thread, mem_alloc, 50 - frames + 1)), MNOS_ERR_QUOTA);
    CHECK_EQ(quota_used(&child->quota.frames), frames);
    CHECK_EQ(quota_used(&child->quota.bytes), bytes);
    (void)CALL_VALUE(thread, mem_alloc, 50 - frames);
    CHECK_EQ(quota_used(&child->quota.frames), 50);
    world_take_frames(20);
    frames = quota_used(&world_root->quota.frames);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, 21)), MNOS_ERR_MEMORY);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, 100, MNOS_ALLOC_CONTIGUOUS)), MNOS_ERR_MEMORY);
    CHECK_EQ(quota_used(&world_root->quota.frames), frames);
    world_give_back();
    world_check();
}

/* Takes all frames and gives every other one back. */
static uint64_t shred_ram(void)
{
    static paddr_t frames[WORLD_RAM_MIB * 256];
    uint64_t count = 0, freed = 0;

    while ((frames[count] = frame_alloc()) != PADDR_NONE)
        count++;
    for (uint64_t i = 0; i < count; i++) {
        if ((frames[i] >> PAGE_SHIFT) % 2 == 0)
            continue;
        frame_free(frames[i]);
        freed++;
    }
    frame_trim();
    return freed;
}

TEST(memory_object, single_frames_make_a_large_object)
{
    uint64_t run;

    init();
    uint64_t pages = shred_ram() - 100, free = world_free_frames();
    uint64_t bytes = quota_used(&world_root->quota.bytes);
    CHECK(pages > 4000);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, 64, MNOS_ALLOC_CONTIGUOUS)), MNOS_ERR_MEMORY);
    mnos_cap_t large = CALL_VALUE(actor, mem_alloc, pages);
    struct memory *memory = memory_of(world_object(world_root, large));
    memory_check(memory);
    CHECK(memory->extent_count > pages - 100);
    for (uint64_t i = 0; i < pages; i += 37) {
        CHECK(memory_frame(memory, i, &run) != PADDR_NONE);
        CHECK(run < 64);
    }
    CHECK_EQ(memory_frame(memory, pages, &run), PADDR_NONE);
    CHECK_EQ(run, 0);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, 200)), MNOS_ERR_MEMORY);
    CHECK_EQ(CALL(actor, cap_delete, large), 0);
    CHECK_EQ(world_free_frames(), free);
    CHECK_EQ(quota_used(&world_root->quota.bytes), bytes);
    world_check();
}

TEST(memory_object, what_lies_together_is_one_extent)
{
    uint64_t run;

    init();
    mnos_cap_t large = CALL_VALUE(actor, mem_alloc, 5000); /* in several steps */
    struct memory *memory = memory_of(world_object(world_root, large));
    memory_check(memory);
    CHECK(memory->extent_count <= 3);
    mnos_cap_t one = CALL_VALUE(actor, mem_alloc, 5000, MNOS_ALLOC_CONTIGUOUS);
    memory = memory_of(world_object(world_root, one));
    CHECK(memory_frame(memory, 0, &run) != PADDR_NONE);
    CHECK_EQ(run, 5000);
    CHECK_EQ(memory->table_frames, 0);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_alloc, 6000, MNOS_ALLOC_ALIGN_2M)), MNOS_ERR_MEMORY);
    world_check();
}

TEST(memory_object, ports_are_opened_and_closed_with_the_capability)
{
    struct memory *ports;
    mnos_cap_t all;

    init();
    CHECK_EQ(memory_create_fixed(MNOS_MEMORY_PORTS, 0, 0x10000, false, &ports), MNOS_OK);
    CHECK_EQ(cap_create_root(world_root, &ports->obj, MNOS_RIGHTS_ALL, 0, 0x10000, &all), MNOS_OK);
    mnos_cap_t uart =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, all, MNOS_RIGHTS_ALL, 0x3F8, 8);
    mnos_cap_t next =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, all, MNOS_RIGHTS_ALL, 0x3FC, 8);
    const uint64_t rw = MNOS_MAP_READ | MNOS_MAP_WRITE;
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, uart, 0, 0, 8, rw), 0);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, next, 0, 0, 8, rw), MNOS_ERR_OVERLAP | 4ull << 32);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, uart, 0, 7, 1, rw), MNOS_ERR_OVERLAP | 4ull << 32);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, next, 0, 4, 4, rw), 0);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, uart, 0x1000, 0, 8, rw)), MNOS_ERR_ADDRESS);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, uart, 0, 1, 8, rw)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(CALL(actor, cap_delete, uart), 0);
    for (uint32_t port = 0x3F0; port < 0x410; port++)
        CHECK_EQ(host_port_open(world_root->ports, port), port >= 0x400 && port < 0x404);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, next, 0, 0, 4, rw), 0);
    world_check();
    CHECK_EQ(CALL(actor, cap_revoke, all), 0);
    for (uint32_t port = 0; port < 0x10000; port++)
        if (host_port_open(world_root->ports, port))
            CHECK_EQ(port, UINT32_MAX);
    world_check();
}

TEST(memory_object, device_memory_is_never_ram)
{
    struct memory *device;
    mnos_cap_t all;

    init();
    CHECK_EQ(memory_create_fixed(MNOS_MEMORY_DEVICE, 0, 1 << 20, false, &device), MNOS_OK);
    CHECK_EQ(cap_create_root(world_root, &device->obj, MNOS_RIGHTS_ALL, 0, 1 << 20, &all), MNOS_OK);
    const uint64_t rw = MNOS_MAP_READ | MNOS_MAP_WRITE, hole = 0xFEC00, own = HOST_OWN_DEVICE >> 12;
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, all, 0x10000, 0x100, 1, rw)),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, all, 0x10000, 0xFF, 2, rw)),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, all, 0x10000, hole, 1, MNOS_MAP_EXECUTE)),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, all, 0x10000, own, 1, rw)),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, all, 0x10000, own - 1, 2, rw)),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, all, 0x10000, hole, 1, rw), 0);
    unsigned rights;
    paddr_t frame;
    CHECK(arch_aspace_lookup(&world_root->aspace.arch, 0x10000, &frame, &rights));
    CHECK_EQ(frame, hole << 12);
    CHECK_EQ(rights, MAP_READ | MAP_WRITE | MAP_UNCACHED);
    world_check();
}

/* ---- accounts ---- */

TEST(quota, the_limit_is_exact_and_a_refusal_charges_nothing)
{
    struct quota quota;

    quota_init(&quota, 10, 100);

    CHECK_EQ(quota_charge_frames(&quota, 11), QUOTA_SPENT(MNOS_QUOTA_FRAMES));
    CHECK_EQ(quota_used(&quota.frames), 0);
    CHECK_EQ(quota_charge_frames(&quota, 10), MNOS_OK);
    CHECK_EQ(quota_charge_frames(&quota, 1), QUOTA_SPENT(MNOS_QUOTA_FRAMES));
    CHECK_EQ(quota_charge_frames(&quota, UINT64_MAX), QUOTA_SPENT(MNOS_QUOTA_FRAMES));
    CHECK_EQ(quota_charge_bytes(&quota, UINT64_MAX - 5), QUOTA_SPENT(MNOS_QUOTA_BYTES));
    CHECK_EQ(quota_charge_bytes(&quota, 100), MNOS_OK);
    CHECK_EQ(quota_charge_bytes(&quota, 0), MNOS_OK);
    quota_return_frames(&quota, 10);
    CHECK_EQ(quota_used(&quota.frames), 0);
    quota_return_frames(&quota, 1); /* more than was charged */
    EXPECT_PANIC(quota_used(&quota.frames));

    CHECK_EQ(quota_charge_frames(NULL, UINT64_MAX), MNOS_OK); /* the kernel's own account */
}

/* ---- made again ---- */

static struct kept_frame {
    struct deferred deferred;
    paddr_t frame;
} kept;

static bool give_back(struct deferred *deferred)
{
    frame_free(container_of(deferred, struct kept_frame, deferred)->frame);
    return true;
}

/* The frames are there, in the last place that is looked at, but no page for the slot: what waits to be freed is, the
 * object too, and the call is made again. Its frames lie before where the first search ended. */
TEST(memory_object, a_second_object_of_a_call_is_looked_for_from_the_beginning)
{
    const uint64_t wanted[6] = {8, MNOS_ALLOC_CONTIGUOUS};

    init();
    mnos_cap_t run = CALL_VALUE(actor, mem_alloc, wanted[0], wanted[1]);
    mnos_cap_t other = CALL_VALUE(actor, mem_alloc, 1000); /* the next search begins behind */
    while (world_root->captable.free != NULL)
        (void)CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, run, MNOS_RIGHT_READ);
    kept.frame = frame_alloc();
    while (frame_alloc() != PADDR_NONE)
        ; /* of this test's machine */
    CHECK_EQ(CALL(actor, cap_revoke, run), 0);
    CHECK_EQ(CALL(actor, cap_delete, run), 0);
    world_finish_work();
    while (world_root->captable.free != NULL)
        (void)CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, other, 0);
    world_act(actor);
    deferred_add(&kept.deferred, 0, give_back);
    CHECK_EQ(world_call(actor, MNOS_SYS_mem_alloc, wanted), 0);
}
