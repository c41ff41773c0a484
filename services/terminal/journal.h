// SPDX-License-Identifier: MIT
/* journal.h - the kernel's log, read as it grows: abi/log.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/log.h"
#include "abi/types.h"

struct journal {
    const struct mnos_log *log; /* NULL: there is none */
    uint64_t at;                /* what has been read so far */
};

/* The log behind a capability with Read, from its oldest line on; where there is none, or no such, nothing is ever read. */
void journal_open(struct journal *journal, mnos_cap_t log);
/* What has been written since, as a terminal wants its lines ended: at most `size` bytes, at least 2; 0: nothing. What the kernel
 * has overwritten meanwhile is left out. */
size_t journal_read(struct journal *journal, char *out, size_t size);
