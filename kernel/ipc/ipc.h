// SPDX-License-Identifier: MIT
/*
 * ipc.h - the four message system calls. Their registers are in abi/message.h; each sets the registers
 * of `current` itself, at once or when its wait ends.
 */
#pragma once

struct thread;

void ipc_send(struct thread *current);
void ipc_call(struct thread *current);
void ipc_recv(struct thread *current);
void ipc_reply(struct thread *current);
