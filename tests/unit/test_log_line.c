// SPDX-License-Identifier: MIT
/* test_log_line - which lines of the log the monitor shows when it is asked for some. */
#include "tests/unit/unit.h"

#include <string.h>

#include "programs/monitor/log_line.c"

static bool passes(char level, const char *name, const char *line)
{
    const struct log_filter filter = {level, name};

    return log_line_passes(&filter, line, strlen(line));
}

TEST(log_line, levels_have_names_and_letters)
{
    CHECK_EQ(log_level_of("error"), 'E');
    CHECK_EQ(log_level_of("w"), 'W');
    CHECK_EQ(log_level_of("info"), 'I');
    CHECK_EQ(log_level_of("d"), 'D');
    CHECK_EQ(log_level_of(""), 0);
    CHECK_EQ(log_level_of("errors"), 0);
}

TEST(log_line, a_level_lets_graver_lines_pass)
{
    CHECK(passes(0, NULL, "[    0.000000] I text"));
    CHECK(passes('W', NULL, "[    0.000000] E text"));
    CHECK(passes('W', NULL, "[    0.000000] W text"));
    CHECK(!passes('W', NULL, "[    0.000000] I text"));
    CHECK(passes('D', NULL, "[   12.345678] D text"));
}

TEST(log_line, a_name_is_that_of_the_writer_or_of_what_init_tells_of)
{
    CHECK(passes(0, "serial", "[    0.000000] I serial: text"));
    CHECK(passes(0, "serial", "[    0.000000] I init: serial: started"));
    CHECK(!passes(0, "serial", "[    0.000000] I serial2: text"));
    CHECK(!passes(0, "serial", "[    0.000000] I init: tmpfs: serial: text"));
    CHECK(!passes(0, "serial", "[    0.000000] I a b: serial: text"));
    CHECK(!passes('E', "serial", "[    0.000000] I serial: text"));
}

TEST(log_line, what_is_no_line_of_the_log_has_no_level)
{
    CHECK(passes(0, NULL, ""));
    CHECK(passes(0, NULL, "]"));
    CHECK(!passes('D', NULL, "no brackets"));
    CHECK(!passes('D', NULL, "[    0.000000]"));
    CHECK(!passes(0, "x", "[    0.000000] I "));
}
