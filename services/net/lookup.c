// SPDX-License-Identifier: MIT
/*
 * lookup - connections by the names of their ends. lwIP looks through lists, whose length is a step for each connection;
 * here a segment costs the same whether there is one connection or all that have a place.
 *
 * L1  A connection is in the table, once, from when its ends are known until lwIP frees its PCB: by CONNECT, by a SYN or a
 *     cookie that a listener takes, or by an image of the last run.
 * L2  One in TIME_WAIT and one that is active may have the same ends (10-time-wait.patch): the active one is found.
 *
 * Whoever connects chooses an address and a port of an end. So the place is made with a key of this run, and nobody outside
 * can have many of them fall into one place.
 */
#include "services/net/hooks.h"
#include "services/net/net.h"

#define BUCKETS_LOG 12u
#define BUCKETS (1u << BUCKETS_LOG)
_Static_assert(BUCKETS >= 2 * NET_CONNECTIONS, "a place has a half of a connection, at most");
_Static_assert(NET_CONNECTIONS < UINT16_MAX, "numbers of connections");

/* By number: 0 is the end; else the number of the next one, and one more. */
static uint16_t buckets[BUCKETS], next_of[NET_CONNECTIONS];
static uint16_t *bucket_of_number[NET_CONNECTIONS]; /* NULL: it is not in the table */
/* For each word of two addresses, and for the ports. */
static struct {
    uint64_t remote[4], local[4], ports;
} keys;

void lookup_open(void)
{
    uint64_t *key = keys.remote;

    _Static_assert(sizeof keys == 9 * sizeof *key, "nothing but keys");
    for (size_t i = 0; i < sizeof keys / sizeof *key; i++)
        key[i] = (uint64_t)port_random() << 32 | port_random();
}

static uint64_t mixed(const ip_addr_t *address, const uint64_t words[4])
{
    uint64_t sum = 0;

    if (IP_IS_V4(address))
        return words[0] * ip4_addr_get_u32(ip_2_ip4(address));
    for (unsigned i = 0; i < 4; i++)
        sum += words[i] * ip_2_ip6(address)->addr[i];
    return sum;
}

/* The high bits of a sum of words of 32 bits, each times a key of 64: two names are in one place as rarely as if it were
 * drawn, whatever they are (Dietzfelbinger, Universal hashing and k-wise independent random variables, 1996). Words of 64
 * bits would not do: what is high in them comes through to the place whatever the key. */
static uint16_t *bucket_of(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                           uint16_t remote_port)
{
    uint64_t sum = mixed(remote, keys.remote) + mixed(local, keys.local) +
                   keys.ports * ((uint32_t)local_port << 16 | remote_port);

    return &buckets[sum >> (64 - BUCKETS_LOG)];
}

void lookup_add(uint32_t number)
{
    const struct tcp_pcb *pcb = the_net.connections[number];
    uint16_t *bucket =
        bucket_of(&pcb->local_ip, pcb->local_port, &pcb->remote_ip, pcb->remote_port);

    if (bucket_of_number[number] != NULL)
        return;
    bucket_of_number[number] = bucket;
    next_of[number] = *bucket;
    *bucket = (uint16_t)(number + 1);
}

/* By what is known here: lwIP takes a PCB's port away before it frees it. */
void lookup_remove(uint32_t number)
{
    uint16_t *at = bucket_of_number[number];

    if (at == NULL)
        return;
    while (*at != number + 1)
        at = &next_of[*at - 1];
    *at = next_of[number];
    bucket_of_number[number] = NULL;
}

struct tcp_pcb *lookup_find(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                            uint16_t remote_port)
{
    struct tcp_pcb *ended = NULL;

    for (uint32_t at = *bucket_of(local, local_port, remote, remote_port); at != 0;
         at = next_of[at - 1]) {
        struct tcp_pcb *pcb = the_net.connections[at - 1];

        if (pcb->remote_port != remote_port || pcb->local_port != local_port ||
            !ip_addr_eq(&pcb->remote_ip, remote) || !ip_addr_eq(&pcb->local_ip, local))
            continue;
        if (pcb->state != TIME_WAIT)
            return pcb;
        ended = pcb;
    }
    return ended;
}
