// SPDX-License-Identifier: MIT
/*
 * kept.h - what of this service outlives its death: the region "net_state" (lib/server/state.h), and in "net_windows" the
 * windows of sessions. docs/net-death.md has the rules, N1 to N6.
 *
 * The tables that the service works with, and all that is lwIP's, end with a run. A record here is an image of one of
 * their entries, made at the end of a pass, or of a request: kept_note() makes those whose entries have changed, in one
 * operation of the undo log, and only then what has changed is shown to anybody.
 *
 * Of a socket and of a connection the last part is its flow, with a sum of its own: the part that each segment changes, which is
 * made anew alone as long as nothing else has changed.
 *
 * Numbers are those of the tables; all bytes of a record that is not in use are 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/socket.h"

#define NET_INTERFACES 2u
#define NET_SESSIONS 32u
#define NET_HANDLES 4096u /* a quarter is enough for the largest session (SESSION_SHARE) */
#define NET_SOCKETS 1152u
#define NET_SHARES                                                                                 \
    (2 * NET_SESSIONS)   /* some belong to sessions that are gone, and sockets that linger */
#define NET_PENDING 128u /* of all */
#define NET_PEERS 8u     /* of a UDP socket: who has sent to it last */
/* Of TCP, in every state: as many as lwIP has memory for (MEMP_NUM_TCP_PCB). */
#define NET_CONNECTIONS 1280u
/* What is received of connections before they are accepted: a ring's bytes each, of so many at once. */
#define NET_PENDING_BUFFERS 32u

enum kept_stage {
    KEPT_ENDED = 0,      /* TCP: there is no connection any more */
    KEPT_FRESH = 1,      /* TCP: there is none yet; or CONNECT runs, which is begun anew */
    KEPT_CONNECTION = 2, /* TCP: a record of the connection names the socket */
    KEPT_LISTENER = 3,
};

struct kept_peer {
    struct ip_address address;
    uint16_t port;
    uint16_t reserved[3];
};

struct kept_socket {
    uint8_t kind;  /* enum socket_kind; 0: not in use */
    uint8_t stage; /* enum kept_stage */
    uint8_t bound, shut, ended, closing;
    uint16_t port;
    uint32_t session, share;
    uint16_t slot, account;
    uint32_t state; /* enum socket_state */
    mnos_status_t error;
    uint32_t backlog; /* of LISTEN */
    uint32_t peer_count;
    uint32_t reserved;
    struct ip_address address; /* of BIND */
    struct kept_peer remote;   /* of UDP's CONNECT */
    struct kept_peer peers[NET_PEERS];
    uint64_t sum; /* of what is above */
    /* The flow. */
    uint64_t sent;     /* of the send ring: acknowledged, or sent as datagrams */
    uint64_t received; /* of the receive ring: put */
    uint64_t lost;
    uint64_t flow_sum;
};

struct kept_share {
    uint32_t slots;   /* 0: not in use, and all else is 0 */
    uint32_t session; /* 0: of none any more */
    uint32_t place;   /* of its window (lib/server/windows.h) */
    uint16_t index;   /* among the windows of the session */
    uint16_t account; /* that is charged for it */
    uint64_t sum;     /* of what is above */
};

struct kept_pending {
    uint32_t used;
    uint32_t listener; /* number of the socket */
    uint64_t order;
    uint32_t closed;
    uint32_t
        buffer;     /* number of `bytes` in struct kept, from 1; 0: none, and nothing is received */
    uint32_t bytes; /* in it */
    uint32_t reserved;
    uint64_t sum; /* of what is above */
};

enum kept_owner {
    KEPT_NOBODYS = 1, /* closed by its client, and not yet at its end */
    KEPT_SOCKETS = 2,
    KEPT_PENDINGS = 3,
    KEPT_LISTENERS = 4, /* half open: `owner_number` is the listener's socket */
};

/* One connection of TCP. Sequence numbers are RFC 9293's: `acked` is SND.UNA, `next` SND.NXT, `receive_next` RCV.NXT. */
struct kept_connection {
    uint8_t owner; /* enum kept_owner; 0: not in use */
    uint8_t zone;  /* of those of its addresses that are of a link; 0: none is */
    uint16_t owner_number;
    uint8_t state; /* enum tcp_state of lwIP */
    uint8_t send_scale, receive_scale, options;
    struct ip_address local, remote;
    uint16_t local_port, remote_port;
    uint16_t segment, flags; /* MSS; of lwIP's TF_ */
    uint32_t window_max;
    uint32_t unsound; /* 1: what was received and acknowledged is in no ring */
    uint64_t sum;     /* of what is above */
    /* The flow. */
    uint32_t first; /* of the byte at the socket's `sent`; half open: of the SYN */
    uint32_t acked, next;
    uint32_t end; /* behind all that was given to lwIP, the FIN included */
    uint32_t window, window_sequence, window_acked;
    uint32_t receive_next, receive_edge; /* the peer was told that it may send up to there */
    uint32_t stamp_recent, stamp_acked;
    uint32_t congestion, threshold;
    uint32_t timeout; /* of retransmission, in steps of lwIP's slow timer */
    uint64_t flow_sum;
};
_Static_assert(sizeof(struct kept_socket) == 312 && sizeof(struct kept_pending) == 40 &&
                   sizeof(struct kept_connection) == 128,
               "nothing is between what is summed, and its sum");

