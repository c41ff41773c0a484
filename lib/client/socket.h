// SPDX-License-Identifier: MIT
/*
 * socket.h - the network by protocols/socket.def: a session, sockets in its window, and bytes in their rings. Addresses
 * are those of protocols/address.h. For one thread per session.
 *
 * When `net` dies its next run goes on with sessions, sockets and connections; calls wait for it. If it cannot, one
 * socket fails with MNOS_ERR_LOST, or each call answers that, and the caller begins anew with socket_session_open().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/mnos/ring.h"
#include "protocols/label.h"
#include "protocols/socket.h"

/* At the endpoint of a session with a window, where its program may have itself told of other things, too: with another
 * event, and badges above these. */
#define SOCKET_OWN_EVENT 1ull
#define SOCKET_OWN_BADGES UINT32_MAX

/* One window of a session. */
struct socket_view {
    struct socket_page *page;
    uint32_t sockets; /* that it has room for */
    mnos_cap_t memory;
    mnos_badge_t badge; /* of the endpoint that WINDOW was given for it last */
    uint64_t due;       /* bits: of its sockets of which the service is to be told */
    uint64_t news;      /* bits: of those that socket_wait() has found changed */
};

struct socket_session {
    mnos_cap_t service;
    mnos_cap_t endpoint;
    uint32_t sockets; /* that there are windows for, or will be when they are opened */
    uint32_t asked;   /* how often WINDOW was: each time with a badge of its own */
    uint32_t window_count;
    struct socket_view windows[SOCKET_WINDOWS];
    uint32_t sequence;
    uint32_t runs; /* grows when it begins anew; sockets are of one */
    bool lost;
    /* Set by a program whose loop comes to socket_wait() soon, whatever it does: the service is told there, in the same
     * system call, of all that was put and taken since. Without it each operation tells it. */
    bool rings_late;
    uint64_t due; /* bits: of windows in which there is something due */
    /* What else has come to the endpoint: set by socket_wait(), cleared by the program. */
    bool others_gone;
    uint64_t other_events;
    struct socket_refusal refusal; /* of the last MNOS_ERR_DENIED */
};

struct socket {
    struct socket_session *session;
    struct socket_view *view; /* its window, and its place there */
    uint32_t slot;
    uint32_t number, run;
    uint64_t handle;
    struct ip_address address; /* of the peer, when ACCEPT has told */
    uint32_t port;
    struct ring send, receive;
    uint64_t told; /* receive.own at the last bell */
};

/* Begins with the service, for so many sockets, or for none (0). There is a window for SOCKETS_OF_WINDOW of them at once,
 * and for the others when they are opened. MNOS_ERR_DENIED: the manifest gives this program nothing. */
mnos_status_t socket_session_open(struct socket_session *session, mnos_cap_t service,
                                  uint32_t sockets);
void socket_session_close(struct socket_session *session);
/* Which field of which limit a MNOS_ERR_DENIED was about, for people. */
const char *socket_refusal_text(const struct socket_refusal *refusal);
/* Why a name could not be resolved, for people; NULL: as with other requests. */
const char *socket_resolve_text(mnos_status_t status);

/* A session below this one, to hand on. */
mnos_status_t socket_narrow(struct socket_session *session, const struct socket_limits *limits,
                            mnos_cap_t *below);
/* Ends a session below this one, by its capability, which stays the caller's, and all below it. MNOS_ERR_NOT_FOUND: there is no
 * such session any more; MNOS_ERR_DENIED: it is not below this one. */
mnos_status_t socket_close_tree(struct socket_session *session, mnos_cap_t below);
mnos_status_t socket_limits(struct socket_session *session, struct socket_limits *limits);
/* MNOS_ERR_END past the last. */
mnos_status_t socket_interface(struct socket_session *session, uint64_t index,
                               struct socket_interface *interface);
/* Of all sessions. MNOS_ERR_END past the last. */
mnos_status_t socket_entry(struct socket_session *session, uint64_t index,
                           struct socket_shown_entry *entry);
/* The addresses of a host by its name. `flags`: enum socket_resolve_flag. Waits for a server of names, 11 s at most, unless
 * SOCKET_RESOLVE_NOW is one of them. What went wrong: socket_resolve_text(). */
mnos_status_t socket_resolve(struct socket_session *session, const char *name, uint64_t flags,
                             struct socket_resolved *resolved);
/* Servers of the time that DHCP has told, of those that the session may ask. `flags`: enum socket_time_flag. Waits until there is
 * one, as long as it takes; MNOS_ERR_AGAIN: there is none, and SOCKET_TIME_NOW is one of the flags. */
mnos_status_t socket_time_servers(struct socket_session *session, uint64_t flags,
                                  struct socket_resolved *found);
