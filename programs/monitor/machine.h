// SPDX-License-Identifier: MIT
/* machine.h - Memory that the kernel exports, mapped for reading. */
#pragma once

#include "lib/mnos/bootstrap.h"

/* Maps the whole Memory of the bootstrap table's `name` once; later calls return the same address.
 * NULL, and a message for `command`, when that is not possible. */
const void *machine_memory(struct bootstrap_name name, const char *command);
