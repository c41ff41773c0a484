// SPDX-License-Identifier: MIT
/* test_hostile - what our patches keep others from saying (third_party/lwip): lwIP's own tests do not ask. */
#include "test_hostile.h"

#include "lwip/inet_chksum.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip6.h"
#include "tcp/tcp_helper.h"

#define PORT 1234
#define LINK_BYTES 1500

static struct netif card;
static struct test_tcp_txcounters sent;

static void setup(void)
{
    test_tcp_init_netif(&card, &sent, &test_local_ip, &test_netmask);
}

static void teardown(void)
{
    tcp_remove_all();
    netif_remove(&card);
}

/* A SYN and ACK for the connection, with a size of segments. */
static void answer(struct tcp_pcb *pcb, u32_t ack, u16_t mss)
{
    u8_t option[] = {2, 4, (u8_t)(mss >> 8), (u8_t)mss};
    struct pbuf *pbuf =
        tcp_create_segment(&pcb->remote_ip, &pcb->local_ip, PORT, pcb->local_port, option,
                           mss == 0 ? 0 : sizeof option, 12345, ack, TCP_SYN | TCP_ACK);
    struct tcp_hdr *head = (struct tcp_hdr *)((u8_t *)pbuf->payload + IP_HLEN);

    if (mss != 0) {
        TCPH_HDRLEN_SET(head, (TCP_HLEN + sizeof option) / 4);
        head->chksum = 0;
        pbuf_remove_header(pbuf, IP_HLEN);
        head->chksum =
            ip_chksum_pseudo(pbuf, IP_PROTO_TCP, pbuf->tot_len, &pcb->remote_ip, &pcb->local_ip);
        pbuf_add_header(pbuf, IP_HLEN);
    }
    test_tcp_input(pbuf, &card);
}

/* RFC 9293, 3.10.7.3, first: it is answered by RST and dropped. */
START_TEST(options_of_what_does_not_answer_a_syn_are_not_read)
{
    struct tcp_pcb *pcb = tcp_new();
    u16_t before;

    ck_assert(tcp_connect(pcb, &test_remote_ip, PORT, NULL) == ERR_OK);
    before = pcb->mss;
    ck_assert(before > 100);
    answer(pcb, pcb->lastack - 10, 100);
    ck_assert(pcb->state == SYN_SENT);
    ck_assert_uint_eq(pcb->mss, before);
    answer(pcb, pcb->lastack + 1, 0);
    ck_assert(pcb->state == ESTABLISHED);
    ck_assert_uint_eq(pcb->mss, before);
}
END_TEST

START_TEST(options_of_what_answers_a_syn_are_read)
{
    struct tcp_pcb *pcb = tcp_new();

    ck_assert(tcp_connect(pcb, &test_remote_ip, PORT, NULL) == ERR_OK);
    answer(pcb, pcb->lastack + 1, 100);
    ck_assert(pcb->state == ESTABLISHED);
    ck_assert_uint_eq(pcb->mss, 100);
}
END_TEST

/* A packet that we sent there was too big for a link of so many bytes. */
static void say_too_big(const ip6_addr_t *to, u32_t bytes)
{
    struct pbuf *pbuf = pbuf_alloc(PBUF_RAW, sizeof(struct icmp6_hdr) + IP6_HLEN, PBUF_RAM);
    struct icmp6_hdr *head = pbuf->payload;
    struct ip6_hdr *ip = (struct ip6_hdr *)(head + 1);

    memset(head, 0, pbuf->len);
    head->type = ICMP6_TYPE_PTB;
    head->data = lwip_htonl(bytes);
    ip6_addr_copy_to_packed(ip->dest, *to);
    nd6_input(pbuf, &card);
}

/* RFC 8201, 4. */
START_TEST(a_path_is_no_wider_than_its_link_and_no_narrower_than_each_has_to_be)
{
    static const struct {
        u32_t said, due;
    } table[] = {{0, LINK_BYTES},       {1, LINK_BYTES},     {50, LINK_BYTES},
                 {1279, LINK_BYTES},    {65535, LINK_BYTES}, {0x10000, LINK_BYTES},
                 {0x10500, LINK_BYTES}, {1400, 1400},        {1280, 1280},
                 {1400, 1280},          {1000, 1280}};
    struct nd6_destination_cache_entry *entry = &destination_cache[0];

    IP6_ADDR(&entry->destination_addr, PP_HTONL(0xFEC00000), 0, 0, PP_HTONL(0x77));
    entry->pmtu = LINK_BYTES;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        say_too_big(&entry->destination_addr, table[i].said);
        ck_assert_uint_eq(nd6_get_destination_mtu(&entry->destination_addr, &card), table[i].due);
    }
    ip6_addr_set_any(&entry->destination_addr);
}
END_TEST

Suite *hostile_suite(void)
{
    testfunc tests[] = {
        TESTFUNC(options_of_what_does_not_answer_a_syn_are_not_read),
        TESTFUNC(options_of_what_answers_a_syn_are_read),
        TESTFUNC(a_path_is_no_wider_than_its_link_and_no_narrower_than_each_has_to_be),
    };

    return create_suite("hostile", tests, sizeof tests / sizeof tests[0], setup, teardown);
}