/* Begins to capture frames that come from a host or port or go there; port 0: any, host IP_NONE: any. Needs
 * SOCKET_RIGHT_CAPTURE. MNOS_ERR_QUOTA: as many sessions capture already as may. */
mnos_status_t socket_capture(struct socket_session *session, struct ip_address host, uint32_t port);
/* Frames that were captured, each behind a struct socket_frame, whole and filled up to 8; waits for one, as long as it takes.
 * `bytes` has room for MNOS_MESSAGE_MAX_BYTES. MNOS_ERR_STATE: the service was started again, and is to be asked anew by
 * socket_capture(). */
mnos_status_t socket_captured(struct socket_session *session, uint8_t *bytes, size_t *count);
/* Waits for the answer, at most so long. */
mnos_status_t socket_ping(struct socket_session *session, const struct socket_ping *ping,
                          struct socket_pong *pong);

mnos_status_t socket_open(struct socket_session *session, enum socket_protocol type,
                          struct socket *socket);
/* `port` 0: one is chosen; *port becomes it. */
mnos_status_t socket_bind(struct socket *socket, struct ip_address address, uint32_t *port);
mnos_status_t socket_listen(struct socket *socket, uint32_t backlog);
/* TCP: waits until it is connected. */
mnos_status_t socket_connect(struct socket *socket, struct ip_address address, uint32_t port);
/* TCP: MNOS_ERR_AGAIN while it is being connected. The same call says how it stands: to be made again, with the same
 * address, after each socket_wait(), until it answers otherwise. */
mnos_status_t socket_connect_now(struct socket *socket, struct ip_address address, uint32_t port);
/* Waits for a connection. */
mnos_status_t socket_accept(struct socket *listener, struct socket *socket);
/* MNOS_ERR_AGAIN: none is there; what socket_state() said may be over. */
mnos_status_t socket_accept_now(struct socket *listener, struct socket *socket);
mnos_status_t socket_shutdown(struct socket *socket);
/* Both ends; `port` 0: there is no peer. */
mnos_status_t socket_names(struct socket *socket, struct socket_names *names);
mnos_status_t socket_close(struct socket *socket);

/* ---- Without a call: these never wait ---- */

/* Whether its session goes on, and is the one that it was opened in. */
static inline bool socket_is_there(const struct socket *socket)
{
    return !socket->session->lost && socket->run == socket->session->runs;
}

/* enum socket_state, and why if it has failed. */
uint32_t socket_state(const struct socket *socket, mnos_status_t *error);
/* How many bytes there is room for. */
size_t socket_room(const struct socket *socket);
/* How many bytes of the receive ring are there to be taken: of UDP with what surrounds the datagrams. */
size_t socket_waiting(const struct socket *socket);
/* The next bytes of the receive ring, which stay there. */
mnos_status_t socket_peek(const struct socket *socket, void *bytes, size_t count, size_t *found);
/* Takes so many out that socket_peek() has shown. */
void socket_drop(struct socket *socket, size_t count);
/* As many bytes as there is room for; the service is told if it waits. */
mnos_status_t socket_send(struct socket *socket, const void *bytes, size_t count, size_t *sent);
/* As many as there are. */
mnos_status_t socket_receive(struct socket *socket, void *bytes, size_t count, size_t *received);
/* One datagram. MNOS_ERR_AGAIN: no room. MNOS_ERR_SIZE: it is longer than SOCKET_DATAGRAM_MAX. */
mnos_status_t socket_send_to(struct socket *socket, struct ip_address address, uint32_t port,
                             const void *bytes, size_t count);
/* MNOS_ERR_AGAIN: there is none. *count becomes its length; what is longer than `size` is cut. */
mnos_status_t socket_receive_from(struct socket *socket, struct ip_address *address, uint32_t *port,
                                  void *bytes, size_t size, size_t *count);

/* Waits until the state or the rings of some socket have changed: socket_has_news(), socket_next_news(). MNOS_ERR_DEADLINE:
 * nothing has. MNOS_ERR_LOST: the service has died. It also returns, without news, when something else has come to the
 * endpoint: `other_events`, `others_gone`. */
mnos_status_t socket_wait(struct socket_session *session, uint64_t deadline_ns);
/* Whether the last socket_wait() has found it changed. */
static inline bool socket_has_news(const struct socket *socket)
{
    return (socket->view->news >> socket->slot & 1) != 0;
}
/* The number of one that it has, which then has no news any more; false: there is none left. */
bool socket_next_news(struct socket_session *session, uint32_t *number);
/* With `rings_late`: tells the service now, before what may take long. */
void socket_flush(struct socket_session *session);
