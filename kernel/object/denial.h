// SPDX-License-Identifier: MIT
/*
 * denial.h - what the kernel has refused a process: the last calls that failed for want of a capability, a right, or quota.
 * They are kept in the process object, of whose memory they are a part, and only a call that fails touches them.
 */
#pragma once

#include "abi/inspect.h"
#include "object/result.h"

struct process;
struct thread;

struct denials {
    uint64_t count; /* ever; the last is at (count - 1) % MNOS_DENIALS_KEPT */
    struct mnos_denial kept[MNOS_DENIALS_KEPT];
};

/* The system call in the registers of `thread` fails with `why`, which says the argument at fault. Any result may come:
 * what is no denial is passed over. Hold no lock. */
void denial_note(const struct thread *thread, result_t why);
/* The same of one capability among those of its message. */
void denial_note_cap(const struct thread *thread, mnos_cap_t handle, result_t why);

/* Number `index`, the latest being 0. MNOS_ERR_END: there are not so many. */
mnos_status_t denial_get(struct process *process, uint64_t index, struct mnos_denial *denial);
