// SPDX-License-Identifier: MIT
/*
 * loopback - the machine to itself: the interface "lo" with 127.0.0.1 and ::1, and what a card would send to an address of this
 * machine. A packet is copied once, waits in a queue and comes in again in the same pass of the loop.
 *
 * B1  What has an address of loopback never leaves the machine, and nothing comes in from a card with such an
 *     address, or as from this machine.
 */
#include "services/net/loopback.h"

#include "services/net/hooks.h"
#include "services/net/net.h"

/* Packets on their way; with the queue full a packet is kept by its sender, which tries again. */
#define PACKETS 256u
/* Three segments of this size fill a socket's ring: the headers of IP and TCP with time stamps are 52 bytes. */
#define MTU (SOCKET_RING_BYTES / 3 + 2 + 52)

_Static_assert(MTU - 40 <= TCP_MSS, "a segment is as long as the interface allows");

static struct netif lo;
static struct {
    struct pbuf *pbuf;
    struct netif *netif; /* by which it comes in */
} queue[PACKETS];
static uint32_t first, count;
static bool delivering;
static uint64_t packets, dropped;

static bool is_loopback(uint32_t address) /* in the order of the wire */
{
    return (address & PP_HTONL(0xFF000000)) == PP_HTONL(0x7F000000);
}

/* ---- Packets ---- */

err_t loopback_put(struct netif *netif, const struct pbuf *pbuf)
{
    struct pbuf *copy = NULL;
    uint32_t at = (first + count) % PACKETS;

    if (count < PACKETS)
        copy = pbuf_alloc(PBUF_RAW, pbuf->tot_len, PBUF_RAM);
    if (copy == NULL) {
        dropped++;
        return ERR_MEM;
    }
    (void)pbuf_copy_partial(pbuf, copy->payload, pbuf->tot_len, 0);
    queue[at].pbuf = copy;
    queue[at].netif = netif;
    count++;
    return ERR_OK;
}

static err_t output(struct netif *netif, struct pbuf *pbuf, const ip4_addr_t *address)
{
    if (!ip4_addr_eq(address, netif_ip4_addr(netif)))
        return ERR_RTE;
    return loopback_put(netif, pbuf);
}

static err_t output6(struct netif *netif, struct pbuf *pbuf, const ip6_addr_t *address)
{
    if (!ip6_addr_isloopback(address))
        return ERR_RTE;
    return loopback_put(netif, pbuf);
}

bool loopback_deliver(void)
{
    for (uint32_t i = 0; i < PACKETS && count != 0; i++) {
        uint32_t at = first;

        first = (first + 1) % PACKETS;
        count--;
        packets++;
        delivering = true;
        (void)ip_input(queue[at].pbuf, queue[at].netif); /* it is freed in any case */
        delivering = false;
    }
    return count != 0;
}

bool loopback_is_own(struct ip_address address)
{
    return limits_is_loopback(address) || limits_is_own(&the_net.own, address);
}

bool loopback_may_leave(const struct pbuf *pbuf)
{
    const struct ip_hdr *ip = pbuf->payload;

    return !is_loopback(ip->src.addr) && !is_loopback(ip->dest.addr);
}

/* Nor does an address of IPv4 leave in a packet of IPv6. */
static bool is_inside6(const ip6_addr_p_t *packed)
{
    ip6_addr_t address;

    ip6_addr_copy_from_packed(address, *packed);
    return ip6_addr_isloopback(&address) || ip6_addr_isipv4mappedipv6(&address);
}

bool loopback_may_leave6(const struct pbuf *pbuf)
{
    const struct ip6_hdr *ip = pbuf->payload;

    return !is_inside6(&ip->src) && !is_inside6(&ip->dest);
}

/* ---- What lwIP asks ---- */

int loopback_refuses_packet(struct pbuf *pbuf)
{
    const struct ip_hdr *ip = pbuf->payload;

    if (delivering ||
        (loopback_may_leave(pbuf) && !limits_is_own(&the_net.own, IP_V4(lwip_htonl(ip->src.addr)))))
        return 0;
    (void)pbuf_free(pbuf);
    return 1;
}

/* What has an address of IPv4 in it lwIP drops. An address that is being looked at, whether somebody else has it, is not ours
 * yet, so that who has it can say so. */
int loopback_refuses_packet6(struct pbuf *pbuf)
{
    const struct ip6_hdr *ip = pbuf->payload;
    ip6_addr_t from;

    timers_need(TIMERS_IP6);
    if (delivering)
        return 0;
    if (pbuf->len >= IP6_HLEN) {
        ip6_addr_copy_from_packed(from, ip->src);
        if (loopback_may_leave6(pbuf) && !limits_is_own(&the_net.own, port_address6(&from)))
            return 0;
    }
    (void)pbuf_free(pbuf);
    return 1;
}

/* A listener at all addresses is one of those that leave the machine, unless its limits name loopback as well. */
int loopback_refuses_connection(struct tcp_pcb *listener, const struct tcp_hdr *head)
{
    const struct socket *socket = listener->callback_arg;
    uint32_t next = head->seqno + ((TCPH_FLAGS(head) & TCP_SYN) != 0 ? 1u : 0u);
    struct socket_refusal refusal;

    if (ip_current_input_netif() != &lo || socket == NULL ||
        limits_listen(&the_net.limits[socket->session], SOCKET_TCP,
                      loopback_beside(socket->address), socket->port, &refusal))
        return ERR_OK;
    tcp_rst_netif(&lo, head->ackno, next, ip_current_dest_addr(), ip_current_src_addr(),
                  listener->local_port, head->src);
    return ERR_RTE;
}

bool loopback_is_input(void)
{
    return ip_current_input_netif() == &lo;
}

/* ---- The interface ---- */

static err_t begin(struct netif *netif)
{
    netif->name[0] = 'l';
    netif->name[1] = 'o';
    netif->output = output;
    netif->output_ip6 = output6;
    netif->mtu = MTU;
    NETIF_SET_CHECKSUM_CTRL(netif, NETIF_CHECKSUM_DISABLE_ALL);
    return ERR_OK;
}

void loopback_open(void)
{
    ip4_addr_t address = {lwip_htonl(LOOPBACK_ADDRESS)}, mask = {lwip_htonl(0xFF000000)},
               none = {0};

    (void)netif_add(&lo, &address, &mask, &none, NULL, begin, ip_input);
    IP_ADDR6_HOST(lo.ip6_addr, 0, 0, 0, 1);
    lo.ip6_addr_state[0] = IP6_ADDR_VALID;
    netif_set_link_up(&lo);
    netif_set_up(&lo);
    lo.rs_count = 0; /* there is no router */
}

void loopback_entry(struct socket_interface *entry)
{
    *entry = (struct socket_interface){
        .name = "lo",
        .mtu = MTU,
        .address = LOOPBACK_ADDRESS,
        .mask = 0xFF000000,
        .up = 1,
        .received = packets,
        .sent = packets + count,
        .dropped = dropped,
        .addresses6 = {LOOPBACK_ADDRESS6},
    };
}
