// SPDX-License-Identifier: MIT
/*
 * test_steps - services/net/timers.c with lwIP: what its timers do comes when it would with one that ticks, and nothing
 * ticks while there is nothing to do. The network is a server of DHCP that answers at once, or not at all.
 */
#include "test_steps.h"

#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/prot/dhcp.h"
#include "lwip/prot/iana.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"
#include "services/net/net.h"

#define SECOND_NS 1000000000ull
#define HOUR_S 3600u
#define DAY_S (24 * HOUR_S)
#define OPTION_MESSAGE 53
#define HEAD_BYTES (14 + 20 + 8 + 240) /* of a message of DHCP in front of its options */

static struct netif card;
static uint64_t now_ns;
static bool server_answers;
static unsigned discovers, requests, arps, frames;
static uint32_t lease_s;

/* ---- Stand-ins ---- */

struct net the_net;

bool tcp_polls(const struct tcp_pcb *)
{
    return false;
}

/* ---- The other machine: it is everybody, at 10.0.0.1 ---- */

static void put_sum(uint8_t head[20])
{
    uint32_t sum = 0;

    head[10] = head[11] = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)head[i] << 8 | head[i + 1];
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = ~((sum & 0xFFFF) + (sum >> 16));
    head[10] = (uint8_t)(sum >> 8);
    head[11] = (uint8_t)sum;
}

static struct pbuf *waiting; /* an answer: it comes when the frame that it answers has left */

static void answer(const uint8_t *bytes, u16_t count)
{
    waiting = pbuf_alloc(PBUF_RAW, count, PBUF_RAM);
    pbuf_take(waiting, bytes, count);
}

static void answer_arp(const uint8_t *frame)
{
    uint8_t reply[42] = {0};

    if (memcmp(frame + 28, frame + 38, 4) == 0)
        return; /* it announces itself */
    memcpy(reply, frame + 6, 6);
    memcpy(reply + 12, frame + 12, 8);
    reply[6] = reply[22] = 2;
    reply[21] = 2;
    memcpy(reply + 28, frame + 38, 4);
    memcpy(reply + 32, frame + 22, 10);
    answer(reply, sizeof reply);
}

static void answer_dhcp(const uint8_t *frame, bool offer)
{
    static const uint8_t mask[] = {1, 4, 255, 255, 255, 0}, server[] = {54, 4, 10, 0, 0, 1};
    uint8_t reply[HEAD_BYTES + 40] = {0}, *options = reply + HEAD_BYTES;
    uint8_t lease[] = {51,
                       4,
                       (uint8_t)(lease_s >> 24),
                       (uint8_t)(lease_s >> 16),
                       (uint8_t)(lease_s >> 8),
                       (uint8_t)lease_s};

    memcpy(reply, frame, HEAD_BYTES);
    memcpy(reply, frame + 6, 6);
    memcpy(reply + 26, (uint8_t[]){10, 0, 0, 1, 255, 255, 255, 255}, 8);
    reply[16] = (sizeof reply - 14) >> 8;
    reply[17] = (uint8_t)(sizeof reply - 14);
    put_sum(reply + 14);
    memcpy(reply + 34, (uint8_t[]){0, 67, 0, 68}, 4);
    reply[38] = (sizeof reply - 34) >> 8;
    reply[39] = (uint8_t)(sizeof reply - 34);
    reply[40] = reply[41] = 0; /* no checksum */
    reply[42] = 2;
    memcpy(reply + 42 + 16, (uint8_t[]){10, 0, 0, 15}, 4);
    memcpy(options, (uint8_t[]){OPTION_MESSAGE, 1, offer ? 2 : 5}, 3);
    memcpy(options + 3, mask, sizeof mask);
    memcpy(options + 9, server, sizeof server);
    memcpy(options + 15, lease, sizeof lease);
    options[21] = 255;
    answer(reply, sizeof reply);
}

static err_t sent(struct netif *, struct pbuf *pbuf)
{
    uint8_t frame[600] = {0};
    u16_t count = pbuf_copy_partial(pbuf, frame, sizeof frame, 0);

    timers_need(TIMERS_FRAMES | TIMERS_IP6);
    frames++;
    if (frame[12] == 8 && frame[13] == 6) {
        arps++;
        answer_arp(frame);
    } else if (count > HEAD_BYTES && frame[36] == 0 && frame[37] == 67) {
        bool discover = frame[HEAD_BYTES + 2] == 1;

        *(discover ? &discovers : &requests) += 1;
        if (server_answers)
            answer_dhcp(frame, discover);
    }
    return ERR_OK;
}

