// SPDX-License-Identifier: MIT
/*
 * time - dates of directory entries: years since 1980, month, day, hour, minute, and seconds in steps of two
 * (Microsoft, "FAT: General Overview of On-Disk Format", "Date and Time Formats"). They are taken as UTC, as
 * nothing says which time they are.
 */
#include "services/fs/fat/time.h"

#include <stdbool.h>

#define DAY_S 86400u
#define DAYS_TO_1980 3652u /* since 1970 */

static const uint16_t before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool is_leap(uint32_t years)
{
    return years % 4 == 0 && years != 120; /* 2100 is none */
}

/* Days from 1980 to the first of the year that is so many years later. */
static uint32_t days_before(uint32_t years)
{
    return years * 365 + (years + 3) / 4 - (years > 120);
}

static uint32_t days_before_month(uint32_t years, uint32_t month)
{
    return before_month[month] + (month >= 2 && is_leap(years));
}

uint32_t fat_time_from_ns(uint64_t ns)
{
    uint64_t seconds = ns / 1000000000;
    uint32_t days = (uint32_t)(seconds / DAY_S), rest = (uint32_t)(seconds % DAY_S);
    uint32_t years, month = 0;

    if (days < DAYS_TO_1980)
        return 1u << 21 | 1u << 16;
    days -= DAYS_TO_1980;
    years = days / 366;
    while (days_before(years + 1) <= days)
        years++;
    if (years > 127)
        return 127u << 25 | 12u << 21 | 31u << 16 | 23u << 11 | 59u << 5 | 29u;
    days -= days_before(years);
    while (days_before_month(years, month + 1) <= days)
        month++;
    days -= days_before_month(years, month);
    return years << 25 | (month + 1) << 21 | (days + 1) << 16 | rest / 3600 << 11 |
           rest / 60 % 60 << 5 | rest % 60 / 2;
}

uint64_t fat_time_to_ns(uint32_t time)
{
    uint32_t years = time >> 25, month = time >> 21 & 15, day = time >> 16 & 31;
    uint64_t days;

    if (month == 0 || month > 12 || day == 0)
        return 0; /* no date */
    days = DAYS_TO_1980 + days_before(years) + days_before_month(years, month - 1) + day - 1;
    return (days * DAY_S + (time >> 11 & 31) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2) *
           1000000000;
}
