// SPDX-License-Identifier: MIT
/* thread.h - threads as objects: made, controlled, stopped, ended. What a thread is, and what must hold, is in tcb.h. */
#pragma once

#include "assert.h"
#include "object/result.h"
#include "tcb.h"

static inline struct thread *thread_of(const struct kobject *object)
{
    assert(object->type == MNOS_TYPE_THREAD);
    return container_of(object, struct thread, obj);
}

/*
 * Creates a thread of `process`, which pays for it: suspended, with no capability yet. Errors:
 * MNOS_ERR_ADDRESS (registers or IPC buffer), MNOS_ERR_CEILING, MNOS_ERR_ARGUMENT (affinity),
 * MNOS_ERR_OVERLAP (something is mapped where the IPC buffer should be), MNOS_ERR_STATE (the process
 * is dying), MNOS_ERR_QUOTA, MNOS_ERR_MEMORY.
 */
mnos_status_t thread_create(struct process *process, const struct mnos_thread_params *params,
                            struct thread **thread);
/* Asks it to stop for good. */
static inline void thread_kill(struct thread *thread)
{
    atomic_fetch_or(&thread->stop, STOP_KILL);
}
/* Takes a thread with STOP_KILL out of what it waits for, or is suspended in. Since the bit was set all cores
 * have passed a quiescent point; so where it runs, or is being moved, the core that has it makes it dead.
 * Hold no lock. */
void thread_evict(struct thread *thread);
/*
 * Kills `thread`, which is not the running one. RESULT_ANSWERED: `current`, in a system call, now waits for its end
 * (MNOS_OK is its result then), or must stop itself. MNOS_OK: it has ended; MNOS_ERR_STATE: so it had before.
 */
result_t thread_destroy(struct thread *current, struct thread *thread);
/* Within thread_end.c: one step of the burial of a dead thread. */
void thread_end_step(struct work *work);
/* Its row in types.c. */
bool thread_free(struct kobject *object);
/* Sets a stop bit, and returns after the thread has stopped; clears it. Not for STOP_KILL. */
void thread_suspend(struct thread *thread, enum thread_stop why);
void thread_resume(struct thread *thread, enum thread_stop why);
/* Reads or sets the registers of a thread that runs nowhere: suspended and in no wait, or faulted. One that
 * is in an interrupted system call is before the SYSCALL instruction; setting them makes it forget the call.
 * MNOS_ERR_STATE: it is neither; MNOS_ERR_ADDRESS; RESULT_AGAIN: it is about to stop. */
result_t thread_registers(struct thread *thread, struct mnos_registers *registers, bool set);
/* Drops what an interrupted system call has done: it will not be made again. For who has the thread stopped,
 * or buries it. */
void thread_forget_call(struct thread *thread);
/* Changes its base priority, and with it what it inherits and hands on. */
void thread_set_priority(struct thread *thread, uint8_t priority);
/* Changes its affinity; it leaves the core it is on in a moment, if it must. */
void thread_set_affinity(struct thread *thread, uint32_t affinity);
/* Gives its number back: no reply id leads to it any more. */
void thread_number_give_back(struct thread *thread);
/* Takes the IPC buffer out of the address space and the account; thread_buffer_free() must follow. */
void thread_buffer_unmap(struct thread *thread);
/* Waits for other cores: what the caller has looked up may be gone afterwards. */
void thread_buffer_free(struct process *process, uaddr_t address, paddr_t frame);
/* False: there is no such core, and it is not MNOS_AFFINITY_ANY. */
bool thread_affinity_valid(uint64_t affinity);
/* The thread with this number; NULL. */
struct thread *thread_by_number(uint64_t number);
/* What abi/inspect.h calls its state. */
uint32_t thread_state_shown(const struct thread *thread);

void thread_caches_create(void);
