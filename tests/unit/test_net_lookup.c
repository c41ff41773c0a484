// SPDX-License-Identifier: MIT
/* test_net_lookup - services/net/lookup.c: each connection is found by its ends, however many there are, in a few steps. */
#include "tests/unit/unit.h"

/* Names that other tests have, too. */
#define the_net lookup_net
#define port_random lookup_random
#include "services/net/lookup.c"

struct net lookup_net;
static struct tcp_pcb pcbs[NET_CONNECTIONS];

/* A generator of RFC 1014's kind: what it draws need not be secret here. */
uint32_t port_random(void)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 32);
}

/* ---- Connections ---- */

static ip_addr_t address(uint32_t last)
{
    ip_addr_t made = {.type = IPADDR_TYPE_V4};

    ip_2_ip4(&made)->addr = lwip_htonl(0x0A000000u + last);
    return made;
}

static ip_addr_t address6(uint32_t last)
{
    ip_addr_t made = {.type = IPADDR_TYPE_V6};

    ip_2_ip6(&made)->addr[0] = lwip_htonl(0x20010DB8);
    ip_2_ip6(&made)->addr[3] = lwip_htonl(last);
    return made;
}

static void add(uint32_t number, ip_addr_t local, ip_addr_t remote, uint16_t remote_port)
{
    pcbs[number] = (struct tcp_pcb){.local_ip = local,
                                    .remote_ip = remote,
                                    .local_port = 80,
                                    .remote_port = remote_port,
                                    .state = ESTABLISHED};
    lookup_net.connections[number] = &pcbs[number];
    lookup_add(number);
}

static struct tcp_pcb *found(const struct tcp_pcb *like)
{
    return lookup_find(&like->local_ip, like->local_port, &like->remote_ip, like->remote_port);
}

static void begin(void)
{
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++)
        lookup_remove(i);
    lookup_open();
}

static uint32_t longest(void)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < BUCKETS; i++) {
        uint32_t count = 0;

        for (uint32_t at = buckets[i]; at != 0; at = next_of[at - 1])
            count++;
        most = count > most ? count : most;
    }
    return most;
}

/* ---- Tests ---- */

TEST(net_lookup, all_connections_are_found_by_their_ends)
{
    begin();
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++)
        add(i, i % 2 == 0 ? address(1) : address6(1), i % 2 == 0 ? address(i) : address6(i),
            (uint16_t)(1000 + i % 7));
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++)
        CHECK(found(&pcbs[i]) == &pcbs[i]);
}

/* The places of a client's ports, of hosts in a row and of addresses of IPv6 in a row are as if drawn. */
TEST(net_lookup, what_one_peer_can_choose_does_not_fall_into_one_place)
{
    begin();
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++)
        add(i, address(1), address(2), (uint16_t)(40000 + i));
    CHECK(longest() <= 8);
    begin();
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++)
        add(i, address(1), address(i << 8), 40000);
    CHECK(longest() <= 8);
    begin();
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++)
        add(i, address6(1), address6(i << 16), 40000);
    CHECK(longest() <= 8);
}

/* Bits that are high in both halves of an address: products of halves would have them in few places, whatever the keys. */
TEST(net_lookup, addresses_that_differ_in_high_bits_do_not_fall_into_one_place)
{
    begin();
    for (uint32_t i = 0; i < 1024; i++) {
        ip_addr_t remote = address6(1);

        ip_2_ip6(&remote)->addr[0] ^= (i & 31) << 27;
        ip_2_ip6(&remote)->addr[2] ^= i >> 5 << 27;
        add(i, address6(1), remote, 40000);
    }
    CHECK(longest() <= 8);
}

TEST(net_lookup, one_that_is_active_is_found_before_one_in_time_wait)
{
    begin();
    add(0, address(1), address(2), 1000);
    add(1, address(1), address(2), 1000);
    for (uint32_t i = 0; i < 2; i++) {
        pcbs[i].state = TIME_WAIT;
        CHECK(found(&pcbs[0]) == &pcbs[1 - i]);
        pcbs[i].state = ESTABLISHED;
    }
    pcbs[0].state = TIME_WAIT;
    lookup_remove(1);
    CHECK(found(&pcbs[0]) == &pcbs[0]);
}

/* lwIP takes the port away before it frees a PCB. */
TEST(net_lookup, one_that_has_lost_its_port_is_taken_out)
{
    begin();
    add(0, address(1), address(2), 1000);
    add(1, address(1), address(2), 1001);
    pcbs[0].local_port = 0;
    lookup_remove(0);
    lookup_remove(0);
    CHECK_EQ(longest(), 1);
    pcbs[0].local_port = 80;
    CHECK(found(&pcbs[0]) == NULL);
    CHECK(found(&pcbs[1]) == &pcbs[1]);
}

TEST(net_lookup, each_part_of_the_ends_counts)
{
    struct tcp_pcb other;

    begin();
    add(0, address(1), address(2), 1000);
    other = pcbs[0];
    other.local_ip = address(3);
    CHECK(found(&other) == NULL);
    other = pcbs[0];
    other.remote_ip = address6(2);
    CHECK(found(&other) == NULL);
    other = pcbs[0];
    other.local_port = 81;
    CHECK(found(&other) == NULL);
    other = pcbs[0];
    other.remote_port = 1001;
    CHECK(found(&other) == NULL);
}
