// SPDX-License-Identifier: MIT
/* socket_internal.h - what the files of socket.h share: one request to the service, and bells. */
#pragma once

#include "lib/client/socket.h"
#include "lib/mnos/ipc.h"

/* One request; the reply is in `message`. `once`: of class N, which uses one lane: a session is one thread's. `parks`: it may wait as
 * long as it takes. */
mnos_status_t socket_request(struct socket_session *session, struct message *message,
                             uint32_t operation, bool once, bool parks, const void *record,
                             size_t bytes);
/* The same with a reply of that length: MNOS_ERR_FORMAT: it has another. */
mnos_status_t socket_call(struct socket_session *session, uint32_t operation, const void *record,
                          size_t bytes, void *reply, size_t reply_bytes, bool once, bool parks);
/* Sets the bells that are due (K4). True: the service waits, and is to be told. */
bool socket_set_bells(struct socket_session *session);
