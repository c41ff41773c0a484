// SPDX-License-Identifier: MIT
/* date - see date.h. */
#include "lib/format/date.h"

#include "lib/base/printf.h"
#include "lib/base/unix_time.h"

#define DAY_S 86400
#define FIRST_S (-62135596800ll) /* 0001-01-01 00:00:00 */
#define LAST_S 253402300799ll    /* 9999-12-31 23:59:59 */
/* Years are counted from the first of March, so that the day that some have more is their last: 719,468 days are from that of
 * the year 0 to 1970, and 400 years always have as many. */
#define DAYS_TO_1970 719468
#define DAYS_OF_400_YEARS 146097u

void date_of(int64_t unix_s, struct date *date)
{
    int64_t within = unix_s < FIRST_S ? FIRST_S : unix_s > LAST_S ? LAST_S : unix_s;
    uint64_t seconds = (uint64_t)(within + (int64_t)DAYS_TO_1970 * DAY_S); /* from that of 0 on */
    uint32_t days = (uint32_t)(seconds / DAY_S), rest = (uint32_t)(seconds % DAY_S);
    uint32_t of_400 = days % DAYS_OF_400_YEARS;
    /* Leap days so far are taken off: one in 4 years, but not in 100, but in 400. */
    uint32_t year = (of_400 - of_400 / 1460 + of_400 / 36524 - of_400 / 146096) / 365;
    uint32_t day = of_400 - (365 * year + year / 4 - year / 100);
    /* From March on months have 31, 30, 31, 30, 31 days, and again: 153 in five. */
    uint32_t month = (5 * day + 2) / 153;

    date->day = day - (153 * month + 2) / 5 + 1;
    date->month = month < 10 ? month + 3 : month - 9;
    date->year = days / DAYS_OF_400_YEARS * 400 + year + (month < 10 ? 0 : 1);
    date->hour = rest / 3600;
    date->minute = rest / 60 % 60;
    date->second = rest % 60;
}

const char *date_words(char text[DATE_WORDS_BYTES], int64_t at_ns)
{
    struct date date;

    date_of(unix_time_of(at_ns).seconds, &date);
    mnos_snprintf(text, DATE_WORDS_BYTES, "%u-%02u-%02u %02u:%02u:%02u UTC", date.year, date.month,
                  date.day, date.hour, date.minute, date.second);
    return text;
}
