// SPDX-License-Identifier: MIT
/*
 * program.h - a running program: its process, its first thread and the memory that init pays for.
 *
 * Responsible for: making a process out of an ELF file with exact rights for every page, and taking
 * all of it back. Leaves to grants.c which capabilities the program gets.
 */
#pragma once

#include "abi/bootstrap.h"
#include "services/init/archive.h"
#include "services/init/manifest.h"

struct program {
    mnos_cap_t process; /* 0: none */
    mnos_cap_t thread;
    mnos_cap_t memory; /* bootstrap table first, then data and stack */
    uint64_t memory_pages;
};

/* Gives the new process its capabilities and lists them in `table`. */
typedef mnos_status_t program_grant(void *context, mnos_cap_t process,
                                    struct mnos_bootstrap *table);

struct program_plan {
    const struct archive *archive;
    const struct archive_member *file;
    const struct manifest_service *config;
    mnos_cap_t endpoint; /* init's own: gets the end of the process, and faults of its threads */
    uint64_t exit_events;
    mnos_badge_t fault_badge;
    uint64_t frames_quota;
    program_grant *grant;
    void *context;
};

/* Starts the program. On failure nothing is left, and what failed is in the log. */
mnos_status_t program_start_new(struct program *program, const struct program_plan *plan);

/* The word by which it shows that it works: abi/bootstrap.h. */
mnos_status_t program_alive_word(const struct program *program, uint64_t *word);

/* Destroys the process if it still lives and gives back all that was allocated for it. */
void program_release(struct program *program);