/* An address by DHCP. */
struct kept_address {
    uint32_t address, mask, gateway; /* in the order of the network; address 0: none */
    uint8_t mac[6];
    uint16_t reserved[3];
    uint64_t sum; /* of what is above */
};
_Static_assert(sizeof(struct kept_share) == 24 && sizeof(struct kept_address) == 32,
               "nothing is between what is summed, and its sum");

struct kept {
    struct kept_share shares[NET_SHARES];
    struct kept_socket sockets[NET_SOCKETS + 1];
    struct kept_pending pending[NET_PENDING];
    struct kept_connection connections[NET_CONNECTIONS];
    struct kept_address addresses[NET_INTERFACES];
    struct socket_limits limits[NET_SESSIONS + 1]; /* of an open session */
    uint8_t bytes[NET_PENDING_BUFFERS][SOCKET_RING_BYTES];
};

/* A set of numbers below NUMBERS. */
#define NUMBERS 1344u
struct numbers {
    uint64_t any; /* bits: of the words, which are not 0 */
    uint64_t words[NUMBERS / 64];
};
_Static_assert(NUMBERS % 64 == 0 && NUMBERS / 64 <= 64, "a bit for each word");
_Static_assert(NET_CONNECTIONS <= NUMBERS && NET_SOCKETS < NUMBERS && NET_PENDING <= NUMBERS,
               "numbers");

static inline void numbers_add(struct numbers *numbers, uint32_t number)
{
    numbers->words[number / 64] |= 1ull << number % 64;
    numbers->any |= 1ull << number / 64;
}

static inline void numbers_drop(struct numbers *numbers, uint32_t number)
{
    numbers->words[number / 64] &= ~(1ull << number % 64);
    if (numbers->words[number / 64] == 0)
        numbers->any &= ~(1ull << number / 64);
}

/* The lowest from `first` on that is not in it; NUMBERS: there is none. */
static inline uint32_t numbers_lowest_out(const struct numbers *numbers, uint32_t first)
{
    for (uint32_t i = first / 64; i < NUMBERS / 64; i++) {
        uint64_t out = ~numbers->words[i];

        if (i == first / 64)
            out &= UINT64_MAX << first % 64;
        if (out != 0)
            return i * 64 + (uint32_t)__builtin_ctzll(out);
    }
    return NUMBERS;
}

/* Takes the lowest out; false: there is none. */
static inline bool numbers_take(struct numbers *numbers, uint32_t *number)
{
    uint32_t i;

    if (numbers->any == 0)
        return false;
    i = (uint32_t)__builtin_ctzll(numbers->any);
    *number = i * 64 + (uint32_t)__builtin_ctzll(numbers->words[i]);
    numbers->words[i] &= numbers->words[i] - 1;
    if (numbers->words[i] == 0)
        numbers->any &= numbers->any - 1;
    return true;
}

/* Of so many bytes, a multiple of 8. Damage by a stray store is to be noticed, nobody's malice. */
static inline uint64_t kept_sum(const void *image, size_t bytes)
{
    uint64_t sum = 0x9E3779B97F4A7C15ull, word;

    _Pragma("GCC unroll 8") for (size_t at = 0; at < bytes; at += sizeof word)
    {
        __builtin_memcpy(&word, (const uint8_t *)image + at, sizeof word);
        sum = (sum << 23 | sum >> 41) + word;
    }
    return sum;
}
/* The sums of an image that is in use: of what is in front of its flow, and of the flow, which begins with `first`. */
#define KEPT_SUM(image) kept_sum((image), offsetof(typeof(*(image)), sum))
#define KEPT_FLOW(image, first)                                                                    \
    (offsetof(typeof(*(image)), flow_sum) - offsetof(typeof(*(image)), first))
#define KEPT_FLOW_SUM(image, first) kept_sum(&(image)->first, KEPT_FLOW(image, first))
/* Before a flow is changed. */
#define KEPT_FLOW_NOTE(image, first)                                                               \
    state_note(&(image)->first, KEPT_FLOW(image, first) + sizeof(uint64_t))
