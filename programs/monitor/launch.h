// SPDX-License-Identifier: MIT
/*
 * launch.h - programs that this monitor starts by the launcher: put together, given what they are to have, waited for.
 *
 *   if (launch_begin(&plan) && launch_give_path(...))
 *       launch_go(background);
 *
 * One program is put together at a time. What went wrong is told, and then nothing is left of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

#define LAUNCH_FRAMES 2048u /* unless something else is said */

struct launch_plan {
    const char *command;   /* in whose name failures are told */
    const char *path;      /* of the program; NULL: one that the launcher has itself */
    const char *file;      /* its name then */
    const char *name;      /* that people know it by; NULL: the last of its path */
    uint64_t frames;       /* that it may use */
    uint64_t bytes;        /* of kernel objects; 0: as most need */
    uint32_t flags;        /* enum launcher_flags */
    const char *arguments; /* words, each with its NUL */
    size_t argument_bytes;
    /* Called where it is waited for, whenever something may have happened, with NAME#NUMBER; NULL: nothing is. */
    void (*look)(const char *name);
    unsigned terminal; /* of those that people know by numbers; 0: this one */
    bool raw;          /* Ctrl-C goes to it like other keys, instead of ending it */
    bool quiet;        /* it says itself what it has to say: an exit code is not told */
};

/* False: why not was told. */
bool launch_begin(const struct launch_plan *plan);
/* A session of a file or directory, with these rights of a file (file.h), under a name; `delegate`: it may hand it on. */
bool launch_give_path(const char *name, const char *path, uint32_t rights, bool delegate);
/* Any capability with Grant; it stays the caller's. */
bool launch_give(const char *name, mnos_cap_t cap, mnos_rights_t rights);
/* It runs, with a session of the terminal as "terminal". Unless it is in the background it is waited for: until it ends, or
 * Ctrl-C ends it, or, of one in front, until Ctrl-] twice leaves it in the background. At another terminal it is in front
 * there, and not waited for, whatever is said here. */
enum launch_place {
    LAUNCH_FRONT,      /* what is typed is its, but Ctrl-C unless it is `raw` */
    LAUNCH_BEHIND,     /* it may write */
    LAUNCH_BACKGROUND, /* the same, and the prompt comes back at once */
};
void launch_go(enum launch_place place);
/* It is not to run after all. */
void launch_drop(void);

/* Whether some in the background have ended that was not told yet. */
bool launch_have_ended(void);
void launch_print_ended(void);
/* The same without telling. */
void launch_forget_ended(void);
