// SPDX-License-Identifier: MIT
/*
 * socket.h - labels and records of the socket protocol, and the windows that `net` shares with a session; what the
 * requests mean is in socket.def.
 *
 * A session has a window for each SOCKETS_OF_WINDOW of its sockets, which it asks for when it needs them. A window begins
 * with struct socket_page. Behind it each of its sockets has two rings of bytes (lib/mnos/ring.h): one to
 * send, of which the client is the producer, one of what was received, of which `net` is.
 *
 * K1  Bytes of TCP that were put into the send ring are sent in order; their places are free when the peer has
 *     acknowledged them. Who changes them earlier changes what is sent.
 * K2  The room in the receive ring is the window that the peer is told of: nothing is received that has no room.
 * K3  UDP: a socket without BIND hears those that `connect` allows; one with BIND hears all, and may answer the last few.
 *     Each datagram is a struct socket_datagram and its bytes, filled up to 8. One that has no room in the receive
 *     ring is lost, and counted in its cell; one that is malformed ends what is sent from that ring: SOCKET_FAILED.
 * K4  A client that has put something into a send ring, or taken a quarter of a receive ring since it last did so, sets
 *     the socket's bit in `bell`, and, if `net_waits` was not 0 and it is the one who made it 0, sets SOCKET_EVENT_BELL at
 *     net's endpoint. Room for less than a quarter need not be told: the peer was told of three at least.
 * K5  `net` sets the socket's bit in `news` when its cell has changed, something was received, or a quarter of the send
 *     ring has become free since it last did so, and, if `client_waits` was not 0 and it
 *     is the one who made it 0, sets the client's events. Before it waits the client stores 1 there, and looks at `news`
 *     once more.
 * K6  A client that breaks the rules of the indexes of a ring gets SOCKET_FAILED on that socket; nobody else notices.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "abi/types.h"
#include "protocols/address.h"

enum socket_label {
#define REQUEST(label, name, class, request, reply, text) SOCKET_##name = (label),
#include "protocols/socket.def"
#undef REQUEST
};

/* At net's endpoint: some client has set a bit in its `bell`. */
#define SOCKET_EVENT_BELL (1ull << 0)

/* ---- What a session may do ---- */

#define SOCKET_RANGES 16u
#define SOCKETS_OF_WINDOW                                                                          \
    28u /* at most: so it is a piece of 2 MiB, as memory comes (lib/client/region.h) */
#define SOCKET_WINDOWS 36u /* of a session */
#define SOCKETS_OF_SESSION (SOCKET_WINDOWS * SOCKETS_OF_WINDOW)
#define SOCKETS_USUAL 64u /* of one for which nobody has said how many */
#define SOCKET_SUFFIXES 4u
#define SOCKET_NAME_BYTES 256u /* the longest name of a host, 253, with its end */

enum socket_protocol { SOCKET_TCP = 1, SOCKET_UDP = 2 };

enum socket_right {
    SOCKET_RIGHT_PING = 1,
    SOCKET_RIGHT_OBSERVE = 2, /* INTERFACES, SOCKETS */
    SOCKET_RIGHT_CAPTURE =
        4, /* CAPTURE: all that all programs send and get, and what others on the wire do */
};

enum socket_range_flag {
    SOCKET_RANGE_OWN = 1, /* the machine's own addresses, whatever they are, and no others */
};

/*
 * Addresses of one family and ports of one protocol or of both, from first to last. A range of IPv6 never means an address
 * of IPv4, though those lie among its numbers (protocols/address.h). Loopback (127/8, ::1), link-local (169.254/16,
 * fe80::/10) and multicast (224/4, ff00::/8) addresses are meant only by a range that lies within them; the machine's own,
 * of either family, as the peer of a connection, only by SOCKET_RANGE_OWN.
 */
struct socket_range {
    struct ip_address first, last;
    uint16_t first_port, last_port;
    uint8_t protocols; /* of enum socket_protocol */
    uint8_t flags;     /* enum socket_range_flag */
    uint16_t reserved; /* 0 */
};
_Static_assert(sizeof(struct socket_range) == 40, "shared between programs");

struct socket_limits {
    uint32_t rights;  /* of enum socket_right */
    uint32_t sockets; /* at once, with those of sessions below; at most SOCKETS_OF_SESSION */
    uint32_t listen_count, connect_count;
    struct socket_range listen[SOCKET_RANGES];  /* local addresses and ports */
    struct socket_range connect[SOCKET_RANGES]; /* those of peers */
    uint32_t resolve_count, reserved;           /* 0 */
    /* Names that may be asked for, with all that end with them behind a point: "example.org", or "*", all of them. In
     * small letters, without a point at the end. */
    char resolve[SOCKET_SUFFIXES][SOCKET_NAME_BYTES];
};
_Static_assert(sizeof(struct socket_limits) == 2328, "shared between programs");

