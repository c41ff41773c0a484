// SPDX-License-Identifier: MIT
/* invariants.h - checks of the kernel's structures; each panics when something is not as it should be. */
#pragma once

#include "cap/captable.h"
#include "cap/derive.h"
#include "core.h"
#include "lib/base/tree.h"
#include "vm/aspace.h"
#include "object/endpoint.h"
#include "object/memory.h"
#include "object/process.h"
#include "sched/runqueue.h"

/* Order and balance. */
void tree_check(const struct tree *tree);
void thread_queue_check(const struct thread_queue *queue);
void runqueue_check(const struct runqueue *queue);
void work_check(const struct core *core);
/* C3 to C6 for all capabilities to `object`. */
void cap_tree_check(struct kobject *object);
void captable_check(struct captable *table);
void aspace_check(struct aspace *aspace);
void memory_check(const struct memory *memory);
void endpoint_check(struct endpoint *endpoint);
/* Its table and address space too. */
void process_check(struct process *process);

/* host/frame.c: that bitmap and counters agree; and gives what this core caches back to the bitmap. */
void frame_check(void);
void frame_trim(void);
/* host/slab.c: that every cache's free lists and counts agree; and returns this core's magazines and
 * every empty slab to the frame allocator. */
void slab_check(void);
void slab_trim(void);
