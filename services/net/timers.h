// SPDX-License-Identifier: MIT
/*
 * timers.h - lwIP's timers, which tick here only while something needs them.
 *
 * lwIP counts in steps: each 250 ms it looks at delayed acknowledgements, each 500 ms at retransmissions, each second at
 * its table of ARP. A timer here knows how many steps may pass until one does something, and lets the others pass by
 * adding them to what they would have counted. That number is worked out after a step that did something; whoever
 * changes what it depends on says so by timers_need(), and then the next step is looked at in any case.
 */
#pragma once

#include <stdint.h>

enum timer_number {
    TIMER_TCP_FAST,
    TIMER_TCP_SLOW,
    TIMER_ARP,
    TIMER_REASSEMBLY,
    TIMER_DHCP_FINE,
    TIMER_DHCP_COARSE,
    TIMER_REASSEMBLY6,
    TIMER_MLD,
    TIMER_NEIGHBOURS,
};

/* A segment has come or leaves, or a client has put or taken something. */
#define TIMERS_TCP (1u << TIMER_TCP_FAST | 1u << TIMER_TCP_SLOW)
/* A frame has come or leaves. */
#define TIMERS_FRAMES                                                                              \
    (1u << TIMER_ARP | 1u << TIMER_REASSEMBLY | 1u << TIMER_DHCP_FINE | 1u << TIMER_DHCP_COARSE)
/* A packet of IPv6 has come or leaves. */
#define TIMERS_IP6 (1u << TIMER_REASSEMBLY6 | 1u << TIMER_MLD | 1u << TIMER_NEIGHBOURS)

#define TIMERS_NEVER UINT32_MAX

extern uint32_t
    timers_touched; /* bits by enum timer_number, each until the next step of its timer */

static inline void timers_need(uint32_t which)
{
    timers_touched |= which;
}

/* Begins counting, with lwIP. */
void timers_open(uint64_t now_ns);
/* Steps that do nothing have passed: what comes next is counted from now. Before what has come is looked at. */
void timers_pass(uint64_t now_ns);
/* Those whose time has come run. Behind what has come, which may be what they would have waited for in vain. */
void timers_run(uint64_t now_ns);
/* When timers_run() has something to do, in nanoseconds since boot; MNOS_DEADLINE_NEVER. */
uint64_t timers_deadline_ns(void);

/* Of lwIP's own tables (third_party/lwip/steps.c): steps until one does something, TIMERS_NEVER; and letting so many pass,
 * of which the last does it. */
uint32_t steps_of_arp(void);
void steps_pass_arp(uint32_t steps);
uint32_t steps_of_reassembly(void);
void steps_pass_reassembly(uint32_t steps);
uint32_t steps_of_reassembly6(void);
void steps_pass_reassembly6(uint32_t steps);
uint32_t steps_of_mld(void);
void steps_pass_mld(uint32_t steps);
uint32_t steps_of_neighbours(void);
void steps_pass_neighbours(uint32_t steps);
