// SPDX-License-Identifier: MIT
/* ping - ICMP echo requests of clients, and their answers (RFC 792). */
#include "lib/mnos/time.h"
#include "services/net/net.h"

#define TIMEOUT_MAX_NS 60000000000ull
#define LEFT_NS 1000000000ull /* after its deadline nobody asks for one any more */

static void fill(uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(i + 0x10);
}

/* Bytes of the header of IP in front of ICMP, and for how many hops more the packet was good; 0: it is none. */
static uint32_t read_head(const struct pbuf *pbuf, uint32_t *ttl)
{
    struct ip6_hdr head6;
    struct ip_hdr head;

    if (pbuf_copy_partial(pbuf, &head, sizeof head, 0) != sizeof head)
        return 0;
    if (IPH_V(&head) == 4) {
        *ttl = IPH_TTL(&head);
        return IPH_HL_BYTES(&head);
    }
    if (pbuf_copy_partial(pbuf, &head6, sizeof head6, 0) != sizeof head6 ||
        IP6H_NEXTH(&head6) != IP6_NEXTH_ICMP6)
        return 0;
    *ttl = IP6H_HOPLIM(&head6);
    return IP6_HLEN;
}

/* Both families have the same fields. An answer is ours by identifier, sequence and length; 1: lwIP need not look at it any
 * more. */
_Static_assert(sizeof(struct icmp6_echo_hdr) == sizeof(struct icmp_echo_hdr), "RFC 792, RFC 4443");

static u8_t on_packet(void *arg, struct raw_pcb *, struct pbuf *pbuf, const ip_addr_t *from)
{
    struct net *at = arg;
    struct icmp_echo_hdr echo;
    uint32_t ttl = 0, head = read_head(pbuf, &ttl);

    if (head == 0 || pbuf_copy_partial(pbuf, &echo, sizeof echo, (u16_t)head) != sizeof echo ||
        echo.type != (IP_IS_V4(from) ? (uint8_t)ICMP_ER : (uint8_t)ICMP6_TYPE_EREP))
        return 0;
    for (uint32_t i = 0; i < NET_PINGS; i++) {
        struct ping *ping = &at->pings[i];

        if (ping->deadline_ns == 0 || ping->answered || echo.id != lwip_htons(ping->id) ||
            echo.seqno != lwip_htons(ping->sequence) ||
            pbuf->tot_len != head + sizeof echo + ping->bytes ||
            !ip_equal(port_address(from), ping->address))
            continue;
        ping->answered = true;
        ping->ttl = ttl;
        ping->round_trip_ns = kinfo_time_ns() - ping->sent_ns;
        park_wake(&at->park, NET_WAIT_PING + i);
        (void)pbuf_free(pbuf);
        return 1;
    }
    return 0;
}

static mnos_status_t send(struct raw_pcb *raw, const struct ping *ping)
{
    ip_addr_t to = port_to_lwip(ping->address);
    uint32_t bytes = (uint32_t)sizeof(struct icmp_echo_hdr) + ping->bytes;
    struct pbuf *pbuf = pbuf_alloc(PBUF_IP, (u16_t)bytes, PBUF_RAM);
    struct icmp_echo_hdr *echo;
    err_t error;

    if (pbuf == NULL)
        return MNOS_ERR_QUOTA;
    echo = pbuf->payload;
    *echo = (struct icmp_echo_hdr){.type = IP_IS_V4(&to) ? ICMP_ECHO : ICMP6_TYPE_EREQ,
                                   .id = lwip_htons(ping->id),
                                   .seqno = lwip_htons(ping->sequence)};
    fill((uint8_t *)(echo + 1), ping->bytes);
    if (IP_IS_V4(&to)) /* that of IPv6 is over addresses as well, which lwIP chooses */
        echo->chksum = inet_chksum(echo, (u16_t)bytes);
    error = raw_sendto(raw, pbuf, &to);
    (void)pbuf_free(pbuf);
    return port_status(error);
}

