// SPDX-License-Identifier: MIT
/* commands.h - what ext4-host can be told; see commands.c for the list. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

/* Carries out a line and prints what it answers; false: it failed, which was printed. */
bool command_run(char *line);

/* Asks about a path, of a record that has flags only. MNOS_ERR_SIZE: it is longer than the library lets one be. */
mnos_status_t command_path(uint32_t operation, const char *path, uint32_t flags);

/* attributes.c: shows kind, size and names, or the times; sets when it was modified to nanoseconds since 1970, or "now". */
mnos_status_t attributes_show(const char *path);
mnos_status_t attributes_show_times(const char *path);
mnos_status_t attributes_set_time(const char *path, const char *time);

/* random.c: so many operations by several clients at once, checked against what they should find. */
bool random_run(uint64_t seed, unsigned count);

/* hostile.c: so many requests of any form; each is answered, and no invariant breaks. */
bool hostile_run(uint64_t seed, unsigned count);

/* shares.c: one client writes so many bytes over a file, without an answer of the disk, until it has to wait; another's
 * write to the other file is carried out meanwhile. The files' data and metadata are in memory. */
mnos_status_t shares_run(const char *path, const char *other, uint64_t bytes);

/* locks.c: of two clients each locks bytes of the file, waits for the other's lock, and gets it. */
mnos_status_t locks_run(const char *path);

/* returning.c: of files that clients have open in the directory, after so many runs that mount anew, who finds what was
 * synced, and who is told that something was lost. */
mnos_status_t return_run(const char *directory, unsigned runs);
