// SPDX-License-Identifier: MIT
/* test_net_limits - what a session may do on the network: questions field by field, and narrowing, which never gives
 * more (L1), tried with random limits against all that they allow. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/net/limits.h"

#define TEN 0x0A000000u

#define V4(number)                                                                                 \
    {                                                                                              \
        0, 0xFFFF00000000ull | (number)                                                            \
    }
#define ALL_LAST                                                                                   \
    {                                                                                              \
        UINT64_MAX, UINT64_MAX                                                                     \
    }

static const struct own_addresses own = {
    2, {V4(TEN | 0x20F), {0x20010DB800000000, 0xF}}, {V4(TEN | 0x2FF)}};

static struct socket_limits web(void)
{
    return (struct socket_limits){
        .rights = SOCKET_RIGHT_PING,
        .sockets = 4,
        .listen_count = 1,
        .connect_count = 2,
        .listen = {{.first = V4(0),
                    .last = V4(UINT32_MAX),
                    .first_port = 80,
                    .last_port = 81,
                    .protocols = SOCKET_TCP}},
        .connect = {{.first = V4(TEN),
                     .last = V4(TEN | 0xFFFFFF),
                     .first_port = 443,
                     .last_port = 443,
                     .protocols = SOCKET_TCP},
                    {.first = V4(0),
                     .last = V4(UINT32_MAX),
                     .first_port = 53,
                     .last_port = 53,
                     .protocols = SOCKET_UDP}},
    };
}

static enum socket_field connect_field(const struct socket_limits *limits,
                                       enum socket_protocol protocol, struct ip_address address,
                                       uint16_t port)
{
    struct socket_refusal refusal = {0};

    if (limits_connect(limits, protocol, address, port, &own, &refusal))
        return (enum socket_field)99;
    CHECK_EQ(refusal.limit, SOCKET_LIMIT_CONNECT);
    return (enum socket_field)refusal.field;
}

TEST(net_limits, a_peer_is_refused_by_the_field_that_came_closest)
{
    struct socket_limits limits = web();

    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(TEN | 5), 443), 99);
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, IP_V4(0x08080808), 53), 99);
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(TEN | 5), 442), SOCKET_FIELD_PORT);
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, IP_V4(TEN | 5), 443), SOCKET_FIELD_PORT);
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x0B000001), 443), SOCKET_FIELD_PROTOCOL);
    limits.connect_count = 1;
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, IP_V4(TEN | 5), 443), SOCKET_FIELD_PROTOCOL);
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x0B000001), 443), SOCKET_FIELD_ADDRESS);
    limits.connect_count = 0;
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(TEN | 5), 443), SOCKET_FIELD_NONE);
}

TEST(net_limits, special_addresses_are_meant_only_when_they_are_named)
{
    static const uint32_t special[] = {0x7F000001, 0xA9FE0001, 0xE0000001, 0x0A00020F};
    struct socket_limits limits = {.connect_count = 1,
                                   .connect = {{.first = V4(0),
                                                .last = V4(UINT32_MAX),
                                                .first_port = 1,
                                                .last_port = UINT16_MAX,
                                                .protocols = SOCKET_TCP}}};

    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x08080808), 1), 99);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(special[i]), 1), SOCKET_FIELD_ADDRESS);
    /* Broadcasts, this network, and what is reserved are nobody. */
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(UINT32_MAX), 1), SOCKET_FIELD_ADDRESS);
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x00000001), 1), SOCKET_FIELD_ADDRESS);
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x0A0002FF), 1), SOCKET_FIELD_ADDRESS);
    limits.connect[0].first = IP_V4(0x7F000000);
    limits.connect[0].last = IP_V4(0x7FFFFFFF);
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x7F000001), 1), 99);
    CHECK(limits_is_loopback(IP_V4(0x7F000000)) && limits_is_loopback(IP_V4(0x7FFFFFFF)));
    CHECK(!limits_is_loopback(IP_V4(0x7EFFFFFF)) && !limits_is_loopback(IP_V4(0x80000000)));
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x08080808), 1), SOCKET_FIELD_ADDRESS);
    limits.connect[0] =
        (struct socket_range){{0, 0}, ALL_LAST, 1, 9, SOCKET_TCP, SOCKET_RANGE_OWN, 0};
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x0A00020F), 1), 99);
    CHECK_EQ(connect_field(&limits, SOCKET_TCP, IP_V4(0x0A000210), 1), SOCKET_FIELD_ADDRESS);
}

