// SPDX-License-Identifier: MIT
/* timers - see timers.h. */
#include "services/net/timers.h"

#include "services/net/net.h"

#define MS_NS 1000000ull

uint32_t timers_touched;
_Static_assert(TIMERS_TCP + TIMERS_FRAMES + TIMERS_IP6 == (1u << TIMER_NEIGHBOURS) * 2 - 1,
               "a bit each");

/* ---- TCP ---- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Delayed acknowledgements, and what there was no room for. */
static uint32_t steps_of_tcp_fast(void)
{
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next)
        if ((pcb->flags & (TF_ACK_DELAY | TF_CLOSEPEND)) != 0 || pcb->refused_data != NULL)
            return 1;
    return TIMERS_NEVER;
}

static void pass_tcp_fast(uint32_t)
{
    tcp_fasttmr();
}

/* Until a time that began with the connection's last segment is over: lwIP ends it in the step behind. */
static uint32_t until_over(const struct tcp_pcb *pcb, uint32_t ms)
{
    uint32_t limit = ms / TCP_SLOW_INTERVAL + 1, passed = tcp_ticks - pcb->tmr;

    return passed < limit ? limit - passed : 1;
}

/* As tcp_slowtmr() looks at an active connection. */
static uint32_t steps_of_connection(const struct tcp_pcb *pcb)
{
    uint32_t first = TIMERS_NEVER;

    if (pcb->unacked != NULL || pcb->unsent != NULL || pcb->rtime >= 0 ||
        pcb->persist_backoff != 0 || tcp_polls(pcb))
        return 1;
    if (pcb->ooseq != NULL)
        first = until_over(pcb, (uint32_t)pcb->rto * TCP_OOSEQ_TIMEOUT * TCP_SLOW_INTERVAL);
    if (pcb->state == FIN_WAIT_2 && (pcb->flags & TF_RXCLOSED) != 0)
        first = least(first, until_over(pcb, TCP_FIN_WAIT_TIMEOUT));
    if (pcb->state == SYN_RCVD)
        first = least(first, until_over(pcb, TCP_SYN_RCVD_TIMEOUT));
    if (pcb->state == LAST_ACK)
        first = least(first, until_over(pcb, 2 * TCP_MSL));
    return first;
}

static uint32_t steps_of_tcp_slow(void)
{
    uint32_t first = TIMERS_NEVER;

    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL && first > 1; pcb = pcb->next)
        first = least(first, steps_of_connection(pcb));
    for (const struct tcp_pcb *pcb = tcp_tw_pcbs; pcb != NULL && first > 1; pcb = pcb->next)
        first = least(first, until_over(pcb, 2 * TCP_MSL));
    return first;
}

static void pass_tcp_slow(uint32_t steps)
{
    tcp_ticks += steps - 1;
    tcp_slowtmr();
}

/* lwIP has a connection. */
void tcp_timer_needed(void)
{
    timers_need(TIMERS_TCP);
}

/* ---- DHCP ---- */

static uint32_t steps_of_dhcp_fine(void)
{
    uint32_t first = TIMERS_NEVER;

    for (struct netif *netif = netif_list; netif != NULL; netif = netif->next) {
        const struct dhcp *dhcp = netif_dhcp_data(netif);

        if (dhcp != NULL && dhcp->request_timeout != 0)
            first = least(first, dhcp->request_timeout);
    }
    return first;
}

static void pass_dhcp_fine(uint32_t steps)
{
    for (struct netif *netif = netif_list; netif != NULL; netif = netif->next) {
        struct dhcp *dhcp = netif_dhcp_data(netif);

        if (dhcp != NULL && dhcp->request_timeout != 0)
            dhcp->request_timeout -= (u16_t)(steps - 1);
    }
    dhcp_fine_tmr();
}

/* Minutes until a lease is to be renewed, asked of others, or over. */
static uint32_t steps_of_dhcp_coarse(void)
{
    uint32_t first = TIMERS_NEVER;

    for (struct netif *netif = netif_list; netif != NULL; netif = netif->next) {
        const struct dhcp *dhcp = netif_dhcp_data(netif);

        if (dhcp == NULL || dhcp->state == DHCP_STATE_OFF)
            continue;
        if (dhcp->t0_timeout != 0)
            first = least(first, (u16_t)(dhcp->t0_timeout - dhcp->lease_used));
        if (dhcp->t1_renew_time != 0)
            first = least(first, dhcp->t1_renew_time);
        if (dhcp->t2_rebind_time != 0)
            first = least(first, dhcp->t2_rebind_time);
    }
    return first == 0 ? 1 : first;
}

static void pass_dhcp_coarse(uint32_t steps)
{
    u16_t before = (u16_t)(steps - 1);

    for (struct netif *netif = netif_list; netif != NULL; netif = netif->next) {
        struct dhcp *dhcp = netif_dhcp_data(netif);

        if (dhcp == NULL || dhcp->state == DHCP_STATE_OFF)
            continue;
        if (dhcp->t0_timeout != 0)
            dhcp->lease_used += before;
        if (dhcp->t1_renew_time != 0)
            dhcp->t1_renew_time -= before;
        if (dhcp->t2_rebind_time != 0)
            dhcp->t2_rebind_time -= before;
    }
    dhcp_coarse_tmr();
}

