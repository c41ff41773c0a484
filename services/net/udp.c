// SPDX-License-Identifier: MIT
/* udp - sockets of UDP: datagrams between rings and lwIP. Rule K3 of protocols/socket.h. */
#include "services/net/loopback.h"
#include "services/net/net.h"

#define BIND_TRIES 16u

static uint64_t filled_up(uint64_t bytes)
{
    return (bytes + 7) & ~7ull;
}

/* ---- Receiving ---- */

/* Who has sent to a socket is who it may answer. */
static void remember(struct socket *socket, uint32_t address, uint16_t port)
{
    uint32_t count = socket->peer_count < NET_PEERS ? socket->peer_count : NET_PEERS;

    for (uint32_t i = 0; i < count; i++)
        if (socket->peers[i].address == address && socket->peers[i].port == port)
            return;
    socket->peers[socket->peer_count % NET_PEERS].address = address;
    socket->peers[socket->peer_count % NET_PEERS].port = port;
    socket->peer_count++;
}

static bool has_sent(const struct socket *socket, uint32_t address, uint16_t port)
{
    uint32_t count = socket->peer_count < NET_PEERS ? socket->peer_count : NET_PEERS;

    for (uint32_t i = 0; i < count; i++)
        if (socket->peers[i].address == address && socket->peers[i].port == port)
            return true;
    return false;
}

static bool may_connect(const struct socket *socket, uint32_t address, uint16_t port)
{
    struct socket_refusal refusal;

    return limits_connect(&the_net.limits[socket->session], SOCKET_UDP, address, port, &the_net.own,
                          &refusal);
}

/* One without BIND listens to nobody: it gets answers of those that it may send to. One that is bound to all addresses
 * hears loopback only if its limits name that as well. */
static bool hears(const struct socket *socket, uint32_t address, uint16_t port)
{
    struct socket_refusal refusal;

    if (socket->port != 0 &&
        (!loopback_is_input() || limits_listen(&the_net.limits[socket->session], SOCKET_UDP,
                                               LOOPBACK_ADDRESS, socket->port, &refusal)))
        return true;
    return may_connect(socket, address, port);
}

static bool put(struct socket *socket, const struct pbuf *pbuf, uint32_t address, uint16_t port)
{
    static const uint8_t zeros[8];
    struct socket_datagram head = {.bytes = pbuf->tot_len, .address = address, .port = port};
    uint8_t bytes[sizeof head + SOCKET_DATAGRAM_MAX + sizeof zeros];
    uint64_t room, count = sizeof head + filled_up(pbuf->tot_len);

    if (pbuf->tot_len > SOCKET_DATAGRAM_MAX || socket_room(socket, &room) != MNOS_OK ||
        room < count)
        return false;
    memcpy(bytes, &head, sizeof head);
    (void)pbuf_copy_partial(pbuf, bytes + sizeof head, pbuf->tot_len, 0);
    memcpy(bytes + sizeof head + pbuf->tot_len, zeros,
           (size_t)(count - sizeof head - pbuf->tot_len));
    return socket_put(socket, bytes, (size_t)count) == MNOS_OK;
}

static void on_datagram(void *arg, struct udp_pcb *, struct pbuf *pbuf, const ip_addr_t *from,
                        u16_t port)
{
    struct socket *socket = arg;
    uint32_t address = lwip_htonl(ip4_addr_get_u32(ip_2_ip4(from)));

    if (!hears(socket, address, port)) {
        (void)pbuf_free(pbuf);
        return;
    }
    remember(socket, address, port);
    if (!put(socket, pbuf, address, port))
        socket->lost++;
    (void)pbuf_free(pbuf);
    socket_tell(&the_net, socket);
}

/* ---- Opening and closing ---- */

mnos_status_t udp_socket_open(struct socket *socket)
{
    socket->udp = udp_new_ip_type(IPADDR_TYPE_V4);
    if (socket->udp == NULL)
        return MNOS_ERR_QUOTA;
    udp_recv(socket->udp, on_datagram, socket);
    return MNOS_OK;
}

mnos_status_t udp_socket_bind(struct socket *socket, uint32_t address, uint16_t port)
{
    ip4_addr_t local = {lwip_htonl(address)};
    err_t error = udp_bind(socket->udp, &local, port);

    socket->bound = error == ERR_OK;
    socket->address = address;
    socket_touch(socket);
    return port_status(error);
}

