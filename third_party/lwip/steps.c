// SPDX-License-Identifier: MIT
/* steps - when ARP, neighbour discovery, reassembly and MLD need a step of their timers (services/net/timers.h). Their
 * tables are lwIP's own: this is compiled behind it, in one file (make/user.mk). */
#include <stdbool.h>

#include "services/net/timers.h"

#include "lwip/etharp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"

static void earlier(uint32_t *first, uint32_t steps)
{
    if (steps < *first)
        *first = steps == 0 ? 1 : steps;
}

uint32_t steps_of_arp(void)
{
    uint32_t first = TIMERS_NEVER;

    for (int i = 0; i < ARP_TABLE_SIZE; i++) {
        const struct etharp_entry *entry = &arp_table[i];
        uint32_t steps = entry->state == ETHARP_STATE_STABLE && entry->ctime < ARP_MAXAGE
                             ? (uint32_t)ARP_MAXAGE - entry->ctime
                             : 1; /* it is being asked for */

        if (entry->state != ETHARP_STATE_EMPTY && steps < first)
            first = steps;
    }
    return first;
}

/* `steps` is at most steps_of_arp(): only stable entries grow older in those before the last. */
void steps_pass_arp(uint32_t steps)
{
    for (int i = 0; i < ARP_TABLE_SIZE; i++)
        if (arp_table[i].state != ETHARP_STATE_EMPTY)
            arp_table[i].ctime += (u16_t)(steps - 1);
    etharp_tmr();
}

uint32_t steps_of_reassembly(void)
{
    uint32_t first = TIMERS_NEVER;

    for (const struct ip_reassdata *at = reassdatagrams; at != NULL; at = at->next)
        if (at->timer + 1u < first)
            first = at->timer + 1u; /* one at 0 goes with the next step */
    return first;
}

void steps_pass_reassembly(uint32_t steps)
{
    for (struct ip_reassdata *at = reassdatagrams; at != NULL; at = at->next)
        at->timer -= (u8_t)(steps - 1);
    ip_reass_tmr();
}

uint32_t steps_of_reassembly6(void)
{
    uint32_t first = TIMERS_NEVER;

    for (const struct ip6_reassdata *at = reassdatagrams6; at != NULL; at = at->next)
        earlier(&first, at->timer + 1u);
    return first;
}

void steps_pass_reassembly6(uint32_t steps)
{
    for (struct ip6_reassdata *at = reassdatagrams6; at != NULL; at = at->next)
        at->timer -= (u8_t)(steps - 1);
    ip6_reass_tmr();
}

/* ---- Groups of multicast ---- */

uint32_t steps_of_mld(void)
{
    uint32_t first = TIMERS_NEVER;
    struct netif *netif;

    NETIF_FOREACH(netif)
    for (const struct mld_group *at = netif_mld6_data(netif); at != NULL; at = at->next)
        if (at->timer != 0)
            earlier(&first, at->timer);
    return first;
}

void steps_pass_mld(uint32_t steps)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    for (struct mld_group *at = netif_mld6_data(netif); at != NULL; at = at->next)
        if (at->timer != 0)
            at->timer -= (u16_t)(steps - 1);
    mld6_tmr();
}

/* ---- Neighbour discovery: as nd6_tmr() looks at its tables ---- */

#define SECONDS (ND6_TMR_INTERVAL / 1000)
#define SOLICITATION_STEPS (ND6_RTR_SOLICITATION_INTERVAL / ND6_TMR_INTERVAL)

static void neighbour_steps(uint32_t *first)
{
    for (int i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        const struct nd6_neighbor_cache_entry *at = &neighbor_cache[i];

        if (at->state == ND6_REACHABLE)
            earlier(first, at->q != NULL ? 1 : (at->counter.reachable_time + ND6_TMR_INTERVAL - 1) / ND6_TMR_INTERVAL);
        else if (at->state != ND6_NO_ENTRY && at->state != ND6_STALE)
            earlier(first, 1); /* it is being asked for */
    }
    for (int i = 0; i < LWIP_ND6_NUM_ROUTERS; i++)
        if (default_router_list[i].neighbor_entry != NULL)
            earlier(first, default_router_list[i].invalidation_timer / SECONDS);
    for (int i = 0; i < LWIP_ND6_NUM_PREFIXES; i++)
        if (prefix_list[i].netif != NULL)
            earlier(first, prefix_list[i].invalidation_timer / SECONDS);
}

