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

static bool is_peer(const struct kept_peer *peer, struct ip_address address, uint16_t port)
{
    return peer->port == port && ip_equal(peer->address, address);
}

/* Who has sent to a socket is who it may answer. */
static void remember(struct socket *socket, struct ip_address address, uint16_t port)
{
    uint32_t count = socket->peer_count < NET_PEERS ? socket->peer_count : NET_PEERS;

    for (uint32_t i = 0; i < count; i++)
        if (is_peer(&socket->peers[i], address, port))
            return;
    socket->peers[socket->peer_count % NET_PEERS].address = address;
    socket->peers[socket->peer_count % NET_PEERS].port = port;
    socket->peer_count++;
    socket_touch(socket);
}

static bool has_sent(const struct socket *socket, struct ip_address address, uint16_t port)
{
    uint32_t count = socket->peer_count < NET_PEERS ? socket->peer_count : NET_PEERS;

    for (uint32_t i = 0; i < count; i++)
        if (is_peer(&socket->peers[i], address, port))
            return true;
    return false;
}

static bool may_connect(const struct socket *socket, struct ip_address address, uint16_t port)
{
    struct socket_refusal refusal;

    return limits_connect(&the_net.limits[socket->session], SOCKET_UDP, address, port, &the_net.own,
                          &refusal);
}

/* One without BIND listens to nobody: it gets answers of those that it may send to. One that is bound to all addresses
 * hears loopback only if its limits name that as well. */
static bool hears(const struct socket *socket, bool over_loopback, struct ip_address address,
                  uint16_t port)
{
    struct socket_refusal refusal;

    if ((socket->state & SOCKET_CONNECTED) != 0 && is_peer(&socket->remote, address, port))
        return true; /* CONNECT was allowed */
    if (socket->port != 0 &&
        (!over_loopback || limits_listen(&the_net.limits[socket->session], SOCKET_UDP,
                                         loopback_beside(address), socket->port, &refusal)))
        return true;
    return may_connect(socket, address, port);
}

static bool put(struct socket *socket, const struct pbuf *pbuf, struct ip_address address,
                uint16_t port)
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
    struct ip_address address = port_address(from);

    if (!hears(socket, loopback_is_input(), address, port)) {
        (void)pbuf_free(pbuf);
        return;
    }
    remember(socket, address, port);
    if (!put(socket, pbuf, address, port))
        socket->lost++;
    (void)pbuf_free(pbuf);
    socket_moved(socket);
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

mnos_status_t udp_socket_bind(struct socket *socket, struct ip_address address, uint16_t port)
{
    ip_addr_t local = port_to_lwip(address);
    err_t error;

    IP_SET_TYPE_VAL(socket->udp->local_ip, IP_GET_TYPE(&local));
    IP_SET_TYPE_VAL(socket->udp->remote_ip, IP_GET_TYPE(&local));
    error = udp_bind(socket->udp, &local, port);
    socket->bound = error == ERR_OK;
    socket->address = address;
    socket_touch(socket);
    return port_status(error);
}

/* A socket that only sends gets a port that nobody foretells, and is of the family of who it sends to first. */
static mnos_status_t bind_any(struct socket *socket, struct ip_address address)
{
    mnos_status_t status = MNOS_ERR_EXISTS;

    for (unsigned i = 0; !socket->bound && i < BIND_TRIES && status == MNOS_ERR_EXISTS; i++)
        status = udp_socket_bind(socket, ip_any_beside(address), port_of_own());
    return socket->bound ? MNOS_OK : status;
}

