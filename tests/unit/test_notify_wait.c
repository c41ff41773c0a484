// SPDX-License-Identifier: MIT
/* test_notify_wait.c - sys_ipc_reply with MNOS_INFO_NOTIFY: sets events and waits, in one call. */
#include "ipc/rendezvous.h"

#include "sched/sched.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER

static struct thread *actor, *peer;
static mnos_cap_t near, far; /* where the actor waits, and the peer */

static void init_at(unsigned peer_priority)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
    peer = world_thread(world_root, peer_priority);
    near = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    far = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
}

static uint64_t notify_wait(struct thread *thread, mnos_cap_t target, uint64_t info,
                            uint64_t events, mnos_cap_t endpoint)
{
    thread->frame.rdx = events;
    return world_reply(thread, target, MNOS_INFO_NOTIFY | info, endpoint);
}

static bool has_events(const struct thread *thread, uint64_t events)
{
    return MNOS_INFO_GET_KIND(thread->frame.rsi) == MNOS_KIND_EVENTS &&
           thread->frame.rdx == events && thread->frame.rdi == 0 && thread->frame.r12 == 0;
}

static uint64_t events_of(mnos_cap_t endpoint)
{
    return (endpoint_of(world_object(world_root, endpoint)))->events;
}

static void goes_on(unsigned peer_priority)
{
    init_at(peer_priority);
    CHECK_EQ(world_receive(peer, far, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(notify_wait(actor, far, 0, 6, near), WORLD_WAITS);
    CHECK_EQ(actor->state, THREAD_RECEIVING);
    CHECK_PTR_EQ(this_core()->current, peer); /* at once, without the run queue */
    CHECK(world_woke_with(peer, MNOS_OK) && has_events(peer, 6));
    world_check();
    CHECK_EQ(notify_wait(peer, near, 0, 9, far), WORLD_WAITS);
    CHECK_PTR_EQ(this_core()->current, actor);
    CHECK(world_woke_with(actor, MNOS_OK) && has_events(actor, 9));
    world_check();
}

TEST(notify_wait, who_is_woken_goes_on_at_once)
{
    goes_on(WORLD_PRIORITY);
}

TEST(notify_wait, so_it_does_when_it_is_worse)
{
    goes_on(WORLD_PRIORITY - 3);
}

TEST(notify_wait, so_it_does_when_it_is_better)
{
    goes_on(WORLD_PRIORITY + 3);
}

TEST(notify_wait, what_is_better_runs_first)
{
    init_at(WORLD_PRIORITY - 3);
    struct thread *between = world_thread(world_root, WORLD_PRIORITY - 1);
    CHECK_EQ(world_receive(peer, far, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(notify_wait(actor, far, 0, 6, near), WORLD_WAITS);
    CHECK_EQ(peer->state, THREAD_READY);
    CHECK(has_events(peer, 6));
    host_leave_kernel();
    CHECK_PTR_EQ(this_core()->current, between);
    world_check();
}

TEST(notify_wait, events_stay_where_nobody_waits)
{
    init_at(WORLD_PRIORITY);
    CHECK_EQ(notify_wait(actor, far, 0, 6, near), WORLD_WAITS);
    CHECK_EQ(events_of(far), 6);
    CHECK_EQ(world_receive(peer, far, 0, NEVER), 0);
    CHECK(has_events(peer, 6));
    world_check();
}

TEST(notify_wait, the_receiver_itself_gets_them_at_once)
{
    init_at(WORLD_PRIORITY);
    CHECK_EQ(notify_wait(actor, near, 0, 0x30, near), 0);
    CHECK(has_events(actor, 0x30));
    CHECK_EQ(events_of(near), 0);
    /* And with what is set there already it does not wait, while who is woken is made ready. */
    CHECK_EQ(CALL(actor, ipc_notify, near, 1), 0);
    CHECK_EQ(world_receive(peer, far, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(notify_wait(actor, far, 0, 2, near), 0);
    CHECK(has_events(actor, 1));
    CHECK(world_woke_with(peer, MNOS_OK) && has_events(peer, 2));
    world_check();
}

TEST(notify_wait, is_not_repeated_when_the_wait_ends)
{
    init_at(WORLD_PRIORITY);
    mnos_cap_t copy = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, near, MNOS_RIGHTS_ALL);
    CHECK_EQ(notify_wait(actor, far, MNOS_INFO_ACCEPT(2), 6, copy), WORLD_WAITS);
    CHECK_EQ(MNOS_INFO_GET_ACCEPT(actor->frame.rsi), 2);
    CHECK_EQ(world_receive(peer, far, 0, NEVER), 0);
    CHECK_EQ(CALL(peer, cap_revoke, near), 0);
    CHECK(world_woke_with(actor, MNOS_ERR_REVOKED));
    CHECK_EQ(events_of(far), 0);
    actor->frame.r12 = MNOS_DEADLINE_POLL;
    world_check();
}

TEST(notify_wait, checks_all_before_it_does_anything)
{
    init_at(WORLD_PRIORITY);
    const uint64_t infos[] = {MNOS_INFO(1, 0),     MNOS_INFO(0, 8), MNOS_INFO_CAPS(1),
                              MNOS_INFO_ACCEPT(5), MNOS_INFO_DROP,  1ull << 22,
                              1ull << 31};
    mnos_cap_t masked =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_MINT, far, MNOS_RIGHT_WRITE, 7, 0xF0);
    mnos_cap_t reader = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, far, MNOS_RIGHT_READ);
    uint64_t rax;
    for (unsigned i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
        rax = notify_wait(actor, far, infos[i], 1, near);
        CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
        CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 2);
    }
    rax = notify_wait(actor, far, 0, 0, near);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 3);
    rax = notify_wait(actor, masked, 0, 0x11, near);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_ARGUMENT);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 3);
    rax = notify_wait(actor, reader, 0, 1, near);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 1);
    CHECK_EQ(MNOS_DETAIL_RIGHTS(rax), MNOS_RIGHT_WRITE);
    rax = notify_wait(actor, far, 0, 1, 0);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_HANDLE);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 8);
    rax = notify_wait(actor, far, 0, 1, masked);
    CHECK_EQ(STATUS_OF(rax), MNOS_ERR_RIGHTS);
    CHECK_EQ(MNOS_DETAIL_ARGUMENT(rax), 8);
    CHECK_EQ(events_of(far), 0);
    world_check();
}
