// SPDX-License-Identifier: MIT
/* date - see date.h. Host tests compile this file as it is. */
#include "services/httpd/date.h"

#include "lib/base/string.h"
#include "services/httpd/text.h"

#define DAY_SECONDS 86400u

static const char day_names[] = "ThuFriSatSunMonTueWed"; /* 1 January 1970 was a Thursday */
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct fields {
    uint32_t year, month, day, hour, minute, second; /* month and day from 1 */
};

/*
 * Days since 1970 of a day of the Gregorian calendar, and back. Years begin in March, so that the day that a leap year
 * has more is its last; 400 of them always have 146097 days.
 */
static uint64_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t from_march = month > 2 ? month - 3 : month + 9;
    uint64_t years = month > 2 ? year : year - 1u;

    return years * 365 + years / 4 - years / 100 + years / 400 + (153 * from_march + 2) / 5 + day -
           1 - 719468;
}

static void day_of(uint64_t days, struct fields *at)
{
    uint64_t since = days + 719468, cycle = since / 146097, in_cycle = since % 146097;
    uint64_t year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
    uint64_t in_year = in_cycle - (365 * year + year / 4 - year / 100);
    uint64_t from_march = (5 * in_year + 2) / 153;

    at->day = (uint32_t)(in_year - (153 * from_march + 2) / 5 + 1);
    at->month = (uint32_t)(from_march < 10 ? from_march + 3 : from_march - 9);
    at->year = (uint32_t)(year + cycle * 400 + (at->month <= 2));
}

void date_text(char text[DATE_TEXT_BYTES], uint64_t seconds)
{
    uint64_t days = seconds / DAY_SECONDS;
    uint32_t in_day = (uint32_t)(seconds % DAY_SECONDS);
    struct text line = {.bytes = text, .room = DATE_TEXT_BYTES};
    struct fields at;

    day_of(days, &at);
    text_put(&line, day_names + days % 7 * 3, 3);
    TEXT(&line, ", ");
    text_digits(&line, at.day, 2);
    TEXT(&line, " ");
    text_put(&line, month_names + (at.month - 1) * 3, 3);
    TEXT(&line, " ");
    text_digits(&line, at.year, 4);
    TEXT(&line, " ");
    text_digits(&line, in_day / 3600, 2);
    TEXT(&line, ":");
    text_digits(&line, in_day / 60 % 60, 2);
    TEXT(&line, ":");
    text_digits(&line, in_day % 60, 2);
    TEXT(&line, " GMT");
    text_end(&line);
}

static bool read_number(const char **text, const char *end, uint32_t digits, uint32_t *value)
{
    *value = 0;
    for (; digits != 0; digits--, (*text)++) {
        if (*text == end || **text < '0' || **text > '9')
            return false;
        *value = *value * 10 + (uint32_t)(**text - '0');
    }
    return true;
}

static bool read_month(const char **text, const char *end, uint32_t *month)
{
    for (uint32_t i = 0; i < 12 && end - *text >= 3; i++)
        if (memcmp(*text, month_names + i * 3, 3) == 0) {
            *month = i + 1;
            *text += 3;
            return true;
        }
    return false;
}

static bool read_field(char which, const char **text, const char *end, struct fields *at)
{
    switch (which) {
    case 'd': return read_number(text, end, 2, &at->day);
    case 'e': /* the first digit may be a blank */
        if (*text == end || **text != ' ')
            return read_number(text, end, 2, &at->day);
        (*text)++;
        return read_number(text, end, 1, &at->day);
    case 'b': return read_month(text, end, &at->month);
    case 'Y': return read_number(text, end, 4, &at->year);
    case 'y':
        if (!read_number(text, end, 2, &at->year))
            return false;
        at->year += at->year < 70 ? 2000 : 1900;
        return true;
    case 'H': return read_number(text, end, 2, &at->hour);
    case 'M': return read_number(text, end, 2, &at->minute);
    default: return read_number(text, end, 2, &at->second);
    }
}

/* `form`: fields as `%` and their letter, and what stands for itself. */
static bool match(const char *form, const char *text, const char *end, struct fields *at)
{
    for (; *form != 0; form++)
        if (*form == '%' ? !read_field(*++form, &text, end, at) : text == end || *text++ != *form)
            return false;
    return text == end;
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    uint32_t next_year = month == 12 ? year + 1 : year, next = month == 12 ? 1 : month + 1;

    return (uint32_t)(days_of(next_year, next, 1) - days_of(year, month, 1));
}

bool date_read(const char *text, size_t bytes, uint64_t *seconds)
{
    static const char *const forms[] = {", %d %b %Y %H:%M:%S GMT", ", %d-%b-%y %H:%M:%S GMT",
                                        " %b %e %H:%M:%S %Y"};
    const char *end = text + bytes;
    struct fields at = {0};

    /* The name of the day says nothing that the rest does not. */
    while (text != end && ((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z')))
        text++;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (!match(forms[i], text, end, &at))
            continue;
        if (at.year < 1970 || at.day == 0 || at.day > days_of_month(at.year, at.month) ||
            at.hour > 23 || at.minute > 59 || at.second > 60)
            return false;
        *seconds = days_of(at.year, at.month, at.day) * DAY_SECONDS + at.hour * 3600ull +
                   at.minute * 60ull + at.second;
        return true;
    }
    return false;
}
