// SPDX-License-Identifier: MIT
/* card - bytes from and to the host, over a virtio card: two addresses of QEMU's user network, at which traffic.py has a
 * program that sends 4 MiB and closes, and one that takes 8 MiB and answers a byte. */
#include "bench/traffic/traffic.h"

#define SOURCE IP_V4(0x0A000264) /* 10.0.2.100 */
#define SINK IP_V4(0x0A000265)
#define PORT 80u
#define FETCH_KIB 4096u
#define SEND_KIB 8192u
#define BATCHES 5u

static uint8_t bytes[CHUNK];

static uint64_t fetch(void *context)
{
    struct socket socket;
    uint64_t begin, total = 0;
    size_t got;

    if (!connect_to(context, SOURCE, PORT, &socket))
        return 0;
    begin = busy_now();
    while ((got = receive_some(&socket, bytes, sizeof bytes)) != 0)
        total += got;
    begin = busy_now() - begin;
    if (total != (uint64_t)FETCH_KIB * KIB)
        (void)worked(MNOS_ERR_SIZE, "fetch");
    (void)!socket_close(&socket);
    return begin;
}

static uint64_t send(void *context)
{
    struct socket socket;
    uint64_t begin;

    if (!connect_to(context, SINK, PORT, &socket))
        return 0;
    begin = busy_now();
    for (uint64_t sent = 0; sent < (uint64_t)SEND_KIB * KIB; sent += CHUNK)
        if (!send_all(&socket, bytes, CHUNK))
            break;
    (void)receive_all(&socket, bytes, 1);
    begin = busy_now() - begin;
    (void)!socket_close(&socket);
    return begin;
}

void measure_card(struct socket_session *session)
{
    measure("net-fetch-per-kib", BATCHES, FETCH_KIB, fetch, session);
    measure("net-send-per-kib", BATCHES, SEND_KIB, send, session);
}
