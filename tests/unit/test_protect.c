// SPDX-License-Identifier: MIT
/* test_protect.c - other rights for what is mapped: whose capability counts, splitting, steps. */
#include "arch/arch.h"
#include "object/fault.h"
#include "object/process.h"
#include "object/thread.h"
#include "vm/mapping.h"
#include "tests/unit/kernel_world.h"

#define AT 0x400000ull
#define R MNOS_MAP_READ
#define RW (MNOS_MAP_READ | MNOS_MAP_WRITE)
#define RX (MNOS_MAP_READ | MNOS_MAP_EXECUTE)
#define MANY 1000u

static struct thread *actor, *inmate;
static struct process *child;
static mnos_cap_t child_handle, memory;

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
    child = world_process(world_root, 100, 100000, &child_handle);
    inmate = world_thread(child, WORLD_PRIORITY);
    memory = CALL_VALUE(actor, mem_alloc, MANY);
}

static unsigned rights_at(const struct process *process, uint64_t page)
{
    paddr_t frame;
    unsigned rights = 0;

    return arch_aspace_lookup(&process->aspace.arch, AT + page * PAGE_BYTES, &frame, &rights)
               ? rights
               : 0;
}

static void check_rights(const struct process *process, uint64_t first, uint64_t count,
                         unsigned wanted)
{
    for (uint64_t page = first; page < first + count; page++)
        CHECK_EQ(rights_at(process, page), wanted);
    world_check();
}

TEST(protect, a_process_gets_no_more_than_it_was_mapped_unless_it_holds_the_capability)
{
    init();
    CHECK_EQ(CALL(actor, mem_map, child_handle, memory, AT, 0, 4, RX), 0);
    CHECK_EQ(STATUS_OF(CALL(inmate, mem_map, MNOS_SELF, 0, AT, 0, 4, RW)), MNOS_ERR_RIGHTS);
    check_rights(child, 0, 4, MAP_READ | MAP_EXECUTE);
    CHECK_EQ(CALL(inmate, mem_map, MNOS_SELF, 0, AT, 0, 4, R), 0);
    check_rights(child, 0, 4, MAP_READ);
    CHECK_EQ(CALL(inmate, mem_map, MNOS_SELF, 0, AT, 0, 4, RX), 0);   /* as it was mapped */
    CHECK_EQ(CALL(actor, mem_map, child_handle, 0, AT, 0, 4, RW), 0); /* whose capability it is */
    check_rights(child, 0, 4, MAP_READ | MAP_WRITE);
    CHECK_EQ(CALL(actor, mem_map, child_handle, 0, AT, 0, 4, RX), 0);
    CHECK_EQ(STATUS_OF(CALL(inmate, mem_map, MNOS_SELF, 0, AT, 0, 4, RW)), MNOS_ERR_RIGHTS);
    check_rights(child, 0, 4, MAP_READ | MAP_EXECUTE);
}

TEST(protect, a_capability_that_is_dying_gives_nothing)
{
    struct mapping *mapping;
    uint8_t type;

    init();
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, memory, AT, 0, 4, R), 0);
    mapping = container_of(tree_first(&world_root->aspace.mappings), struct mapping, node);
    type = mapping->cap->type;
    mapping->cap->type = MNOS_TYPE_NONE; /* as killing it does, before mappings are looked for */
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, 0, AT, 0, 4, RW)), MNOS_ERR_RIGHTS);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, 0, AT, 1, 4, R)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, 0, AT, 0, 4, R), 0);
    mapping->cap->type = type;
    check_rights(world_root, 0, 4, MAP_READ);
}

TEST(protect, mappings_are_split_at_both_ends_and_stay_what_they_were)
{
    init();
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, memory, AT, 0, MANY, RW), 0);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, 0, AT + 100 * PAGE_BYTES, 0, 700, R), 0);
    check_rights(world_root, 0, 100, MAP_READ | MAP_WRITE);
    check_rights(world_root, 100, 700, MAP_READ);
    check_rights(world_root, 800, MANY - 800, MAP_READ | MAP_WRITE);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, 0, AT, 0, MANY, RX), 0);
    check_rights(world_root, 0, MANY, MAP_READ | MAP_EXECUTE);
    CHECK_EQ(CALL(actor, mem_unmap, MNOS_SELF, AT, MANY), 0);
    world_check();
}

TEST(protect, a_gap_or_a_missing_right_anywhere_changes_nothing)
{
    mnos_cap_t weak;

    init();
    weak = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, memory, MNOS_RIGHT_READ, 0, 0);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, memory, AT, 0, 500, RW), 0);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, 0, AT, 0, 501, R)), MNOS_ERR_NOT_MAPPED);
    CHECK_EQ(CALL(actor, mem_map, MNOS_SELF, weak, AT + 500 * PAGE_BYTES, 0, 4, R), 0);
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, MNOS_SELF, 0, AT, 0, 504, RX)), MNOS_ERR_RIGHTS);
    check_rights(world_root, 0, 500, MAP_READ | MAP_WRITE);
    check_rights(world_root, 500, 4, MAP_READ);
}

TEST(protect, without_bytes_for_the_split_no_right_is_changed)
{
    init();
    CHECK_EQ(CALL(actor, mem_map, child_handle, memory, AT, 0, 4, RW), 0);
    child->quota.bytes.limit -= child->quota.bytes.left;
    child->quota.bytes.left = 0;
    CHECK_EQ(STATUS_OF(CALL(actor, mem_map, child_handle, 0, AT + PAGE_BYTES, 0, 2, R)),
             MNOS_ERR_QUOTA);
    check_rights(child, 0, 4, MAP_READ | MAP_WRITE);
    CHECK_EQ(CALL(actor, mem_map, child_handle, 0, AT, 0, 4, R), 0);
    check_rights(child, 0, 4, MAP_READ);
}

/* A page fault of a new process that has four pages with these rights; true: it goes on as if nothing had been. */
static bool passes(unsigned rights, uint64_t page, uint64_t error)
{
    mnos_cap_t handle;
    struct process *process = world_process(world_root, 20, 20000, &handle);
    struct thread *thread = world_thread(process, WORLD_PRIORITY);

    CHECK_EQ(CALL(actor, mem_map, handle, memory, AT, 0, 4, rights), 0);
    CHECK(world_try_act(thread));
    thread->frame.vector = 14;
    thread->frame.error = error;
    fault_raise(thread, AT + page * PAGE_BYTES + 8);
    return (thread->stop & STOP_KILL) == 0 && process->state == MNOS_PROCESS_ALIVE;
}

/* Bits of the error code. */
#define PRESENT 1
#define WRITE 2
#define USER 4
#define RESERVED 8
#define FETCH 16

TEST(protect, a_fault_about_a_right_that_is_there_by_now_is_none)
{
    init();
    CHECK(passes(RW, 1, PRESENT | WRITE | USER));
    CHECK(passes(R, 1, PRESENT | USER));
    CHECK(passes(RX, 3, PRESENT | FETCH | USER));
    CHECK(!passes(R, 1, PRESENT | WRITE | USER));
    CHECK(!passes(RX, 1, PRESENT | WRITE | USER));
    CHECK(!passes(RW, 1, PRESENT | FETCH | USER));
    CHECK(!passes(RW, 1, PRESENT | RESERVED | USER)); /* not about rights */
    CHECK(!passes(RW, 1, WRITE | USER));              /* there was nothing */
    CHECK(!passes(RW, 4, PRESENT | WRITE | USER));    /* there is nothing */
}
