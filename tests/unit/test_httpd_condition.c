// SPDX-License-Identifier: MIT
/* test_httpd_condition - what a request wants of a file, by what the client knows of it, and dates. */
#include "tests/unit/unit.h"

#include <string.h>

#include "services/httpd/condition.c"
#define match date_match
#define read_number date_read_number
#include "services/httpd/date.c"
#undef match
#undef read_number

#define SECOND 1000000000ull
#define SIZE 1000u

static struct request asked;
static struct validator known;
static uint64_t first, count;

static void ask(enum request_field_name name, const char *text)
{
    asked.fields[name].bytes = (uint16_t)strlen(text);
    memcpy(asked.fields[name].text, text, strlen(text));
}

/* What comes of all that is asked. */
static uint32_t status(void)
{
    return condition_status(&asked, &known, SIZE, &first, &count);
}

/* One header, and what comes of it. */
static uint32_t status_of(enum request_field_name name, const char *text)
{
    asked = (struct request){.method = METHOD_GET};
    ask(name, text);
    return status();
}

static void know(void)
{
    known = (struct validator){.tag = "\"a-1\"", .modified_s = 784111777};
}

static bool part_is(const char *range, uint64_t from, uint64_t bytes)
{
    return status_of(FIELD_RANGE, range) == 206 && first == from && count == bytes;
}

TEST(httpd_condition, one_range_is_what_its_text_says)
{
    know();
    CHECK(part_is("bytes=0-0", 0, 1));
    CHECK(part_is("bytes=10-19", 10, 10));
    CHECK(part_is("bytes=990-", 990, 10));
    CHECK(part_is("bytes=990-5000", 990, 10));
    CHECK(part_is("bytes=-10", 990, 10));
    CHECK(part_is("bytes=-5000", 0, SIZE));
    CHECK(part_is("bytes=0-99999999999999999999999999", 0, SIZE));
    CHECK_EQ(status_of(FIELD_RANGE, "bytes=1000-"), 416);
    CHECK_EQ(status_of(FIELD_RANGE, "bytes=99999999999999999999999999-"), 416);
    CHECK_EQ(status_of(FIELD_RANGE, "bytes=-0"), 416);
    /* Behind 64 bits, by one and by more: nothing goes round. */
    CHECK_EQ(status_of(FIELD_RANGE, "bytes=18446744073709551616-"), 416);
    CHECK_EQ(status_of(FIELD_RANGE, "bytes=18446744073709551619-18446744073709551619"), 416);
    CHECK_EQ(status_of(FIELD_RANGE, "bytes=184467440737095516190-"), 416);
    CHECK(part_is("bytes=7-18446744073709551616", 7, SIZE - 7));
    CHECK(part_is("bytes=-18446744073709551616", 0, SIZE));
}

TEST(httpd_condition, what_is_no_range_or_several_is_all_of_it)
{
    static const char *const whole[] = {
        "bytes=",    "bytes=-",    "bytes=5-4",   "bytes=1-2,4-5", "lines=1-2",           "bytes",
        "bytes=a-b", "bytes=1-2x", "bytes=0x1-2", "bytes 1-2",     "bytes=1-2, bytes=3-4"};

    know();
    for (unsigned i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        CHECK_EQ(status_of(FIELD_RANGE, whole[i]), 200);
        CHECK(first == 0 && count == SIZE);
    }
    asked = (struct request){.method = METHOD_HEAD};
    ask(FIELD_RANGE, "bytes=1-2");
    CHECK_EQ(status(), 200);
    asked.method = METHOD_GET;
    asked.fields[FIELD_RANGE].cut = true;
    CHECK_EQ(status(), 200);
}

