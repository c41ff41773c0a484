// SPDX-License-Identifier: MIT
/* bootstrap.h - the names this program starts with: see abi/bootstrap.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/bootstrap.h"

/* The capability of this name, or 0 when the program was not given one. */
mnos_cap_t bootstrap_cap(const char *name);

const char *bootstrap_program(void);
const char *bootstrap_arguments(void);
bool bootstrap_has_argument(const char *word);

/* What a program that was launched was called with: word `index`, from 0, or NULL past the last. A service has none:
 * its manifest's text is bootstrap_arguments(). */
const char *bootstrap_argument(uint32_t index);

/* The whole table, or NULL when it is malformed. */
const struct mnos_bootstrap *bootstrap_table(void);
