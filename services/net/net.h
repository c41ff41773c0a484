// SPDX-License-Identifier: MIT
/*
 * net.h - the TCP/IP service: its tables, and what its files do for each other.
 *
 *   interface.c   cards and lwIP's interfaces         share.c   windows of sessions, bells and news
 *   socket.c      sockets, from OPEN to their end     tcp.c, udp.c, ping.c   one protocol each
 *   names.c   addresses of hosts by their names
 *   server.c, server_sockets.c   requests of protocols/socket.def
 *   main.c        capabilities and the loop
 *
 * One pass of the loop, one_pass() in main.c: frames in, timers, what clients put into rings, then news and frames out.
 * Nothing here waits for anybody but the manager and a driver that is being attached.
 */
#pragma once

#include "lib/client/frame.h"
#include "lib/mnos/ring.h"
#include "lib/server/loop.h"
#include "lib/server/window.h"
#include "protocols/net_format.h"
#include "services/net/limits.h"
#include "services/net/names.h"
#include "services/net/port.h"

#define NET_INTERFACES 2u
#define NET_SESSIONS 32u
#define NET_SOCKETS 128u
#define NET_SHARES                                                                                 \
    (2 * NET_SESSIONS)   /* some belong to sessions that are gone, and sockets that linger */
#define NET_BACKLOG 64u  /* of one listener */
#define NET_PENDING 128u /* of all */
#define NET_PEERS 8u     /* of a UDP socket: who has sent to it last */
#define NET_PINGS 8u
#define NET_LINGER_NS 60000000000ull

/* ---- Interfaces ---- */

struct interface {
    struct frame_card card;
    struct netif netif;
    bool added; /* lwIP knows it */
    bool dhcp;
    bool skipping; /* a frame in several buffers, which we have not asked for, is being dropped */
    uint32_t held; /* buffers that lwIP has */
    uint64_t received, sent, dropped;
    struct {
        struct pbuf_custom pbuf;
        bool held;
    } buffers[FRAME_RECEIVE_BUFFERS]; /* by number */
};

/* Memory of all cards, from the region "net_frames". */
mnos_status_t interfaces_open(struct interface *interfaces, mnos_cap_t endpoint);
/* Attaches what is not attached and has a driver. */
void interfaces_attach(struct interface *interfaces);
void interfaces_gone(struct interface *interfaces, mnos_badge_t badge);
/* Frames in. True: there are more. */
bool interfaces_receive(struct interface *interfaces);
/* Frames out. */
void interfaces_bell(struct interface *interfaces);
/* Before waiting. False: something came. */
bool interfaces_sleep(struct interface *interfaces);
void interfaces_own(const struct interface *interfaces, struct own_addresses *own);
/* The cards, then loopback; MNOS_ERR_END past the last. */
mnos_status_t interfaces_entry(const struct interface *interfaces, uint64_t index,
                               struct socket_interface *entry);

/* ---- Shares: the windows ---- */

/* H1  a share is there as long as a session or a socket has it
 * H2  slot i is used exactly when bit i of `used` is set, by one socket */
struct share {
    struct window window;
    struct socket_page *page; /* NULL: this entry is free */
    uint32_t slots;
    uint64_t used;
    uint64_t news; /* not yet in the page */
    bool owned;    /* by a session */
    mnos_cap_t listener;
    uint64_t events;
};

struct socket;
struct net;

mnos_status_t share_open(struct net *net, uint32_t session, const struct socket_window *wanted,
                         mnos_cap_t listener);
/* The session is no more. */
void share_leave(struct net *net, uint32_t session);
/* A slot for a socket; NULL: none. Its rings and its cell are zeroed. */
struct share *share_take_slot(struct net *net, uint32_t session, uint32_t *slot);
void share_give_slot(struct share *share, uint32_t slot);
void *share_ring(const struct share *share, uint32_t page);
/* Sockets whose bells rang. True: there were some. */
bool shares_pump(struct net *net);
/* News to clients that wait. */
void shares_publish(struct net *net);
/* Before waiting. False: a bell rang. */
bool shares_sleep(struct net *net);

/* ---- Sockets ---- */

enum socket_kind { KIND_FREE, KIND_TCP, KIND_LISTENER, KIND_UDP };

/* What waits for ACCEPT. */
struct pending {
    struct tcp_pcb *pcb; /* NULL: free */
    struct socket *listener;
    uint64_t order;
    bool closed; /* the peer has ended its direction */
};

/*
 *   OPEN --> open --CONNECT, LISTEN, ACCEPT--> in use --CLOSE, its session ends--> closing --all is acknowledged, it
 *   failed, or 60 s have passed--> free
 */
struct socket {
    uint8_t kind; /* enum socket_kind */
    bool bound;
    bool connecting;  /* CONNECT waits */
    bool shut, ended; /* SHUTDOWN was asked for; and carried out */
    bool closing;     /* no client has it any more */
    uint32_t session; /* number; limits are the session's */
    uint32_t slot;
    struct share *share;
    struct socket_cell *cell;  /* the client may write there: nothing is read from it */
    uint32_t state;            /* enum socket_state, as the cell has it */
    mnos_status_t error;       /* SOCKET_FAILED */
    uint16_t port;             /* that BIND gave it; 0: none */
    struct ring send, receive; /* send.own: what is acknowledged; receive.own: what was put */
    uint64_t queued;           /* of `send`, handed to lwIP */
    uint64_t opened;           /* of `receive`, taken by the client and told to lwIP */
    uint64_t deadline_ns;      /* closing */
    struct tcp_pcb *tcp;       /* KIND_TCP, KIND_LISTENER; NULL: it is no more */
    struct udp_pcb *udp;
    uint32_t peer_count;
    struct {
        uint32_t address;
        uint16_t port;
    } peers[NET_PEERS];
};

