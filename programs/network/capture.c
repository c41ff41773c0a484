// SPDX-License-Identifier: MIT
/*
 * capture - the command that shows what passes the network cards, as lines, or puts it into a file of pcapng.
 *
 * What comes while it writes is kept by the service, as far as that has room; the rest is lost, and said to be: in the
 * file at the next frame, here as it is noticed.
 */
#include "abi/message.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/out.h"
#include "lib/format/net/ip.h"
#include "lib/format/net/ipv4.h"
#include "lib/format/net/packet.h"
#include "lib/format/net/pcapng.h"
#include "lib/mnos/bootstrap.h"
#include "programs/network/network.h"

#define WINDOW_BYTES 65536u
#define INTERFACES 2u
#define COUNT_MAX 100000000u
#define NS_PER_S 1000000000ull
#define END_BYTES (IP_TEXT_BYTES + 8u)

typedef unsigned long long ull;

static struct {
    struct socket_session net;
    struct ip_address host;
    uint32_t port;
    uint32_t limit;   /* frames; 0: none */
    uint64_t boot_ns; /* when time began, since 1970; 0: nobody knows */
    uint64_t frames, lost;
    const char *path; /* as it was typed; empty: the terminal */
    struct file_mounts files;
    struct file file;
    uint64_t offset;
} capture;

/* ---- Lines ---- */

static const char *end_text(char text[END_BYTES], struct ip_address address, bool has_port,
                            uint32_t port)
{
    char shown[IP_TEXT_BYTES];

    (void)ip_text(shown, address);
    if (!has_port)
        mnos_snprintf(text, END_BYTES, "%s", shown);
    else
        mnos_snprintf(text, END_BYTES, ip_is_v4(address) ? "%s:%u" : "[%s]:%u", shown, port);
    return text;
}

static const char *flags_text(char text[9], uint8_t flags)
{
    static const char letters[] = "FSRPAUEC"; /* RFC 9293, 3.1, from the lowest on */
    size_t count = 0;

    for (unsigned i = 0; i < 8; i++)
        if ((flags >> i & 1) != 0)
            text[count++] = letters[i];
    text[count] = 0;
    return text;
}

static const char *protocol_text(const struct packet *packet, char number[16])
{
    if (packet->kind == PACKET_ARP)
        return "arp";
    switch (packet->protocol) {
    case PACKET_ICMP: return "icmp";
    case PACKET_TCP: return "tcp";
    case PACKET_UDP: return "udp";
    case PACKET_ICMP6: return "icmp6";
    default: mnos_snprintf(number, 16, "protocol %u", packet->protocol); return number;
    }
}

static void show(const struct socket_frame *frame, const uint8_t *bytes)
{
    char source[END_BYTES], target[END_BYTES], flags[9] = "", number[16];
    struct packet packet;

    out_print("%5llu.%06llu en%u %s ", (ull)(frame->time_ns / NS_PER_S),
              (ull)(frame->time_ns % NS_PER_S / 1000), frame->interface,
              (frame->flags & SOCKET_FRAME_SENT) != 0 ? "out" : "in ");
    if (!packet_read(bytes, frame->bytes, &packet) || packet.kind == PACKET_OTHER) {
        out_print("type 0x%x, %u bytes\n", packet.type, frame->bytes);
        return;
    }
    if (packet.has_ports && packet.protocol == PACKET_TCP)
        (void)flags_text(flags, packet.tcp_flags);
    out_print("%s > %s %s%s%s, %u bytes\n",
              end_text(source, packet.source, packet.has_ports, packet.source_port),
              end_text(target, packet.target, packet.has_ports, packet.target_port),
              protocol_text(&packet, number), flags[0] != 0 ? " " : "", flags, packet.bytes);
}

/* ---- The file ---- */

static bool write_out(const uint8_t *bytes, size_t count)
{
    uint64_t written = 0;
    mnos_status_t status = file_write(&capture.file, capture.offset, bytes, count, &written);

    if (status == MNOS_OK && written != count)
        status = MNOS_ERR_FULL;
    if (status != MNOS_OK)
        out_failed(status, capture.path);
    capture.offset += written;
    return status == MNOS_OK;
}

static bool open_file(const char *name)
{
    uint8_t head[PCAPNG_BEGIN_BYTES];
    mnos_status_t status = file_mounts_open(&capture.files, bootstrap_find("file"), WINDOW_BYTES);

    if (status == MNOS_OK)
        status = file_open(&capture.files.root, NULL, name, name[0] != 0 ? FILE_CREATE : 0,
                           FILE_WRITE_RIGHT, &capture.file);
    if (status == MNOS_OK && capture.file.type == FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK)
        status = file_truncate(&capture.file, 0);
    if (status != MNOS_OK)
        out_failed(status, capture.path);
    return status == MNOS_OK && write_out(head, pcapng_begin(head, INTERFACES));
}

