// SPDX-License-Identifier: MIT
/*
 * scene.h - what tests set up: capabilities of every kind, threads, times, and what
 * sys_cap_inspect tells. A helper that cannot do its work fails the running test and returns 0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/inspect.h"
#include "abi/memory.h"
#include "abi/process.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/thread.h"
#include "lib/mnos/time.h"
#include "tests/guest/guest.h"

/* Where tests map at addresses of their own choice: 1 GiB that nothing else uses. */
#define ARENA 0x0000020000000000ull
#define PAGE ((uint64_t)MNOS_PAGE_BYTES)
#define MAP_RW (MNOS_MAP_READ | MNOS_MAP_WRITE)

#define MILLISECOND_NS 1000000ull
/* The deadline of whatever is to happen at once: long enough for any machine. */
uint64_t soon(void);
void sleep_ns(uint64_t duration_ns);
/* `counted` on the command line: QEMU counts instructions as time, so that how long something takes is the
 * kernel's doing alone. Otherwise a busy host can make anything late, and no test may ask for more than
 * that it happens. */
bool is_counted(void);
/* Whether what had this deadline ended not before it and, in counted time, at once after it. */
bool is_in_time(uint64_t deadline_ns, uint64_t ended_ns);

/* ---- capabilities ---- */

mnos_cap_t endpoint_new(void);
/* With so many lasting mints set aside. */
mnos_cap_t endpoint_with_reserve(uint64_t count);
mnos_cap_t memory_new(uint64_t page_count);
mnos_cap_t cap_copy(mnos_cap_t cap, mnos_rights_t rights);
mnos_cap_t cap_mint(mnos_cap_t endpoint, mnos_badge_t badge, uint64_t event_mask);
mnos_cap_t cap_range(mnos_cap_t cap, mnos_rights_t rights, uint64_t first, uint64_t count);
void cap_drop(mnos_cap_t cap);
/* A handle that was valid, and is no more. */
mnos_cap_t handle_stale(void);
/* The slot of `cap`, another generation. */
mnos_cap_t handle_forged(mnos_cap_t cap);

/* ---- inspection ---- */

struct mnos_cap_info cap_info(mnos_cap_t cap);
struct mnos_process_info process_info(mnos_cap_t process);
struct mnos_thread_info thread_info(mnos_cap_t thread);
/* Waits until the thread is in this state. */
bool thread_reaches(mnos_cap_t thread, enum mnos_thread_state state);

/* ---- processes and threads ---- */

/* A process without threads or memory: 32 frames, 64 KiB of objects. */
mnos_cap_t process_new(void);
void process_end(mnos_cap_t process);

mnos_status_t process_create(const struct mnos_process_params *params, mnos_cap_t *process);
mnos_status_t thread_create_raw(mnos_cap_t process, const struct mnos_thread_params *params,
                                mnos_cap_t *thread);

/* A thread of this process at the test's own priority or another; join frees it. */
void helper_start(struct thread *thread, thread_function *function, void *argument);
void helper_start_at(struct thread *thread, thread_function *function, void *argument,
                     uint32_t priority, uint32_t affinity);
void helper_finish(struct thread *thread);
/* For a thread that does not end by itself: destroys it, and frees what it had. */
void helper_end(struct thread *thread);

#define TEST_PRIORITY 50u /* of the thread that runs the tests */

uint32_t core_count(void);

/* ---- messages ---- */

/* The registers of an IPC call as abi/message.h has them; they are in ipc.c's hands otherwise. */
struct raw_registers {
    uint64_t rdi, rsi, rdx, r10, r8, r9, r12, r13;
};

/* Any system call; returns RAX. */
uint64_t raw_call(uint64_t number, struct raw_registers *regs);

/* A message of `length` bytes that message_matches() knows again. */
void message_fill_pattern(struct message *msg, uint32_t label, size_t length, uint8_t seed);
bool message_has_pattern(const struct message *msg, size_t length, uint8_t seed);
/* Whether these events arrive soon; whether none does for a while. */
bool event_comes(mnos_cap_t endpoint, uint64_t events);
bool no_event_comes(mnos_cap_t endpoint);
/* How often a line has fired while it was bound; past the last line: how often one did that was not. */
uint64_t line_fired(uint64_t line);
/* Receives what is there already. */
mnos_status_t receive_now(mnos_cap_t endpoint, struct message *msg);
