// SPDX-License-Identifier: MIT
/*
 * fastpath.h - the common cases of a call and of its reply, straight through: both messages in
 * registers, one server waiting, nothing else to decide. Each function first looks whether the case
 * is the common one; if not it has changed nothing and returns false, and ipc.c does it.
 */
#pragma once

#include <stdbool.h>

struct thread;

/* sys_ipc_call to a server that waits: the server runs next, on this core, as the caller would. */
bool ipc_call_fast(struct thread *current);
/* sys_ipc_reply to the only caller of this thread, then waiting for the next: the caller runs next. */
bool ipc_reply_fast(struct thread *current);
