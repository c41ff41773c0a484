// SPDX-License-Identifier: MIT
/* linux_run.h - programs of Linux: `run` starts lx for them (personality/linux), with sessions of what the line names. */
#pragma once

#include "lib/format/elf_note.h"
#include "programs/monitor/command.h"
#include "programs/monitor/files.h"

/* Which system's program the file is; false: it cannot be read, which the launcher will tell. */
bool linux_look(const char *path, enum elf_system *system);
/* Where a program of Linux of that name is: in /disk/linux, as $PATH would have it there. */
bool linux_find(const char *name, char path[FILES_PATH_BYTES]);
/* Runs the line: options, program and arguments are its words from 1 on. `path` is that of the program, absolute, and is made
 * plain; or NULL when there are options before it. */
void linux_run(const struct words *words, char *path);