/* ---- All of them ---- */

/*
 * S1  `passed_ns` is the time of a step, and what lwIP has counted is right for it
 * S2  `due` steps behind it one does something, at the earliest, unless the timer's bit in timers_touched is set, and then
 *     the next one may; TIMERS_NEVER: none does
 */
static struct timer {
    uint64_t step_ns;
    uint32_t (*steps)(void);
    void (*pass)(uint32_t steps); /* at most steps(), of which the last alone may do something */
    uint64_t passed_ns;
    uint32_t due;
} timers[] = {
    [TIMER_TCP_FAST] = {TCP_FAST_INTERVAL * MS_NS, steps_of_tcp_fast, pass_tcp_fast, 0, 0},
    [TIMER_TCP_SLOW] = {TCP_SLOW_INTERVAL * MS_NS, steps_of_tcp_slow, pass_tcp_slow, 0, 0},
    [TIMER_ARP] = {ARP_TMR_INTERVAL * MS_NS, steps_of_arp, steps_pass_arp, 0, 0},
    [TIMER_REASSEMBLY] = {IP_TMR_INTERVAL * MS_NS, steps_of_reassembly, steps_pass_reassembly, 0,
                          0},
    [TIMER_DHCP_FINE] = {DHCP_FINE_TIMER_MSECS * MS_NS, steps_of_dhcp_fine, pass_dhcp_fine, 0, 0},
    [TIMER_DHCP_COARSE] = {DHCP_COARSE_TIMER_MSECS * MS_NS, steps_of_dhcp_coarse, pass_dhcp_coarse,
                           0, 0},
    [TIMER_REASSEMBLY6] = {IP6_REASS_TMR_INTERVAL * MS_NS, steps_of_reassembly6,
                           steps_pass_reassembly6, 0, 0},
    [TIMER_MLD] = {MLD6_TMR_INTERVAL * MS_NS, steps_of_mld, steps_pass_mld, 0, 0},
    [TIMER_NEIGHBOURS] = {ND6_TMR_INTERVAL * MS_NS, steps_of_neighbours, steps_pass_neighbours, 0,
                          0},
};
#define TIMERS (sizeof timers / sizeof timers[0])

static uint64_t next_step_ns; /* no timer has a step before */

static uint32_t due_of(uint32_t number)
{
    return (timers_touched >> number & 1) != 0 ? 1 : timers[number].due;
}

static void find_next_step(void)
{
    next_step_ns = UINT64_MAX;
    for (uint32_t i = 0; i < TIMERS; i++) {
        uint64_t at_ns = timers[i].passed_ns + timers[i].step_ns;

        if (at_ns < next_step_ns)
            next_step_ns = at_ns;
    }
}

/* Steps up to now, but no more than that. */
static uint32_t steps_until(const struct timer *timer, uint64_t now_ns, uint32_t most)
{
    uint64_t passed = (now_ns - timer->passed_ns) / timer->step_ns;

    return passed < most ? (uint32_t)passed : most;
}

static void pass(struct timer *timer, uint32_t steps)
{
    timer->passed_ns += steps * timer->step_ns;
    if (timer->due != TIMERS_NEVER)
        timer->due -= least(steps, timer->due);
    timer->pass(steps);
}

void timers_open(uint64_t now_ns)
{
    for (uint32_t i = 0; i < TIMERS; i++) {
        timers[i].passed_ns = now_ns;
        timers[i].due = TIMERS_NEVER;
    }
    find_next_step();
}

void timers_pass(uint64_t now_ns)
{
    if (now_ns < next_step_ns)
        return;
    for (uint32_t i = 0; i < TIMERS; i++) {
        uint32_t steps = steps_until(&timers[i], now_ns, due_of(i) - 1);

        if (steps != 0)
            pass(&timers[i], steps);
    }
    find_next_step();
}

void timers_run(uint64_t now_ns)
{
    if (now_ns < next_step_ns)
        return;
    PBUF_CHECK_FREE_OOSEQ();
    for (uint32_t i = 0; i < TIMERS; i++) {
        struct timer *timer = &timers[i];
        uint32_t steps;

        while ((steps = steps_until(timer, now_ns, due_of(i))) != 0) {
            timers_touched &= ~(1u << i);
            pass(timer, steps);
            timer->due = timer->steps();
        }
    }
    find_next_step();
}

uint64_t timers_deadline_ns(void)
{
    uint64_t first = MNOS_DEADLINE_NEVER;

    for (uint32_t i = 0; i < TIMERS; i++) {
        uint32_t due = due_of(i);
        uint64_t at_ns = timers[i].passed_ns + due * timers[i].step_ns;

        if (due != TIMERS_NEVER && at_ns < first)
            first = at_ns;
    }
    return first;
}