static bool is_up(const struct netif *netif)
{
    return netif_is_up(netif) && netif_is_link_up(netif);
}

static void address_steps(const struct netif *netif, int i, uint32_t *first)
{
    u8_t state = netif_ip6_addr_state(netif, i);
    u32_t valid = netif_ip6_addr_valid_life(netif, i), preferred = netif_ip6_addr_pref_life(netif, i);

    if (ip6_addr_istentative(state) &&
        (is_up(netif) || (state & IP6_ADDR_TENTATIVE_COUNT_MASK) >= LWIP_IPV6_DUP_DETECT_ATTEMPTS))
        earlier(first, 1);
    if (ip6_addr_isinvalid(state) || netif_ip6_addr_isstatic(netif, i))
        return;
    if (!ip6_addr_life_isinfinite(valid))
        earlier(first, valid / SECONDS);
    if (state == IP6_ADDR_PREFERRED && !ip6_addr_life_isinfinite(preferred))
        earlier(first, preferred / SECONDS);
}

/* Whether nd6_tmr() would ask for routers by it. */
static bool solicits(const struct netif *netif)
{
    u8_t state = netif_ip6_addr_state(netif, 0);

    return netif->rs_count != 0 && is_up(netif) && !ip6_addr_isinvalid(state) &&
           !ip6_addr_isduplicated(state);
}

uint32_t steps_of_neighbours(void)
{
    uint32_t first = TIMERS_NEVER;
    struct netif *netif;

    neighbour_steps(&first);
    NETIF_FOREACH(netif)
    {
        for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
            address_steps(netif, i, &first);
        if (solicits(netif))
            earlier(&first, nd6_tmr_rs_reduction + 1u);
    }
    return first;
}

static void pass_neighbours(uint32_t before)
{
    for (int i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        struct nd6_neighbor_cache_entry *at = &neighbor_cache[i];

        if (at->state == ND6_REACHABLE)
            at->counter.reachable_time -= before * ND6_TMR_INTERVAL;
        else if (at->state == ND6_STALE)
            at->counter.stale_time += before;
    }
    for (int i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++)
        destination_cache[i].age += before;
    for (int i = 0; i < LWIP_ND6_NUM_ROUTERS; i++)
        if (default_router_list[i].neighbor_entry != NULL)
            default_router_list[i].invalidation_timer -= before * SECONDS;
    for (int i = 0; i < LWIP_ND6_NUM_PREFIXES; i++)
        if (prefix_list[i].netif != NULL)
            prefix_list[i].invalidation_timer -= before * SECONDS;
}

static void pass_address(struct netif *netif, int i, uint32_t before)
{
    u32_t valid = netif_ip6_addr_valid_life(netif, i), preferred = netif_ip6_addr_pref_life(netif, i);

    if (ip6_addr_isinvalid(netif_ip6_addr_state(netif, i)) || netif_ip6_addr_isstatic(netif, i))
        return;
    if (!ip6_addr_life_isinfinite(valid))
        netif_ip6_addr_set_valid_life(netif, i, valid - before * SECONDS);
    if (!ip6_addr_life_isinfinite(preferred) && preferred != 0)
        netif_ip6_addr_set_pref_life(netif, i, preferred - (preferred < before * SECONDS ? preferred : before * SECONDS));
}

/* `steps` is at most steps_of_neighbours(): before the last all only count. */
void steps_pass_neighbours(uint32_t steps)
{
    uint32_t before = steps - 1;
    struct netif *netif;

    pass_neighbours(before);
    NETIF_FOREACH(netif)
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        pass_address(netif, i, before);
    nd6_tmr_rs_reduction = (u8_t)((nd6_tmr_rs_reduction + SOLICITATION_STEPS - before % SOLICITATION_STEPS) %
                                  SOLICITATION_STEPS);
    nd6_tmr();
}
