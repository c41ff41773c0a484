// SPDX-License-Identifier: MIT
/* commands.h - what ext4-host can be told; see commands.c for the list. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Carries out a line and prints what it answers; false: it failed, which was printed. */
bool command_run(char *line);

/* random.c: so many operations by several clients at once, checked against what they should find. */
bool random_run(uint64_t seed, unsigned count);

/* hostile.c: so many requests of any form; each is answered, and no invariant breaks. */
bool hostile_run(uint64_t seed, unsigned count);
