// SPDX-License-Identifier: MIT
/* test_date - days of 10,000 years against the C library of this machine. */
#include "tests/unit/unit.h"

#include <time.h>

#include "lib/format/date.h"

TEST(date, each_day_is_that_of_the_c_library)
{
    for (int64_t seconds = -62135596800; seconds < 253402300800; seconds += 86400 * 3 + 3607) {
        time_t at = (time_t)seconds;
        struct date date;
        struct tm expected;

        date_of(seconds, &date);
        CHECK(gmtime_r(&at, &expected) != NULL);
        CHECK_EQ(date.year, (uint32_t)expected.tm_year + 1900);
        CHECK_EQ(date.month, (uint32_t)expected.tm_mon + 1);
        CHECK_EQ(date.day, (uint32_t)expected.tm_mday);
        CHECK_EQ(date.hour, (uint32_t)expected.tm_hour);
        CHECK_EQ(date.minute, (uint32_t)expected.tm_min);
        CHECK_EQ(date.second, (uint32_t)expected.tm_sec);
    }
}

TEST(date, there_is_a_first_and_a_last_second)
{
    struct date date;

    date_of(INT64_MIN, &date);
    CHECK_EQ(date.year, 1);
    CHECK_EQ(date.month, 1);
    CHECK_EQ(date.day, 1);
    CHECK_EQ(date.hour + date.minute + date.second, 0);
    date_of(-1, &date);
    CHECK_EQ(date.year, 1969);
    CHECK_EQ(date.day, 31);
    CHECK_EQ(date.second, 59);
    date_of(INT64_MAX, &date);
    CHECK_EQ(date.year, 9999);
    CHECK_EQ(date.month, 12);
    CHECK_EQ(date.day, 31);
    CHECK_EQ(date.second, 59);
    date_of(951782400, &date); /* a leap day of a year of 400 */
    CHECK_EQ(date.year, 2000);
    CHECK_EQ(date.month, 2);
    CHECK_EQ(date.day, 29);
}

TEST(date, as_text_it_is_as_iso_8601_writes_it)
{
    char text[DATE_WORDS_BYTES];

    CHECK_STR_EQ(date_words(text, 1795942931999999999), "2026-11-29 09:02:11 UTC");
    CHECK_STR_EQ(date_words(text, -1), "1969-12-31 23:59:59 UTC");
    CHECK_STR_EQ(date_words(text, INT64_MIN), "1677-09-21 00:12:43 UTC");
    CHECK_STR_EQ(date_words(text, INT64_MAX), "2262-04-11 23:47:16 UTC");
}