/* A socket that only sends gets a port that nobody foretells. */
static mnos_status_t bind_any(struct socket *socket)
{
    mnos_status_t status = MNOS_ERR_EXISTS;

    for (unsigned i = 0; !socket->bound && i < BIND_TRIES && status == MNOS_ERR_EXISTS; i++)
        status = udp_socket_bind(socket, 0, port_of_own());
    return socket->bound ? MNOS_OK : status;
}

mnos_status_t udp_socket_connect(struct socket *socket, uint32_t address, uint16_t port)
{
    ip4_addr_t remote = {lwip_htonl(address)};
    mnos_status_t status = bind_any(socket);

    if (status == MNOS_OK)
        status = port_status(udp_connect(socket->udp, &remote, port));
    if (status == MNOS_OK) {
        socket->remote = (struct kept_peer){.address = address, .port = port};
        socket_state(socket, SOCKET_CONNECTED, 0);
    }
    return status;
}

void udp_socket_close(struct socket *socket)
{
    if (socket->udp != NULL)
        udp_remove(socket->udp);
    socket->udp = NULL;
}

void udp_socket_names(const struct socket *socket, struct socket_names *names)
{
    const struct udp_pcb *pcb = socket->udp;

    *names = (struct socket_names){0};
    if (pcb == NULL)
        return;
    *names = (struct socket_names){
        .local_address = lwip_htonl(ip4_addr_get_u32(ip_2_ip4(&pcb->local_ip))),
        .local_port = pcb->local_port,
        .address = lwip_htonl(ip4_addr_get_u32(ip_2_ip4(&pcb->remote_ip))),
        .port = pcb->remote_port,
    };
}

/* ---- Sending ---- */

/* Bytes of the send ring, which go round its end. */
static void copy_out(const struct socket *socket, uint64_t at, void *out, uint64_t count)
{
    uint64_t offset = at & (socket->send.capacity - 1), first = socket->send.capacity - offset;

    first = first < count ? first : count;
    memcpy(out, socket->send.shared->data + offset, first);
    memcpy((uint8_t *)out + first, socket->send.shared->data, count - first);
}

/* One that nobody may send, or that no interface leads to, is lost, as datagrams are. */
static void send(struct socket *socket, const struct socket_datagram *head, uint64_t at)
{
    ip4_addr_t remote = {lwip_htonl(head->address)};
    bool connected = head->address == 0 && head->port == 0;
    struct pbuf *pbuf;

    /* lwIP would send it to all of the network. */
    if (connected && (socket->state & SOCKET_CONNECTED) == 0)
        return;
    if (!connected && !has_sent(socket, head->address, (uint16_t)head->port) &&
        !may_connect(socket, head->address, (uint16_t)head->port))
        return;
    pbuf = pbuf_alloc(PBUF_TRANSPORT, (u16_t)head->bytes, PBUF_RAM);
    if (pbuf == NULL)
        return;
    copy_out(socket, at, pbuf->payload, head->bytes); /* of PBUF_RAM: in one piece */
    if (!connected)
        (void)udp_sendto(socket->udp, pbuf, &remote, (u16_t)head->port);
    else
        (void)udp_send(socket->udp, pbuf);
    (void)pbuf_free(pbuf);
}

void udp_socket_pump(struct socket *socket)
{
    struct socket_datagram head;
    uint64_t written, at = socket->send.own;
    mnos_status_t status = socket_written(socket, &written);

    if ((socket->state & SOCKET_FAILED) != 0)
        return;
    if (status == MNOS_OK && written != at)
        status = bind_any(socket);
    while (status == MNOS_OK && written != at) {
        if (written - at < sizeof head) {
            status = MNOS_ERR_FORMAT;
            break;
        }
        copy_out(socket, at, &head, sizeof head);
        if (head.bytes > SOCKET_DATAGRAM_MAX || head.port > UINT16_MAX ||
            sizeof head + filled_up(head.bytes) > written - at) {
            status = MNOS_ERR_FORMAT;
            break;
        }
        send(socket, &head, at + sizeof head);
        at += sizeof head + filled_up(head.bytes);
    }
    if (status != MNOS_OK) {
        socket_fail(&the_net, socket, status);
    } else if (at != socket->send.own) {
        bool full = at - socket->send.own >= socket->send.capacity / 4;

        socket->queued = at;
        socket->send.own = at;
        socket_touch(socket);
        if (full) /* who found no room did so before two such steps: one of them is larger */
            socket_tell(&the_net, socket);
    }
}
