// SPDX-License-Identifier: MIT
/* inspect.h - fills the records of sys_cap_inspect (abi/inspect.h). Snapshots: nothing is stopped. */
#pragma once

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
void inspect_process(struct process *process, struct mnos_process_info *info);
void inspect_thread(struct thread *thread, struct mnos_thread_info *info);
/* MNOS_ERR_END: there are not so many. */
mnos_status_t inspect_process_thread(struct process *process, uint64_t index,
                                     struct mnos_thread_info *info);
/* The first used slot from *index on; MNOS_ERR_END: there is none. MNOS_ERR_STATE: none so far, to be called
 * again with *index as it is then. */
mnos_status_t inspect_process_cap(struct process *process, uint64_t *index, enum inspect_as who,
                                  struct mnos_cap_info *info);