TEST(httpd_condition, tags_are_compared_as_the_header_has_it)
{
    know();
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "\"a-1\""), 304);
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "W/\"a-1\""), 304);
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "\"x\", \"y,\" ,\"a-1\""), 304);
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "*"), 304);
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "\"a-2\""), 200);
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "\"a-1"), 200);
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "a-1"), 200);
    CHECK_EQ(status_of(FIELD_IF_MATCH, "\"a-1\""), 200);
    CHECK_EQ(status_of(FIELD_IF_MATCH, "*"), 200);
    CHECK_EQ(status_of(FIELD_IF_MATCH, "W/\"a-1\""), 412);
    CHECK_EQ(status_of(FIELD_IF_MATCH, "\"b\""), 412);
    known.tag[0] = 0; /* nothing is known of it, and so nothing is the same */
    CHECK_EQ(status_of(FIELD_IF_NONE_MATCH, "\"\""), 200);
    CHECK_EQ(status_of(FIELD_IF_MATCH, "\"\""), 412);
}

TEST(httpd_condition, a_header_that_is_too_long_makes_nothing_known_and_refuses)
{
    know();
    asked = (struct request){.method = METHOD_GET};
    ask(FIELD_IF_NONE_MATCH, "\"a-1\"");
    asked.fields[FIELD_IF_NONE_MATCH].cut = true;
    CHECK_EQ(status(), 200);
    ask(FIELD_IF_MATCH, "\"a-1\"");
    asked.fields[FIELD_IF_MATCH].cut = true;
    CHECK_EQ(status(), 412);
}

