// SPDX-License-Identifier: MIT
/* clock.h - what day it is: protocols/clock.h. Nothing here waits, or needs a system call after the first one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

/* When the machine began, in nanoseconds since 1970 by UTC: as a time server has said it last, if this program may read the
 * region `clock`, or as the loader has read it. 0: nobody knows. Two calls may differ, in either direction. */
int64_t clock_boot_ns(void);
/* What time it is by that, from nanoseconds since boot. */
static inline uint64_t clock_date_ns(uint64_t since_boot_ns)
{
    return (uint64_t)clock_boot_ns() + since_boot_ns;
}

/* Whether a time server has said it, and when it last did so, since boot. */
bool clock_is_said(uint64_t *said_ns);

/* The other two do this by themselves, and take the loader's word when it fails: maps the page, unless that is done, or this
 * program may not read it. */
mnos_status_t clock_open(void);
/* In a copy of a process, which has its variables and not its mappings, and a bootstrap table of its own: maps the page
 * where it was. */
mnos_status_t clock_forked(void);
