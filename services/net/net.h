// SPDX-License-Identifier: MIT
/*
 * net.h - the TCP/IP service: its tables, and what its files do for each other.
 *
 *   cards.c   drivers of cards
 *   interface.c   cards and lwIP's interfaces         share.c   windows of sessions, bells and news
 *   socket.c      sockets, from OPEN to their end     tcp.c, tcp_recover.c, udp.c, ping.c   one protocol each
 *   direct.c      bytes between two sockets of this machine     join.c   segments that go to lwIP as one
 *   cookie.c      half open connections without a place         observe.c   sockets, for who may see them
 *   names.c       addresses of hosts by their names     time_servers.c   who knows the time
 *   capture.c     frames, for who may see all of them
 *   listener.c    connections that wait for ACCEPT    connection.c   connections of lwIP and their images
 *   lookup.c      connections by the names of their ends
 *   kept.c, recover.c   what outlives a death, and its taking over
 *   server.c, server_sockets.c   requests of protocols/socket.def
 *   timers.c      when lwIP's timers are needed       main.c   capabilities and the loop
 *
 * One pass of the loop, one_pass() in main.c: frames in, timers, what clients put into rings; then the images of what has
 * changed, kept_commit(); then, and only then, what others see: rings, cells, news, frames.
 * Nothing here waits for anybody but the manager and a driver that is being attached.
 */
#pragma once

#include "lib/client/frame.h"
#include "lib/mnos/ring.h"
#include "lib/client/region.h"
#include "lib/server/loop.h"
#include "lib/server/service_limits.h"
#include "lib/server/state.h"
#include "lib/server/windows.h"
#include "protocols/net_format.h"
#include "services/net/kept.h"
#include "services/net/limits.h"
#include "services/net/names.h"
#include "services/net/port.h"
#include "services/net/timers.h"

#define NET_BACKLOG 64u   /* of one listener */
#define NET_HALF_OPEN 16u /* of one listener; more are answered by cookies (cookie.h) */
#define NET_PINGS 16u
#define NET_PINGS_SHARE (NET_PINGS / SESSION_SHARE) /* of one account */
#define NET_LINGER_NS 60000000000ull

/* ---- Interfaces ---- */