struct ping {
    uint64_t sent_ns, deadline_ns; /* 0: free */
    uint64_t round_trip_ns;
    uint32_t address, bytes, ttl;
    uint16_t id, sequence;
    bool answered;
};

struct net {
    struct server_loop loop;
    struct park park;
    uint64_t waits_for;
    uint8_t body[MNOS_MESSAGE_MAX_BYTES];
    const struct net_limits_record *records;
    uint32_t record_count;
    struct own_addresses own;
    struct interface interfaces[NET_INTERFACES];
    /* By the number of the session, from 1. */
    struct socket_limits limits[NET_SESSIONS + 1];
    struct share *windows[NET_SESSIONS + 1];
    uint32_t open[NET_SESSIONS + 1]; /* sockets */
    struct share shares[NET_SHARES];
    struct socket sockets[NET_SOCKETS +
                          1]; /* by number, from 1: objects of handles, and what is waited for */
    uint64_t next_order;
    struct pending pending[NET_PENDING];
    struct ping pings[NET_PINGS];
    struct names names;
    struct raw_pcb *raw;
    uint16_t ping_sequence;
};

extern struct net the_net;

/* What is waited for, beside numbers of sockets. */
#define NET_WAIT_PING 0x10000ull
#define NET_WAIT_NAME 0x20000ull

static inline uint64_t socket_number(const struct socket *socket)
{
    return (uint64_t)(socket - the_net.sockets);
}

/* A new socket of the session, in its window. MNOS_ERR_STATE, MNOS_ERR_QUOTA. */
mnos_status_t socket_make(struct net *net, uint32_t session, enum socket_kind kind,
                          struct socket **made);
/* Whether a socket of that protocol that some client still has is bound to the port. */
bool socket_port_used(const struct net *net, enum socket_protocol protocol, uint16_t port);
/* Nobody has a handle of it any more. */
void socket_close(struct net *net, uint32_t number);
/* It is free: nothing of lwIP's refers to it. */
void socket_free(struct net *net, struct socket *socket);
/* Something has changed that the client is to see; and who waits in a request is run again. */
void socket_tell(struct net *net, struct socket *socket);
void socket_fail(struct net *net, struct socket *socket, mnos_status_t error);
static inline void socket_state(struct socket *socket, uint32_t set, uint32_t clear)
{
    socket->state = (socket->state & ~clear) | set;
    atomic_store_explicit(&socket->cell->state, socket->state, memory_order_release);
}

/* Bytes in the send ring behind what is acknowledged; MNOS_ERR_FORMAT: the index cannot be (K6). */
mnos_status_t socket_written(const struct socket *socket, uint64_t *written);
/* Room in the receive ring; MNOS_ERR_FORMAT. */
mnos_status_t socket_room(const struct socket *socket, uint64_t *room);
void socket_free_sent(struct socket *socket, uint64_t own);

/* ---- tcp.c ---- */

mnos_status_t tcp_socket_open(struct socket *socket);
mnos_status_t tcp_socket_bind(struct socket *socket, uint32_t address, uint16_t port);
mnos_status_t tcp_socket_listen(struct socket *socket, uint32_t backlog);
mnos_status_t tcp_socket_connect(struct socket *socket, uint32_t address, uint16_t port);
/* The oldest that waits; NULL: none does. */
struct pending *tcp_socket_waiting(struct socket *listener);
void tcp_socket_take(struct socket *socket, struct pending *pending);
/* Moves what the client has put and taken. */
void tcp_socket_pump(struct socket *socket);
void tcp_socket_close(struct socket *socket);
/* Ends it at once. */
void tcp_socket_abort(struct socket *socket);
void tcp_socket_names(const struct socket *socket, struct socket_names *names);

/* ---- udp.c ---- */

mnos_status_t udp_socket_open(struct socket *socket);
mnos_status_t udp_socket_bind(struct socket *socket, uint32_t address, uint16_t port);
mnos_status_t udp_socket_connect(struct socket *socket, uint32_t address, uint16_t port);
void udp_socket_pump(struct socket *socket);
void udp_socket_close(struct socket *socket);
void udp_socket_names(const struct socket *socket, struct socket_names *names);

/* ---- Arguments of the service: interface.c ---- */

/* What follows `name`, as "en0=", in the arguments; NULL: they have no such word. */
const char *argument_of(const char *arguments, const char *name);

/* ---- ping.c ---- */

mnos_status_t ping_begin(struct net *net, const struct socket_ping *wanted, uint32_t *number);
/* MNOS_ERR_AGAIN: it is still waited for. Else it is over. */
mnos_status_t ping_end(struct net *net, uint32_t number, struct socket_pong *pong);
/* Those whose time has passed are run again; when that is to be looked at next. */
uint64_t pings_deadline_ns(struct net *net, uint64_t now_ns);

/* ---- server.c, server_sockets.c ---- */

void server_open(struct net *net, struct sessions *sessions, mnos_cap_t endpoint);
