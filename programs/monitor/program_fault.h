// SPDX-License-Identifier: MIT
/*
 * program_fault.h - what the fault of a program was that this monitor has started, in words: the registers are the launcher's to
 * tell, the names are in the program's file, which this monitor may read, or in the symbols of the initial RAM disk.
 */
#pragma once

#include "lib/client/file.h"

#define PROGRAM_PATH_BYTES 256u

/* Which file a program was started from. */
struct program_file {
    char path[PROGRAM_PATH_BYTES]; /* empty: it is longer */
    bool is_fixed;                 /* in the initial RAM disk, which does not change */
    uint64_t inode, generation, size;
    int64_t modified_ns;
};

void program_file_note(struct program_file *file, const char *path, const struct file_attr *attr);
/* One that the launcher has itself. */
void program_file_note_own(struct program_file *file, const char *name);

/* Tells the fault by which the program of that number has ended; of one that is forgotten, nothing. `file` may be NULL. */
void program_print_fault(uint64_t number, const char *name, const struct program_file *file);
