// SPDX-License-Identifier: MIT
/*
 * process.h - the process of a program: made, given capabilities, begun, ended, and all of it taken back.
 *
 * The launcher allocates what a program needs before it can allocate for itself,
 *
 *   bootstrap table | arguments | data of the loader | stack
 *
 * which is taken off the frames that the program may have. The program's file it never sees: programs/loader reads it
 * in the new process.
 */
#pragma once

#include "abi/bootstrap.h"
#include "abi/inspect.h"
#include "lib/format/elf.h"
#include "protocols/launcher.h"

struct process {
    mnos_cap_t process; /* 0: none */
    mnos_cap_t thread;
    mnos_cap_t memory;              /* the bootstrap table first */
    mnos_cap_t endpoint;            /* its own, with LAUNCHER_EVENTS */
    mnos_cap_t control;             /* likewise, with LAUNCHER_CONTROLLED, */
    mnos_cap_t controller;          /* and what its client is given of it */
    struct mnos_bootstrap *filling; /* the launcher's mapping of the first pages, until it runs */
    uint64_t filled_pages, stack_pages;
    uint32_t priority;
};

/* The program that loads others, in the initial RAM disk. */
struct loader {
    mnos_cap_t memory; /* Read and Execute */
    struct elf_image image;
    uint64_t data_pages; /* of segments that each process needs for itself */
};

/* Maps and checks it; what is wrong is in the log. */
mnos_status_t loader_open(struct loader *loader, mnos_cap_t memory);

/* Maps it into the process; what it writes to is in the process' memory from page `first` on, and is filled in. */
mnos_status_t loader_map(const struct loader *loader, const struct process *process,
                         uint64_t first);

/* What it says by its end when a file is no program; false: that is not how this process has ended. */
bool loader_end_text(const struct mnos_process_info *info, char *out, size_t size);

struct process_plan {
    const struct loader *loader;
    const struct launcher_start *start; /* checked */
    const char *name;
    const char *arguments;
    uint32_t argument_bytes;
    mnos_cap_t image;           /* of the program's file, with Grant: a session, or its pages */
    mnos_rights_t image_rights; /* that the loader needs */
    mnos_cap_t exit_endpoint;
    uint64_t exit_events;
    mnos_badge_t fault_badge; /* by which its faults come to the same endpoint */
};

/* On failure nothing is left. */
mnos_status_t process_make(struct process *process, const struct process_plan *plan,
                           uint64_t *number);

/* MNOS_ERR_EXISTS, MNOS_ERR_END; else what sys_cap_transfer() says. The capability stays the caller's. */
mnos_status_t process_give(struct process *process, const char *name, mnos_cap_t cap,
                           mnos_rights_t rights);

/* On failure it has not begun, and can only be released. */
mnos_status_t process_run(struct process *process, const struct loader *loader);

/* It is dead: gives back all that was allocated for it. What is left is its Process capability, which tells how it ended,
 * and those of others below it. */
void process_finish(struct process *process);

/* Destroys the process if it still lives, and gives back all of it. */
void process_release(struct process *process);
