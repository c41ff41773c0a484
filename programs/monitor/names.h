// SPDX-License-Identifier: MIT
/* names.h - who is who: the names of processes, threads and endpoints, by the ids that the kernel tells. */
#pragma once

#include "programs/monitor/tasks.h"
#include "programs/monitor/waits.h"

/* Of these processes; valid until the next call. What has no room has no name. */
const struct wait_names *names_collect(const struct process_list *processes);