enum socket_limit {
    SOCKET_LIMIT_RIGHTS = 1,
    SOCKET_LIMIT_SOCKETS = 2,
    SOCKET_LIMIT_LISTEN = 3,
    SOCKET_LIMIT_CONNECT = 4,
    SOCKET_LIMIT_RESOLVE = 5,
};

enum socket_field {
    SOCKET_FIELD_NONE = 0,     /* the limit as a whole: a right, the number, no range at all */
    SOCKET_FIELD_ADDRESS = 1,  /* no range has the address */
    SOCKET_FIELD_PROTOCOL = 2, /* a range has the address, but not of this protocol */
    SOCKET_FIELD_PORT = 3,     /* a range has address and protocol, but not the port */
    SOCKET_FIELD_NAME = 4,     /* RESOLVE: the name does not end with any that may be asked for */
};

/* With ERR_DENIED. */
struct socket_refusal {
    uint32_t limit; /* enum socket_limit */
    uint32_t field; /* enum socket_field */
    uint32_t index; /* NARROW: of the range, or the name, that is no part; else 0 */
    uint32_t reserved;
};
_Static_assert(sizeof(struct socket_refusal) == 16, "shared between programs");

/* ---- Requests ---- */

struct socket_index {
    uint64_t index;
};

#define SOCKET_ADDRESSES6 3u

struct socket_interface {
    char name[8]; /* "en0" */
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t address, mask, gateway; /* of IPv4; 0: none yet */
    uint32_t up;                     /* 1: there is a driver, and the cable is in */
    uint32_t dhcp;                   /* 1: the address is asked for */
    uint32_t reserved;
    uint64_t received, sent, dropped;                /* frames */
    uint64_t attaches;                               /* how often a driver was begun with */
    struct ip_address addresses6[SOCKET_ADDRESSES6]; /* of IPv6; IP_NONE: none */
};
_Static_assert(sizeof(struct socket_interface) == 120, "shared between programs");

enum socket_resolve_flag {
    SOCKET_RESOLVE_NOW = 1, /* does not wait */
    SOCKET_RESOLVE_V6 = 2,  /* the addresses of IPv6; else those of IPv4 */
};

struct socket_resolve {
    uint64_t flags; /* enum socket_resolve_flag */
    char name[SOCKET_NAME_BYTES];
};
_Static_assert(sizeof(struct socket_resolve) == 264, "shared between programs");

#define SOCKET_ADDRESSES 8u

struct socket_resolved {
    uint32_t count; /* at least 1 */
    uint32_t ttl_s; /* how long they are good for */
    struct ip_address addresses[SOCKET_ADDRESSES];
};

enum socket_time_flag {
    SOCKET_TIME_NOW = 1, /* does not wait */
};

struct socket_time {
    uint64_t flags; /* enum socket_time_flag */
};

struct socket_capture {
    struct ip_address host; /* IP_NONE: any */
    uint32_t port;          /* 0: any */
    uint32_t reserved;      /* 0 */
};

enum socket_frame_flag {
    SOCKET_FRAME_SENT = 1, /* by this machine */
};

/* In front of a frame's bytes, which are filled up to 8. */
struct socket_frame {
    uint64_t time_ns; /* since boot */
    uint64_t lost;    /* frames without room, between the one before and this one */
    uint32_t bytes;
    uint16_t interface; /* 0: en0 */
    uint16_t flags;     /* enum socket_frame_flag */
};
/* What a frame of so many bytes takes behind its head. */
static inline uint64_t socket_frame_room(uint64_t bytes)
{
    return (bytes + 7) & ~7ull;
}
_Static_assert(sizeof(struct socket_capture) == 24 && sizeof(struct socket_frame) == 24,
               "shared between programs");

#define SOCKET_PING_BYTES_MAX 1400u

struct socket_ping {
    struct ip_address address;
    uint32_t bytes;    /* behind the header, at most SOCKET_PING_BYTES_MAX */
    uint32_t reserved; /* 0 */
    uint64_t timeout_ns;
};

struct socket_pong {
    uint64_t round_trip_ns;
    uint32_t bytes;
    uint32_t ttl; /* of the answer */
};

struct socket_window {
    uint32_t sockets; /* at most SOCKETS_OF_WINDOW */
    uint32_t index; /* of the window, among those of the session, from 0: one it has, or the next */
    uint64_t events;
};

struct socket_open {
    uint32_t type; /* enum socket_protocol, one of them */
    uint32_t reserved;
};

struct socket_handle {
    uint64_t handle;
};

enum socket_accept_flag {
    SOCKET_ACCEPT_NOW = 1, /* does not wait */
};

struct socket_accept {
    uint64_t handle;
    uint64_t flags; /* enum socket_accept_flag */
};

