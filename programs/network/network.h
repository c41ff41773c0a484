// SPDX-License-Identifier: MIT
/* network.h - what the commands about the network share: their session, and how failures are told. */
#pragma once

#include "lib/client/socket.h"

/* Ends; 3 is OUT_EXIT_TERMINAL. */
enum network_exit { NETWORK_EXIT_DONE = 0, NETWORK_EXIT_FAILED = 1, NETWORK_EXIT_CALL = 2 };

/* Begins with the session "net", with a window for so many sockets. False: it could not be, which was told. */
bool network_open(struct socket_session *session, uint32_t sockets);
/* "COMMAND WHAT: why"; a refusal with the field that it is about. */
void network_failed(const struct socket_session *session, mnos_status_t status, const char *what);
/* Why there is no connection, for people; NULL: there is, or for a reason as with other requests. */
const char *network_connect_text(mnos_status_t status);

/* Text of the one peer's, onto the terminal, which nothing of it commands; it may come in pieces. */
void network_show(const char *bytes, size_t count);

/* Each returns true when all of it was done; what was not, it has told. */
bool network_resolve(void);
bool network_fetch(void);
bool network_netstat(void);
bool network_nc(void);
bool network_capture(void);
