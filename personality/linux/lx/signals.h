// SPDX-License-Identifier: MIT
/*
 * signals.h - the signals of the process: what the program wants done with each, which are blocked, and which have come
 * and are not done with.
 *
 *   G1  a signal that is pending is blocked, or the way out of a running call delivers it, or T3 of threads.h sees to it
 *   G2  of each signal below LINUX_SIGRTMIN at most one is in the queue; of the others as many as have come
 *
 * Who waits on behalf of the program asks signals_due() after each wait, and ends the wait by -LX_ERESTART. The way out of the
 * call makes -LX_EINTR of it, or makes the call again, as calls.def and the handler's SA_RESTART say.
 */
#pragma once

#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/lx.h"

struct lx_thread;

/* A signal has come for the process, from itself, a timer or elsewhere. `info` NULL: from the system. False: it is one of those
 * that are queued, and the queue is full. */
bool signals_post(uint32_t signal, const struct linux_siginfo *info);
/* From a process, by a call: `code` is LINUX_SI_USER or LINUX_SI_TKILL. */
bool signals_send(uint32_t signal, int32_t code);
/* The same for one thread of the process: only that one takes it. */
bool signals_post_to(struct lx_thread *thread, uint32_t signal, const struct linux_siginfo *info);
bool signals_send_to(struct lx_thread *thread, uint32_t signal, int32_t code);
/* Whether one is to be delivered now. */
bool signals_due(void);
/* The same, where no call runs whose way out could be turned; or the process is stopped. */
bool signals_wanted(void);
/* Before a call leaves lx: turns its way out if there is something to deliver. */
void signals_look(void);
/* Which of these have come and are blocked. */
uint64_t signals_pending(uint64_t mask);
/* Takes the first of `mask` that has come; 0: none has. */
uint32_t signals_take(uint64_t mask, struct linux_siginfo *info);

/* Of the calling thread: each has its own mask, and its own stack for handlers (threads.h). Neither SIGKILL nor SIGSTOP is blocked. What was pending and is not blocked any more is delivered. */
void signals_block(uint64_t mask);
/* The same until the way out of the call, which sets the mask back after it has delivered what there is: sigsuspend(). */
void signals_block_for_now(uint64_t mask);
/* 0 with an address of no mask. */
int64_t signals_block_for_now_at(uint64_t address, uint64_t bytes);
/* In a process that was forked: nothing has come for it, and it has no timer. */
void signals_forked(void);
/* Handlers are those of the system again; what was ignored is. */
void signals_clear_handlers(void);
/* The process begins with another program: handlers are cleared, and what is blocked and pending is so still. */
void signals_executed(void);
/* What was sent to the thread is forgotten, and others deliver what was sent to the process. */
void signals_thread_ends(struct lx_thread *thread);
/* What is done with a signal: changed by rt_sigaction() and SA_RESETHAND alone. */
extern struct linux_sigaction signals_actions[LINUX_SIGNALS];

/* ---- signal_frame.c ---- */

/* A fault of the program: its handler runs next, or the program ends. Changes the frame. */
void signals_fault(struct lx_frame *frame, const struct linux_siginfo *info, uint64_t vector,
                   uint64_t error, uint64_t address);
/* Between two instructions of the program: takes what has come from other processes, and delivers it. */
void signals_interrupt(struct lx_frame *frame);
bool signals_is_on_stack(uint64_t stack_pointer);

/* ---- Between these two ---- */

/* As signals_block(), where no call runs whose way out could be turned: what is due is delivered by the caller. */
void signals_set_mask(uint64_t mask);
bool signals_is_ignored(uint32_t signal);
void signals_set_action(uint32_t signal, const struct linux_sigaction *action);
/* The mask of after the call, which is not kept any more. */
uint64_t signals_mask_to_return_to(void);