TEST(net_limits, a_range_is_of_one_family)
{
    static const struct ip_address special[] = {{0, 0},
                                                {0, 1},
                                                {0, 0x0A000005},
                                                {0xFE80000000000000, 1},
                                                {0xFF02000000000000, 1},
                                                {0x20010DB800000000, 0xF}};
    static const struct ip_address peer = {0x20010DB800000000, 5};
    struct socket_limits limits = web();
    struct socket_refusal refusal;

    /* All of IPv4 is nothing of IPv6. */
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, peer, 53), SOCKET_FIELD_ADDRESS);
    CHECK(!limits_listen(&limits, SOCKET_TCP, IP_NONE, 80, &refusal));
    /* And all of IPv6 nothing of IPv4, whose addresses are numbers between. */
    limits.connect[1].first = limits.listen[0].first = IP_NONE;
    limits.connect[1].last = limits.listen[0].last = (struct ip_address)ALL_LAST;
    CHECK(limits_valid(&limits));
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, peer, 53), 99);
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, IP_V4(0x08080808), 53), SOCKET_FIELD_ADDRESS);
    CHECK(limits_listen(&limits, SOCKET_TCP, IP_NONE, 80, &refusal));
    CHECK(!limits_listen(&limits, SOCKET_TCP, IP_V4(0), 80, &refusal));
    CHECK(!limits_listen(&limits, SOCKET_TCP, (struct ip_address){0, 1}, 80, &refusal));
    for (unsigned i = 0; i < sizeof special / sizeof special[0]; i++)
        CHECK_EQ(connect_field(&limits, SOCKET_UDP, special[i], 53), SOCKET_FIELD_ADDRESS);
    limits.connect[1].last = IP_V4(UINT32_MAX);
    CHECK(!limits_valid(&limits));
    limits.connect[1] = (struct socket_range){{0, 1}, {0, 1}, 53, 53, SOCKET_UDP, 0, 0};
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, (struct ip_address){0, 1}, 53), 99);
    CHECK(limits_is_loopback((struct ip_address){0, 1}) &&
          !limits_is_loopback((struct ip_address){0, 2}));
    limits.connect[1] =
        (struct socket_range){{0, 0}, ALL_LAST, 53, 53, SOCKET_UDP, SOCKET_RANGE_OWN, 0};
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, special[5], 53), 99);
    CHECK_EQ(connect_field(&limits, SOCKET_UDP, peer, 53), SOCKET_FIELD_ADDRESS);
}

TEST(net_limits, only_what_leaves_the_machine_is_pinged)
{
    static const uint32_t never[] = {0, 0x7F000001, 0xA9FE0001, 0xE0000001, UINT32_MAX, 0x0A0002FF};
    struct socket_limits limits = web();
    struct socket_refusal refusal;

    CHECK(limits_ping(&limits, IP_V4(0x08080808), &own, &refusal));
    for (unsigned i = 0; i < 6; i++)
        CHECK(!limits_ping(&limits, IP_V4(never[i]), &own, &refusal) &&
              refusal.field == SOCKET_FIELD_ADDRESS);
    limits.rights = SOCKET_RIGHT_OBSERVE;
    CHECK(!limits_ping(&limits, IP_V4(0x08080808), &own, &refusal));
    CHECK_EQ(refusal.limit, SOCKET_LIMIT_RIGHTS);
    CHECK_EQ(refusal.field, SOCKET_FIELD_NONE);
}

