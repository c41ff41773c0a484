// SPDX-License-Identifier: MIT
/* test_sntp_question - one question to a server of the time ends: by the answer, or at its deadline, whatever comes. */
#include "tests/unit/unit.h"

#include <string.h>

/* Names that other tests have, too. */
#define bootstrap_require question_require
#define deadline_after_ns question_deadline_after_ns
#define kinfo_time_ns question_time_ns
#define socket_close question_socket_close
#include "services/sntp/question.c"

#define SERVER IP_V4(0x0A000202)
#define OTHER IP_V4(0x0A000203)
#define PORT 123u
#define STEP_NS 1000000ull /* what looking at a datagram takes */
#define TOO_LONG_NS (3 * QUESTION_PATIENCE_NS)

/* ---- Stand-ins: a network, and a clock that moves by what is done ---- */

static struct {
    struct ip_address from;
    uint32_t port;
    unsigned before;  /* wrong ones, which are there at once */
    bool right;       /* then comes the answer */
    unsigned waits;   /* for something that had not come */
    unsigned sockets; /* open */
    uint64_t now_ns;
    uint64_t number;
} scene;

uint64_t kinfo_time_ns(void)
{
    return scene.now_ns;
}

uint64_t deadline_after_ns(uint64_t duration_ns)
{
    return scene.now_ns + duration_ns;
}

mnos_cap_t bootstrap_require(struct bootstrap_name)
{
    return 1;
}

mnos_status_t entropy_get(mnos_cap_t, struct entropy_bytes *bytes)
{
    memset(bytes, 0x5A, sizeof *bytes);
    return MNOS_OK;
}

mnos_status_t socket_open(struct socket_session *, enum socket_protocol, struct socket *)
{
    scene.sockets++;
    return MNOS_OK;
}

mnos_status_t socket_close(struct socket *)
{
    scene.sockets--;
    return MNOS_OK;
}

mnos_status_t socket_connect(struct socket *, struct ip_address, uint32_t)
{
    return MNOS_OK;
}

/* The number of a question is the last of it. */
mnos_status_t socket_send_to(struct socket *, struct ip_address, uint32_t, const void *bytes,
                             size_t count)
{
    CHECK_EQ(count, SNTP_BYTES);
    memcpy(&scene.number, (const uint8_t *)bytes + 40, sizeof scene.number);
    return MNOS_OK;
}

/* Fails after TOO_LONG_NS, so that a question that does not end fails its test. */
mnos_status_t socket_receive_from(struct socket *, struct ip_address *address, uint32_t *port,
                                  void *bytes, size_t, size_t *count)
{
    uint8_t *answer = bytes;

    if ((scene.before == 0 && !scene.right) || scene.now_ns > TOO_LONG_NS)
        return MNOS_ERR_AGAIN;
    scene.now_ns += STEP_NS;
    memset(answer, 0, SNTP_BYTES);
    *count = SNTP_BYTES;
    *address = scene.from;
    *port = scene.port;
    if (scene.before != 0) {
        scene.before--;
        return MNOS_OK;
    }
    scene.right = false;
    answer[0] = 4 << 3 | 4; /* it is no time, and counts */
    memcpy(answer + 24, &scene.number, sizeof scene.number);
    return MNOS_OK;
}

/* With news it does not look at the time, as lib/client/socket.c does not. */
mnos_status_t socket_wait(struct socket_session *, uint64_t deadline_ns)
{
    if (scene.now_ns > TOO_LONG_NS)
        return MNOS_ERR_LOST;
    if (scene.before != 0 || scene.right)
        return MNOS_OK;
    scene.waits++;
    scene.now_ns = deadline_ns;
    return MNOS_ERR_DEADLINE;
}

static struct answer ask(unsigned before, bool right, struct ip_address from, uint32_t port)
{
    static struct socket_session net;
    struct answer answer;

    memset(&scene, 0, sizeof scene);
    scene.before = before;
    scene.right = right;
    scene.from = from;
    scene.port = port;
    CHECK_EQ(question_ask(&net, SERVER, PORT, &answer), MNOS_OK);
    CHECK_EQ(scene.sockets, 0);
    return answer;
}

TEST(sntp_question, the_first_answer_that_counts_ends_it)
{
    struct answer answer = ask(3, true, SERVER, PORT);

    CHECK_EQ(answer.result, SNTP_USELESS);
    CHECK_EQ(answer.asked_ns, 0);
    CHECK_EQ(answer.answered_ns, 3 * STEP_NS);
}

TEST(sntp_question, what_others_say_does_not_count)
{
    CHECK_EQ(ask(0, true, OTHER, PORT).result, SNTP_IGNORED);
    CHECK_EQ(scene.now_ns, QUESTION_PATIENCE_NS);
    CHECK_EQ(ask(0, true, SERVER, PORT + 1).result, SNTP_IGNORED);
    CHECK_EQ(scene.now_ns, QUESTION_PATIENCE_NS);
}

TEST(sntp_question, silence_ends_it_at_the_deadline)
{
    CHECK_EQ(ask(0, false, SERVER, PORT).result, SNTP_IGNORED);
    CHECK_EQ(scene.waits, 1);
    CHECK_EQ(scene.now_ns, QUESTION_PATIENCE_NS);
}

TEST(sntp_question, wrong_answers_without_a_pause_end_it_at_the_deadline)
{
    CHECK_EQ(ask(~0u, true, SERVER, PORT).result, SNTP_IGNORED);
    CHECK_EQ(scene.waits, 0);
    CHECK_EQ(scene.now_ns, QUESTION_PATIENCE_NS);
    CHECK_EQ(ask(~0u, true, OTHER, PORT).result, SNTP_IGNORED);
    CHECK_EQ(scene.now_ns, QUESTION_PATIENCE_NS);
}
