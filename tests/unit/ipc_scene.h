// SPDX-License-Identifier: MIT
/* ipc_scene.h - a server, and two threads of a client that can send to it: for the tests of messages and of inherited
 * priorities. */
#pragma once

#include "ipc/rendezvous.h"
#include "tests/unit/kernel_world.h"

#define NEVER MNOS_DEADLINE_NEVER
#define POLL MNOS_DEADLINE_POLL

static struct process *client_process;
static struct thread *server, *client, *other;
static mnos_cap_t port;   /* the server's, all rights */
static mnos_cap_t remote; /* the client's: to send, badge 7 */

static inline void init(void)
{
    mnos_cap_t process, minted;

    world_init();
    client_process = world_process(world_root, 200, 400000, &process);
    server = world_thread(world_root, WORLD_PRIORITY);
    client = world_thread(client_process, WORLD_PRIORITY);
    other = world_thread(client_process, WORLD_PRIORITY);
    port = CALL_VALUE(server, cap_create, MNOS_CREATE_ENDPOINT);
    minted = CALL_VALUE(server, cap_create, MNOS_CREATE_MINT, port,
                        MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, 7, 0xFF);
    remote = CALL_VALUE(server, cap_transfer, process, minted, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
}

static inline void set_words(struct thread *thread, uint64_t first)
{
    thread->frame.rdx = first;
    thread->frame.r10 = first + 1;
    thread->frame.r8 = first + 2;
    thread->frame.r9 = first + 3;
}

static inline void check_words(const struct thread *thread, uint64_t first)
{
    CHECK_EQ(thread->frame.rdx, first);
    CHECK_EQ(thread->frame.r10, first + 1);
    CHECK_EQ(thread->frame.r8, first + 2);
    CHECK_EQ(thread->frame.r9, first + 3);
}

static inline struct endpoint *endpoint(void)
{
    return endpoint_of(world_object(world_root, port));
}

/* `caller` calls and `server` has received it; the reply id. */
static inline uint64_t call_received(struct thread *caller, uint64_t word)
{
    set_words(caller, word);
    CHECK_EQ(world_ipc_call(caller, remote, MNOS_INFO(word, 32), NEVER), WORLD_WAITS);
    CHECK_EQ(world_receive(server, port, 0, NEVER), 0);
    CHECK_EQ(caller->state, THREAD_CALLING);
    check_words(server, word);
    return server->frame.r12;
}
