// SPDX-License-Identifier: MIT
/* test_ending_faults.c - what threads of a process that ends do until they are killed: docs/ending.md. */
#include "abi/fault.h"
#include "abi/inspect.h"
#include "tests/guest/child.h"

#define BROOD 15u /* whose ends are the first thing that the end of their parent does */

/* Reads again and again what is not there. */
static uint64_t breed_and_fault(uint64_t address, uint64_t, uint64_t, uint64_t)
{
    const struct mnos_process_params params = {
        .name = "brood", .frames_quota = 6, .bytes_quota = 8192, .priority_ceiling = 1};
    mnos_cap_t process;

    for (unsigned i = 0; i < BROOD; i++)
        if (process_create(&params, &process) != MNOS_OK)
            return 1;
    return *(volatile uint64_t *)address;
}

static void destroy_it(void *argument)
{
    (void)!sys_proc_destroy(*(mnos_cap_t *)argument, 0);
}

/* On its core, so that a fault switches straight to its handler. */
TEST(ending, no_fault_of_a_process_that_ends_is_delivered)
{
    mnos_cap_t endpoint = endpoint_new(), minted = cap_mint(endpoint, 1, 0);
    uint64_t limit = soon();
    bool ends = false;
    struct thread destroyer = {0};
    struct message msg = {0};
    struct child child;

    if (core_count() > 1 && child_create_watched(&child, minted)) {
        CHECK(child_start_at(&child, breed_and_fault, ARENA, 0, TEST_PRIORITY - 1, 1));
        CHECK_OK(ipc_receive(endpoint, &msg, limit));
        helper_start_at(&destroyer, destroy_it, &child.process, TEST_PRIORITY, 0);
        while (msg.kind == MNOS_KIND_FAULT && CHECK(!ends) && kinfo_time_ns() < limit) {
            ends = process_info(child.process).state >= MNOS_PROCESS_DYING;
            message_put(&msg, MNOS_FAULT_RESUME, NULL, 0);
            (void)!ipc_reply(&msg);
            msg = (struct message){0};
            (void)!ipc_receive(endpoint, &msg, kinfo_time_ns() + 50 * MILLISECOND_NS);
        }
        helper_finish(&destroyer);
        child_drop(&child);
    }
    CHECK_OK(sys_cap_revoke(endpoint));
    cap_drop(endpoint);
}