mnos_status_t udp_socket_connect(struct socket *socket, struct ip_address address, uint16_t port)
{
    ip_addr_t remote = port_to_lwip(address);
    mnos_status_t status = bind_any(socket, address);

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
        .local_address = port_address(&pcb->local_ip),
        .local_port = pcb->local_port,
        .address = port_address(&pcb->remote_ip),
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

/* An address of the family that is all of them, or the one of `lo`. */
static bool is_at_loopback(const ip_addr_t *address, bool *any)
{
    *any = ip_addr_isany_val(*address);
    return *any || ip_addr_isloopback(address);
}

/* Whose a datagram to loopback's `port` is, as udp_input() finds it: the one that is connected to its sender, else the
 * first that is not connected. NULL: nobody's, or lwIP is to say. */
static struct socket *receiver_of(const struct udp_pcb *from, uint16_t port)
{
    const struct udp_pcb *open = NULL;

    for (const struct udp_pcb *pcb = udp_pcbs; pcb != NULL; pcb = pcb->next) {
        bool any;

        if (pcb->local_port != port ||
            IP_GET_TYPE(&pcb->local_ip) != IP_GET_TYPE(&from->local_ip) ||
            !is_at_loopback(&pcb->local_ip, &any))
            continue;
        if ((pcb->flags & UDP_FLAGS_CONNECTED) == 0) {
            open = open != NULL && any ? open : pcb; /* a named address goes first */
        } else if (pcb->remote_port == from->local_port && ip_addr_isloopback(&pcb->remote_ip)) {
            open = pcb;
            break;
        }
    }
    return open != NULL && open->recv == on_datagram ? open->recv_arg : NULL;
}

/* From ring to ring, with what fills it up. */
static void put_direct(const struct socket *from, uint64_t at, uint32_t bytes, struct socket *to)
{
    struct socket_datagram head = {
        .bytes = bytes, .address = loopback_beside(from->address), .port = from->udp->local_port};
    uint64_t room, count = filled_up(bytes), offset = at & (from->send.capacity - 1),
                   first = from->send.capacity - offset;

    if (!hears(to, true, head.address, (uint16_t)head.port))
        return;
    remember(to, head.address, (uint16_t)head.port);
    first = first < count ? first : count;
    if (socket_room(to, &room) != MNOS_OK || room < sizeof head + count)
        to->lost++;
    else if (socket_put(to, &head, sizeof head) != MNOS_OK ||
             socket_put(to, from->send.shared->data + offset, first) != MNOS_OK ||
             socket_put(to, from->send.shared->data, count - first) != MNOS_OK)
        socket_fail(&the_net, to, MNOS_ERR_FORMAT); /* its client breaks K6 meanwhile */
    socket_moved(to);
    socket_tell(&the_net, to);
}

/* Between two sockets of this machine: true. The receiver's is as if the datagram had come by `lo`. */
static bool send_direct(const struct socket *from, struct ip_address address, uint16_t port,
                        uint64_t at, uint32_t bytes)
{
    struct socket *to;
    bool any;

    if (!ip_equal(address, loopback_beside(from->address)) ||
        !is_at_loopback(&from->udp->local_ip, &any))
        return false;
    to = receiver_of(from->udp, port);
    if (to != NULL)
        put_direct(from, at, bytes, to);
    return to != NULL;
}

/* One that nobody may send, or that no interface leads to, is lost, as datagrams are. */
static void send(struct socket *socket, const struct socket_datagram *head, uint64_t at)
{
    bool connected = ip_is_none(head->address) && head->port == 0;
    struct pbuf *pbuf;
    ip_addr_t remote;

    /* lwIP would send it to all of the network. */
    if (connected && (socket->state & SOCKET_CONNECTED) == 0)
        return;
    if (!connected && !has_sent(socket, head->address, (uint16_t)head->port) &&
        !may_connect(socket, head->address, (uint16_t)head->port))
        return;
    if (bind_any(socket, head->address) != MNOS_OK) /* one that is connected is bound */
        return;
    if (connected
            ? send_direct(socket, socket->remote.address, socket->remote.port, at, head->bytes)
            : send_direct(socket, head->address, (uint16_t)head->port, at, head->bytes))
        return;
    pbuf = pbuf_alloc(PBUF_TRANSPORT, (u16_t)head->bytes, PBUF_RAM);
    if (pbuf == NULL)
        return;
    copy_out(socket, at, pbuf->payload, head->bytes); /* of PBUF_RAM: in one piece */
    if (connected) {
        (void)udp_send(socket->udp, pbuf);
    } else {
        remote = port_to_lwip(head->address);
        (void)udp_sendto(socket->udp, pbuf, &remote, (u16_t)head->port);
    }
    (void)pbuf_free(pbuf);
}

void udp_socket_pump(struct socket *socket)
{
    struct socket_datagram head;
    uint64_t written, at = socket->send.own;
    mnos_status_t status = socket_written(socket, &written);

    if ((socket->state & SOCKET_FAILED) != 0)
        return;
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
        socket_moved(socket);
        if (full) /* who found no room did so before two such steps: one of them is larger */
            socket_tell(&the_net, socket);
    }
}
