// SPDX-License-Identifier: MIT
/* test_unix_time - nanoseconds since 1970 as a second and what has passed of it: lib/base/unix_time.h. */
#include "lib/base/unix_time.h"
#include "tests/unit/unit.h"

TEST(unix_time, the_rest_is_forward_from_the_second_also_before_1970)
{
    static const struct {
        int64_t ns, seconds;
        uint32_t rest;
    } cases[] = {
        {0, 0, 0},
        {1, 0, 1},
        {999999999, 0, 999999999},
        {1000000000, 1, 0},
        {1799999999999999999, 1799999999, 999999999},
        {-1, -1, 999999999},
        {-999999999, -1, 1},
        {-1000000000, -1, 0},
        {-1000000001, -2, 999999999},
        {INT64_MAX, 9223372036, 854775807},
        {INT64_MIN, -9223372037, 145224192},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unix_time time = unix_time_of(cases[i].ns);

        CHECK_EQ(time.seconds, cases[i].seconds);
        CHECK_EQ(time.ns, cases[i].rest);
    }
}