TEST(net_limits, all_addresses_are_bound_only_by_who_may_have_all)
{
    struct socket_limits limits = web();
    struct socket_refusal refusal;

    CHECK(limits_listen(&limits, SOCKET_TCP, IP_V4(0), 80, &refusal));
    CHECK(limits_listen(&limits, SOCKET_TCP, IP_V4(0x0A00020F), 81, &refusal));
    CHECK(!limits_listen(&limits, SOCKET_TCP, IP_V4(0), 82, &refusal));
    CHECK_EQ(refusal.field, SOCKET_FIELD_PORT);
    CHECK(!limits_listen(&limits, SOCKET_UDP, IP_V4(0), 80, &refusal));
    CHECK(!limits_listen(&limits, SOCKET_TCP, IP_V4(0x7F000001), 80, &refusal));
    limits.listen[0].first = limits.listen[0].last = IP_V4(0x0A00020F);
    CHECK(limits_listen(&limits, SOCKET_TCP, IP_V4(0x0A00020F), 80, &refusal));
    CHECK(!limits_listen(&limits, SOCKET_TCP, IP_V4(0), 80, &refusal));
    CHECK_EQ(refusal.limit, SOCKET_LIMIT_LISTEN);
    CHECK_EQ(refusal.field, SOCKET_FIELD_ADDRESS);
}

TEST(net_limits, each_field_widened_by_one_is_refused_and_named)
{
    const struct socket_limits parent = web();
    struct socket_refusal refusal;

    CHECK(limits_valid(&parent));
    CHECK(limits_narrow(&parent, &parent, &refusal));
    for (unsigned field = 0; field < 10; field++) {
        struct socket_limits child = parent;
        struct socket_range *last = &child.connect[1];

        switch (field) {
        case 0: child.rights |= SOCKET_RIGHT_OBSERVE; break;
        case 1: child.sockets++; break;
        case 2: child.listen[0].last_port++; break;
        case 3: child.listen[0].first_port--; break;
        case 4: child.listen[0].protocols |= SOCKET_UDP; break;
        case 5: last->protocols |= SOCKET_TCP; break;
        case 6: last->first = IP_V4(0x7F000000), last->last = IP_V4(0x7F000001); break;
        case 7: last->flags = SOCKET_RANGE_OWN; break;
        case 8: last->first = IP_NONE, last->last = (struct ip_address)ALL_LAST; break;
        default: child.connect[0].last.low++; break;
        }
        CHECK(!limits_narrow(&parent, &child, &refusal));
        CHECK_EQ(refusal.limit, field == 0   ? SOCKET_LIMIT_RIGHTS
                                : field == 1 ? SOCKET_LIMIT_SOCKETS
                                : field < 5  ? SOCKET_LIMIT_LISTEN
                                             : SOCKET_LIMIT_CONNECT);
        CHECK_EQ(refusal.index, field >= 5 && field < 9 ? 1 : 0);
    }
}

static struct socket_limits names(const char *first, const char *second)
{
    struct socket_limits limits = {.resolve_count = second == NULL ? 1 : 2};

    (void)snprintf(limits.resolve[0], SOCKET_NAME_BYTES, "%s", first);
    (void)snprintf(limits.resolve[1], SOCKET_NAME_BYTES, "%s", second == NULL ? "" : second);
    return limits;
}

TEST(net_limits, names_are_asked_for_below_those_that_are_named)
{
    struct socket_limits limits = names("example.org", "net"), none = {0}, all = names("*", NULL);
    struct socket_refusal refusal;

    CHECK(limits_resolve(&limits, "example.org", &refusal));
    CHECK(limits_resolve(&limits, "a.b.example.org", &refusal));
    CHECK(limits_resolve(&limits, "lwip.net", &refusal));
    CHECK(limits_resolve(&all, "a", &refusal));
    CHECK(!limits_resolve(&limits, "badexample.org", &refusal));
    CHECK_EQ(refusal.limit, SOCKET_LIMIT_RESOLVE);
    CHECK_EQ(refusal.field, SOCKET_FIELD_NAME);
    CHECK(!limits_resolve(&limits, "org", &refusal));
    CHECK(!limits_resolve(&none, "example.org", &refusal));
    CHECK_EQ(refusal.field, SOCKET_FIELD_NONE);
}

