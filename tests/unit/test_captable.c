// SPDX-License-Identifier: MIT
/* test_captable.c - handles: growth of the table, stale and forged ones, errors with details. */
#include "cap/captable.h"

#include "abi/inspect.h"
#include "cap/derive.h"
#include "mm/frame.h"
#include "tests/unit/kernel_world.h"

/* More than the 512 pages of 64 slots that the first root holds. */
enum { MANY = 40000 };

static struct thread *actor;

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
}

static result_t lookup(mnos_cap_t handle, enum mnos_cap_type type, mnos_rights_t rights)
{
    struct cap_view view;

    return cap_lookup(&world_root->captable, handle, type, rights, &view);
}

TEST(captable, a_table_grows_beyond_its_first_root)
{
    static mnos_cap_t handles[MANY];

    init();
    uint64_t free = world_free_frames();
    mnos_cap_t endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    for (unsigned i = 0; i < MANY; i++)
        handles[i] = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, endpoint, i % 32);
    CHECK(world_root->captable.root_mask > 511);
    for (unsigned i = 0; i < MANY; i++)
        CHECK_EQ(world_view(world_root, handles[i]).rights, i % 32);
    captable_check(&world_root->captable);
    CHECK_EQ(CALL(actor, cap_revoke, endpoint), 0);
    for (unsigned i = 0; i < MANY; i++)
        CHECK_EQ(lookup(handles[i], MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
    CHECK_EQ(world_root->captable.used, 2);
    captable_check(&world_root->captable);
    CHECK(world_free_frames() < free - MANY / 64);
    world_check();
}

TEST(captable, a_large_table_dies_with_its_process)
{
    mnos_cap_t handle;

    init();
    struct process *warm = world_process(world_root, 100, 100000, &handle);
    (void)world_thread(warm, WORLD_PRIORITY);
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK_EQ(CALL(actor, cap_delete, handle), 0);
    uint64_t free = world_free_frames();
    struct process *process = world_process(world_root, 100, 4000000, &handle);
    struct thread *thread = world_thread(process, WORLD_PRIORITY);
    mnos_cap_t endpoint = CALL_VALUE(thread, cap_create, MNOS_CREATE_ENDPOINT);
    for (unsigned i = 0; i < MANY; i++)
        (void)CALL_VALUE(thread, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK_EQ(CALL(actor, cap_delete, handle), 0);
    CHECK_EQ(world_free_frames(), free);
    world_check();
}

TEST(captable, a_used_slot_gets_a_new_generation)
{
    init();
    mnos_cap_t first = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(CALL(actor, cap_delete, first), 0);
    mnos_cap_t second = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(MNOS_HANDLE_INDEX(first), MNOS_HANDLE_INDEX(second));
    CHECK(first != second);
    CHECK_EQ(lookup(first, MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
    CHECK_EQ(lookup(second, MNOS_TYPE_ENDPOINT, 0), MNOS_OK);
    CHECK_EQ(STATUS_OF(CALL(actor, cap_delete, first)), MNOS_ERR_HANDLE);
    CHECK_EQ(lookup(second, MNOS_TYPE_ENDPOINT, 0), MNOS_OK);
    world_check();
}

TEST(captable, forged_handles_name_nothing)
{
    init();
    mnos_cap_t good = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    for (unsigned bit = 0; bit < 64; bit++) {
        mnos_cap_t forged = good ^ 1ull << bit;
        struct kobject *object = world_object(world_root, forged);
        CHECK(object == NULL || object != world_object(world_root, good));
    }
    CHECK_EQ(lookup(0, MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
    CHECK_EQ(lookup(UINT64_MAX, MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
    /* The handle that a free slot will have next, and that of the slot nobody ever gets. */
    mnos_cap_t next = good + 1;
    CHECK_EQ(lookup(next, MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
    CHECK_EQ(lookup(1ull << MNOS_HANDLE_INDEX_BITS, MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
    /* An index beyond the root lands on a slot whose key differs. */
    CHECK_EQ(lookup(good | 0x800000, MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
}

TEST(captable, random_numbers_name_nothing)
{
    init();
    for (unsigned i = 0; i < 100; i++)
        (void)CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    for (unsigned i = 0; i < 100000; i++) {
        mnos_cap_t handle = (uint64_t)world_random(UINT32_MAX) << 32 | world_random(UINT32_MAX);
        CHECK_EQ(lookup(handle | 1ull << 50, MNOS_TYPE_NONE, 0), MNOS_ERR_HANDLE);
    }
}

TEST(captable, errors_tell_what_was_wrong)
{
    init();
    mnos_cap_t endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    mnos_cap_t weak = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, endpoint, MNOS_RIGHT_READ);
    CHECK_EQ(lookup(endpoint, MNOS_TYPE_MEMORY, 0), error_type(0, MNOS_TYPE_ENDPOINT));
    CHECK_EQ(lookup(weak, MNOS_TYPE_ENDPOINT, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE),
             error_rights(0, MNOS_RIGHT_WRITE, 0));
    /* The wrong type is told before missing rights. */
    CHECK_EQ(lookup(weak, MNOS_TYPE_THREAD, MNOS_RIGHT_WRITE), error_type(0, MNOS_TYPE_ENDPOINT));
    CHECK_EQ(lookup(weak, MNOS_TYPE_NONE, MNOS_RIGHT_READ), MNOS_OK);
}

TEST(captable, the_quota_bounds_the_table)
{
    uint64_t rax = 0;
    mnos_cap_t handle;

    init();
    struct process *process = world_process(world_root, 100, 30000, &handle);
    struct thread *thread = world_thread(process, WORLD_PRIORITY);
    mnos_cap_t endpoint = CALL_VALUE(thread, cap_create, MNOS_CREATE_ENDPOINT);
    unsigned made;
    for (made = 0; made < 10000 && rax == 0; made++)
        rax = CALL(thread, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_QUOTA);
    CHECK(quota_used(&process->quota.bytes) <= process->quota.bytes.limit);
    CHECK(process->quota.bytes.limit - quota_used(&process->quota.bytes) < MNOS_PAGE_BYTES);
    CHECK_PTR_EQ(process->captable.free, NULL);
    /* A freed slot is there again. */
    CHECK_EQ(CALL(thread, cap_revoke, endpoint), 0);
    (void)CALL_VALUE(thread, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    world_check();
}

TEST(captable, no_memory_for_a_page_is_an_error)
{
    uint64_t rax = 0;

    init();
    mnos_cap_t endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    world_take_frames(0);
    uint64_t bytes = quota_used(&world_root->quota.bytes);
    for (unsigned i = 0; i < 100 && rax == 0; i++)
        rax = CALL(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_MEMORY);
    CHECK_EQ(quota_used(&world_root->quota.bytes), bytes);
    world_give_back();
    (void)CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    world_check();
}

/* Of RAM every second frame, so that a larger root, of two, cannot be made. */
static uint32_t fragment(paddr_t *taken)
{
    uint32_t count = 0, kept = 0;

    while ((taken[count] = frame_alloc()) != PADDR_NONE)
        count++;
    for (uint32_t i = 0; i < count; i++)
        if ((taken[i] >> PAGE_SHIFT) % 2 == 0)
            frame_free(taken[i]);
        else
            taken[kept++] = taken[i];
    return kept;
}

/* The root in use has room for twice as many when the next one is first asked for. */
TEST(captable, grows_on_without_memory_for_a_larger_root_and_takes_it_later)
{
    static paddr_t taken[WORLD_RAM_MIB * 256];
    unsigned failures = 0, made = 0;

    init();
    mnos_cap_t endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    while (world_root->captable.page_count < 250)
        (void)CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    uint32_t count = fragment(taken);
    while (world_root->captable.page_count < 500)
        CHECK_EQ(CALL(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0), 0);
    captable_check(&world_root->captable);
    for (uint32_t i = 0; i < count; i++)
        frame_free(taken[i]);
    while (made + failures < MANY - 500 * 64) {
        bool refused = CALL(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0) != 0;

        failures += refused;
        made += !refused;
    }
    CHECK(failures < 10); /* until it is filled */
    captable_check(&world_root->captable);
    world_check();
}

TEST(captable, used_slots_can_be_listed)
{
    unsigned found = 0;

    init();
    mnos_cap_t endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    mnos_cap_t handles[200];
    for (unsigned i = 0; i < 200; i++)
        handles[i] = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    for (unsigned i = 0; i < 200; i += 2)
        CHECK_EQ(CALL(actor, cap_delete, handles[i]), 0);
    for (uint64_t i = 0; CALL(actor, cap_inspect, MNOS_SELF, MNOS_VIEW_PROCESS_CAP, i) == 0;
         found++)
        i = MNOS_HANDLE_INDEX(*(const mnos_cap_t *)actor->buffer->data) + 1;
    CHECK_EQ(found, world_root->captable.used);
}

static struct thread *urgent;
static unsigned polls;

static void wake_urgent(void)
{
    if (++polls == 3)
        thread_resume(urgent, STOP_SUSPEND);
}

TEST(captable, looking_through_a_large_empty_table_can_be_interrupted)
{
    uint64_t rax;

    init();
    urgent = world_thread_with(world_root, WORLD_PRIORITY + 1, MNOS_AFFINITY_ANY,
                               MNOS_THREAD_SUSPENDED, NULL);
    mnos_cap_t endpoint = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT), last = 0;
    for (unsigned i = 0; i < 4000; i++)
        last = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, endpoint, 0);
    CHECK_EQ(CALL(actor, cap_revoke, endpoint), 0);
    polls = 0;
    host_on_poll = wake_urgent;
    CHECK(world_call_once(actor, MNOS_SYS_cap_inspect,
                          (uint64_t[6]){MNOS_SELF, MNOS_VIEW_PROCESS_CAP, 10}, &rax));
    CHECK(actor->record.done > 10 && actor->record.done < MNOS_HANDLE_INDEX(last));
    rax = world_call_again(actor, MNOS_SYS_cap_inspect);
    host_on_poll = NULL;
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_END);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 3);
    CHECK_EQ(polls > 4, true);
}
