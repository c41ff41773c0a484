// SPDX-License-Identifier: MIT
/*
 * socket.h - the network by protocols/socket.def: a session, sockets in its window, and bytes in their rings. Addresses
 * are IPv4, in the order of this machine. For one thread per session.
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

struct socket_session {
    mnos_cap_t service;
    struct socket_page *page; /* NULL: there is no window */
    uint32_t sockets;         /* that the window has room for */
    uint32_t asked;           /* how often WINDOW was: each time with a badge of its own */
    uint64_t window_pages;
    mnos_cap_t window, endpoint;
    uint32_t sequence;
    uint32_t runs; /* grows when it begins anew; sockets are of one */
    bool lost;
    /* What else has come to the endpoint: set by socket_wait(), cleared by the program. */
    bool others_gone;
    uint64_t other_events;
    struct socket_refusal refusal; /* of the last MNOS_ERR_DENIED */
};

struct socket {
    struct socket_session *session;
    uint64_t handle;
    uint32_t number, run;
    uint32_t address, port; /* of the peer, when ACCEPT has told */
    struct ring send, receive;
    uint64_t told; /* receive.own at the last bell */
};

/* Begins with the service, with a window for so many sockets, or without (0). MNOS_ERR_DENIED: the manifest gives this
 * program nothing. */
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
mnos_status_t socket_limits(struct socket_session *session, struct socket_limits *limits);
/* MNOS_ERR_END past the last. */
mnos_status_t socket_interface(struct socket_session *session, uint64_t index,
                               struct socket_interface *interface);
/* Of all sessions. MNOS_ERR_END past the last. */
mnos_status_t socket_entry(struct socket_session *session, uint64_t index,
                           struct socket_shown_entry *entry);
/* The addresses of a host by its name. `flags`: enum socket_resolve_flag. */
mnos_status_t socket_resolve(struct socket_session *session, const char *name, uint64_t flags,
                             struct socket_resolved *resolved);
/* Waits for the answer, at most so long. */
mnos_status_t socket_ping(struct socket_session *session, const struct socket_ping *ping,
                          struct socket_pong *pong);

mnos_status_t socket_open(struct socket_session *session, enum socket_protocol type,
                          struct socket *socket);
/* `port` 0: one is chosen; *port becomes it. */
mnos_status_t socket_bind(struct socket *socket, uint32_t address, uint32_t *port);
mnos_status_t socket_listen(struct socket *socket, uint32_t backlog);
/* TCP: waits until it is connected. */
mnos_status_t socket_connect(struct socket *socket, uint32_t address, uint32_t port);
/* Waits for a connection. */
mnos_status_t socket_accept(struct socket *listener, struct socket *socket);
/* MNOS_ERR_AGAIN: none is there; what socket_state() said may be over. */
mnos_status_t socket_accept_now(struct socket *listener, struct socket *socket);
mnos_status_t socket_shutdown(struct socket *socket);
mnos_status_t socket_close(struct socket *socket);

/* ---- Without a call: these never wait ---- */

/* enum socket_state, and why if it has failed. */
uint32_t socket_state(const struct socket *socket, mnos_status_t *error);
/* How many bytes there is room for. */
size_t socket_room(const struct socket *socket);
/* As many bytes as there is room for; the service is told if it waits. */
mnos_status_t socket_send(struct socket *socket, const void *bytes, size_t count, size_t *sent);
/* As many as there are. */
mnos_status_t socket_receive(struct socket *socket, void *bytes, size_t count, size_t *received);
/* One datagram. MNOS_ERR_AGAIN: no room. MNOS_ERR_SIZE: it is longer than SOCKET_DATAGRAM_MAX. */
mnos_status_t socket_send_to(struct socket *socket, uint32_t address, uint32_t port,
                             const void *bytes, size_t count);
/* MNOS_ERR_AGAIN: there is none. *count becomes its length; what is longer than `size` is cut. */
mnos_status_t socket_receive_from(struct socket *socket, uint32_t *address, uint32_t *port,
                                  void *bytes, size_t size, size_t *count);

/* Waits until something has changed; *numbers has a bit for each socket whose state or rings have. MNOS_ERR_DEADLINE:
 * nothing has. MNOS_ERR_LOST: the service has died. It also returns, without numbers, when something else has come to the
 * endpoint: `other_events`, `others_gone`. */
mnos_status_t socket_wait(struct socket_session *session, uint64_t deadline_ns, uint64_t *numbers);
