// SPDX-License-Identifier: MIT
/* question.h - one question to one server of the time. Host tests compile question.c as it is. */
#pragma once

#include "lib/client/socket.h"
#include "lib/format/net/sntp.h"

/* How long an answer is waited for. */
#define QUESTION_PATIENCE_NS 2000000000ull

struct answer {
    enum sntp_result result; /* SNTP_IGNORED: none that counts came in time */
    struct sntp_times times;
    uint64_t asked_ns, answered_ns; /* since boot */
};

/* Asks from a port of its own, which nobody foretells, and waits for QUESTION_PATIENCE_NS at most, whatever else comes to that
 * port meanwhile. An error: it could not be asked; MNOS_ERR_LOST: the session is lost. */
mnos_status_t question_ask(struct socket_session *net, struct ip_address server, uint32_t port,
                           struct answer *answer);
