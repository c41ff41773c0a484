// SPDX-License-Identifier: MIT
/*
 * test_exchange.c - who has woken a thread and waits leaves the core to it in one go, or by the general steps when events
 * are recorded: the world is the same afterwards.
 */
#include "sched/exchange.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trace.h"
#include "tests/unit/ipc_scene.h"

struct half {
    uint64_t words[8]; /* the registers of a message */
    uint32_t state;
    uint8_t effective;
    bool runs, waits_here, is_owed, calls;
    uint64_t deadline_ns;
    uint64_t key; /* it is remembered where it waits */
};

struct outcome {
    struct half halves[3];
    uint32_t endpoint_state, pending;
    int running_priority;
    bool need_resched;
    uint64_t switches;
    uint64_t capabilities;
};

static struct half half_of(const struct thread *thread)
{
    const struct user_frame *f = &thread->frame;

    return (struct half){
        .words = {f->rax, f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9, f->r12},
        .state = thread->state,
        .effective = thread->effective,
        .runs = this_core()->current == thread,
        .waits_here = thread->waits_on == endpoint(),
        .is_owed = !thread_queue_empty(&thread->callers),
        .calls = thread->owed_by != NULL,
        .deadline_ns = thread->deadline_ns,
        .key = thread->received_key,
    };
}

static void play(void (*scene)(void), bool at_once, struct outcome *outcome)
{
    init();
    if (!at_once)
        trace_watch(1);
    scene();
    if (!at_once)
        trace_watch(-1);
    outcome->halves[0] = half_of(server);
    outcome->halves[1] = half_of(client);
    outcome->halves[2] = half_of(other);
    outcome->endpoint_state = endpoint()->state;
    outcome->pending = endpoint()->pending;
    outcome->running_priority = this_core()->runqueue.running_priority;
    outcome->need_resched = this_core()->need_resched;
    outcome->switches = this_core()->statistics->switches;
    outcome->capabilities = client_process->captable.used;
    world_check();
}

static void check_half(const struct half *left, const struct half *right)
{
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(left->words[i], right->words[i]);
    CHECK_EQ(left->state, right->state);
    CHECK_EQ(left->effective, right->effective);
    CHECK_EQ(left->runs, right->runs);
    CHECK_EQ(left->waits_here, right->waits_here);
    CHECK_EQ(left->is_owed, right->is_owed);
    CHECK_EQ(left->calls, right->calls);
    CHECK_EQ(left->deadline_ns, right->deadline_ns);
    CHECK_EQ(left->key, right->key);
}

/* The same from the same beginning, in a process that has a world of its own; `next` runs and `waiting` waits. */
static void check_same(void (*scene)(void), struct thread **next, enum thread_state waiting_state,
                       struct thread **waiting)
{
    struct outcome at_once, *by_steps = mmap(NULL, sizeof *by_steps, PROT_READ | PROT_WRITE,
                                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();

    if (child == 0) {
        play(scene, false, by_steps);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, NULL, 0), child);
    play(scene, true, &at_once);
    for (unsigned i = 0; i < 3; i++)
        check_half(&at_once.halves[i], &by_steps->halves[i]);
    CHECK_EQ(at_once.endpoint_state, by_steps->endpoint_state);
    CHECK_EQ(at_once.pending, by_steps->pending);
    CHECK_EQ(at_once.running_priority, by_steps->running_priority);
    CHECK_EQ(at_once.need_resched, by_steps->need_resched);
    CHECK_EQ(at_once.switches, by_steps->switches);
    CHECK_EQ(at_once.capabilities, by_steps->capabilities);
    munmap(by_steps, sizeof *by_steps);
    CHECK_PTR_EQ(this_core()->current, *next);
    CHECK_EQ((*waiting)->state, waiting_state);
}

/* ---- an event, and the wait for one ---- */

static void notify_with(unsigned priority)
{
    mnos_cap_t own = CALL_VALUE(client, cap_create, MNOS_CREATE_ENDPOINT);

    CHECK_EQ(CALL(server, thread_control, MNOS_SELF, MNOS_THREAD_PRIORITY, priority), 0);
    CHECK_EQ(world_receive(server, port, MNOS_INFO_ACCEPT(2), NEVER), WORLD_WAITS);
    set_words(client, 5);
    CHECK_EQ(world_reply(client, remote, MNOS_INFO_NOTIFY | MNOS_INFO_ACCEPT(1), own), WORLD_WAITS);
}

static void notify_peer(void)
{
    notify_with(WORLD_PRIORITY);
}

static void notify_better(void)
{
    notify_with(WORLD_PRIORITY + 3);
}

TEST(exchange, who_is_notified_goes_on)
{
    check_same(notify_peer, &server, THREAD_RECEIVING, &client);
}

TEST(exchange, so_does_one_that_is_better)
{
    check_same(notify_better, &server, THREAD_RECEIVING, &client);
}

/* ---- a server that owes several ---- */

static void call_one_that_owes(void)
{
    (void)call_received(client, 10);
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    set_words(other, 20);
    CHECK_EQ(world_ipc_call(other, remote, MNOS_INFO(1, 40), NEVER), WORLD_WAITS);
}

TEST(exchange, a_server_that_owes_another_a_reply_goes_on)
{
    check_same(call_one_that_owes, &server, THREAD_CALLING, &other);
}

static void reply_to_the_first(void)
{
    uint64_t first = call_received(client, 10);

    (void)call_received(other, 20);
    set_words(server, 30);
    CHECK_EQ(world_reply(server, first, MNOS_INFO(3, 24), port), WORLD_WAITS);
}

TEST(exchange, one_of_several_callers_goes_on_with_its_reply)
{
    check_same(reply_to_the_first, &client, THREAD_RECEIVING, &server);
}

/* ---- a capability in a reply ---- */

static void reply_with_capability(void)
{
    CHECK_EQ(world_ipc_call(client, remote, MNOS_INFO_ACCEPT(1), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    server->buffer->send_caps[0] = port;
    server->buffer->send_rights[0] = MNOS_RIGHT_WRITE;
    CHECK_EQ(world_reply(server, server->frame.r12, MNOS_INFO_CAPS(1), port), WORLD_WAITS);
}

TEST(exchange, a_caller_goes_on_with_a_capability)
{
    check_same(reply_with_capability, &client, THREAD_RECEIVING, &server);
}

/* ---- what is remembered ---- */

TEST(exchange, a_capability_that_is_gone_is_not_remembered)
{
    init();
    struct thread *owner = world_thread(world_root, WORLD_PRIORITY);
    mnos_cap_t own = CALL_VALUE(client, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    set_words(client, 1);
    CHECK_EQ(world_reply(client, remote, MNOS_INFO_NOTIFY, own), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), WORLD_WAITS);
    CHECK_EQ(CALL(other, ipc_notify, own, 1), 0);
    CHECK(world_woke_with(client, MNOS_OK));
    CHECK_EQ(CALL(other, cap_delete, own), 0);
    set_words(client, 1);
    CHECK_EQ(world_reply(client, remote, MNOS_INFO_NOTIFY, own),
             MNOS_ERR_HANDLE | (uint64_t)8 << 32);
    CHECK_EQ(server->state, THREAD_RECEIVING); /* nothing was done */
    CHECK_EQ(CALL(owner, cap_revoke, port), 0);
    CHECK_EQ(world_reply(client, remote, MNOS_INFO_NOTIFY, own),
             MNOS_ERR_HANDLE | (uint64_t)1 << 32);
    CHECK_EQ(world_ipc_call(client, remote, 0, NEVER), MNOS_ERR_HANDLE | (uint64_t)1 << 32);
    world_check();
}
