// SPDX-License-Identifier: MIT
/* date.h - seconds since 1970 as the day and the time of the Gregorian calendar, in UTC. */
#pragma once

#include <stdint.h>

struct date {
    uint32_t year;
    uint32_t month, day; /* from 1 */
    uint32_t hour, minute, second;
};

/* Up to the year 9999; what is later is its last second. */
void date_of(uint64_t unix_s, struct date *date);