static err_t begin(struct netif *netif)
{
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = sent;
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    memcpy(netif->hwaddr, (uint8_t[]){2, 0, 0, 0, 0, 15}, 6);
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

/* ---- Time ---- */

static void deliver(void)
{
    while (waiting != NULL) {
        struct pbuf *pbuf = waiting;

        waiting = NULL;
        timers_need(TIMERS_FRAMES | TIMERS_IP6);
        if (card.input(pbuf, &card) != ERR_OK)
            pbuf_free(pbuf);
    }
}

/* As one_pass() and its waiting: how often it was woken until that time. */
static unsigned sleep_until_ns(uint64_t end_ns)
{
    unsigned wakes = 0;

    for (;;) {
        uint64_t next_ns;

        timers_pass(now_ns);
        deliver();
        timers_run(now_ns);
        deliver();
        next_ns = timers_deadline_ns();
        if (next_ns > end_ns)
            break;
        ck_assert_msg(next_ns > now_ns, "it does not wait");
        now_ns = next_ns;
        wakes++;
    }
    now_ns = end_ns;
    return wakes;
}

static void setup(void)
{
    now_ns = 5 * SECOND_NS + 1;
    lease_s = DAY_S;
    server_answers = true;
    timers_open(now_ns);
    netif_add_noaddr(&card, NULL, begin, ethernet_input);
    netif_set_default(&card);
    netif_set_up(&card);
}

static void teardown(void)
{
    server_answers = false;
    dhcp_release_and_stop(&card);
    deliver();
    dhcp_cleanup(&card);
    netif_remove(&card);
    lwip_check_ensure_no_alloc(0);
}

/* ---- Tests ---- */

START_TEST(a_day_without_a_connection_has_a_few_wakes)
{
    u32_t before[MEMP_MAX];
    unsigned wakes;

    dhcp_start(&card);
    sleep_until_ns(now_ns + 600 * SECOND_NS);
    ck_assert_uint_eq(ip4_addr_get_u32(netif_ip4_addr(&card)), PP_HTONL(0x0A00000F));
    for (unsigned i = 0; i < MEMP_MAX; i++)
        before[i] = lwip_stats.memp[i]->used;
    requests = 0;
    wakes = sleep_until_ns(now_ns + DAY_S * SECOND_NS);
    ck_assert_msg(wakes < 100, "%u wakes", wakes);
    ck_assert_uint_eq(discovers, 1);
    ck_assert_msg(requests >= 1 && requests <= 3, "renewed %u times", requests);
    for (unsigned i = 0; i < MEMP_MAX; i++)
        ck_assert_uint_eq(lwip_stats.memp[i]->used, before[i]);
}
END_TEST

START_TEST(a_lease_is_renewed_when_half_of_it_is_over)
{
    uint64_t begin_ns = now_ns;

    lease_s = 2 * HOUR_S;
    dhcp_start(&card);
    sleep_until_ns(begin_ns + (HOUR_S - 61) * SECOND_NS);
    ck_assert_uint_eq(requests, 1);
    sleep_until_ns(begin_ns + (HOUR_S + 61) * SECOND_NS);
    ck_assert_uint_eq(requests, 2);
}
END_TEST

START_TEST(a_server_that_does_not_answer_is_asked_again)
{
    uint64_t begin_ns = now_ns;

    server_answers = false;
    dhcp_start(&card);
    ck_assert_uint_eq(discovers, 1);
    sleep_until_ns(begin_ns + 30 * SECOND_NS); /* after 2, 4, 8 and 16 seconds */
    ck_assert_uint_eq(discovers, 5);
    server_answers = true;
    sleep_until_ns(begin_ns + 100 * SECOND_NS);
    ck_assert_uint_eq(ip4_addr_get_u32(netif_ip4_addr(&card)), PP_HTONL(0x0A00000F));
}
END_TEST

START_TEST(what_arp_has_learned_is_forgotten_after_its_time)
{
    const struct eth_addr *mac;
    const ip4_addr_t *found;
    ip4_addr_t address;

    dhcp_start(&card);
    sleep_until_ns(now_ns + SECOND_NS);
    IP4_ADDR(&address, 10, 0, 0, 77);
    ck_assert(etharp_query(&card, &address, NULL) == ERR_OK);
    deliver();
    ck_assert(etharp_find_addr(&card, &address, (struct eth_addr **)&mac, &found) >= 0);
    sleep_until_ns(now_ns + (ARP_MAXAGE - 2) * SECOND_NS);
    ck_assert(etharp_find_addr(&card, &address, (struct eth_addr **)&mac, &found) >= 0);
    sleep_until_ns(now_ns + 4 * SECOND_NS);
    ck_assert(etharp_find_addr(&card, &address, (struct eth_addr **)&mac, &found) < 0);
}
END_TEST

START_TEST(an_old_connection_in_time_wait_is_freed_after_its_time)
{
    struct tcp_pcb *pcb = tcp_new();

    pcb->tmr = tcp_ticks;
    pcb->state = TIME_WAIT;
    TCP_REG(&tcp_tw_pcbs, pcb);
    sleep_until_ns(now_ns + 1);
    ck_assert(sleep_until_ns(now_ns + (2 * TCP_MSL / 1000 - 2) * SECOND_NS) < 5);
    ck_assert(tcp_tw_pcbs == pcb);
    sleep_until_ns(now_ns + 4 * SECOND_NS);
    ck_assert(tcp_tw_pcbs == NULL);
}
END_TEST

/* ---- IPv6 ---- */

/* A router at fe80::1 says that it is there for half an hour, and that addresses of fec0::/64 may be used for two hours,
 * one of them for new connections. */
static void announce(void)
{
    static const uint8_t message[] = {
        /* To all nodes; IPv6 and ICMP; from fe80::1, to ff02::1. */
        0x33,
        0x33,
        0,
        0,
        0,
        1,
        2,
        0,
        0,
        0,
        0,
        2,
        0x86,
        0xDD,
        0x60,
        0,
        0,
        0,
        0,
        56,
        58,
        255,
        0xFE,
        0x80,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        0xFF,
        2,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        /* An advertisement for 1,800 s; the router's address of Ethernet; the network, for 7,200 and 3,600 s. */
        134,
        0,
        0,
        0,
        64,
        0,
        7,
        8,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        1,
        2,
        0,
        0,
        0,
        0,
        2,
        3,
        4,
        64,
        0xC0,
        0,
        0,
        28,
        32,
        0,
        0,
        14,
        16,
        0,
        0,
        0,
        0,
        0xFE,
        0xC0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    };

    answer(message, sizeof message);
}

/* The sum of ICMP is not looked at. */
static void begin_ip6(void)
{
    NETIF_SET_CHECKSUM_CTRL(&card, NETIF_CHECKSUM_ENABLE_ALL & ~NETIF_CHECKSUM_CHECK_ICMP6);
    netif_create_ip6_linklocal_address(&card, 1);
    netif_set_ip6_autoconfig_enabled(&card, 1);
    timers_need(TIMERS_IP6);
    sleep_until_ns(now_ns + 30 * SECOND_NS); /* routers are asked for three times */
}

START_TEST(an_address_that_a_router_announced_is_gone_after_its_time)
{
    begin_ip6();
    ck_assert(ip6_addr_ispreferred(netif_ip6_addr_state(&card, 0)));
    announce();
    sleep_until_ns(now_ns + 5 * SECOND_NS);
    ck_assert(ip6_addr_ispreferred(netif_ip6_addr_state(&card, 1)));
    ck_assert(default_router_list[0].neighbor_entry != NULL);
    ck_assert(sleep_until_ns(now_ns + (HOUR_S - 10) * SECOND_NS) < 10);
    ck_assert(default_router_list[0].neighbor_entry == NULL);
    ck_assert(ip6_addr_ispreferred(netif_ip6_addr_state(&card, 1)));
    sleep_until_ns(now_ns + 10 * SECOND_NS);
    ck_assert(ip6_addr_isdeprecated(netif_ip6_addr_state(&card, 1)));
    ck_assert(sleep_until_ns(now_ns + (HOUR_S - 10) * SECOND_NS) < 5);
    ck_assert(ip6_addr_isvalid(netif_ip6_addr_state(&card, 1)));
    sleep_until_ns(now_ns + 10 * SECOND_NS);
    ck_assert(ip6_addr_isinvalid(netif_ip6_addr_state(&card, 1)));
    ck_assert(sleep_until_ns(now_ns + DAY_S * SECOND_NS) < 2);
}
END_TEST

START_TEST(routers_are_asked_for_three_times_and_each_four_seconds)
{
    unsigned before;

    begin_ip6();
    before = frames;
    ck_assert(before >= 4); /* whether somebody has the address, and three times for routers */
    sleep_until_ns(now_ns + DAY_S * SECOND_NS);
    ck_assert_uint_eq(frames, before);
}
END_TEST

Suite *steps_suite(void)
{
    testfunc tests[] = {
        TESTFUNC(a_day_without_a_connection_has_a_few_wakes),
        TESTFUNC(a_lease_is_renewed_when_half_of_it_is_over),
        TESTFUNC(a_server_that_does_not_answer_is_asked_again),
        TESTFUNC(what_arp_has_learned_is_forgotten_after_its_time),
        TESTFUNC(an_old_connection_in_time_wait_is_freed_after_its_time),
        TESTFUNC(an_address_that_a_router_announced_is_gone_after_its_time),
        TESTFUNC(routers_are_asked_for_three_times_and_each_four_seconds),
    };

    return create_suite("steps", tests, sizeof tests / sizeof tests[0], setup, teardown);
}
