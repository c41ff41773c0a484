// SPDX-License-Identifier: MIT
/* test_monitor_net_limits - what a person writes behind `net=`: the words of the manifest, and what is none. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "programs/monitor/net_limits.c"

static char text[256];
static struct net_limits limits;
static const char *wrong;

static bool reads(const char *words)
{
    (void)snprintf(text, sizeof text, "%s", words);
    return net_limits_read(&limits, text, &wrong);
}

static void check_range(const struct socket_range *range, struct ip_address first,
                        struct ip_address last, uint16_t first_port, uint16_t last_port,
                        uint8_t protocols)
{
    CHECK(ip_equal(range->first, first) && ip_equal(range->last, last));
    CHECK_EQ(range->first_port, first_port);
    CHECK_EQ(range->last_port, last_port);
    CHECK_EQ(range->protocols, protocols);
}

TEST(monitor_net_limits, the_words_of_the_manifest_are_read)
{
    CHECK(
        reads("listen=0.0.0.0:80,connect=10.0.0.0/8:443,connect=*:53/udp,ping,observe,sockets=4"));
    CHECK_EQ(limits.limits.rights, SOCKET_RIGHT_PING | SOCKET_RIGHT_OBSERVE);
    CHECK_EQ(limits.limits.sockets, 4);
    CHECK_EQ(limits.limits.listen_count, 1);
    CHECK_EQ(limits.limits.connect_count, 3);
    check_range(&limits.limits.listen[0], IP_V4(0), IP_V4(UINT32_MAX), 80, 80, SOCKET_TCP);
    check_range(&limits.limits.connect[0], IP_V4(0x0A000000), IP_V4(0x0AFFFFFF), 443, 443,
                SOCKET_TCP);
    check_range(&limits.limits.connect[1], IP_V4(0), IP_V4(UINT32_MAX), 53, 53, SOCKET_UDP);
    check_range(&limits.limits.connect[2], IP_NONE, ALL_V6_LAST, 53, 53, SOCKET_UDP);
    CHECK(
        reads("connect=self:1-9/tcp,connect=loopback:*,connect=10.0.2.2/32:9,connect=0.0.0.0/0:1"));
    CHECK_EQ(limits.limits.connect[0].flags, SOCKET_RANGE_OWN);
    check_range(&limits.limits.connect[0], IP_NONE, ALL_V6_LAST, 1, 9, SOCKET_TCP);
    check_range(&limits.limits.connect[1], IP_V4(0x7F000000), IP_V4(0x7FFFFFFF), 1, UINT16_MAX,
                SOCKET_TCP);
    check_range(&limits.limits.connect[2], LOOPBACK6, LOOPBACK6, 1, UINT16_MAX, SOCKET_TCP);
    check_range(&limits.limits.connect[3], IP_V4(0x0A000202), IP_V4(0x0A000202), 9, 9, SOCKET_TCP);
    check_range(&limits.limits.connect[4], IP_V4(0), IP_V4(UINT32_MAX), 1, 1, SOCKET_TCP);
    CHECK(reads("listen=[::]:80,connect=[2001:db8::]/32:443,connect=[::1]:7/udp"));
    check_range(&limits.limits.listen[0], IP_NONE, ALL_V6_LAST, 80, 80, SOCKET_TCP);
    check_range(&limits.limits.connect[0], (struct ip_address){0x20010DB800000000, 0},
                (struct ip_address){0x20010DB8FFFFFFFF, UINT64_MAX}, 443, 443, SOCKET_TCP);
    check_range(&limits.limits.connect[1], LOOPBACK6, LOOPBACK6, 7, 7, SOCKET_UDP);
}

TEST(monitor_net_limits, frames_are_a_right_of_their_own)
{
    CHECK(reads("capture"));
    CHECK_EQ(limits.limits.rights, SOCKET_RIGHT_CAPTURE);
    CHECK_EQ(limits.limits.sockets, 0);
    CHECK(reads("ping,observe"));
    CHECK_EQ(limits.limits.rights & SOCKET_RIGHT_CAPTURE, 0);
    CHECK(!reads("capture=1"));
}

TEST(monitor_net_limits, names_are_made_plain)
{
    CHECK(reads("resolve=Example.ORG.,resolve=*"));
    CHECK_EQ(limits.limits.resolve_count, 2);
    CHECK_STR_EQ(limits.limits.resolve[0], "example.org");
    CHECK_STR_EQ(limits.limits.resolve[1], "*");
    CHECK_STR_EQ(net_limits_word(&limits, &(struct socket_refusal){.limit = SOCKET_LIMIT_RESOLVE}),
                 "resolve=Example.ORG.");
    CHECK(!reads("resolve=a..b"));
    CHECK(!reads("resolve="));
    CHECK(!reads("resolve=a,resolve=b,resolve=c,resolve=d,resolve=e"));
    CHECK_STR_EQ(wrong, "resolve=e");
}

TEST(monitor_net_limits, sockets_are_as_many_as_may_be_and_none_where_nothing_is_to_be_reached)
{
    CHECK(reads("connect=*:1"));
    CHECK_EQ(limits.limits.sockets, SOCKETS_USUAL);
    CHECK(reads("ping"));
    CHECK_EQ(limits.limits.sockets, 0);
}

TEST(monitor_net_limits, the_word_that_cannot_be_is_named)
{
    static const char *const bad[] = {
        "",
        "ping,",
        "pings",
        "connect",
        "connect=",
        "connect=10.0.0.1",
        "connect=10.0.0.1:",
        "connect=10.0.0.1:0",
        "connect=10.0.0.1:65536",
        "connect=10.0.0.1:9-8",
        "connect=10.0.0.1:80/",
        "connect=10.0.0.1:80/udp2",
        "connect=10.0.0.1/8:80",
        "connect=10.0.0.0/33:80",
        "connect=10.0.0:80",
        "connect=10.0.0.256:80",
        "connect=own:80",
        "connect=2001:db8:::80",
        "connect=[2001:db8::1]/32:80",
        "connect=[10.0.0.0]/8:80",
        "connect=[::]80",
        "listen=*",
        "sockets=1009",
        "sockets=",
        "sockets=4x",
        "observe=1",
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!reads(bad[i]));
        CHECK(!reads("ping,observe,connect=*:1-65535/udp,nonsense"));
        CHECK_STR_EQ(wrong, "nonsense");
    }
    CHECK(!reads(
        "connect=*:1,connect=*:2,connect=*:3,connect=*:4,connect=*:5,connect=*:6,connect=*:7,"
        "connect=*:8,connect=*:9"));
    CHECK_STR_EQ(wrong, "connect=*:9");
}

TEST(monitor_net_limits, a_refusal_is_told_by_the_word_that_it_is_about)
{
    CHECK(reads("listen=*:1,connect=*:2,connect=*:3"));
    CHECK_STR_EQ(net_limits_word(
                     &limits, &(struct socket_refusal){.limit = SOCKET_LIMIT_CONNECT, .index = 2}),
                 "connect=*:3");
    CHECK_STR_EQ(net_limits_word(&limits, &(struct socket_refusal){.limit = SOCKET_LIMIT_LISTEN}),
                 "listen=*:1");
    CHECK(net_limits_word(
              &limits, &(struct socket_refusal){.limit = SOCKET_LIMIT_LISTEN, .index = 2}) == NULL);
    CHECK(net_limits_word(&limits, &(struct socket_refusal){.limit = SOCKET_LIMIT_SOCKETS}) ==
          NULL);
}
