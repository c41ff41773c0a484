// SPDX-License-Identifier: MIT
/* question - see question.h. */
#include "services/sntp/question.h"

#include "lib/base/string.h"
#include "lib/client/entropy.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"

static mnos_status_t send_question(struct socket *socket, struct ip_address server, uint32_t port,
                                   uint64_t *number)
{
    uint8_t question[SNTP_BYTES];
    struct entropy_bytes random;
    mnos_status_t status = entropy_get(bootstrap_cap("entropy"), &random);

    if (status != MNOS_OK)
        return status;
    memcpy(number, random.bytes, sizeof *number);
    *number |= 1; /* 0 is no number */
    sntp_write_question(question, *number);
    status = socket_connect(socket, server, port);
    return status == MNOS_OK ? socket_send_to(socket, IP_NONE, 0, question, sizeof question)
                             : status;
}

/* Takes one datagram; SNTP_IGNORED: it does not count. False: none has come. */
static bool take_answer(struct socket *socket, struct ip_address server, uint32_t port,
                        uint64_t number, struct answer *answer)
{
    uint8_t bytes[SOCKET_DATAGRAM_MAX];
    struct ip_address address;
    uint32_t from;
    size_t count;

    if (socket_receive_from(socket, &address, &from, bytes, sizeof bytes, &count) != MNOS_OK)
        return false;
    if (ip_equal(address, server) && from == port)
        answer->result = sntp_read_answer(bytes, count < sizeof bytes ? count : sizeof bytes,
                                          number, &answer->times);
    return true;
}

mnos_status_t question_ask(struct socket_session *net, struct ip_address server, uint32_t port,
                           struct answer *answer)
{
    uint64_t number = 0, deadline_ns = deadline_after_ns(QUESTION_PATIENCE_NS);
    struct socket socket;
    mnos_status_t status = socket_open(net, SOCKET_UDP, &socket);

    *answer = (struct answer){.result = SNTP_IGNORED, .asked_ns = kinfo_time_ns()};
    if (status != MNOS_OK)
        return status;
    status = send_question(&socket, server, port, &number);
    while (status == MNOS_OK && answer->result == SNTP_IGNORED) {
        answer->answered_ns = kinfo_time_ns();
        /* Who sends without a pause is always news, for which socket_wait() does not look at the time. */
        if (answer->answered_ns >= deadline_ns)
            status = MNOS_ERR_DEADLINE;
        else if (!take_answer(&socket, server, port, number, answer))
            status = socket_wait(net, deadline_ns);
    }
    (void)!socket_close(&socket);
    return status == MNOS_ERR_DEADLINE ? MNOS_OK : status;
}
