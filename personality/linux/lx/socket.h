// SPDX-License-Identifier: MIT
/*
 * socket.h - sockets of AF_INET, over the process' own session of the network ("net", protocols/socket.def). Without that
 * session there are none. What may be listened on, connected to and resolved is decided by the service, where the limits
 * of the session are; lx only says it in the errors of Linux.
 *
 *   FRESH --bind--> BOUND --listen--> LISTENING
 *   FRESH | BOUND --connect--> CONNECTING --the service says so--> CONNECTED; when it fails it is as before
 *   UDP: FRESH | BOUND | CONNECTED --connect--> CONNECTED
 */
#pragma once

#include "lib/client/socket.h"
#include "personality/linux/lx/lx.h"
#include "personality/linux/lx/open_file.h"

enum inet_state { INET_FRESH, INET_BOUND, INET_LISTENING, INET_CONNECTING, INET_CONNECTED };

/* An address and a port of IPv4, in the order of this machine. */
struct inet_address {
    uint32_t address, port;
};

struct name_answers;

struct inet_socket {
    struct socket socket;
    enum socket_protocol protocol;
    enum inet_state state, before; /* `before` CONNECTING */
    bool read_shut, write_shut;
    bool failure_told;             /* SO_ERROR or a call has said why it failed */
    bool reuse_address, broadcast; /* as set */
    int32_t error;                 /* of a connect that did not wait; 0: none */
    uint64_t receive_ns, send_ns;  /* SO_RCVTIMEO, SO_SNDTIMEO; MNOS_DEADLINE_NEVER */
    struct inet_address peer;      /* CONNECTING, CONNECTED */
    struct name_answers *answers;  /* of one that asks for names: socket_names.c */
};

extern const struct open_methods inet_methods;

/* Begins with the session "net", if the process has one. */
void inet_start(void);
/* In a copy of the process: it has no network, and the sockets of its descriptors are of no use. */
void inet_forked(void);
/* The socket of a descriptor: -EBADF, -ENOTSOCK. */
int64_t inet_of(int32_t fd, struct open_file **file, struct inet_socket **socket);
/* Looks whether the session was taken from the container: then no socket is of use any more. Each call about sockets begins
 * with it. */
void inet_look_for_end(void);
/* Whether an address lies in the window of the session. */
bool inet_has_window(uint64_t address);
/* Looks how a CONNECTING socket stands. -EINPROGRESS: as before. */
int64_t inet_look(struct inet_socket *socket);
/* Takes the error of a socket that has failed, which is told once; 0: there is none, or it was told. */
int64_t inet_take_error(struct inet_socket *socket);
/* Binds to a port of the service's choice, if it is not bound. */
int64_t inet_bind_any(struct inet_socket *socket);
/* wait_or_signal(); a deadline of 0 is -EAGAIN. */
int64_t inet_wait(uint64_t deadline_ns);

/* ---- socket_address.c: records of the program, errors ---- */

/* -EINVAL: too short; -EAFNOSUPPORT: of another family. */
int64_t inet_read_address(uint64_t from, uint32_t bytes, struct inet_address *address);
/* As much of it as there is room for, by *`bytes_at`, which becomes its length. */
int64_t inet_write_address(uint64_t to, uint64_t bytes_at, const struct inet_address *address);
/* `to` and the number at `bytes_at` as they are in struct msghdr. */
int64_t inet_write_address_in(uint64_t to, int32_t room, const struct inet_address *address,
                              int32_t *bytes);
/* What the service answered, to a request that `refused` is the error of when the limits do not allow it. */
int64_t inet_errno(mnos_status_t status, int64_t refused);
/* Whether the session may send datagrams there, as far as its ranges say: the service decides, and tells nobody. */
bool inet_may_send(const struct socket_limits *limits, const struct inet_address *address);

/* ---- socket_data.c: read and write ---- */

int64_t inet_read(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset);
int64_t inet_write(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset);

/* ---- socket_names.c: questions for names, which the service answers ---- */

/* Whether datagrams to that address are questions that lx answers. */
bool names_are_asked_at(const struct inet_address *address);
/* A question of the program's. Waits until the service has answered. */
int64_t names_ask(struct inet_socket *socket, const uint8_t *bytes, size_t count);
/* The next answer, of which at most `size` bytes are copied; its length, or -EAGAIN. With `peek` it stays. */
int64_t names_answer(struct inet_socket *socket, void *to, size_t size, bool peek);
bool names_have_answer(const struct inet_socket *socket);
void names_drop(struct inet_socket *socket);

/* The session; NULL: the process has none. */
struct socket_session *inet_session(void);
const struct socket_limits *inet_limits(void);