TEST(net_limits, names_only_become_fewer)
{
    static const char *const bad[] = {"", "Example.org", "example.org.", ".org", "a..b", "*.org"};
    struct socket_limits parent = names("example.org", "net"),
                         child = names("x.net", "example.org");
    struct socket_limits all = names("*", NULL);
    struct socket_refusal refusal;

    CHECK(limits_valid(&parent) && limits_valid(&all));
    CHECK(limits_narrow(&parent, &child, &refusal));
    CHECK(limits_narrow(&all, &parent, &refusal));
    CHECK(!limits_narrow(&parent, &all, &refusal));
    child = names("x.net", "org");
    CHECK(!limits_narrow(&parent, &child, &refusal));
    CHECK_EQ(refusal.limit, SOCKET_LIMIT_RESOLVE);
    CHECK_EQ(refusal.field, SOCKET_FIELD_NAME);
    CHECK_EQ(refusal.index, 1);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        child = names(bad[i], NULL);
        CHECK(!limits_valid(&child));
    }
    child.resolve_count = SOCKET_SUFFIXES + 1;
    CHECK(!limits_valid(&child));
    memset(child.resolve[0], 'a', SOCKET_NAME_BYTES);
    child.resolve_count = 1;
    CHECK(!limits_valid(&child));
}

/* Borders of what is special, of both families. */
static struct ip_address some_address(void)
{
    static const struct ip_address some[] = {V4(0),
                                             V4(1),
                                             V4(TEN),
                                             V4(TEN | 0x20F),
                                             V4(0x7F000000),
                                             V4(0x7F000001),
                                             V4(0x7FFFFFFF),
                                             V4(0xA9FE0001),
                                             V4(0xE0000000),
                                             V4(0xEFFFFFFF),
                                             V4(0xF0000000),
                                             V4(UINT32_MAX),
                                             {0, 0},
                                             {0, 1},
                                             {0, 2},
                                             {0, 0xFFFEFFFFFFFF},
                                             {0, 0x1000000000000},
                                             {0x20010DB800000000, 0},
                                             {0x20010DB800000000, 0xF},
                                             {0x20010DB8FFFFFFFF, UINT64_MAX},
                                             {0xFE80000000000000, 0},
                                             {0xFEBFFFFFFFFFFFFF, UINT64_MAX},
                                             {0xFEC0000000000000, 0},
                                             {0xFF02000000000000, 1},
                                             ALL_LAST};

    return some[(unsigned)rand() % (sizeof some / sizeof some[0])];
}

static struct socket_range some_range(void)
{
    return (struct socket_range){.first = some_address(),
                                 .last = some_address(),
                                 .first_port = (uint16_t)(rand() % 4),
                                 .last_port = (uint16_t)(rand() % 4),
                                 .protocols = (uint8_t)(rand() % 4),
                                 .flags = (uint8_t)(rand() % 8 == 0)};
}

static struct socket_limits some_limits(void)
{
    struct socket_limits limits = {.rights = (uint32_t)rand() % 4,
                                   .sockets = (uint32_t)rand() % 3,
                                   .listen_count = (uint32_t)rand() % 3,
                                   .connect_count = (uint32_t)rand() % 3};

    for (unsigned i = 0; i < 3; i++) {
        limits.listen[i] = some_range();
        limits.connect[i] = some_range();
    }
    return limits;
}

/* L1. */
TEST(net_limits, what_is_narrowed_allows_nothing_that_was_refused_above)
{
    unsigned narrowed = 0;

    srand(1);
    for (unsigned i = 0; i < 300000; i++) {
        struct socket_limits parent = some_limits(), child = some_limits();
        struct socket_refusal refusal;

        if (!limits_valid(&parent) || !limits_valid(&child) ||
            !limits_narrow(&parent, &child, &refusal))
            continue;
        narrowed++;
        for (unsigned k = 0; k < 40; k++) {
            struct ip_address address = some_address();
            uint16_t port = (uint16_t)(rand() % 4);
            enum socket_protocol protocol = rand() % 2 ? SOCKET_TCP : SOCKET_UDP;

            CHECK(!limits_connect(&child, protocol, address, port, &own, &refusal) ||
                  limits_connect(&parent, protocol, address, port, &own, &refusal));
            CHECK(!limits_listen(&child, protocol, address, port, &refusal) ||
                  limits_listen(&parent, protocol, address, port, &refusal));
        }
    }
    CHECK(narrowed > 1000);
}
