// SPDX-License-Identifier: MIT
/* date.h - seconds since 1970, or before it, as the day and the time of the Gregorian calendar, in UTC. */
#pragma once

#include <stdint.h>

struct date {
    uint32_t year;
    uint32_t month, day; /* from 1 */
    uint32_t hour, minute, second;
};

/* From the year 1 to 9999; what is outside is the first or the last second of that. */
void date_of(int64_t unix_s, struct date *date);

#define DATE_WORDS_BYTES 32

/* "2026-11-29 09:02:11 UTC", of nanoseconds since 1970 or before it. Returns `text`. */
const char *date_words(char text[DATE_WORDS_BYTES], int64_t at_ns);
