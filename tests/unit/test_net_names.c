// SPDX-License-Identifier: MIT
/* test_net_names - names and pings that are asked for: none of the accounts has all of the room. lwIP is what
 * net_stand_ins.h has of it. */
#include "tests/unit/unit.h"

/* Names that other tests have, too. */
#define deadline_after_ns recover_deadline_after_ns
#define kinfo_time_ns recover_time_ns
#define names_open net_names_open
#include "services/net/names.c"
#define place place_of_ping
#include "services/net/ping.c"
#undef place

#include <stdio.h>

const ip_addr_t ip_addr_any;

err_t pbuf_take(struct pbuf *, const void *, u16_t)
{
    return ERR_OK;
}

uint32_t port_random(void)
{
    return 7;
}

struct raw_pcb *raw_new_ip_type(u8_t, u8_t)
{
    return NULL;
}

struct raw_pcb *raw_new(u8_t)
{
    static struct raw_pcb pcb;

    return &pcb;
}

void raw_recv(struct raw_pcb *, raw_recv_fn, void *)
{
}

err_t raw_sendto(struct raw_pcb *, struct pbuf *, const ip_addr_t *)
{
    return ERR_OK;
}

u16_t inet_chksum(const void *, u16_t)
{
    return 0;
}

/* The name with that number, which nobody answers for. */
static mnos_status_t look(uint32_t account, unsigned which)
{
    struct dns_answer answer;
    uint64_t number = 0;
    char text[16];

    snprintf(text, sizeof text, "n%u.test", which);
    return names_look(&the_net, account, text, 0, &number, &answer);
}

TEST(net_names, one_account_has_a_share_of_the_questions)
{
    names_open(&the_net, "10.0.2.3");
    for (unsigned i = 0; i < NAMES_SHARE; i++)
        CHECK_EQ(look(1, i), SERVER_PARKED);
    CHECK_EQ(look(1, NAMES_SHARE), MNOS_ERR_AGAIN);
    CHECK_EQ(the_net.names.asking, NAMES_SHARE);
    CHECK_EQ(look(1, 0), SERVER_PARKED); /* it is asked for already */
    CHECK_EQ(look(2, NAMES_SHARE), SERVER_PARKED);
    CHECK_EQ(look(1, NAMES_SHARE), SERVER_PARKED); /* by another, for both */
    finish(&the_net.names.entries[0], MNOS_ERR_NOT_FOUND, 0);
    CHECK_EQ(look(1, 100), SERVER_PARKED);
    CHECK_EQ(look(1, 101), MNOS_ERR_AGAIN);
}

TEST(net_names, one_account_has_a_share_of_the_pings)
{
    static const struct socket_ping wanted = {.address = {0, 0xFFFF0A000202}, .timeout_ns = 1};
    uint32_t number = 0;

    for (unsigned i = 0; i < NET_PINGS_SHARE; i++) {
        CHECK(place_of_ping(&the_net, 1, &number) == &the_net.pings[i]);
        the_net.pings[i] = (struct ping){.deadline_ns = 1, .account = 1};
        the_net.ping_count++;
    }
    CHECK_EQ(ping_begin(&the_net, 1, &wanted, &number), MNOS_ERR_AGAIN);
    /* It has a place; the stand-in has no memory for what is to be sent. */
    CHECK_EQ(ping_begin(&the_net, 2, &wanted, &number), MNOS_ERR_QUOTA);
    CHECK_EQ(the_net.ping_count, NET_PINGS_SHARE);
    free_ping(&the_net, &the_net.pings[1]);
    CHECK_EQ(ping_begin(&the_net, 1, &wanted, &number), MNOS_ERR_QUOTA);
    CHECK_EQ(number, 1);
}
