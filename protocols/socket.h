// SPDX-License-Identifier: MIT
/*
 * socket.h - labels and records of the socket protocol, and the window that `net` shares with a session; what the
 * requests mean is in socket.def.
 *
 * The window begins with struct socket_page. Behind it each socket has two rings of bytes (lib/mnos/ring.h): one to
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
 * K5  `net` sets the socket's bit in `news` when its cell or a ring has changed, and, if `client_waits` was not 0 and it
 *     is the one who made it 0, sets the client's events. Before it waits the client stores 1 there, and looks at `news`
 *     once more.
 * K6  A client that breaks the rules of the indexes of a ring gets SOCKET_FAILED on that socket; nobody else notices.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "abi/types.h"

enum socket_label {
#define REQUEST(label, name, class, request, reply, text) SOCKET_##name = (label),
#include "protocols/socket.def"
#undef REQUEST
};

/* At net's endpoint: some client has set a bit in its `bell`. */
#define SOCKET_EVENT_BELL (1ull << 0)

/* ---- What a session may do ---- */

#define SOCKET_RANGES 8u
#define SOCKETS_OF_SESSION 64u
#define SOCKET_SUFFIXES 4u
#define SOCKET_NAME_BYTES 256u /* the longest name of a host, 253, with its end */

enum socket_protocol { SOCKET_TCP = 1, SOCKET_UDP = 2 };

enum socket_right {
    SOCKET_RIGHT_PING = 1,
    SOCKET_RIGHT_OBSERVE = 2, /* INTERFACES, SOCKETS */
};

enum socket_range_flag {
    SOCKET_RANGE_OWN = 1, /* the machine's own addresses, whatever they are, and no others */
};

/*
 * Addresses and ports of one protocol or of both, from first to last. Loopback (127/8), link-local (169.254/16) and
 * multicast (224/4) addresses are meant only by a range that lies within them; the machine's own, as the peer of a
 * connection, only by SOCKET_RANGE_OWN.
 */
struct socket_range {
    uint32_t first, last;
    uint16_t first_port, last_port;
    uint8_t protocols; /* of enum socket_protocol */
    uint8_t flags;     /* enum socket_range_flag */
    uint16_t reserved; /* 0 */
};
_Static_assert(sizeof(struct socket_range) == 16, "shared between programs");

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
_Static_assert(sizeof(struct socket_limits) == 1304, "shared between programs");

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

struct socket_interface {
    char name[8]; /* "en0" */
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t address, mask, gateway; /* 0: none yet */
    uint32_t up;                     /* 1: there is a driver, and the cable is in */
    uint32_t dhcp;                   /* 1: the address is asked for */
    uint32_t reserved;
    uint64_t received, sent, dropped; /* frames */
    uint64_t attaches;                /* how often a driver was begun with */
};
_Static_assert(sizeof(struct socket_interface) == 72, "shared between programs");

enum socket_resolve_flag {
    SOCKET_RESOLVE_NOW = 1, /* does not wait */
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
    uint32_t addresses[SOCKET_ADDRESSES];
};

#define SOCKET_PING_BYTES_MAX 1400u

struct socket_ping {
    uint32_t address;
    uint32_t bytes; /* behind the header, at most SOCKET_PING_BYTES_MAX */
    uint64_t timeout_ns;
};

struct socket_pong {
    uint64_t round_trip_ns;
    uint32_t bytes;
    uint32_t ttl; /* of the answer */
};

struct socket_window {
    uint32_t sockets;
    uint32_t reserved;
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
    uint32_t number;        /* of its cell and its bit */
    uint32_t address, port; /* ACCEPT: of the peer */
    uint32_t reserved;
};
_Static_assert(sizeof(struct socket_opened) == 24, "fits a record of class N");

struct socket_address {
    uint64_t handle;
    uint32_t address;
    uint32_t port;
};

struct socket_listen {
    uint64_t handle;
    uint64_t backlog;
};

struct socket_names {
    uint32_t local_address, local_port;
    uint32_t address, port; /* of the peer; 0: there is none */
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
_Static_assert(sizeof(struct socket_shown_entry) == 64, "shared between programs");

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
    _Alignas(64) struct socket_cell cells[SOCKETS_OF_SESSION]; /* by net */
};
_Static_assert(sizeof(struct socket_page) <= 4096, "the first page");

/* Where in the window, in pages, the rings of a socket begin. */
#define SOCKET_SEND_PAGE(number) (1 + (number)*SOCKET_SLOT_PAGES)
#define SOCKET_RECEIVE_PAGE(number) (SOCKET_SEND_PAGE(number) + SOCKET_RING_PAGES)
#define SOCKET_WINDOW_PAGES(sockets) (1 + (sockets)*SOCKET_SLOT_PAGES)

#define SOCKET_DATAGRAM_MAX 1472u

struct socket_datagram {
    uint32_t bytes; /* that follow */
    uint32_t address;
    uint32_t port; /* sending: 0 and address 0: where the socket is connected to */
    uint32_t reserved;
};
_Static_assert(sizeof(struct socket_datagram) == 16, "shared between programs");
