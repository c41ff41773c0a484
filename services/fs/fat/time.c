// SPDX-License-Identifier: MIT
/*
 * time - dates of directory entries: years since 1980, month, day, hour, minute, and seconds in steps of two
 * (Microsoft, "FAT: General Overview of On-Disk Format", "Date and Time Formats"; "exFAT file system specification",
 * 7.4.8 to 7.4.10). Where nothing says which time they are they are taken as UTC.
 */
#include "services/fs/fat/time.h"

#include <stdbool.h>

#define DAY_S 86400u
#define SECOND_NS 1000000000u
#define HUNDREDTH_NS 10000000u
#define OFFSET_STEP_S 900
#define DAYS_TO_1980 3652u /* since 1970 */
#define YEARS 128u
#define HUNDREDTHS 200u
#define FIRST_STAMP (1u << 21 | 1u << 16)
#define LAST_STAMP (127u << 25 | 12u << 21 | 31u << 16 | 23u << 11 | 59u << 5 | 29u)

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

static uint32_t stamp_of(uint32_t days, uint32_t rest)
{
    uint32_t years, month = 0;

    days -= DAYS_TO_1980;
    years = days / 366;
    while (days_before(years + 1) <= days)
        years++;
    days -= days_before(years);
    while (days_before_month(years, month + 1) <= days)
        month++;
    days -= days_before_month(years, month);
    return years << 25 | (month + 1) << 21 | (days + 1) << 16 | rest / 3600 << 11 |
           rest / 60 % 60 << 5 | rest % 60 / 2;
}

struct fatfs_time fat_time_from_ns(uint64_t ns)
{
    uint64_t seconds = ns / SECOND_NS, days = seconds / DAY_S;

    if (days < DAYS_TO_1980)
        return (struct fatfs_time){.stamp = FIRST_STAMP, .offset = FATFS_OFFSET_VALID};
    if (days >= DAYS_TO_1980 + days_before(YEARS))
        return (struct fatfs_time){LAST_STAMP, HUNDREDTHS - 1, FATFS_OFFSET_VALID};
    return (struct fatfs_time){
        .stamp = stamp_of((uint32_t)days, (uint32_t)(seconds % DAY_S)),
        .hundredths = (uint8_t)(ns % (2ull * SECOND_NS) / HUNDREDTH_NS),
        .offset = FATFS_OFFSET_VALID,
    };
}

/* How far the clock of an entry is ahead of UTC. */
static int64_t offset_s(uint8_t offset)
{
    int64_t steps = offset & 0x7F;

    if ((offset & FATFS_OFFSET_VALID) == 0)
        return 0;
    return (steps < 0x40 ? steps : steps - 0x80) * OFFSET_STEP_S;
}

uint64_t fat_time_to_ns(struct fatfs_time time)
{
    uint32_t stamp = time.stamp, years = stamp >> 25, month = stamp >> 21 & 15;
    uint32_t day = stamp >> 16 & 31,
             hundredths = time.hundredths < HUNDREDTHS ? time.hundredths : 0;
    uint64_t days, seconds;

    if (month == 0 || month > 12 || day == 0)
        return 0; /* no date */
    days = DAYS_TO_1980 + days_before(years) + days_before_month(years, month - 1) + day - 1;
    seconds = days * DAY_S + (stamp >> 11 & 31) * 3600 + (stamp >> 5 & 63) * 60 + (stamp & 31) * 2;
    return (seconds - (uint64_t)offset_s(time.offset)) * SECOND_NS +
           (uint64_t)hundredths * HUNDREDTH_NS;
}
