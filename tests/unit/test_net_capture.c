// SPDX-License-Identifier: MIT
/* test_net_capture - frames that are kept for who captures: all of them, in order, as long as there is room; what is lost is
 * counted, and nobody else's room is used. */
#include "tests/unit/unit.h"

/* Of other tests. */
#define kinfo_time_ns recover_time_ns
#include "services/net/capture.c"

#define FRAME 1514u
#define HELD (CAPTURE_BYTES / (sizeof(struct socket_frame) + 1520))

static uint8_t frame[FRAME], out[MNOS_MESSAGE_MAX_BYTES];

/* TCP from 10.0.2.2:5000 to 10.0.2.15:80, with a number in its last byte. */
static void make_frame(uint8_t number)
{
    static const uint8_t head[] = {
        0x52, 0x54, 0,    0x12, 0x34,      0x56,        2,  0, 0, 0,  0,         1,
        8,    0,    0x45, 0,    1500 >> 8, 1500 & 0xFF, 0,  0, 0, 0,  64,        6,
        0,    0,    10,   0,    2,         2,           10, 0, 2, 15, 5000 >> 8, 5000 & 0xFF,
        0,    80,   0,    0,    0,         1,           0,  0, 0, 2,  0x50,      0x10};

    memset(frame, 0, sizeof frame);
    memcpy(frame, head, sizeof head);
    frame[FRAME - 1] = number;
}

static struct capture *captured(uint32_t session, struct ip_address host, uint16_t port)
{
    CHECK_EQ(begin(session, host, port), MNOS_OK);
    return capture_of(session);
}

/* The next frame that is kept; false: there is none. */
static bool next(struct capture *capture, struct socket_frame *head)
{
    size_t bytes = take(capture, out, sizeof *head + 1520);

    memcpy(head, out, sizeof *head);
    return bytes != 0;
}

TEST(net_capture, frames_come_in_order_and_those_without_room_are_counted)
{
    struct capture *capture = captured(1, IP_NONE, 0);
    struct socket_frame head;

    for (unsigned round = 0; round < 5; round++) { /* at another place of the ring each time */
        for (unsigned i = 0; i < HELD + 3; i++) {
            make_frame((uint8_t)i);
            capture_frame(1, i % 2 == 1, frame, FRAME);
        }
        CHECK_EQ(capture->lost, 3);
        for (unsigned i = 0; i < HELD; i++) {
            CHECK(next(capture, &head));
            CHECK_EQ(head.bytes, FRAME);
            CHECK_EQ(head.interface, 1);
            CHECK_EQ(head.flags, i % 2 == 1 ? SOCKET_FRAME_SENT : 0);
            CHECK_EQ(head.lost, i == 0 && round != 0 ? 3 : 0);
            CHECK_EQ(out[sizeof head + FRAME - 1], (uint8_t)i);
            CHECK_EQ(out[sizeof head + FRAME], 0); /* nothing of an earlier frame */
        }
        CHECK(!next(capture, &head));
    }
    capture_end(1);
    CHECK_EQ(capture_count, 0);
}

TEST(net_capture, a_message_has_whole_frames_alone)
{
    struct capture *capture = captured(1, IP_NONE, 0);

    for (unsigned i = 0; i < 5; i++) {
        make_frame(0);
        capture_frame(0, false, frame, FRAME);
    }
    CHECK_EQ(take(capture, out, sizeof out), 2 * (sizeof(struct socket_frame) + 1520));
    CHECK_EQ(take(capture, out, sizeof out), 2 * (sizeof(struct socket_frame) + 1520));
    CHECK_EQ(take(capture, out, sizeof out), sizeof(struct socket_frame) + 1520);
    CHECK_EQ(take(capture, out, sizeof out), 0);
    capture_end(1);
}

TEST(net_capture, each_session_gets_what_it_has_asked_for)
{
    struct capture *web = captured(1, IP_NONE, 80), *other = captured(2, IP_V4(0x0A000203), 0);
    struct socket_frame head;

    CHECK_EQ(begin(3, IP_NONE, 0), MNOS_ERR_QUOTA); /* there is no third */
    make_frame(0);
    capture_frame(0, false, frame, FRAME);
    CHECK(next(web, &head));
    CHECK(!next(other, &head));
    capture_end(1);
    capture_end(1); /* twice is once */
    CHECK_EQ(capture_count, 1);
    capture_end(2);
    CHECK_EQ(capture_count, 0);
    CHECK(captures[0].bytes == NULL && captures[1].bytes == NULL);
}

TEST(net_capture, who_has_not_the_right_may_not_and_cannot_hand_it_on)
{
    static struct socket_limits parent = {.rights = SOCKET_RIGHT_PING | SOCKET_RIGHT_OBSERVE},
                                child = {.rights = SOCKET_RIGHT_CAPTURE};
    struct socket_refusal refusal;

    CHECK(!limits_right(&parent, SOCKET_RIGHT_CAPTURE, &refusal));
    CHECK_EQ(refusal.limit, SOCKET_LIMIT_RIGHTS);
    CHECK(!limits_narrow(&parent, &child, &refusal));
    CHECK_EQ(refusal.limit, SOCKET_LIMIT_RIGHTS);
    parent.rights |= SOCKET_RIGHT_CAPTURE;
    CHECK(limits_valid(&child) && limits_narrow(&parent, &child, &refusal));
}