TEST(httpd_condition, dates_count_when_there_are_no_tags)
{
    know();
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT"), 304);
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT"), 200);
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "yesterday"), 200);
    CHECK_EQ(status_of(FIELD_IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT"), 412);
    CHECK_EQ(status_of(FIELD_IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT"), 200);
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT"), 304);
    ask(FIELD_IF_NONE_MATCH, "\"other\""); /* the tag goes before */
    CHECK_EQ(status(), 200);
    known.modified_s = 0;
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT"), 200);
}

TEST(httpd_condition, a_part_is_of_the_state_that_the_client_has)
{
    know();
    asked = (struct request){.method = METHOD_GET};
    ask(FIELD_RANGE, "bytes=1-2");
    ask(FIELD_IF_RANGE, "\"a-1\"");
    CHECK_EQ(status(), 206);
    ask(FIELD_IF_RANGE, "\"a-2\"");
    CHECK_EQ(status(), 200);
    ask(FIELD_IF_RANGE, "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK_EQ(status(), 200);
}

TEST(httpd_condition, what_may_change_within_its_time_has_no_tag)
{
    struct validator_source source = {.inode = 1,
                                      .size = 3,
                                      .modified_ns = 1700000004 * SECOND,
                                      .changed_ns = 1700000004 * SECOND,
                                      .dating_s = 1700000004,
                                      .now_s = 1700000004};
    struct validator made;

    validator_make(&made, &source);
    CHECK(made.tag[0] == 0 && made.modified_s == 1700000004);
    source.dating_s++;
    validator_make(&made, &source);
    CHECK(made.tag[0] == 0);
    source.dating_s++;
    validator_make(&made, &source);
    CHECK(made.tag[0] != 0);
    source.dating_s = 1700000004;
    source.modified_ns = 990000000 * SECOND; /* which somebody has set in this second */
    validator_make(&made, &source);
    CHECK(made.tag[0] == 0 && made.modified_s == 990000000);
    source.changed_ns++; /* a clock that is finer */
    validator_make(&made, &source);
    CHECK(made.tag[0] != 0);
}

TEST(httpd_condition, a_file_is_known_by_its_numbers_and_times)
{
    struct validator_source source = {.inode = 1,
                                      .size = 3,
                                      .modified_ns = 1700000005 * SECOND,
                                      .changed_ns = 1700000006 * SECOND};
    struct validator one, other;

    validator_make(&one, &source); /* there is no clock */
    CHECK(one.tag[0] == 0 && one.modified_s == 0);
    source.dating_s = 1700000010;
    source.now_s = 1700000010;
    validator_make(&one, &source);
    CHECK_EQ(one.modified_s, 1700000005);
    source.changed_ns++;
    validator_make(&other, &source);
    CHECK(strcmp(one.tag, other.tag) != 0);
    source.modified_ns = 990000000 * SECOND; /* 2001 is a date as any other */
    validator_make(&other, &source);
    CHECK(other.tag[0] != 0);
    CHECK_EQ(other.modified_s, 990000000);
    source.modified_ns = 1800000000 * SECOND; /* by a clock that was ahead */
    validator_make(&other, &source);
    CHECK(other.tag[0] != 0 && other.modified_s == 0);
    source.changed_ns++; /* it has other bytes, and somebody has set the same time again */
    validator_make(&one, &source);
    CHECK(strcmp(one.tag, other.tag) != 0);
    source.modified_ns = -SECOND; /* HTTP has no such date */
    validator_make(&other, &source);
    CHECK(strcmp(one.tag, other.tag) == 0 && other.modified_s == 0);
}

TEST(httpd_condition, a_clock_that_is_set_leaves_dates_and_tags)
{
    struct validator_source source = {.inode = 1,
                                      .size = 3,
                                      .modified_ns = 1700000005 * SECOND,
                                      .changed_ns = 1700000006 * SECOND,
                                      .now_s = 1700000010,
                                      .dating_s = 1700000010};
    struct validator before, after;

    validator_make(&before, &source);
    source.now_s += 1000;
    validator_make(&after, &source);
    CHECK_EQ(after.modified_s, before.modified_s);
    CHECK(after.tag[0] != 0 && strcmp(before.tag, after.tag) == 0);
    source.now_s -= 2000; /* behind the file, whose date is still to come by it */
    validator_make(&after, &source);
    CHECK(after.modified_s == 0 && strcmp(before.tag, after.tag) == 0);
    source.modified_ns = source.changed_ns =
        1700000009 * SECOND; /* by the clock that dates files */
    source.now_s = 1800000000;
    validator_make(&after, &source);
    CHECK(after.tag[0] == 0);
    source.dating_s = 0; /* set by a server, and no clock at boot: no boot is told from another */
    validator_make(&after, &source);
    CHECK(after.tag[0] == 0 && after.modified_s == 0);
}

/* A client has it of a clock that was ahead; the file may have been changed since, by an earlier date. */
TEST(httpd_condition, a_date_that_is_still_to_come_makes_nothing_known)
{
    know();
    known.now_s = 784111778;
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:38 GMT"), 304);
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:39 GMT"), 200);
    known.now_s = 0;
    CHECK_EQ(status_of(FIELD_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:39 GMT"), 304);
}

static bool date_is(const char *text, uint64_t want)
{
    uint64_t seconds;

    return date_read(text, strlen(text), &seconds) && seconds == want;
}

TEST(httpd_condition, dates_are_written_and_read)
{
    static const uint64_t some[] = {0, 951782400, 951868799, 4107542399, 4107542400, DATE_LAST};
    char text[DATE_TEXT_BYTES];

    date_text(text, 784111777);
    CHECK(strcmp(text, "Sun, 06 Nov 1994 08:49:37 GMT") == 0);
    for (unsigned i = 0; i < sizeof some / sizeof some[0]; i++) {
        date_text(text, some[i]);
        CHECK(date_is(text, some[i]));
    }
    CHECK(date_is("Sunday, 06-Nov-94 08:49:37 GMT", 784111777));
    CHECK(date_is("Sun Nov  6 08:49:37 1994", 784111777));
    CHECK(date_is("Tue Feb 29 00:00:00 2000", 951782400));
    CHECK(!date_is("", 0) && !date_is("Sun", 0) &&
          !date_is("Sun, 06 Nov 1994 08:49:37", 784111777));
    CHECK(!date_is("Sun, 31 Feb 1994 08:49:37 GMT", 0) &&
          !date_is("Sun, 06 Nov 1969 08:49:37 GMT", 0));
    CHECK(!date_is("Sun, 06 Nov 1994 24:49:37 GMT", 0) &&
          !date_is("Sun, 06 Abc 1994 08:49:37 GMT", 0));
}
