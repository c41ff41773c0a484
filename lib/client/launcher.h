// SPDX-License-Identifier: MIT
/*
 * launcher.h - starting programs (protocols/launcher.def), by the capability "launcher" that this program was started
 * with: without it requests are MNOS_ERR_NOT_FOUND.
 *
 *   status = launcher_start(&plan, &made, &process);
 *   status = launcher_give(made.number, 0, "files", directory, MNOS_RIGHT_WRITE);
 *   status = launcher_run(made.number);
 *
 * What was made and is not to run is ended by launcher_kill(), or by the end of this process. When the launcher dies
 * its programs end: the capability `process` is dead then, and the endpoint of `plan` is told that its badge is gone.
 * Nothing here waits but for the launcher, which waits for nobody. For one thread of a program.
 */
#pragma once

#include <stddef.h>

#include "abi/bootstrap.h"
#include "protocols/launcher.h"

struct launcher_plan {
    struct launcher_start start; /* `request`, `argument_count` and `events` are filled in */
    const char *arguments;       /* words, each with its NUL */
    size_t argument_bytes;       /* at most LAUNCHER_ARGUMENTS_MAX; more is MNOS_ERR_SIZE */
    mnos_cap_t
        file; /* session of the program's file, with Grant; stays the caller's; 0: `start.file` */
    /* To be told of its end: an endpoint with Grant, the badge to mint for it and the events; or 0. */
    mnos_cap_t endpoint;
    mnos_badge_t badge;
    uint64_t events;
};

/* *process: Read and Execute, the caller's to delete. */
mnos_status_t launcher_start(struct launcher_plan *plan, struct launcher_made *made,
                             mnos_cap_t *process);
/* One capability with Grant; it stays the caller's. `sequence` counts what this program is given, from 0. */
mnos_status_t launcher_give(uint64_t number, uint32_t sequence, const char *name, mnos_cap_t cap,
                            mnos_rights_t rights);
mnos_status_t launcher_run(uint64_t number);

/* What this program has started, as manager_entry(), manager_open_process() and manager_names() for services. */
mnos_status_t launcher_entry(uint64_t index, struct manager_service *program);
mnos_status_t launcher_open_process(uint64_t index, mnos_cap_t *process);
mnos_status_t launcher_names(uint64_t index,
                             struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES],
                             unsigned *count);
/* Where one that was started with LAUNCHER_CONTROLLED listens to who has started it: Write, the caller's to delete. */
mnos_status_t launcher_open_control(uint64_t index, mnos_cap_t *control);
/* By which fault it has ended; MNOS_ERR_STATE: by none. */
mnos_status_t launcher_last_fault(uint64_t index, struct launcher_fault *fault);
/* NAME#NUMBER, or NAME when only one of that name runs. */
mnos_status_t launcher_kill(const char *name);
/* The entry of that number, and its index unless that is NULL; MNOS_ERR_END: there is none. */
mnos_status_t launcher_find(uint64_t number, struct manager_service *program, uint64_t *index);