struct interface {
    struct frame_card card;
    struct netif netif;
    bool added; /* lwIP knows it */
    bool dhcp;
    bool quiet;    /* nothing has come since the stack began to wait for it */
    bool skipping; /* a frame in several buffers, which we have not asked for, is being dropped */
    uint32_t held; /* buffers that lwIP has */
    uint64_t received, sent, dropped;
    struct ip_address said[1 + LWIP_IPV6_NUM_ADDRESSES]; /* in the log */
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
/* A driver has been attached: it has all buffers for frames to come but those that lwIP still reads. */
void interface_begin(struct interface *interface, uint32_t number);
/* Frames in. True: there are more. */
bool interfaces_receive(struct interface *interfaces);
/* Frames out. */
void interfaces_bell(struct interface *interfaces);
/* Before waiting. False: something came. */
bool interfaces_sleep(struct interface *interfaces);
void interfaces_own(const struct interface *interfaces, struct own_addresses *own);
/* One of its addresses of IPv6, by its place; IP_NONE: there is none, or it is not ours to use yet. */
struct ip_address interface_address6(const struct interface *interface, int place);
/* The address that DHCP has given, for the next run. */
void interface_address(const struct interface *interface, struct kept_address *image);
/* The cards, then loopback; MNOS_ERR_END past the last: observe.c. */
mnos_status_t interfaces_entry(const struct interface *interfaces, uint64_t index,
                               struct socket_interface *entry);

/* ---- Shares: the windows ---- */

struct socket;
struct net;

/* H1  a share is there as long as a session or a socket has it
 * H2  slot i is used exactly when bit i of `used` is set, by one socket */
struct share {
    struct window window;
    struct socket_page *page; /* NULL: this entry is free */
    uint32_t slots;
    uint64_t used;
    uint64_t leaving; /* of `used`: free when that is known to the next run, too */
    uint64_t news;    /* not yet in the page */
    uint32_t session; /* that it belongs to; 0: to none any more */
    uint16_t index;   /* among its windows */
    uint16_t account; /* whose it is, and was */
    bool ending;      /* nobody has it: it is closed when that is known to the next run */
    struct socket *sockets[SOCKETS_OF_WINDOW]; /* by slot */
    mnos_cap_t listener;
    uint64_t events;
};

mnos_status_t share_open(struct net *net, uint32_t session, const struct socket_window *wanted,
                         mnos_cap_t listener);
/* Sockets that the windows of a session have room for, but that of the index. */
uint32_t share_slots_beside(const struct net *net, uint32_t session, uint32_t index);
/* The session is no more. */
void share_leave(struct net *net, uint32_t session);
/* A slot for a socket in one of its windows; NULL: none. Its rings are empty and its cell is zeroed; bytes that an earlier socket of the session left in
 * them are the client's own. */
struct share *share_take_slot(struct net *net, uint32_t session, uint32_t *slot);
void share_give_slot(struct net *net, struct share *share, uint32_t slot);
void *share_ring(const struct share *share, uint32_t page);
/* Sockets whose bells rang. */
void shares_pump(struct net *net);
/* The share of an earlier run. False: it cannot be. */
bool share_recover(struct net *net, uint32_t number);
/* News to clients that wait; and what is free is free. After kept_commit() only. */
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
    uint32_t buffer; /* of struct kept, from 1; 0: there was none, and nothing is received */
    uint32_t bytes;  /* in it */
    bool closed;     /* the peer has ended its direction */
    bool leaving;    /* free when that is known to the next run, too */
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
    uint16_t account; /* whose share it is, until it is free */
    uint32_t session; /* number; limits are the session's */
    uint32_t slot;
    struct share *share;
    struct socket_cell
        *cell;      /* written by socket_publish(); the client may, too: nothing is read from it */
    uint32_t state; /* enum socket_state */
    mnos_status_t error;       /* SOCKET_FAILED */
    uint64_t lost;             /* UDP: datagrams without room */
    struct ip_address address; /* of BIND */
    uint16_t port;             /* that BIND gave it; 0: none */
    uint32_t backlog;          /* of LISTEN */
    uint32_t waiting;          /* KIND_LISTENER: connections that wait for ACCEPT */
    uint64_t cookie_ns; /* KIND_LISTENER: when a SYN was last answered by a cookie; 0: never */
    struct ring send, receive; /* send.own: what is acknowledged; receive.own: what was put */
    uint64_t queued;           /* of `send`, handed to lwIP */
    uint64_t opened;           /* of `receive`, taken by the client and told to lwIP */
    uint64_t untold;           /* of `send`, free and not yet told of (K5) */
    uint64_t deadline_ns;      /* closing */
    struct tcp_pcb *tcp;       /* KIND_TCP, KIND_LISTENER; NULL: it is no more */
    struct udp_pcb *udp;       /* KIND_UDP; NULL: there was no memory for it after a death */
    struct kept_peer remote;   /* of UDP's CONNECT */
    uint32_t peer_count;
    struct kept_peer peers[NET_PEERS];
};

/* What has changed since its image was made. */
struct changes {
    struct numbers flows; /* of sockets, of which nothing else has changed */
    struct numbers
        segments; /* came or leave: the flows of connections have changed, and perhaps more */
    struct numbers sockets, connections, pending, shares, addresses;
};

struct ping {
    uint64_t sent_ns, deadline_ns; /* 0: free */
    uint64_t round_trip_ns;
    struct ip_address address;
    uint32_t account; /* whose share it is */
    uint32_t bytes, ttl;
    uint16_t id, sequence;
    bool answered;
};

