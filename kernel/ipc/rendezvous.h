// SPDX-License-Identifier: MIT
/*
 * rendezvous.h - the four message system calls, and the call that a fault makes. Their registers are in abi/message.h; each sets the registers
 * of `current` itself, at once or when its wait ends.
 */
#pragma once

#include <stdbool.h>

#include "object/result.h"
#include "tcb.h"

struct endpoint;

void ipc_send(struct thread *current);
void ipc_call(struct thread *current);
void ipc_recv(struct thread *current);
void ipc_reply(struct thread *current);

/* The fast path has taken `receiver`, who waits, off the endpoint for the call of `current`, all arguments of
 * which are in its frame: moves the message between the frames. False: everything is as before. */
bool ipc_call_taken(struct thread *current, struct thread *receiver, struct endpoint *endpoint);

/* ---- for one another ---- */

static inline void ipc_answer(struct thread *thread, result_t result)
{
    thread->frame.rax = (uint64_t)result;
}
/* Before anything was done. */
void ipc_refuse(struct thread *thread, result_t why);
/* `current` waits for a message on the endpoint, which it has reached through `via`; what it has woken before, `woken`
 * or NULL, runs as soon as possible. Its RAX is set at once or when its wait ends. */
void ipc_wait(struct thread *current, struct endpoint *endpoint, struct thread *woken);

/* `current` has faulted: makes it call its process's fault endpoint. False: there is none. */
bool ipc_fault(struct thread *current);
