// SPDX-License-Identifier: MIT
/*
 * names.h - addresses of hosts by their names: who asks for one waits, one question is under way for each name, and
 * answers are kept as long as they are good for.
 *
 *   free --somebody asks--> ASKING --an answer, or none after all tries--> KNOWN --its time is over, or its place is
 *   needed--> free
 *
 * N1  What ASKING waits for comes to a port of that question alone, drawn at random, from the server that was asked, and
 *     repeats a number drawn at random (lib/format/net/dns.h, D1). The next try has another port and number.
 * N2  Who has waited gets what the question came to, however short it is good for: `number` says which it was.
 *
 * N3  At most NAMES_SHARE of the questions that are under way were begun by one account: one that asks for names that nobody
 *     answers for leaves room to the others.
 *
 * Servers are those of the argument `dns=ADDRESS[:PORT]`, or else what DHCP has told last.
 */
#pragma once

#include "lib/format/net/dns.h"
#include "lib/server/session.h"
#include "services/net/port.h"

#define NAMES_ENTRIES 32u
#define NAMES_SHARE (NAMES_ENTRIES / SESSION_SHARE)
#define NAMES_SERVERS 2u

enum name_state { NAME_FREE, NAME_ASKING, NAME_KNOWN };

struct name {
    uint8_t state; /* enum name_state */
    bool v6;       /* its addresses of IPv6 are asked for */
    char text[DNS_NAME_BYTES];
    uint32_t account;    /* ASKING: whose share of the questions it is (lib/server/session.h) */
    uint64_t number;     /* of the question, from 1; never used again */
    uint64_t used;       /* grows: the one that was looked at longest ago goes first */
    uint64_t until_ns;   /* ASKING: of this try; KNOWN: as long as it is good for */
    mnos_status_t error; /* KNOWN: there is no address, and why */
    struct dns_answer answer;
    struct udp_pcb *udp; /* ASKING */
    uint16_t id;
    uint32_t tries;
};

struct names {
    struct name entries[NAMES_ENTRIES];
    uint64_t next_number, next_use;
    uint32_t asking; /* of `entries`, in that state */
    struct {
        struct ip_address address; /* IP_NONE: there is none */
        uint16_t port;
    } servers[NAMES_SERVERS];
    bool fixed; /* by the argument */
};

struct net;

/* `text`: behind `dns=`, or NULL. */
void names_open(struct net *net, const char *text);
/* The addresses of a clean name, for a session of the account. SERVER_PARKED: `waits_for` is set. MNOS_ERR_AGAIN: there is no
 * room (N3). *number: 0 at first, then which question it waits
 * for. `flags`: enum socket_resolve_flag; with SOCKET_RESOLVE_NOW MNOS_ERR_AGAIN instead of waiting. answer->ttl_s: how long they are good for still. */
mnos_status_t names_look(struct net *net, uint32_t account, const char *name, uint64_t flags,
                         uint64_t *number, struct dns_answer *answer);
/* Those whose try has been long enough are asked for again, or given up; when that is to be looked at next. */
uint64_t names_deadline_ns(struct net *net, uint64_t now_ns);