struct net {
    struct server_loop loop;
    struct park park;
    uint64_t waits_for;
    uint8_t body[MNOS_MESSAGE_MAX_BYTES];
    struct service_limits given; /* by the manifest: records of protocols/net_format.h */
    struct own_addresses own;
    /* They are to be made anew: a frame may have changed them, or their masks alone. */
    bool own_stale;
    bool own_changed; /* some address has come or gone: sockets_judge() is to look */
    struct interface interfaces[NET_INTERFACES];
    struct state state;
    struct region state_region;
    struct windows windows_region;
    struct kept *kept;
    struct changes changes;
    struct numbers unpublished;     /* sockets whose images are newer than what clients see */
    struct numbers pending_leaving; /* `leaving` is over with the next kept_commit() */
    uint32_t buffers;               /* a bit for each that some pending connection has */
    struct tcp_pcb *connections[NET_CONNECTIONS]; /* by the number of their images */
    struct numbers connections_used;
    uint32_t connection_count;       /* of them */
    uint16_t peers[NET_CONNECTIONS]; /* their other ends: direct.c */
    struct numbers
        direct_waiting; /* sockets with bytes that nothing but segments on their way keeps in the ring */
    /* By the number of the session, from 1. */
    struct socket_limits *limits; /* in `kept` */
    struct share *windows[NET_SESSIONS + 1][SOCKET_WINDOWS];
    uint32_t open[NET_SESSIONS + 1]; /* sockets */
    uint16_t held[SESSION_ACCOUNTS]; /* sockets, those among them that nobody has any more */
    struct share shares[NET_SHARES];
    uint64_t shares_used;    /* bits, by index */
    uint64_t shares_changed; /* of those, that shares_publish() has something to do for */
    struct socket sockets[NET_SOCKETS +
                          1]; /* by number, from 1: objects of handles, and what is waited for */
    struct numbers sockets_used;
    uint64_t next_order;
    struct pending pending[NET_PENDING];
    struct ping pings[NET_PINGS];
    struct names names;
    struct raw_pcb *raw, *raw6; /* for pings, by family */
    uint16_t ping_sequence;
    uint32_t ping_count; /* of `pings`, not free */
};

extern struct net the_net;

/* What is waited for, beside numbers of sockets. */
#define NET_WAIT_PING 0x10000ull
#define NET_WAIT_NAME 0x20000ull
#define NET_WAIT_TIME 0x30000ull
#define NET_WAIT_CAPTURE 0x40000ull

/* It has news, or something of it is leaving. */
static inline void share_changed(struct net *net, const struct share *share)
{
    net->shares_changed |= 1ull << (share - net->shares);
}

static inline uint32_t socket_number(const struct socket *socket)
{
    return (uint32_t)(socket - the_net.sockets);
}

/* How many sockets the account of the session may have: as many as the manifest gives its service, and no fewer than are
 * usual, since those of sessions that have ended are among them while they linger. */
uint32_t socket_share(const struct net *net, uint32_t session);
/* A new socket of the session, in its window. MNOS_ERR_STATE, MNOS_ERR_QUOTA. */
mnos_status_t socket_make(struct net *net, uint32_t session, enum socket_kind kind,
                          struct socket **made);
/* Whether a socket of that protocol, and of the family of the address, that some client still has is bound to the port. */
bool socket_port_used(const struct net *net, enum socket_protocol protocol,
                      struct ip_address address, uint16_t port);
/* Nobody has a handle of it any more. */
void socket_close(struct net *net, uint32_t number);
/* It is free: nothing of lwIP's refers to it. */
void socket_free(struct net *net, struct socket *socket);
/* Something of it has changed that the next run is to know. */
static inline void socket_touch(struct socket *socket)
{
    numbers_add(&the_net.changes.sockets, socket_number(socket));
}
/* What of it has changed is in its rings alone. */
static inline void socket_moved(struct socket *socket)
{
    numbers_add(&the_net.changes.flows, socket_number(socket));
}
/* The client is to see what has changed; and who waits in a request is run again. */
void socket_tell(struct net *net, struct socket *socket);
/* Bytes of the send ring are free: the client is told by its quarters (K5). */
void socket_freed(struct socket *socket, uint64_t count);
void socket_fail(struct net *net, struct socket *socket, mnos_status_t error);
/* The addresses of this machine have changed: what is or is being connected to one of them, and may not be, fails. */
void sockets_judge(struct net *net);
static inline void socket_state(struct socket *socket, uint32_t set, uint32_t clear)
{
    socket->state = (socket->state & ~clear) | set;
    socket_touch(socket);
}
/* Rings and cells of what has changed, as their clients see them. After kept_commit() only. */
void sockets_publish(struct net *net);
/* Bytes into the receive ring, which the client does not see yet. MNOS_ERR_FORMAT: there is no room (K6). */
mnos_status_t socket_put(struct socket *socket, const void *bytes, size_t count);

