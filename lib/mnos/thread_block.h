// SPDX-License-Identifier: MIT
/*
 * thread_block.h - how a thread finds what is its own.
 *
 * The FS base of every thread is the address of its IPC buffer (GS base where thread_segment.h says so). The three words that the kernel
 * leaves to programs at the end of that page are the root of everything private to the thread:
 *
 *   reserved[0]  address of the IPC buffer itself, so that one load through FS gives a pointer
 *   reserved[1]  struct thread, or 0 in the first thread
 *   reserved[2]  the last error of a system call: see error_last() in status.h
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/message.h"
#include "lib/mnos/thread_segment.h"

#define THREAD_BLOCK_SELF 4072
#define THREAD_BLOCK_THREAD 4080
#define THREAD_BLOCK_ERROR 4088

_Static_assert(offsetof(struct mnos_ipc_buffer, reserved) == THREAD_BLOCK_SELF,
               "offset in the assembly below");

/* The IPC buffer of the calling thread. */
static inline struct mnos_ipc_buffer *ipc_buffer(void)
{
    struct mnos_ipc_buffer *buffer;

    __asm__("movq %%" THREAD_SEGMENT ":%c1, %0" : "=r"(buffer) : "i"(THREAD_BLOCK_SELF));
    return buffer;
}

/* Called once by each thread before anything else, with what the creator put in RSI. */
static inline void thread_block_init(struct mnos_ipc_buffer *buffer, void *thread)
{
    buffer->reserved[0] = (uint64_t)buffer;
    buffer->reserved[1] = (uint64_t)thread;
    buffer->reserved[2] = 0;
}
