// SPDX-License-Identifier: MIT
/* clock.h - labels and the record of the clock protocol; what they mean is in clock.def. */
#pragma once

#include <stdint.h>

enum clock_request {
#define REQUEST(label, name, class, request, reply, text) CLOCK_##name = (label),
#include "clock.def"
#undef REQUEST
};

/* In UTC. A clock that does not know the date begins with 1970-01-01 00:00:00. */
struct clock_time {
    uint32_t year, month, day; /* month and day from 1 on */
    uint32_t hour, minute, second;
};
_Static_assert(sizeof(struct clock_time) == 24, "client and service agree");