struct socket_opened {
    uint64_t handle;
    struct ip_address address; /* ACCEPT: of the peer */
    uint32_t number; /* SOCKET_NUMBER(): of its window, and there of its cell and its bit */
    uint32_t port;   /* ACCEPT: of the peer */
};
_Static_assert(sizeof(struct socket_opened) == 32, "fits a record of class N");

struct socket_address {
    uint64_t handle;
    struct ip_address address;
    uint32_t port;
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct socket_address) == 32, "fits a record of class N");

enum socket_connect_flag {
    SOCKET_CONNECT_NOW = 1, /* does not wait */
};

struct socket_connect {
    uint64_t handle;
    struct ip_address address;
    uint32_t port;
    uint32_t flags; /* enum socket_connect_flag */
};
_Static_assert(sizeof(struct socket_connect) == 32, "shared between programs");

struct socket_listen {
    uint64_t handle;
    uint64_t backlog;
};

struct socket_names {
    struct ip_address local_address, address;
    uint32_t local_port, port; /* `port`, as `address`, is of the peer; 0: there is none */
};

/* What others may see of a socket. */
enum socket_shown {
    SOCKET_SHOWN_OPEN,  /* neither bound nor connected */
    SOCKET_SHOWN_BOUND, /* UDP, or before LISTEN */
    SOCKET_SHOWN_LISTENING,
    SOCKET_SHOWN_CONNECTING,
    SOCKET_SHOWN_CONNECTED,
    SOCKET_SHOWN_HALF, /* one side has ended */
    SOCKET_SHOWN_FAILED,
    SOCKET_SHOWN_ENDING, /* nobody has it any more; the rest is being sent */
};

struct socket_shown_entry {
    uint32_t protocol; /* enum socket_protocol */
    uint32_t state;    /* enum socket_shown */
    struct socket_names names;
    uint64_t sending;  /* bytes that the peer has not acknowledged, or that were not sent */
    uint64_t received; /* bytes that its program has not taken */
    char owner[MNOS_NAME_BYTES]; /* the service whose session it is of, or one below; empty: gone */
};
_Static_assert(sizeof(struct socket_shown_entry) == 88, "shared between programs");

/* ---- The window ---- */

#define SOCKET_RING_BYTES 32768u /* of each ring */
#define SOCKET_RING_PAGES 9u     /* with its head */
#define SOCKET_SLOT_PAGES (2 * SOCKET_RING_PAGES)

enum socket_state {
    SOCKET_CONNECTED = 1,   /* TCP: bytes flow */
    SOCKET_PEER_CLOSED = 2, /* TCP: what is in the receive ring is the last */
    SOCKET_FAILED = 4,      /* `error` says why; nothing flows any more */
    SOCKET_ACCEPTABLE = 8,  /* a listener has a connection */
};

struct socket_cell {
    _Atomic uint32_t state; /* enum socket_state */
    _Atomic uint32_t error; /* SOCKET_FAILED: a status */
    _Atomic uint64_t lost;  /* UDP: datagrams without room */
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct socket_cell) == 32, "shared between programs");

struct socket_page {
    _Alignas(64) _Atomic uint64_t bell; /* bits set by the client, taken by net */
    _Atomic uint32_t client_waits;
    _Alignas(64) _Atomic uint64_t news; /* bits set by net, taken by the client */
    _Atomic uint32_t net_waits;
    _Alignas(64) struct socket_cell cells[SOCKETS_OF_WINDOW]; /* by net */
};
_Static_assert(sizeof(struct socket_page) <= 4096, "the first page");

/* Of a socket: its number in the session, by its window and its slot there, which it is cell, bit and rings of. */
#define SOCKET_NUMBER(window, slot) ((window)*SOCKETS_OF_WINDOW + (slot))
#define SOCKET_WINDOW_OF(number) ((number) / SOCKETS_OF_WINDOW)
#define SOCKET_SLOT_OF(number) ((number) % SOCKETS_OF_WINDOW)
/* Where in the window, in pages, the rings of a slot begin. */
#define SOCKET_SEND_PAGE(slot) (1 + (slot)*SOCKET_SLOT_PAGES)
#define SOCKET_RECEIVE_PAGE(slot) (SOCKET_SEND_PAGE(slot) + SOCKET_RING_PAGES)
#define SOCKET_WINDOW_PAGES(sockets) (1 + (sockets)*SOCKET_SLOT_PAGES)

#define SOCKET_DATAGRAM_MAX 1472u

struct socket_datagram {
    uint32_t bytes;            /* that follow */
    uint32_t port;             /* sending: 0: where the socket is connected to */
    struct ip_address address; /* sending: IP_NONE likewise */
};
_Static_assert(sizeof(struct socket_datagram) == 24, "shared between programs");