/* ---- Frames ---- */

/* One frame of a message, as a block behind `bytes` others in `blocks`. */
static size_t make_block(uint8_t *blocks, size_t bytes, const struct socket_frame *frame,
                         const uint8_t *data)
{
    struct pcapng_frame head = {
        .interface = frame->interface < INTERFACES ? frame->interface : 0,
        .sent = (frame->flags & SOCKET_FRAME_SENT) != 0,
        .unix_ns = capture.boot_ns + frame->time_ns,
        .lost = frame->lost,
        .bytes = frame->bytes,
    };

    return bytes + pcapng_frame(blocks + bytes, &head, data);
}

static bool is_over(void)
{
    return capture.limit != 0 && capture.frames == capture.limit;
}

/* All frames of a message, into the file in one piece. False: it cannot be written. */
static bool take_frames(const uint8_t *message, size_t count)
{
    /* A frame takes more room there than here: in front of it, and behind. */
    static uint8_t
        blocks[MNOS_MESSAGE_MAX_BYTES / sizeof(struct socket_frame) * PCAPNG_FRAME_BYTES +
               MNOS_MESSAGE_MAX_BYTES];
    size_t bytes = 0;
    uint64_t lost = 0;

    for (size_t at = 0; count - at >= sizeof(struct socket_frame) && !is_over();) {
        struct socket_frame frame;

        memcpy(&frame, message + at, sizeof frame);
        at += sizeof frame;
        if (frame.bytes > count - at)
            break; /* the service does not do that */
        if (capture.path[0] != 0)
            bytes = make_block(blocks, bytes, &frame, message + at);
        else
            show(&frame, message + at);
        at += socket_frame_room(frame.bytes);
        at = at < count ? at : count;
        lost += frame.lost;
        capture.frames++;
    }
    capture.lost += lost;
    if (lost != 0)
        out_print("capture: %llu frames were lost\n", (ull)lost);
    return bytes == 0 || write_out(blocks, bytes);
}

static mnos_status_t run(bool *written)
{
    uint8_t message[MNOS_MESSAGE_MAX_BYTES];
    size_t count;
    mnos_status_t status = socket_capture(&capture.net, capture.host, capture.port);

    while (status == MNOS_OK && *written && !is_over()) {
        status = socket_captured(&capture.net, message, &count);
        if (status == MNOS_OK)
            *written = take_frames(message, count);
        out_flush();
        if (status != MNOS_ERR_STATE)
            continue;
        out_print("capture: the service of the network was started again: what passed meanwhile is "
                  "lost\n");
        status = socket_capture(&capture.net, capture.host, capture.port);
    }
    return status;
}

/* ---- Beginning ---- */

static bool read_number(const char *text, uint64_t *number)
{
    *number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        *number = *number * 10 + (uint64_t)(*text - '0');
    return *text == 0;
}

/* capture HOST|- PORT COUNT BOOT_NS PATH NAME, "net", and with PATH "file"; 0: any port, no limit, an unknown time. */
static bool read_arguments(void)
{
    const char *host = bootstrap_argument(1), *port = bootstrap_argument(2);
    const char *limit = bootstrap_argument(3), *boot_ns = bootstrap_argument(4);

    capture.path = bootstrap_argument(5);
    if (capture.path == NULL || bootstrap_argument(6) == NULL)
        return false;
    if (strcmp(host, "-") != 0 && (!ip_read(&host, &capture.host) || *host != 0))
        return false;
    return ipv4_read_number(&port, UINT16_MAX, &capture.port) && *port == 0 &&
           ipv4_read_number(&limit, COUNT_MAX, &capture.limit) && *limit == 0 &&
           read_number(boot_ns, &capture.boot_ns);
}

bool network_capture(void)
{
    bool written = true;
    mnos_status_t status;

    if (!read_arguments())
        return false; /* nobody calls it so */
    if (!network_open(&capture.net, 0))
        return false;
    if (capture.path[0] != 0 && !open_file(bootstrap_argument(6)))
        return false;
    status = run(&written);
    if (status == MNOS_ERR_QUOTA)
        out_print("capture: as many capture already as may\n");
    else if (status != MNOS_OK)
        network_failed(&capture.net, status, "frames");
    if (status == MNOS_OK && written)
        out_print("%llu frames, %llu lost\n", (ull)capture.frames, (ull)capture.lost);
    return status == MNOS_OK && written;
}
