// SPDX-License-Identifier: MIT
/* test_net_join - services/net/join.c: which segments of a batch go to lwIP as one, and that all else goes as it came. */
#include "tests/unit/unit.h"

#include <string.h>

/* Names that other tests have, too. */
#define checksum join_checksum
#define pbuf_free join_pbuf_free
#define pbuf_realloc join_pbuf_realloc
#define pbuf_remove_header join_pbuf_remove_header
#include "services/net/checksum.c"
#include "services/net/join.c"

#define FRAMES 24u
#define HEADERS (SIZEOF_ETH_HDR + IP_BYTES + TCP_HLEN)

/* ---- Stand-ins, and what came out ---- */

static struct packet {
    uint32_t frames, bytes, sequence, acknowledged;
    uint16_t length; /* in the header of IP */
    uint8_t flags;
    bool checked; /* by lwIP, once more */
} packets[FRAMES];
static uint32_t packet_count, freed;

u8_t pbuf_free(struct pbuf *)
{
    freed++;
    return 1;
}

void pbuf_realloc(struct pbuf *pbuf, u16_t bytes)
{
    pbuf->len = pbuf->tot_len = bytes;
}

u8_t pbuf_remove_header(struct pbuf *pbuf, size_t bytes)
{
    pbuf->payload = (uint8_t *)pbuf->payload + bytes;
    pbuf->len = pbuf->tot_len = (u16_t)(pbuf->len - bytes);
    return 0;
}

static err_t input(struct pbuf *chain, struct netif *netif)
{
    struct packet *packet = &packets[packet_count++];
    const struct ip_hdr *ip = (void *)((uint8_t *)chain->payload + SIZEOF_ETH_HDR);
    const struct tcp_hdr *tcp = (void *)((uint8_t *)ip + IP_BYTES);
    uint32_t left = chain->tot_len;

    *packet = (struct packet){.sequence = lwip_htonl(tcp->seqno),
                              .acknowledged = lwip_htonl(tcp->ackno),
                              .length = lwip_htons(ip->_len),
                              .flags = (uint8_t)TCPH_FLAGS(tcp),
                              .checked = (netif->chksum_flags & NETIF_CHECKSUM_CHECK_TCP) != 0};
    for (const struct pbuf *at = chain; at != NULL; at = at->next) {
        CHECK_EQ(at->tot_len, left);
        packet->frames++;
        packet->bytes += at->len;
        left -= at->len;
    }
    CHECK_EQ(left, 0);
    packet->bytes -= SIZEOF_ETH_HDR + IP_BYTES + TCPH_HDRLEN_BYTES(tcp);
    return ERR_OK;
}

/* ---- Frames ---- */

static struct netif netif = {.input = input};
static struct join join;
static _Alignas(8) uint8_t memory[FRAMES][2048];
static struct pbuf pbufs[FRAMES];
static uint32_t made;

struct wanted {
    uint32_t sequence, bytes;
    /* 0: as most have it. */
    uint32_t acknowledged;
    uint16_t port, window;
    uint8_t flags;
};

static void begin(void)
{
    join = (struct join){0};
    packet_count = freed = made = 0;
}

static uint16_t sum_of(const void *bytes, size_t count, uint32_t sum)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < count; i++)
        sum += i % 2 == 0 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

/* In a frame of at least 60 bytes, as Ethernet fills it up. */
static struct pbuf *make(const struct wanted *wanted)
{
    uint8_t *frame = memory[made];
    struct pbuf *pbuf = &pbufs[made++];
    struct ip_hdr *ip = (void *)(frame + SIZEOF_ETH_HDR);
    struct tcp_hdr *tcp = (void *)((uint8_t *)ip + IP_BYTES);
    uint32_t total = HEADERS + wanted->bytes;

    memset(frame, 0xA5, sizeof memory[0]);
    ((struct eth_hdr *)frame)->type = PP_HTONS(ETHTYPE_IP);
    *ip = (struct ip_hdr){._v_hl = 0x45,
                          ._len = lwip_htons((u16_t)(total - SIZEOF_ETH_HDR)),
                          ._proto = IP_PROTO_TCP,
                          .src = {0x0202000A},
                          .dest = {0x0F02000A}};
    ip->_chksum = sum_of(ip, IP_BYTES, 0);
    *tcp =
        (struct tcp_hdr){.src = lwip_htons(wanted->port != 0 ? wanted->port : 1000),
                         .dest = PP_HTONS(80),
                         .seqno = lwip_htonl(wanted->sequence),
                         .ackno = lwip_htonl(wanted->acknowledged != 0 ? wanted->acknowledged : 7),
                         .wnd = lwip_htons(wanted->window != 0 ? wanted->window : 500)};
    TCPH_HDRLEN_FLAGS_SET(tcp, 5, wanted->flags != 0 ? wanted->flags : TCP_ACK);
    tcp->chksum = sum_of(tcp, TCP_HLEN + wanted->bytes,
                         0x000A + 0x0202 + 0x000A + 0x0F02 + PP_HTONS(IP_PROTO_TCP) +
                             lwip_htons((u16_t)(TCP_HLEN + wanted->bytes)));
    total = total < 60 ? 60 : total;
    *pbuf = (struct pbuf){.payload = frame, .len = (u16_t)total, .tot_len = (u16_t)total};
    return pbuf;
}

static void take(struct wanted wanted)
{
    join_frame(&join, &netif, make(&wanted), false);
}

