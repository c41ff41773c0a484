// SPDX-License-Identifier: MIT
/* packet - see packet.h. */
#include "lib/format/net/packet.h"

#include "lib/format/bytes.h"

#define ETHERNET_BYTES 14u
#define TYPE_IP4 0x0800u
#define TYPE_ARP 0x0806u
#define TYPE_IP6 0x86DDu
#define IP4_BYTES 20u
#define IP6_BYTES 40u
#define ARP_BYTES 28u
#define ARP_IP4 0x00010800u /* Ethernet and IPv4 */
/* Headers of IPv6 in front of what it carries (RFC 8200, 4). */
#define HOP_BY_HOP 0u
#define ROUTING 43u
#define FRAGMENT 44u
#define DESTINATION 60u
#define HEADERS_MAX 8u
#define TCP_BYTES 20u
#define UDP_BYTES 8u

/* What is left of a frame. */
struct rest {
    const uint8_t *at;
    size_t bytes;
};

static uint32_t number(const uint8_t *at, unsigned bytes)
{
    return (uint32_t)bytes_get_big(at, bytes);
}

static struct ip_address address6(const uint8_t *at)
{
    return (struct ip_address){bytes_get_big(at, 8), bytes_get_big(at + 8, 8)};
}

static bool skip(struct rest *rest, size_t bytes)
{
    if (rest->bytes < bytes)
        return false;
    rest->at += bytes;
    rest->bytes -= bytes;
    return true;
}

/* `bytes` of the packet lie behind the headers of IP, of which those may be missing that the frame has not. */
static void read_ports(struct packet *packet, struct rest rest, size_t bytes)
{
    size_t header = packet->protocol == PACKET_TCP ? TCP_BYTES : UDP_BYTES;

    packet->bytes = (uint32_t)bytes;
    if ((packet->protocol != PACKET_TCP && packet->protocol != PACKET_UDP) || rest.bytes < header ||
        bytes < header)
        return;
    packet->has_ports = true;
    packet->source_port = (uint16_t)number(rest.at, 2);
    packet->target_port = (uint16_t)number(rest.at + 2, 2);
    if (packet->protocol == PACKET_TCP) {
        packet->tcp_flags = rest.at[13];
        header = (size_t)(rest.at[12] >> 4) * 4;
    }
    packet->bytes = bytes > header ? (uint32_t)(bytes - header) : 0;
}

static void read_ip4(struct packet *packet, struct rest rest)
{
    size_t head, total;

    if (rest.bytes < IP4_BYTES)
        return;
    head = (size_t)(rest.at[0] & 15) * 4;
    total = number(rest.at + 2, 2);
    if (rest.at[0] >> 4 != 4 || head < IP4_BYTES || total < head)
        return;
    packet->kind = PACKET_IP;
    packet->protocol = rest.at[9];
    packet->source = IP_V4(number(rest.at + 12, 4));
    packet->target = IP_V4(number(rest.at + 16, 4));
    packet->bytes = (uint32_t)(total - head);
    if ((number(rest.at + 6, 2) & 0x1FFF) == 0 && skip(&rest, head))
        read_ports(packet, rest, total - head);
}

static void read_ip6(struct packet *packet, struct rest rest)
{
    size_t bytes;

    if (rest.bytes < IP6_BYTES || rest.at[0] >> 4 != 6)
        return;
    packet->kind = PACKET_IP;
    packet->protocol = rest.at[6];
    packet->source = address6(rest.at + 8);
    packet->target = address6(rest.at + 24);
    bytes = packet->bytes = number(rest.at + 4, 2);
    (void)skip(&rest, IP6_BYTES);
    for (unsigned i = 0; i < HEADERS_MAX; i++) {
        bool fragment = packet->protocol == FRAGMENT;
        size_t head;

        if (packet->protocol != HOP_BY_HOP && packet->protocol != ROUTING &&
            packet->protocol != DESTINATION && !fragment)
            break;
        if (rest.bytes < 8)
            return;
        head = fragment ? 8 : (size_t)(rest.at[1] + 1) * 8;
        packet->protocol = rest.at[0];
        if (fragment && (number(rest.at + 2, 2) & 0xFFF8) != 0)
            return; /* not the first */
        if (!skip(&rest, head) || bytes < head)
            return;
        bytes -= head;
    }
    read_ports(packet, rest, bytes);
}

static void read_arp(struct packet *packet, struct rest rest)
{
    if (rest.bytes < ARP_BYTES || number(rest.at, 4) != ARP_IP4)
        return;
    packet->kind = PACKET_ARP;
    packet->source = IP_V4(number(rest.at + 14, 4));
    packet->target = IP_V4(number(rest.at + 24, 4));
    packet->bytes = ARP_BYTES;
}

bool packet_read(const uint8_t *frame, size_t bytes, struct packet *packet)
{
    struct rest rest = {frame, bytes};

    *packet = (struct packet){0};
    if (!skip(&rest, ETHERNET_BYTES))
        return false;
    packet->type = (uint16_t)number(frame + 12, 2);
    packet->bytes = (uint32_t)rest.bytes;
    switch (packet->type) {
    case TYPE_IP4: read_ip4(packet, rest); break;
    case TYPE_IP6: read_ip6(packet, rest); break;
    case TYPE_ARP: read_arp(packet, rest); break;
    default: break;
    }
    return true;
}

bool packet_is_of(const struct packet *packet, struct ip_address host, uint16_t port)
{
    bool from, to;

    if ((!ip_is_none(host) && packet->kind == PACKET_OTHER) || (port != 0 && !packet->has_ports))
        return false;
    from = (ip_is_none(host) || ip_equal(packet->source, host)) &&
           (port == 0 || packet->source_port == port);
    to = (ip_is_none(host) || ip_equal(packet->target, host)) &&
         (port == 0 || packet->target_port == port);
    return from || to;
}
