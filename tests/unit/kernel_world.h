// SPDX-License-Identifier: MIT
/*
 * kernel_world.h - the scene of the kernel tests: a machine with the whole portable kernel, a first
 * process, and threads whose system calls the test makes for them.
 *
 * A test says which thread acts; whoever ran before goes back into the run queue, whatever the
 * priorities. What the scheduler itself would do shows with host_leave_kernel().
 */
#pragma once

#include "abi/message.h"
#include "abi/types.h"
#include "tests/unit/host/host.h"
#include "tests/unit/invariants.h"
#include "cap/captable.h"
#include "core.h"
#include "object/endpoint.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "abi/syscalls.h"
#include "tests/unit/unit.h"

/* What world_call() returns when the thread waits, or is no more. */
#define WORLD_WAITS UINT64_MAX

/* RAX of an error without details, and its status. */
#define STATUS_OF(rax) ((mnos_status_t)(uint32_t)(rax))

#define WORLD_RAM_MIB 64
#define WORLD_PRIORITY 10

extern struct process *world_root; /* the first process, with nearly all of the machine's quota */

/* Boots the portable kernel on one core; every test begins with it. */
void world_init(void);

/* ---- processes and threads, made by the kernel's own functions ---- */

/* A child; *handle, when not NULL, gets a capability to it in `parent`'s table. */
struct process *world_process(struct process *parent, uint64_t frames, uint64_t bytes,
                              mnos_cap_t *handle);
/* A ready thread. */
struct thread *world_thread(struct process *process, unsigned priority);
/* The same, with a capability to it in its process's table, and suspended when `flags` says so. */
struct thread *world_thread_with(struct process *process, unsigned priority, uint32_t affinity,
                                 uint32_t flags, mnos_cap_t *handle);

/* ---- acting ---- */

/* Makes `thread`, which is ready, run on this core. False: another core, which had to finish something first, has
 * ended it. */
void world_act(struct thread *thread);
bool world_try_act(struct thread *thread);
/* A system call of `thread`, made again as often as it is interrupted; RAX, or WORLD_WAITS. */
uint64_t world_call(struct thread *thread, uint64_t number, const uint64_t arguments[6]);
/* The same, once: true when it was interrupted and would be made again. */
bool world_call_once(struct thread *thread, uint64_t number, const uint64_t arguments[6],
                     uint64_t *rax);
/* With the registers that the thread, which acts, has. */
uint64_t world_call_again(struct thread *thread, uint64_t number);
/* Every core, this one last, leaves its kernel once. */
void world_settle(void);
/* Every core does all its work, as if nothing better were ready; a call that waits for an end has done so when
 * it returns. */
void world_finish_work(void);
/* The thread, which does not run, is dead; world_finish_work() buries it. */
void world_kill(struct thread *thread);
/* RDX of the last system call. */
extern uint64_t world_value;

#define CALL(thread, name, ...)                                                                    \
    world_call((thread), MNOS_SYS_##name, (const uint64_t[6]){__VA_ARGS__})
/* Must succeed; gives its value. */
#define CALL_VALUE(thread, name, ...)                                                              \
    world_value_of(CALL(thread, name, __VA_ARGS__), #name "(" #__VA_ARGS__ ")", __FILE__, __LINE__)
static inline uint64_t world_value_of(uint64_t rax, const char *text, const char *file, int line)
{
    unit_check_eq(rax, 0, text, file, line);
    return world_value;
}

/* ---- messages: the other registers of the frame are the message ---- */

/* `from` sends, calls or receives through `endpoint`; `to` replies. Returns as world_call(). */
uint64_t world_send(struct thread *from, mnos_cap_t endpoint, uint64_t info, uint64_t deadline_ns);
uint64_t world_ipc_call(struct thread *from, mnos_cap_t endpoint, uint64_t info,
                        uint64_t deadline_ns);
uint64_t world_receive(struct thread *to, mnos_cap_t endpoint, uint64_t accept,
                       uint64_t deadline_ns);
uint64_t world_reply(struct thread *to, uint64_t reply_id, uint64_t info, mnos_cap_t endpoint);

/* True when it has been woken and has `status` in RAX. */
bool world_woke_with(const struct thread *thread, mnos_status_t status);

/* ---- looking ---- */

/* The object that a handle names; NULL: none. */
struct kobject *world_object(struct process *process, mnos_cap_t handle);
/* The view of a handle that must be good. */
struct cap_view world_view(struct process *process, mnos_cap_t handle);

/* The first used slot from `index` on; NULL: none. */
struct capability *world_next_slot(struct process *process, uint32_t index);

/* Frees what waits to be freed, and tells the free frames with nothing cached. */
uint64_t world_free_frames(void);
/* All *_check() functions on everything there is. */
void world_check(void);

/* Uses up the machine's frames but for `left`, in pieces that world_give_back() returns. */
void world_take_frames(uint64_t left);
void world_give_back(void);

/* A sequence of numbers that is the same in every run; `seed` is not 0. */
void world_seed(uint32_t seed);
uint32_t world_random(uint32_t below);