#define SEGMENT(...) ((struct wanted){__VA_ARGS__})

TEST(net_join, segments_in_sequence_go_as_one)
{
    begin();
    take(SEGMENT(.sequence = UINT32_MAX - 1459, .bytes = 1460));
    take(SEGMENT(.sequence = 0, .bytes = 1460));
    take(SEGMENT(.sequence = 1460, .bytes = 3, .flags = TCP_ACK | TCP_PSH)); /* filled up to 60 */
    CHECK_EQ(packet_count, 0);
    join_end(&join);
    CHECK_EQ(packet_count, 1);
    CHECK(packets[0].frames == 3 && packets[0].bytes == 2923 && !packets[0].checked);
    CHECK(packets[0].sequence == UINT32_MAX - 1459 && packets[0].length == 40 + 2923);
    CHECK_EQ(packets[0].flags, TCP_ACK | TCP_PSH);
    join_end(&join);
    CHECK_EQ(packet_count, 1);
}

/* J1: each of them alone, and in the order in which they came. */
TEST(net_join, what_is_unlike_goes_alone)
{
    static const struct wanted others[] = {
        SEGMENT(.sequence = 101, .bytes = 10),               /* a gap */
        SEGMENT(.sequence = 0, .bytes = 10),                 /* once more */
        SEGMENT(.sequence = 100, .bytes = 10, .port = 1001), /* another connection */
        SEGMENT(.sequence = 100, .bytes = 10, .acknowledged = 8),
        SEGMENT(.sequence = 100, .bytes = 10, .window = 499),
        SEGMENT(.sequence = 100, .bytes = 10, .flags = TCP_ACK | TCP_FIN),
        SEGMENT(.sequence = 100, .bytes = 10, .flags = TCP_ACK | TCP_URG),
        SEGMENT(.sequence = 100, .bytes = 10, .flags = TCP_RST),
        SEGMENT(.sequence = 100), /* no bytes */
    };

    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        begin();
        take(SEGMENT(.sequence = 0, .bytes = 100));
        take(others[i]);
        join_end(&join);
        CHECK_EQ(packet_count, 2);
        CHECK(packets[0].bytes == 100 && packets[0].frames == 1);
        CHECK_EQ(packets[1].sequence, others[i].sequence);
    }
}

/* J2: lwIP looks at it, and drops it. */
TEST(net_join, a_wrong_sum_is_left_to_lwip)
{
    struct pbuf *pbuf;

    for (unsigned byte = SIZEOF_ETH_HDR + 8; byte < HEADERS + 10; byte++) {
        begin();
        take(SEGMENT(.sequence = 0, .bytes = 100));
        pbuf = make(&SEGMENT(.sequence = 100, .bytes = 10));
        ((uint8_t *)pbuf->payload)[byte] ^= 1;
        join_frame(&join, &netif, pbuf, false);
        CHECK_EQ(packet_count, 2);
        CHECK(packets[1].frames == 1 && packets[1].checked);
    }
    begin();
    pbuf = make(&SEGMENT(.sequence = 100, .bytes = 10));
    ((uint8_t *)pbuf->payload)[HEADERS] ^= 1;
    join_frame(&join, &netif, pbuf, true); /* the card says that it is right */
    join_end(&join);
    CHECK(packet_count == 1 && !packets[0].checked);
}

/* J3. */
TEST(net_join, a_chain_has_an_end)
{
    begin();
    for (uint32_t i = 0; i < JOIN_SEGMENTS + 2; i++)
        take(SEGMENT(.sequence = i * 10, .bytes = 10));
    join_end(&join);
    CHECK_EQ(packet_count, 2);
    CHECK(packets[0].frames == JOIN_SEGMENTS && packets[1].frames == 2);
}

TEST(net_join, of_acknowledgements_the_last_of_a_few_is_heard)
{
    begin();
    for (uint32_t i = 1; i <= JOIN_ACKS + 1; i++)
        take(SEGMENT(.sequence = 0, .acknowledged = 100 * i, .window = (uint16_t)(500 - i)));
    take(SEGMENT(.sequence = 0, .acknowledged = 100 * (JOIN_ACKS + 1))); /* the same once more */
    join_end(&join);
    CHECK_EQ(packet_count, 3);
    CHECK_EQ(packets[0].acknowledged, 100 * JOIN_ACKS);
    CHECK_EQ(packets[1].acknowledged, 100 * (JOIN_ACKS + 1));
    CHECK_EQ(packets[2].acknowledged, 100 * (JOIN_ACKS + 1));
    CHECK_EQ(freed, JOIN_ACKS - 1);
}

/* Every length, as a hostile peer may cut it: nothing beyond the frame is read, and all comes out once. */
TEST(net_join, a_frame_that_is_cut_goes_as_it_came)
{
    for (uint32_t bytes = SIZEOF_ETH_HDR; bytes < HEADERS + 100; bytes++) {
        struct pbuf *pbuf, *copy;
        uint8_t *exact = __builtin_malloc(bytes);

        begin();
        pbuf = make(&SEGMENT(.sequence = 0, .bytes = 100));
        copy = &pbufs[made];
        memcpy(exact, pbuf->payload, bytes);
        *copy = (struct pbuf){.payload = exact, .len = (u16_t)bytes, .tot_len = (u16_t)bytes};
        CHECK(!read_segment(copy, &(struct segment){0}));
        __builtin_free(exact);
    }
}