static void free_ping(struct net *at, struct ping *ping)
{
    *ping = (struct ping){0};
    at->ping_count--;
}

/* A free one; NULL: there is none, or the account's share is used. */
static struct ping *place(struct net *at, uint32_t account, uint32_t *number)
{
    struct ping *ping = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < NET_PINGS; i++) {
        if (at->pings[i].deadline_ns == 0 && ping == NULL)
            ping = &at->pings[ *number = i];
        count += at->pings[i].deadline_ns != 0 && at->pings[i].account == account;
    }
    return count < NET_PINGS_SHARE ? ping : NULL;
}

/* What hears the answers of a family; NULL: no memory. */
static struct raw_pcb *raw_of(struct net *at, bool v4)
{
    struct raw_pcb **raw = v4 ? &at->raw : &at->raw6;

    if (*raw != NULL)
        return *raw;
    *raw = v4 ? raw_new(IP_PROTO_ICMP) : raw_new_ip_type(IPADDR_TYPE_V6, IP6_NEXTH_ICMP6);
    if (*raw == NULL)
        return NULL;
    if (!v4) {
        (*raw)->chksum_reqd = 1;
        (*raw)->chksum_offset = offsetof(struct icmp6_echo_hdr, chksum);
    }
    raw_recv(*raw, on_packet, at);
    return *raw;
}

mnos_status_t ping_begin(struct net *at, uint32_t account, const struct socket_ping *wanted,
                         uint32_t *number)
{
    uint64_t timeout = wanted->timeout_ns < TIMEOUT_MAX_NS ? wanted->timeout_ns : TIMEOUT_MAX_NS;
    struct raw_pcb *raw = raw_of(at, ip_is_v4(wanted->address));
    struct ping *ping;
    mnos_status_t status;

    if (wanted->bytes > SOCKET_PING_BYTES_MAX || wanted->reserved != 0)
        return MNOS_ERR_ARGUMENT;
    if (raw == NULL)
        return MNOS_ERR_QUOTA;
    ping = place(at, account, number);
    if (ping == NULL)
        return MNOS_ERR_AGAIN;
    at->ping_count++;
    *ping = (struct ping){.sent_ns = kinfo_time_ns(),
                          .deadline_ns = deadline_after_ns(timeout + 1),
                          .account = account,
                          .address = wanted->address,
                          .bytes = wanted->bytes,
                          .id = (uint16_t)port_random(),
                          .sequence = ++at->ping_sequence};
    status = send(raw, ping);
    if (status != MNOS_OK)
        free_ping(at, ping);
    return status;
}

mnos_status_t ping_end(struct net *at, uint32_t number, struct socket_pong *pong)
{
    struct ping *ping = &at->pings[number];
    mnos_status_t status = MNOS_OK;

    if (ping->answered)
        *pong = (struct socket_pong){ping->round_trip_ns, ping->bytes, ping->ttl};
    else if (kinfo_time_ns() >= ping->deadline_ns)
        status = MNOS_ERR_DEADLINE;
    else
        return MNOS_ERR_AGAIN;
    free_ping(at, ping);
    return status;
}

uint64_t pings_deadline_ns(struct net *at, uint64_t now_ns)
{
    uint64_t first = MNOS_DEADLINE_NEVER;

    for (uint32_t i = 0; i < NET_PINGS && at->ping_count != 0; i++) {
        const struct ping *ping = &at->pings[i];

        if (ping->deadline_ns == 0)
            continue;
        if (now_ns < ping->deadline_ns) {
            first = ping->deadline_ns < first ? ping->deadline_ns : first;
        } else if (now_ns < ping->deadline_ns + LEFT_NS) {
            park_wake(&at->park, NET_WAIT_PING + i);
            first = ping->deadline_ns + LEFT_NS < first ? ping->deadline_ns + LEFT_NS : first;
        } else {
            free_ping(at, &at->pings[i]); /* whose client is gone */
        }
    }
    return first;
}
