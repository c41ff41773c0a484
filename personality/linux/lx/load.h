// SPDX-License-Identifier: MIT
/* load.h - makes the program of a file the program of this process. */
#pragma once

#include "lib/mnos/memory.h"
#include "personality/linux/lx/files.h"
#include "personality/linux/lx/start_stack.h"

struct load {
    struct open_file *file; /* of the program: the reference is load_enter()'s */
    const char *path;       /* as the program is told */
    const char *arguments[START_WORDS_MAX];
    const char *environment[START_WORDS_MAX];
    uint32_t argument_count, environment_count;
    struct memory_block words; /* where they lie; no pages: in memory that stays */
};

/* Whether the file can be a program, and which it is in the end, of a script. On an error the file is closed. */
int64_t load_check(struct load *load);

/* Maps it and enters it, and gives `words` back. Returns only when it cannot be a program, with an error; then nothing of it
 * is mapped. */
int64_t load_enter(struct load *load);

/* The file of a path of the program, to be loaded. */
int64_t load_open(const char *path, struct open_file **file);
