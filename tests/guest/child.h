// SPDX-License-Identifier: MIT
/*
 * child.h - child processes that run functions of the test program, for what only another process can
 * show: faults, rights, death.
 *
 * A child has the code and constants of the program's file, mapped from the initial RAM disk, fresh
 * copies of its variables, a stack, and no capability but those that it is given. Its function is
 * called with up to four values; what it returns is the exit code of the process.
 */
#pragma once

#include "tests/guest/scene.h"

typedef uint64_t child_function(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

struct child {
    mnos_cap_t process;
    mnos_cap_t thread;
    mnos_cap_t ended;  /* endpoint that gets an event when the process has ended */
    mnos_cap_t memory; /* variables and stack: this process's, and given back with child_drop() */
};

/* A process that has everything but a thread. The children of children cannot call these: they have no
 * RAM disk. */
bool child_create(struct child *child);
/* The same, and its faults go to `fault_endpoint`; 0: to nobody. */
bool child_create_watched(struct child *child, mnos_cap_t fault_endpoint);
/* Gives it a capability; returns the handle that it has there. */
mnos_cap_t child_give(const struct child *child, mnos_cap_t cap, mnos_rights_t rights);
/* Its thread, on any core or on one. */
bool child_start(struct child *child, child_function *function, uint64_t a, uint64_t b, uint64_t c,
                 uint64_t d);
bool child_start_at(struct child *child, child_function *function, uint64_t a, uint64_t b,
                    uint32_t priority, uint32_t affinity);
/* A second thread, with a stack and a buffer of its own. */
bool child_start_beside(const struct child *child, child_function *function, uint64_t a,
                        uint32_t priority, uint32_t affinity, mnos_cap_t *thread);
/* Waits for the end; tells how it ended. */
struct mnos_process_info child_wait(const struct child *child);
/* Checks that it ended by returning, and returns what. */
uint64_t child_result(const struct child *child);
/* Ends it when it lives, and gives back all that was made for it. */
void child_drop(struct child *child);

/* All of the above for a child that needs no capability; returns how it ended. */
struct mnos_process_info child_run(child_function *function, uint64_t a, uint64_t b, uint64_t c,
                                   uint64_t d);

/* In struct mnos_process_info.exit_code after MNOS_EXIT_FAULT. */
#define VECTOR_OF(code) ((uint32_t)((code) >> 32))
#define ERROR_OF(code) ((uint32_t)(code))
