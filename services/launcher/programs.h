// SPDX-License-Identifier: MIT
/*
 * programs.h - the programs that the launcher knows, and whose they are.
 *
 *   FREE --programs_add--> MADE --RUN--> RUNNING --the process is dead--> ENDED
 *   MADE --its client is gone, or KILL--> FREE
 *   ENDED --its place is needed, and it is the oldest--> FREE
 *
 * T1  An entry that is not FREE has a number, and no other has the same.
 * T2  LAUNCHER_PROGRAMS_MAX entries are MADE or RUNNING at most; the rest of the table is for ended ones.
 *
 * Numbers and texts only: process.h has what the kernel knows of a program. Pure; tests/unit has it.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"
#include "lib/mnos/listener.h"
#include "protocols/launcher.h"
#include "services/launcher/process.h"

#define PROGRAMS_ENDED 16u /* are remembered at least */
#define PROGRAMS_ENTRIES (LAUNCHER_PROGRAMS_MAX + PROGRAMS_ENDED)

enum program_state { PROGRAM_FREE, PROGRAM_MADE, PROGRAM_RUNNING, PROGRAM_ENDED };

struct program {
    enum program_state state;
    uint64_t number;
    uint64_t order;     /* of START; grows */
    uint64_t owner;     /* the client's service number */
    mnos_badge_t badge; /* of the client's run that made it, */
    uint64_t request;   /* and its number for that */
    uint32_t gives;     /* GIVEs that were carried out, and what the last one met */
    mnos_status_t last_give;
    char name[MNOS_NAME_BYTES];
    uint64_t started_at_ns;
    char last_end[64];
    struct launcher_fault *fault; /* of its end, the first; NULL: none, or no memory for it */
    struct listener listener;
    struct process process;
};

struct programs {
    uint64_t next_order;
    struct program entries[PROGRAMS_ENTRIES];
};

/* A free entry, which is the caller's to fill; its state is still FREE. An ended one makes room: `drop` gives back what
 * is left of it. NULL: LAUNCHER_PROGRAMS_MAX have not ended. */
struct program *programs_place(struct programs *programs, void (*drop)(struct program *program));
/* The entry is one from now on. */
void programs_add(struct programs *programs, struct program *program);

/* What that very START has made already; NULL: nothing. */
struct program *programs_made_by(struct programs *programs, mnos_badge_t badge, uint64_t request);
/* NULL: the owner has no such program. */
struct program *programs_find(struct programs *programs, uint64_t owner, uint64_t number);
/* In the order of START, from 0; NULL past the last. */
struct program *programs_at(struct programs *programs, uint64_t owner, uint64_t index);
/* NAME#NUMBER, or the only one of that NAME which has not ended, else one that has. */
mnos_status_t programs_named(struct programs *programs, uint64_t owner, const char *name,
                             struct program **program);
/* "NAME#NUMBER"; a name is cut so that the number is there. */
void programs_name(const struct program *program, char out[MNOS_NAME_BYTES]);
/* A name from outside, with nothing in it that LIST or a command line could not have. False: nothing is left. */
bool programs_clean_name(const char from[MNOS_NAME_BYTES], char out[MNOS_NAME_BYTES]);
