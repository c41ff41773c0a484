// SPDX-License-Identifier: MIT
/* time_servers - who knows the time, as DHCP has told it (RFC 2132, 8.3): TIME_SERVERS of protocols/socket.def. It is asked
 * by `sntp`. What the last run was told is told anew when the next one asks whether its address is still its own. */
#include "lib/format/net/sntp.h"
#include "services/net/server.h"

static struct ip_address told[LWIP_DHCP_MAX_NTP_SERVERS];
static uint32_t told_count;

/* lwIP calls it with each answer, that of another card too; those of the last one that has some count. */
void dhcp_set_ntp_servers(u8_t count, const ip4_addr_t *addresses)
{
    if (count == 0)
        return;
    told_count = count < LWIP_DHCP_MAX_NTP_SERVERS ? count : LWIP_DHCP_MAX_NTP_SERVERS;
    for (uint32_t i = 0; i < told_count; i++)
        told[i] = IP_V4(lwip_ntohl(ip4_addr_get_u32(&addresses[i])));
    park_wake(&the_net.park, NET_WAIT_TIME);
}

/* Those that the session may ask: what it cannot reach is none of its business. */
HANDLER(TIME_SERVERS)
{
    struct socket_resolved found = {0};
    struct socket_refusal refusal;
    struct socket_time wanted;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    if ((wanted.flags & ~(uint64_t)SOCKET_TIME_NOW) != 0)
        return MNOS_ERR_ARGUMENT;
    for (uint32_t i = 0; i < told_count; i++)
        if (limits_connect(limits_of(request), SOCKET_UDP, told[i], SNTP_PORT, &the_net.own,
                           &refusal))
            found.addresses[found.count++] = told[i];
    the_net.waits_for = NET_WAIT_TIME;
    if (found.count == 0)
        return wanted.flags != 0 ? MNOS_ERR_AGAIN : SERVER_PARKED;
    return answer(request, &found, sizeof found);
}
