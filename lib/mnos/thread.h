// SPDX-License-Identifier: MIT
/*
 * thread.h - further threads of this process, each with a stack between unmapped guard pages.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"
#include "lib/mnos/memory.h"

typedef void thread_function(void *argument);

/* Owned by whoever creates the thread; has to live until thread_join() has returned. */
struct thread {
    thread_function *function;
    void *argument;
    mnos_cap_t thread;
    mnos_cap_t ended;  /* endpoint that gets an event when the function has returned */
    mnos_cap_t memory; /* of the stack */
    uint64_t address;  /* of the reserved range */
    uint64_t stack_pages;
};

/* `priority` at most the ceiling of the process; `affinity` a core, or MNOS_AFFINITY_ANY. */
mnos_status_t thread_create(struct thread *thread, const char *name, thread_function *function,
                            void *argument, uint64_t stack_pages, uint32_t priority,
                            uint32_t affinity);

/* Waits until the thread's function has returned, then frees all it used. One caller only. */
mnos_status_t thread_join(struct thread *thread, uint64_t deadline_ns);

/* Ends the thread wherever it is, and frees all it used. For one that holds no lock and whose
 * function does not return by itself: a call that has been received and not answered fails with
 * MNOS_ERR_PEER. */
void thread_destroy(struct thread *thread);