/* Bytes in the send ring behind what is acknowledged; MNOS_ERR_FORMAT: the index cannot be (K6). */
mnos_status_t socket_written(const struct socket *socket, uint64_t *written);
/* Room in the receive ring; MNOS_ERR_FORMAT. */
mnos_status_t socket_room(const struct socket *socket, uint64_t *room);
/* Where its cell and its rings are, which a new socket has empty. */
void socket_place(struct socket *socket);

/* ---- kept.c, recover.c ---- */

/* Makes the images of what has changed, in the operation of the undo log that is under way. */
void kept_note(struct net *net);
/* The same, as an operation of its own, or the end of one. */
void kept_commit(struct net *net);
/* The regions, and what the last run has left in them. */
mnos_status_t recover_open(struct net *net);
/* Goes on with it: sockets, listeners, connections. After server_open(); before the first frame. */
void recover_all(struct net *net);
/* What clients have done meanwhile, and what is to be sent again. When there are interfaces. */
void recover_pump(struct net *net);

/* ---- connection.c ---- */

/* The PCB has an image from now on, or none any more. */
err_t connection_watch(struct tcp_pcb *pcb);
void connection_unwatch(struct tcp_pcb *pcb);
/* The number of its image. False: it has none. */
bool connection_number(const struct tcp_pcb *pcb, uint32_t *number);
/* More of it has changed than a segment does: whose it is. */
void connection_touch(const struct tcp_pcb *pcb);
void connection_image(uint32_t number, struct kept_connection *image);
/* Makes the flow of its image anew. False: more has changed. */
bool connection_note_flow(uint32_t number);
/* Makes the PCB anew, without an owner. NULL: the image cannot be, or there is no memory. */
struct tcp_pcb *connection_rebuild(uint32_t number);
/* One that its client has closed gets what it had to send. False: it broke. */
bool connection_finish(struct tcp_pcb *pcb, const struct kept_connection *image);
/* Sends what it was about to send, and tells the peer what has been received. */
void connections_resume(void);

/* Its ends are known: segments find it (lookup.c). */
void connection_named(const struct tcp_pcb *pcb);

/* ---- lookup.c: lookup_find() is in hooks.h ---- */

/* Makes the key of this run. Before the first connection. */
void lookup_open(void);
/* Of the connection of that number, whose ends are known and do not change any more. */
void lookup_add(uint32_t number);
/* One that is not there is not there afterwards. */
void lookup_remove(uint32_t number);

/* ---- tcp.c ---- */

mnos_status_t tcp_socket_open(struct socket *socket);
mnos_status_t tcp_socket_bind(struct socket *socket, struct ip_address address, uint16_t port);
mnos_status_t tcp_socket_listen(struct socket *socket, uint32_t backlog);
mnos_status_t tcp_socket_connect(struct socket *socket, struct ip_address address, uint16_t port);
/* The oldest that waits; NULL: none does. */
struct pending *tcp_socket_waiting(struct socket *listener);
void tcp_socket_take(struct socket *socket, struct pending *pending);
/* Gives a connection of an earlier run to its socket, what waits for ACCEPT, or its listener. False: it broke. */
bool tcp_socket_recover(struct socket *socket, struct tcp_pcb *pcb,
                        const struct kept_connection *image);
