// SPDX-License-Identifier: MIT
/* inspect.h - fills the records of sys_cap_inspect (abi/inspect.h). Snapshots: nothing is stopped. */
#pragma once

#include <stdbool.h>

#include "abi/inspect.h"
#include "cap/capability.h"

struct process;
struct thread;

/* Who asks about a capability, and so what is told. */
enum inspect_as {
    INSPECT_HOLDER,    /* who holds it: physical addresses, but no other process's handles */
    INSPECT_OWN_TABLE, /* the same, going through its table: neither */
    INSPECT_TABLE, /* who holds the process with Read: from which handle of which process it was derived */
};

/* MNOS_ERR_HANDLE: it has gone meanwhile. */
mnos_status_t inspect_capability(const struct cap_view *view, enum inspect_as who,
                                 struct mnos_cap_info *info);
/* Goes through its threads in steps, with *progress, which is 0 at first; false: to be called again. */
bool inspect_process(struct process *process, uint64_t *progress, struct mnos_process_info *info);
void inspect_thread(struct thread *thread, struct mnos_thread_info *info);
/* MNOS_ERR_END: there are not so many. MNOS_ERR_STATE: not found so far, to be called again, likewise. */
mnos_status_t inspect_process_thread(struct process *process, uint64_t index, uint64_t *progress,
                                     struct mnos_thread_info *info);
/* `thread` is about to leave the list of its process. */
void inspect_thread_leaves_locked(struct process *process, const struct thread *thread);
/* The first used slot from *index on; MNOS_ERR_END: there is none. MNOS_ERR_STATE: none so far, to be called
 * again with *index as it is then. */
mnos_status_t inspect_process_cap(struct process *process, uint64_t *index, enum inspect_as who,
                                  struct mnos_cap_info *info);
