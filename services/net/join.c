// SPDX-License-Identifier: MIT
/* join - see join.h. Host tests compile this file as it is. */
#include "services/net/join.h"

#include "lib/base/string.h"

#define IP_BYTES IP_HLEN /* without options */
#define FRAGMENT PP_HTONS(IP_OFFMASK | IP_MF)
#define STAMP_HEAD PP_HTONL(0x0101080A) /* two NOPs, time stamp of 10 bytes */
#define STAMP_BYTES 12u

/* A segment as it lies in its frame. */
struct segment {
    struct ip_hdr *ip;
    struct tcp_hdr *tcp;
    uint32_t head, bytes; /* of both headers; of payload */
    uint32_t sequence;
};

static void deliver(struct netif *netif, struct pbuf *pbuf, uint16_t checks)
{
    NETIF_SET_CHECKSUM_CTRL(netif, checks);
    if (netif->input(pbuf, netif) != ERR_OK)
        (void)pbuf_free(pbuf);
    NETIF_SET_CHECKSUM_CTRL(netif, NETIF_CHECKSUM_ENABLE_ALL);
}

/* Whether it is of the kind that may be joined at all, J1. */
static bool read_segment(const struct pbuf *pbuf, struct segment *segment)
{
    const struct eth_hdr *frame = pbuf->payload;
    uint32_t total, tcp_bytes;

    if (pbuf->len < SIZEOF_ETH_HDR + IP_BYTES + TCP_HLEN || frame->type != PP_HTONS(ETHTYPE_IP))
        return false;
    segment->ip = (struct ip_hdr *)((uint8_t *)pbuf->payload + SIZEOF_ETH_HDR);
    segment->tcp = (struct tcp_hdr *)((uint8_t *)segment->ip + IP_BYTES);
    if (segment->ip->_v_hl != (4 << 4 | IP_BYTES / 4) || segment->ip->_proto != IP_PROTO_TCP ||
        (segment->ip->_offset & FRAGMENT) != 0)
        return false;
    total = lwip_htons(segment->ip->_len);
    tcp_bytes = TCPH_HDRLEN_BYTES(segment->tcp);
    segment->head = IP_BYTES + tcp_bytes;
    if (total > (uint32_t)pbuf->len - SIZEOF_ETH_HDR || segment->head > total ||
        (TCPH_FLAGS(segment->tcp) & ~TCP_PSH) != TCP_ACK)
        return false;
    if (tcp_bytes != TCP_HLEN &&
        (tcp_bytes != TCP_HLEN + STAMP_BYTES ||
         memcmp(segment->tcp + 1, &(uint32_t){STAMP_HEAD}, sizeof(uint32_t)) != 0))
        return false;
    segment->bytes = total - segment->head;
    segment->sequence = lwip_htonl(segment->tcp->seqno);
    return true;
}

/* J2. The sum of a header that is right is all ones, and so is that of a segment with its pseudo header (RFC 1071). */
static bool is_right(const struct segment *segment, bool good)
{
    const struct ip_hdr *ip = segment->ip;
    uint32_t bytes = segment->head - IP_BYTES + segment->bytes, sum;

    if (checksum(ip, IP_BYTES) != UINT16_MAX)
        return false;
    if (good)
        return true;
    sum = checksum(segment->tcp, (int)bytes);
    sum += (ip->src.addr & 0xFFFF) + (ip->src.addr >> 16) + (ip->dest.addr & 0xFFFF) +
           (ip->dest.addr >> 16) + PP_HTONS(IP_PROTO_TCP) + lwip_htons((uint16_t)bytes);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return sum == UINT16_MAX;
}

static struct tcp_hdr *tcp_of(const struct join *join)
{
    return (struct tcp_hdr *)((uint8_t *)join->chain->payload + SIZEOF_ETH_HDR + IP_BYTES);
}

/* J1: from the same to the same, and the next number. */
static bool is_next(const struct join *join, const struct segment *segment)
{
    const struct ip_hdr *ip;
    const struct tcp_hdr *tcp;

    if (join->chain == NULL || segment->sequence != join->next || segment->head != join->head)
        return false;
    ip = (const struct ip_hdr *)((const uint8_t *)join->chain->payload + SIZEOF_ETH_HDR);
    tcp = tcp_of(join);
    return ip->src.addr == segment->ip->src.addr && ip->dest.addr == segment->ip->dest.addr &&
           tcp->src == segment->tcp->src && tcp->dest == segment->tcp->dest;
}

/* J1 and J3. */
static bool follows(const struct join *join, const struct segment *segment)
{
    return segment->bytes != 0 && join->bytes != 0 && join->count < JOIN_SEGMENTS &&
           join->bytes + segment->bytes <= JOIN_BYTES &&
           tcp_of(join)->ackno == segment->tcp->ackno && tcp_of(join)->wnd == segment->tcp->wnd;
}

static bool replaces(const struct join *join, const struct segment *segment)
{
    return segment->bytes == 0 && join->bytes == 0 && join->count < JOIN_ACKS &&
           TCP_SEQ_GT(lwip_htonl(segment->tcp->ackno), lwip_htonl(tcp_of(join)->ackno));
}

static void append(struct join *join, struct pbuf *pbuf, const struct segment *segment)
{
    struct ip_hdr *ip = (void *)((uint8_t *)join->chain->payload + SIZEOF_ETH_HDR);

    TCPH_SET_FLAG(tcp_of(join), TCPH_FLAGS(segment->tcp));
    (void)pbuf_remove_header(pbuf, SIZEOF_ETH_HDR + segment->head);
    join->last->next = pbuf;
    join->last = pbuf;
    join->chain->tot_len = (uint16_t)(join->chain->tot_len + pbuf->len);
    join->count++;
    join->bytes += segment->bytes;
    join->next += segment->bytes;
    ip->_len = lwip_htons((uint16_t)(join->head + join->bytes));
}

void join_frame(struct join *join, struct netif *netif, struct pbuf *pbuf, bool good)
{
    struct segment segment;
    uint16_t checks = NETIF_CHECKSUM_ENABLE_ALL;

    if (join->netif != netif)
        join_end(join);
    if (!read_segment(pbuf, &segment) || !is_right(&segment, good)) {
        join_end(join); /* it came first */
        if (good)
            checks &= (uint16_t) ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
        deliver(netif, pbuf, checks);
        return;
    }
    pbuf_realloc(pbuf, (uint16_t)(SIZEOF_ETH_HDR + segment.head + segment.bytes)); /* no filling */
    if (is_next(join, &segment) && follows(join, &segment)) {
        append(join, pbuf, &segment);
        return;
    }
    if (is_next(join, &segment) && replaces(join, &segment)) {
        (void)pbuf_free(join->chain);
        join->chain = join->last = pbuf;
        join->count++;
        return;
    }
    join_end(join);
    *join = (struct join){.netif = netif,
                          .chain = pbuf,
                          .last = pbuf,
                          .count = 1,
                          .next = segment.sequence + segment.bytes,
                          .bytes = segment.bytes,
                          .head = segment.head};
}

void join_end(struct join *join)
{
    struct pbuf *chain = join->chain;
    uint16_t left;

    join->chain = NULL;
    if (chain == NULL)
        return;
    /* Each says how much follows. */
    left = chain->tot_len;
    for (struct pbuf *pbuf = chain; pbuf != NULL; pbuf = pbuf->next) {
        pbuf->tot_len = left;
        left = (uint16_t)(left - pbuf->len);
    }
    deliver(join->netif, chain,
            NETIF_CHECKSUM_ENABLE_ALL & ~(NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_TCP));
}
