// SPDX-License-Identifier: MIT
/* interface_info - what others ask of the interfaces: addresses, and what INTERFACES tells. */
#include "lib/base/printf.h"
#include "services/net/loopback.h"
#include "services/net/net.h"

struct ip_address interface_address6(const struct interface *interface, int place)
{
    return ip6_addr_isvalid(netif_ip6_addr_state(&interface->netif, place))
               ? port_address6(netif_ip6_addr(&interface->netif, place))
               : IP_NONE;
}

_Static_assert(NET_INTERFACES *(1 + LWIP_IPV6_NUM_ADDRESSES) <=
                   sizeof((struct own_addresses){0}.address) / sizeof(struct ip_address),
               "all of all cards");

static void add_own(struct own_addresses *own, struct ip_address address,
                    struct ip_address broadcast)
{
    if (ip_is_any(address))
        return;
    own->broadcast[own->count] = broadcast;
    own->address[own->count++] = address;
}

void interfaces_own(const struct interface *interfaces, struct own_addresses *own)
{
    own->count = 0;
    for (uint32_t i = 0; i < NET_INTERFACES; i++) {
        const struct netif *netif = &interfaces[i].netif;
        uint32_t address;

        if (!interfaces[i].added)
            continue;
        address = lwip_htonl(ip4_addr_get_u32(netif_ip4_addr(netif)));
        add_own(own, IP_V4(address),
                IP_V4(address | ~lwip_htonl(ip4_addr_get_u32(netif_ip4_netmask(netif)))));
        for (int k = 0; k < LWIP_IPV6_NUM_ADDRESSES; k++)
            add_own(own, interface_address6(&interfaces[i], k), IP_NONE);
    }
}

/* NULL, and *index is what is left of it: there are fewer. */
static const struct interface *nth(const struct interface *interfaces, uint64_t *index,
                                   uint32_t *number)
{
    for (uint32_t i = 0; i < NET_INTERFACES; i++)
        if (interfaces[i].added && (*index)-- == 0) {
            *number = i;
            return &interfaces[i];
        }
    return NULL;
}

mnos_status_t interfaces_entry(const struct interface *interfaces, uint64_t index,
                               struct socket_interface *entry)
{
    uint32_t number;
    const struct interface *interface = nth(interfaces, &index, &number);
    const struct netif *netif;

    if (interface == NULL && index != 0)
        return MNOS_ERR_END;
    if (interface == NULL) {
        loopback_entry(entry);
        return MNOS_OK;
    }
    netif = &interface->netif;
    *entry = (struct socket_interface){
        .mtu = netif->mtu,
        .address = lwip_htonl(ip4_addr_get_u32(netif_ip4_addr(netif))),
        .mask = lwip_htonl(ip4_addr_get_u32(netif_ip4_netmask(netif))),
        .gateway = lwip_htonl(ip4_addr_get_u32(netif_ip4_gw(netif))),
        .up = frame_link(&interface->card),
        .dhcp = interface->dhcp,
        .received = interface->received,
        .sent = interface->sent,
        .dropped = interface->dropped,
        .attaches = interface->card.attaches,
    };
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        entry->addresses6[i] = interface_address6(interface, i);
    (void)mnos_snprintf(entry->name, sizeof entry->name, "en%u", number);
    memcpy(entry->mac, netif->hwaddr, sizeof entry->mac);
    return MNOS_OK;
}