void tcp_pending_recover(struct pending *pending, struct socket *listener, struct tcp_pcb *pcb);
bool tcp_half_open_recover(struct socket *listener, struct tcp_pcb *pcb);
/* lwIP frees the PCB. In TIME_WAIT it tells nobody else. */
void tcp_freed(const struct tcp_pcb *pcb);
/* Whether its socket waits for the slow timer: on_poll(). */
bool tcp_polls(const struct tcp_pcb *pcb);
/* What an image says of who has the PCB. */
void tcp_owner(const struct tcp_pcb *pcb, struct kept_connection *image);
/* Moves what the client has put and taken. */
void tcp_socket_pump(struct socket *socket);
void tcp_socket_close(struct socket *socket);
/* Ends it at once. */
void tcp_socket_abort(struct socket *socket);
void tcp_socket_names(const struct socket *socket, struct socket_names *names);

/* lwIP's callbacks of a PCB are the socket's; or nobody's any more. */
void tcp_adopt(struct socket *socket, struct tcp_pcb *pcb);
void tcp_forget(struct tcp_pcb *pcb);

/* The socket that the PCB is of; NULL: none. */
struct socket *tcp_socket_of(const struct tcp_pcb *pcb);
/* Hands lwIP the bytes of the send ring up to that place, as far as it takes them. They stay in the ring until the peer has
 * acknowledged them, and are sent from there. */
void tcp_put_up_to(struct socket *socket, uint64_t end);

/* ---- direct.c ---- */

/* Moves what the client has put to a receiver of this machine, as far as that has room. False: there is none, or
 * segments are on their way. Not from within lwIP's callbacks. */
bool direct_move(struct socket *from);
/* Whether there is such a receiver: the bytes are moved when what is on its way has arrived. */
bool direct_is_meant(const struct socket *from);
/* After loopback_deliver(): moves those. True: an acknowledgement was put for loopback that they wait for. */
bool direct_resume(void);
/* The receiver has room for so many more: the sender, which knows it; NULL: lwIP is to tell it. */
struct socket *direct_open(struct socket *to, uint64_t count);
/* The connection is no more. */
void direct_forget(uint32_t number);

/* ---- pressure.c ---- */

/* Frees what came out of order on one connection; its peer sends it again. False: nothing did on any. */
bool tcp_forget_out_of_order(void);

/* ---- listener.c ---- */

/* What waited for ACCEPT does not any more. Its bytes stay until the next run would know it. */
void listener_leave(struct pending *pending);
/* That is known: what it had is free. */
void listener_left(struct pending *pending);
/* Its bytes, for a socket. */
void listener_bytes(const struct pending *pending, struct socket *socket);
/* Whether the PCB waits for ACCEPT. */
bool listener_has(const struct tcp_pcb *pcb);
void listener_close(struct socket *listener);

/* ---- udp.c ---- */

mnos_status_t udp_socket_open(struct socket *socket);
mnos_status_t udp_socket_bind(struct socket *socket, struct ip_address address, uint16_t port);
mnos_status_t udp_socket_connect(struct socket *socket, struct ip_address address, uint16_t port);
void udp_socket_pump(struct socket *socket);
void udp_socket_close(struct socket *socket);
void udp_socket_names(const struct socket *socket, struct socket_names *names);

/* ---- Arguments of the service: interface.c ---- */

/* What follows `name`, as "en0=", in the arguments; NULL: they have no such word. */
const char *argument_of(const char *arguments, const char *name);

/* ---- ping.c ---- */

/* MNOS_ERR_AGAIN: too many wait, or too many of the account's. */
mnos_status_t ping_begin(struct net *net, uint32_t account, const struct socket_ping *wanted,
                         uint32_t *number);
/* MNOS_ERR_AGAIN: it is still waited for. Else it is over. */
mnos_status_t ping_end(struct net *net, uint32_t number, struct socket_pong *pong);
/* Those whose time has passed are run again; when that is to be looked at next. */
uint64_t pings_deadline_ns(struct net *net, uint64_t now_ns);

/* ---- server.c, server_sockets.c ---- */

void server_open(struct net *net, mnos_cap_t endpoint);
