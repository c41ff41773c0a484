// SPDX-License-Identifier: MIT
/* capture - see capture.h. */
#include "services/net/capture.h"

#include "lib/format/net/packet.h"
#include "lib/mnos/heap.h"
#include "lib/mnos/time.h"
#include "services/net/server.h"

struct capture {
    uint32_t session;       /* 0: free */
    uint16_t port;          /* 0: any */
    struct ip_address host; /* IP_NONE: any */
    uint64_t put, taken;    /* bytes */
    uint64_t lost;          /* frames, since the last that was put */
    uint8_t *bytes;         /* CAPTURE_BYTES, while a session has it */
};

static struct capture captures[NET_CAPTURES];
uint32_t capture_count;

static struct capture *capture_of(uint32_t session)
{
    for (uint32_t i = 0; i < NET_CAPTURES; i++)
        if (captures[i].session == session)
            return &captures[i];
    return NULL;
}

static void copy_in(struct capture *capture, uint64_t at, const void *bytes, size_t count)
{
    size_t offset = at % CAPTURE_BYTES, first = CAPTURE_BYTES - offset;

    first = first < count ? first : count;
    memcpy(capture->bytes + offset, bytes, first);
    memcpy(capture->bytes, (const uint8_t *)bytes + first, count - first);
}

static void copy_out(const struct capture *capture, uint64_t at, void *bytes, size_t count)
{
    size_t offset = at % CAPTURE_BYTES, first = CAPTURE_BYTES - offset;

    first = first < count ? first : count;
    memcpy(bytes, capture->bytes + offset, first);
    memcpy((uint8_t *)bytes + first, capture->bytes, count - first);
}

/* C1. */
static void put(struct capture *capture, struct socket_frame head, const uint8_t *bytes)
{
    static const uint8_t zeros[8];

    if (CAPTURE_BYTES - (capture->put - capture->taken) <
        sizeof head + socket_frame_room(head.bytes)) {
        capture->lost++;
        return;
    }
    head.lost = capture->lost;
    capture->lost = 0;
    copy_in(capture, capture->put, &head, sizeof head);
    copy_in(capture, capture->put + sizeof head, bytes, head.bytes);
    copy_in(capture, capture->put + sizeof head + head.bytes, zeros,
            (size_t)(socket_frame_room(head.bytes) - head.bytes));
    capture->put += sizeof head + socket_frame_room(head.bytes);
    park_wake(&the_net.park, NET_WAIT_CAPTURE + (uint64_t)(capture - captures));
}

void capture_frame(uint32_t interface, bool sent, const uint8_t *bytes, uint32_t count)
{
    struct socket_frame head = {.time_ns = kinfo_time_ns(),
                                .bytes = count,
                                .interface = (uint16_t)interface,
                                .flags = sent ? SOCKET_FRAME_SENT : 0};
    struct packet packet;

    if (!packet_read(bytes, count, &packet))
        return;
    for (uint32_t i = 0; i < NET_CAPTURES; i++)
        if (captures[i].session != 0 && packet_is_of(&packet, captures[i].host, captures[i].port))
            put(&captures[i], head, bytes);
}

void capture_end(uint32_t session)
{
    struct capture *capture = capture_of(session);

    if (capture == NULL)
        return;
    heap_free(capture->bytes);
    *capture = (struct capture){0};
    capture_count--;
}

/* Its memory is there from now on: most machines never capture. MNOS_ERR_QUOTA: as many as can be do, or there is none. */
static mnos_status_t begin(uint32_t session, struct ip_address host, uint16_t port)
{
    struct capture *capture = capture_of(0);
    uint8_t *bytes = capture == NULL ? NULL : heap_allocate(CAPTURE_BYTES);

    if (bytes == NULL)
        return MNOS_ERR_QUOTA;
    *capture = (struct capture){.session = session, .host = host, .port = port, .bytes = bytes};
    capture_count++;
    return MNOS_OK;
}

static bool may_capture(struct server_request *request, struct socket_refusal *refusal)
{
    return limits_right(limits_of(request), SOCKET_RIGHT_CAPTURE, refusal);
}

HANDLER(CAPTURE)
{
    struct socket_refusal refusal;
    struct socket_capture wanted;
    mnos_status_t status = record_of(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    if (!may_capture(request, &refusal))
        return refuse(request, &refusal);
    if (wanted.port > UINT16_MAX || wanted.reserved != 0)
        return MNOS_ERR_ARGUMENT;
    capture_end(number_of(request));
    status = begin(number_of(request), wanted.host, (uint16_t)wanted.port);
    if (status != MNOS_OK)
        return status;
    return answer(request, NULL, 0);
}

/* As many whole frames as there are, and as the message has room for. */
static size_t take(struct capture *capture, uint8_t *out, size_t room)
{
    size_t bytes = 0;

    while (capture->taken != capture->put) {
        struct socket_frame head;
        size_t count;

        copy_out(capture, capture->taken, &head, sizeof head);
        count = sizeof head + (size_t)socket_frame_room(head.bytes);
        if (room - bytes < count)
            break;
        copy_out(capture, capture->taken, out + bytes, count);
        capture->taken += count;
        bytes += count;
    }
    return bytes;
}

_Static_assert(sizeof(struct socket_frame) + FRAME_BYTES_MAX + 8 <= MNOS_MESSAGE_MAX_BYTES,
               "a message has room for one");

HANDLER(CAPTURED)
{
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
    struct socket_refusal refusal;
    struct capture *capture;

    if (request->message->length != 0)
        return MNOS_ERR_SIZE;
    if (!may_capture(request, &refusal))
        return refuse(request, &refusal);
    capture = capture_of(number_of(request));
    if (capture == NULL)
        return MNOS_ERR_STATE;
    the_net.waits_for = NET_WAIT_CAPTURE + (uint64_t)(capture - captures);
    return capture->taken == capture->put
               ? SERVER_PARKED
               : answer(request, bytes, take(capture, bytes, sizeof bytes));
}
