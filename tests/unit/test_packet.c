// SPDX-License-Identifier: MIT
/* test_packet - what a frame carries, of which host and port it is, and files of frames. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/format/net/packet.h"
#include "lib/format/net/pcapng.h"

#define ROUNDS 300000u

static const uint8_t tcp4[] = {
    1,    2, 3, 4,  5, 6, 1, 2, 3,  4,    5,    7, 8,  0, /* Ethernet */
    0x45, 0, 0, 45, 0, 0, 0, 0, 64, 6,    0,    0, 10, 0, 2, 2, 10, 0,   2,   15,  0x13, 0x88, 0,
    80,   0, 0, 0,  1, 0, 0, 0, 2,  0x50, 0x18, 0, 0,  0, 0, 0, 0,  'h', 'e', 'l', 'l',  'o'};
static const uint8_t
    udp6[] =
        {
            1, 2,  3,    4,  5, 6,  1,    2,    3,   4,  5, 7, 0x86, 0xDD, 0x60, 0,
            0, 0,  0,    18, 0, 64, 0xFE, 0x80, 0,   0,  0, 0, 0,    0,    0,    0,
            0, 0,  0,    0,  0, 1,  0xFE, 0x80, 0,   0,  0, 0, 0,    0,    0,    0,
            0, 0,  0,    0,  0, 2,  17,   0,    1,   4,  0, 0, 0,    0, /* a header that is skipped */
            0, 53, 0x80, 1,  0, 10, 0,    0,    'h', 'i'};
static const uint8_t arp[] = {255, 255, 255, 255, 255, 255, 1, 2, 3, 4, 5,  7, 8, 6,
                              0,   1,   8,   0,   6,   4,   0, 1, 1, 2, 3,  4, 5, 7,
                              10,  0,   2,   2,   0,   0,   0, 0, 0, 0, 10, 0, 2, 15};

TEST(packet, ends_and_ports_of_both_families_are_read)
{
    struct packet packet;

    CHECK(packet_read(tcp4, sizeof tcp4, &packet));
    CHECK(packet.kind == PACKET_IP && packet.protocol == PACKET_TCP && packet.has_ports);
    CHECK(ip_equal(packet.source, IP_V4(0x0A000202)) && packet.source_port == 5000);
    CHECK(ip_equal(packet.target, IP_V4(0x0A00020F)) && packet.target_port == 80);
    CHECK(packet.tcp_flags == 0x18 && packet.bytes == 5);
    CHECK(packet_read(udp6, sizeof udp6, &packet));
    CHECK(packet.kind == PACKET_IP && packet.protocol == PACKET_UDP && packet.has_ports);
    CHECK(packet.source.high == 0xFE80ull << 48 && packet.source.low == 1);
    CHECK(packet.source_port == 53 && packet.target_port == 0x8001 && packet.bytes == 2);
    CHECK(packet_read(arp, sizeof arp, &packet));
    CHECK(packet.kind == PACKET_ARP && ip_equal(packet.target, IP_V4(0x0A00020F)));
    CHECK(!packet_read(arp, 13, &packet));
}

TEST(packet, a_filter_is_of_one_end_as_a_whole)
{
    struct ip_address theirs = IP_V4(0x0A000202), ours = IP_V4(0x0A00020F);
    struct packet packet;

    CHECK(packet_read(tcp4, sizeof tcp4, &packet));
    CHECK(packet_is_of(&packet, IP_NONE, 0));
    CHECK(packet_is_of(&packet, theirs, 0) && packet_is_of(&packet, ours, 0));
    CHECK(packet_is_of(&packet, IP_NONE, 80) && packet_is_of(&packet, IP_NONE, 5000));
    CHECK(packet_is_of(&packet, ours, 80) && packet_is_of(&packet, theirs, 5000));
    CHECK(!packet_is_of(&packet, ours, 5000) && !packet_is_of(&packet, IP_NONE, 81));
    CHECK(!packet_is_of(&packet, IP_V4(0x0A000203), 0));
    CHECK(packet_read(arp, sizeof arp, &packet));
    CHECK(packet_is_of(&packet, ours, 0) && !packet_is_of(&packet, ours, 80));
}

TEST(packet, fragments_behind_the_first_have_no_ports)
{
    uint8_t frame[sizeof tcp4];
    struct packet packet;

    memcpy(frame, tcp4, sizeof frame);
    frame[20] = 0x20; /* more follow: it is the first */
    CHECK(packet_read(frame, sizeof frame, &packet) && packet.has_ports);
    frame[21] = 1;
    CHECK(packet_read(frame, sizeof frame, &packet) && !packet.has_ports);
    CHECK(ip_equal(packet.source, IP_V4(0x0A000202)) && packet.protocol == PACKET_TCP);
}

/* The address sanitizer sees a look behind the frame, which lies at the end of its memory. */
TEST(packet, any_bytes_are_read_and_none_behind_them)
{
    static const struct {
        const uint8_t *bytes;
        size_t count;
    } seeds[] = {{tcp4, sizeof tcp4}, {udp6, sizeof udp6}, {arp, sizeof arp}};
    uint64_t random = 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t all = seeds[i % 3].count, count;
        struct packet packet;
        uint8_t *frame;

        random = random * 6364136223846793005ull + 1442695040888963407ull;
        count = (random >> 33) % (all + 1);
        frame = malloc(count + 1);
        memcpy(frame + 1, seeds[i % 3].bytes, count);
        for (unsigned k = 0; k < 3 && count != 0; k++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            frame[1 + (random >> 40) % count] = (uint8_t)(random >> 33);
        }
        CHECK_EQ(packet_read(frame + 1, count, &packet), count >= 14);
        free(frame);
    }
}

TEST(packet, blocks_of_a_file_say_their_length_at_both_ends)
{
    static uint8_t file[4096];
    struct pcapng_frame frame = {
        .interface = 1, .sent = true, .unix_ns = 0x0102030405060708, .lost = 7, .bytes = 5};
    size_t end = pcapng_begin(file, 2), count = 0;
    uint32_t type, bytes, again;

    CHECK(end <= PCAPNG_BEGIN_BYTES);
    CHECK(pcapng_begin(file, PCAPNG_INTERFACES_MAX) <= PCAPNG_BEGIN_BYTES);
    end = pcapng_begin(file, 2);
    for (frame.bytes = 0; frame.bytes < 9; frame.bytes++) {
        bytes = (uint32_t)pcapng_frame(file + end, &frame, tcp4);
        CHECK(bytes <= PCAPNG_FRAME_BYTES + (frame.bytes + 3) / 4 * 4);
        end += bytes;
    }
    for (size_t at = 0; at < end; at += bytes, count++) {
        memcpy(&type, file + at, 4);
        memcpy(&bytes, file + at + 4, 4);
        CHECK(bytes >= 12 && bytes % 4 == 0 && bytes <= end - at);
        memcpy(&again, file + at + bytes - 4, 4);
        CHECK_EQ(again, bytes);
        CHECK_EQ(type, count == 0 ? 0x0A0D0D0Au : count < 3 ? 1u : 6u);
    }
    CHECK_EQ(count, 3 + 9);
}
