// SPDX-License-Identifier: MIT
/* launcher.h - labels and records of the service that starts programs; what they mean is in launcher.def. */
#pragma once

#include <stdint.h>

#include "abi/fault.h"
#include "abi/types.h"
#include "protocols/manager.h"

enum launcher_request {
#define REQUEST(label, name, class, request, reply, text) LAUNCHER_##name = (label),
#include "protocols/launcher.def"
#undef REQUEST
};
_Static_assert((int)LAUNCHER_LIST == (int)MANAGER_LIST &&
                   (int)LAUNCHER_PROCESS == (int)MANAGER_PROCESS &&
                   (int)LAUNCHER_KILL == (int)MANAGER_KILL &&
                   (int)LAUNCHER_NAMES == (int)MANAGER_NAMES,
               "one client library asks both");

#define LAUNCHER_PROGRAMS_MAX 64u /* that have not ended */
#define LAUNCHER_ARGUMENTS_MAX 3900u
#define LAUNCHER_STACK_PAGES_MIN 8u /* the loader runs on it */
#define LAUNCHER_STACK_PAGES_MAX 256u
#define LAUNCHER_GIVE_MAX 4u

enum launcher_flags {
    /* The program gets "events" (Read, Write, Grant): an endpoint to wait at, where MANAGER_EVENT_PEER_RESTARTED is
     * set when a service has been started again. */
    LAUNCHER_EVENTS = 1,
    /* The program gets "control" (Read, Write, Grant): an endpoint to wait at, to which who has started it may send, with
     * LAUNCHER_BADGE_CONTROL: request CONTROL. */
    LAUNCHER_CONTROLLED = 2,
    LAUNCHER_FLAGS_ALL = 3,
};

/* The program gives others badges below. */
#define LAUNCHER_BADGE_CONTROL (1ull << 63)

struct launcher_start {
    uint64_t
        request; /* the client's number for this START, not 0 and never used again by this run of it */
    char name[MNOS_NAME_BYTES]; /* for people; need not be unique */
    char file
        [MNOS_NAME_BYTES]; /* a program that the launcher has from the manifest; empty: a capability comes along */
    uint64_t frames;      /* 4 KiB frames, for all that the program is and uses */
    uint64_t bytes;       /* of kernel objects and capability slots */
    uint64_t events;      /* of its end; 0 when no endpoint comes along */
    uint32_t priority;    /* its ceiling, too */
    uint32_t stack_pages; /* LAUNCHER_STACK_PAGES_MIN to _MAX */
    uint32_t flags;       /* enum launcher_flags */
    uint32_t
        argument_count; /* words that follow, each with its NUL; at most LAUNCHER_ARGUMENTS_MAX bytes */
};
_Static_assert(sizeof(struct launcher_start) == 96, "shared between programs");

struct launcher_number {
    uint64_t number; /* the id of the process: never used again */
};

/* What START has made. */
struct launcher_made {
    uint64_t number;
    char name[MNOS_NAME_BYTES]; /* NAME#NUMBER, as LIST has it and KILL takes it */
};
_Static_assert(sizeof(struct launcher_made) == 32, "shared between programs");

/* The first fault of a program's end, for who tells what it was (lib/server/fault_report.h). */
#define LAUNCHER_FAULT_WORDS 64u
struct launcher_fault {
    uint64_t time_ns; /* when it faulted */
    uint64_t
        stack_address; /* the lowest of its first thread's stack, below which nothing is mapped */
    uint32_t stack_pages;
    uint32_t word_count;
    struct mnos_fault what;
    /* Those words of that stack, from its pointer on, that can be addresses of a program's code; the first so many. */
    uint64_t words[LAUNCHER_FAULT_WORDS];
};
_Static_assert(sizeof(struct launcher_fault) == 728, "shared between programs");

struct launcher_give {
    uint64_t number;
    uint32_t sequence; /* of the GIVEs of this program, from 0 */
    uint32_t reserved;
    uint32_t rights[LAUNCHER_GIVE_MAX];
    char names[LAUNCHER_GIVE_MAX][MNOS_NAME_BYTES]; /* as many as capabilities; each with its NUL */
};
_Static_assert(sizeof(struct launcher_give) == 128, "shared between programs");

/* How a program ends that could not be loaded: the code is LAUNCHER_NOT_LOADED, a step in bits 16 to 31, and below
 * that what the step met. The program could say so by itself; it is for people. */
#define LAUNCHER_NOT_LOADED 0x4C4F414400000000ull
enum launcher_step {
    LAUNCHER_STEP_READ = 1,   /* the file: a status */
    LAUNCHER_STEP_FORMAT = 2, /* enum elf_error */
    LAUNCHER_STEP_MEMORY = 3, /* memory for it: a status */
};
