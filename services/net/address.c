// SPDX-License-Identifier: MIT
/* address - addresses of protocols/address.h and lwIP's: see port.h. Host tests compile this file as it is. */
#include "lib/base/string.h"
#include "services/net/port.h"

ip_addr_t port_to_lwip(struct ip_address address)
{
    uint64_t parts[2] = {__builtin_bswap64(address.high), __builtin_bswap64(address.low)};
    ip_addr_t to = {0};

    if (ip_is_v4(address)) {
        ip_addr_set_ip4_u32_val(to, lwip_htonl(ip_v4_of(address)));
    } else {
        memcpy(ip_2_ip6(&to)->addr, parts, sizeof parts);
        IP_SET_TYPE_VAL(to, IPADDR_TYPE_V6);
        if (ip6_addr_has_scope(ip_2_ip6(&to), IP6_UNKNOWN))
            ip6_addr_set_zone(ip_2_ip6(&to), PORT_FIRST_ZONE);
    }
    return to;
}

uint8_t port_zone(const ip_addr_t *address)
{
    return IP_IS_V6(address) ? ip6_addr_zone(ip_2_ip6(address)) : 0;
}

ip_addr_t port_to_lwip_at(struct ip_address address, uint8_t zone)
{
    ip_addr_t to = port_to_lwip(address);

    if (port_zone(&to) != 0)
        ip6_addr_set_zone(ip_2_ip6(&to), zone);
    return to;
}

struct ip_address port_address6(const ip6_addr_t *address)
{
    uint64_t parts[2];

    memcpy(parts, address->addr, sizeof parts);
    return (struct ip_address){__builtin_bswap64(parts[0]), __builtin_bswap64(parts[1])};
}

struct ip_address port_address(const ip_addr_t *address)
{
    return IP_IS_V4(address) ? IP_V4(lwip_htonl(ip4_addr_get_u32(ip_2_ip4(address))))
                             : port_address6(ip_2_ip6(address));
}
