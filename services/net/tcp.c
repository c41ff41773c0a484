// SPDX-License-Identifier: MIT
/* tcp - sockets of TCP: bytes between rings and lwIP, connections, and how they end. */
#include "lib/mnos/time.h"
#include "services/net/net.h"

#define CONNECT_TRIES 16u /* local ports that are tried */

static void end(struct socket *socket);

/* lwIP's callbacks of a PCB are ours no longer. */
static void forget(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_err(pcb, NULL);
}

/* ---- Sending ---- */

/* The rest of what was put, as far as lwIP takes it. It lies in the ring until the peer has acknowledged it, and is
 * sent from there. */
static mnos_status_t put_written(struct socket *socket)
{
    uint64_t written;
    mnos_status_t status = socket_written(socket, &written);

    while (status == MNOS_OK && socket->queued != written) {
        uint64_t offset = socket->queued & (socket->send.capacity - 1);
        uint64_t count = written - socket->queued, left = socket->send.capacity - offset;

        count = count < left ? count : left;
        if (count > tcp_sndbuf(socket->tcp))
            count = tcp_sndbuf(socket->tcp);
        if (count == 0 ||
            tcp_write(socket->tcp, socket->send.shared->data + offset, (u16_t)count, 0) != ERR_OK)
            break; /* on_sent() goes on */
        socket->queued += count;
    }
    return status;
}

static bool all_is_queued(const struct socket *socket)
{
    uint64_t written;

    return socket_written(socket, &written) != MNOS_OK || written == socket->queued;
}

/* SHUTDOWN and CLOSE: the end comes behind all bytes. */
static void put_end(struct socket *socket)
{
    if (!(socket->shut || socket->closing) || socket->ended || !all_is_queued(socket))
        return;
    socket->ended = tcp_shutdown(socket->tcp, 0, 1) == ERR_OK; /* else on_sent() or on_poll() */
}

static void break_rules(struct socket *socket)
{
    tcp_socket_abort(socket);
    socket_fail(&the_net, socket, MNOS_ERR_FORMAT);
    if (socket->closing)
        socket_free(&the_net, socket);
}

/* What the client has taken is room that the peer is told of. */
static mnos_status_t open_window(struct socket *socket)
{
    uint64_t room, taken;
    mnos_status_t status = socket_room(socket, &room);

    if (status != MNOS_OK)
        return status;
    taken = socket->receive.own - (socket->receive.capacity - room);
    if (taken - socket->opened > socket->receive.capacity)
        return MNOS_ERR_FORMAT; /* it went back */
    while (socket->opened != taken) {
        uint64_t part = taken - socket->opened;

        part = part < UINT16_MAX ? part : UINT16_MAX;
        tcp_recved(socket->tcp, (u16_t)part);
        socket->opened += part;
    }
    return MNOS_OK;
}

void tcp_socket_pump(struct socket *socket)
{
    if (socket->tcp == NULL || socket->tcp->state < ESTABLISHED)
        return;
    if (put_written(socket) != MNOS_OK || open_window(socket) != MNOS_OK) {
        break_rules(socket);
        return;
    }
    if (socket->tcp->refused_data != NULL)
        (void)tcp_process_refused_data(socket->tcp);
    if (socket->tcp == NULL)
        return; /* what was refused ended it */
    put_end(socket);
    (void)tcp_output(socket->tcp);
    if (socket->closing)
        end(socket);
}

/* ---- What lwIP tells ---- */

/* In TIME_WAIT both directions have ended and lwIP sees to the rest; it will not tell when it frees the PCB. */
static void leave(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->tcp;

    if (pcb == NULL || pcb->state != TIME_WAIT)
        return;
    forget(pcb);
    socket->tcp = NULL;
    if (socket->closing)
        socket_free(&the_net, socket);
}

static err_t on_sent(void *arg, struct tcp_pcb *, u16_t count)
{
    struct socket *socket = arg;
    uint64_t own = socket->send.own + count;

    /* The end of the stream counts as a byte. */
    socket_free_sent(socket, own < socket->queued ? own : socket->queued);
    socket_tell(&the_net, socket);
    if (put_written(socket) == MNOS_OK)
        put_end(socket);
    leave(socket);
    return ERR_OK;
}

static err_t receive(struct socket *socket, struct pbuf *pbuf)
{
    uint64_t room;
    size_t put;

    if (socket->closing) { /* nobody reads it */
        tcp_recved(socket->tcp, pbuf->tot_len);
        (void)pbuf_free(pbuf);
        return ERR_OK;
    }
    if (socket_room(socket, &room) != MNOS_OK || room < pbuf->tot_len)
        return ERR_MEM; /* lwIP keeps it; it is asked for again when the client has taken something */
    for (const struct pbuf *part = pbuf; part != NULL; part = part->next)
        if (ring_put(&socket->receive, part->payload, part->len, &put) != MNOS_OK)
            break; /* K6: the pump finds it, too */
    (void)pbuf_free(pbuf);
    return ERR_OK;
}

static err_t on_receive(void *arg, struct tcp_pcb *, struct pbuf *pbuf, err_t)
{
    struct socket *socket = arg;
    err_t error = ERR_OK;

    if (pbuf == NULL)
        socket_state(socket, SOCKET_PEER_CLOSED, 0);
    else
        error = receive(socket, pbuf);
    socket_tell(&the_net, socket);
    leave(socket);
    return error;
}

/* The PCB is freed already. */
static void on_error(void *arg, err_t error)
{
    struct socket *socket = arg;

    socket->tcp = NULL;
    /* lwIP gives up what nobody answers, and says that it was given up. */
    socket_fail(&the_net, socket,
                socket->connecting && error == ERR_ABRT ? MNOS_ERR_DEADLINE : port_status(error));
    if (socket->closing)
        socket_free(&the_net, socket);
}

static err_t on_connected(void *arg, struct tcp_pcb *, err_t)
{
    struct socket *socket = arg;

    socket->connecting = false;
    socket_state(socket, SOCKET_CONNECTED, 0);
    socket_tell(&the_net, socket);
    if (put_written(socket) == MNOS_OK) /* the pump breaks who breaks the rules */
        put_end(socket);
    return ERR_OK;
}

/* Each half second: what there was no memory for is tried again, and who lingers ends. */
static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
    struct socket *socket = arg;

    tcp_socket_pump(socket);
    if (socket->kind != KIND_TCP || !socket->closing || socket->tcp != pcb)
        return socket->tcp == pcb ? ERR_OK : ERR_ABRT;
    if (kinfo_time_ns() >= socket->deadline_ns) {
        tcp_socket_abort(socket);
        socket_free(&the_net, socket);
        return ERR_ABRT;
    }
    return ERR_OK;
}

static void adopt(struct socket *socket, struct tcp_pcb *pcb)
{
    socket->tcp = pcb;
    tcp_arg(pcb, socket);
    tcp_recv(pcb, on_receive);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_poll, 1);
}

/* ---- Opening ---- */

mnos_status_t tcp_socket_open(struct socket *socket)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4);

    if (pcb == NULL)
        return MNOS_ERR_QUOTA;
    adopt(socket, pcb);
    return MNOS_OK;
}

mnos_status_t tcp_socket_bind(struct socket *socket, uint32_t address, uint16_t port)
{
    ip4_addr_t local = {lwip_htonl(address)};
    err_t error;

    ip_set_option(socket->tcp, SOF_REUSEADDR);
    error = tcp_bind(socket->tcp, &local, port);

    socket->bound = error == ERR_OK;
    return port_status(error);
}

mnos_status_t tcp_socket_connect(struct socket *socket, uint32_t address, uint16_t port)
{
    ip4_addr_t remote = {lwip_htonl(address)};
    err_t error = ERR_USE;

    /* A port that nobody foretells; one that is in use is not taken. */
    for (unsigned i = 0; !socket->bound && i < CONNECT_TRIES && error == ERR_USE; i++)
        error = tcp_bind(socket->tcp, IP4_ADDR_ANY, port_of_own());
    if (!socket->bound && error != ERR_OK)
        return port_status(error);
    socket->bound = true;
    error = tcp_connect(socket->tcp, &remote, port, on_connected);
    socket->connecting = error == ERR_OK;
    return port_status(error);
}

/* ---- Listening ---- */

static void on_pending_error(void *arg, err_t)
{
    struct pending *pending = arg;

    pending->pcb = NULL;
    (void)tcp_socket_waiting(pending->listener); /* nobody is to wait for what is gone */
}

/* The bytes wait in lwIP until somebody has accepted the connection; the end is remembered. */
static err_t on_pending_receive(void *arg, struct tcp_pcb *, struct pbuf *pbuf, err_t)
{
    struct pending *pending = arg;

    pending->closed |= pbuf == NULL;
    return pbuf == NULL ? ERR_OK : ERR_MEM;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct socket *listener = arg;

    if (error != ERR_OK || pcb == NULL || listener == NULL)
        return ERR_VAL;
    for (uint32_t i = 0; i < NET_PENDING; i++) {
        struct pending *pending = &the_net.pending[i];

        if (pending->pcb != NULL)
            continue;
        *pending =
            (struct pending){.pcb = pcb, .listener = listener, .order = ++the_net.next_order};
        tcp_arg(pcb, pending);
        tcp_recv(pcb, on_pending_receive);
        tcp_err(pcb, on_pending_error);
        tcp_backlog_delayed(pcb);
        socket_state(listener, SOCKET_ACCEPTABLE, 0);
        socket_tell(&the_net, listener);
        return ERR_OK;
    }
    return ERR_MEM; /* lwIP breaks it */
}

mnos_status_t tcp_socket_listen(struct socket *socket, uint32_t backlog)
{
    struct tcp_pcb *pcb;
    err_t error = ERR_OK;

    forget(socket->tcp);
    pcb = tcp_listen_with_backlog_and_err(socket->tcp, (u8_t)backlog, &error);
    if (pcb == NULL) {
        adopt(socket, socket->tcp);
        return port_status(error);
    }
    socket->kind = KIND_LISTENER;
    socket->tcp = pcb;
    tcp_arg(pcb, socket);
    tcp_accept(pcb, on_accept);
    return MNOS_OK;
}

struct pending *tcp_socket_waiting(struct socket *listener)
{
    struct pending *oldest = NULL;

    for (uint32_t i = 0; i < NET_PENDING; i++) {
        struct pending *pending = &the_net.pending[i];

        if (pending->pcb != NULL && pending->listener == listener &&
            (oldest == NULL || pending->order < oldest->order))
            oldest = pending;
    }
    if (oldest == NULL)
        socket_state(listener, 0, SOCKET_ACCEPTABLE);
    return oldest;
}

void tcp_socket_take(struct socket *socket, struct pending *pending)
{
    struct tcp_pcb *pcb = pending->pcb;

    pending->pcb = NULL;
    tcp_backlog_accepted(pcb);
    adopt(socket, pcb);
    socket->bound = true;
    socket_state(socket, SOCKET_CONNECTED | (pending->closed ? SOCKET_PEER_CLOSED : 0u), 0);
    tcp_socket_pump(socket); /* what came meanwhile */
    (void)tcp_socket_waiting(pending->listener);
}

/* ---- The end ---- */

void tcp_socket_abort(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->tcp;

    if (pcb == NULL)
        return;
    forget(pcb);
    socket->tcp = NULL;
    tcp_abort(pcb);
}

/* Of one that lingers: when the peer has all bytes, lwIP needs the ring no more. */
static void end(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->tcp;

    if (pcb == NULL || !socket->ended || socket->send.own != socket->queued)
        return;
    socket->tcp = NULL;
    forget(pcb);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
    socket_free(&the_net, socket);
}

static void close_listener(struct socket *socket)
{
    for (uint32_t i = 0; i < NET_PENDING; i++) {
        struct tcp_pcb *pcb = the_net.pending[i].pcb;

        if (pcb == NULL || the_net.pending[i].listener != socket)
            continue;
        the_net.pending[i].pcb = NULL;
        forget(pcb);
        tcp_backlog_accepted(pcb);
        tcp_abort(pcb);
    }
    tcp_arg(socket->tcp, NULL);
    tcp_accept(socket->tcp, NULL);
    (void)tcp_close(socket->tcp); /* of a listener it cannot fail */
    socket_free(&the_net, socket);
}

void tcp_socket_close(struct socket *socket)
{
    if (socket->kind == KIND_LISTENER) {
        close_listener(socket);
    } else if (socket->tcp == NULL) {
        socket_free(&the_net, socket);
    } else if (socket->tcp->state < ESTABLISHED) {
        tcp_socket_abort(socket); /* nothing was sent on it */
        socket_free(&the_net, socket);
    } else {
        /* What nobody will read is no reason to break what is being sent. */
        uint64_t unread = socket->receive.own - socket->opened;

        while (unread != 0) {
            u16_t part = unread < UINT16_MAX ? (u16_t)unread : UINT16_MAX;

            tcp_recved(socket->tcp, part);
            unread -= part;
        }
        socket->opened = socket->receive.own;
        if (put_written(socket) != MNOS_OK) {
            break_rules(socket);
            return;
        }
        put_end(socket);
        (void)tcp_output(socket->tcp);
        end(socket);
    }
}

void tcp_socket_names(const struct socket *socket, struct socket_names *names)
{
    const struct tcp_pcb *pcb = socket->tcp;

    *names = (struct socket_names){0};
    if (pcb == NULL)
        return;
    names->local_address = lwip_htonl(ip4_addr_get_u32(ip_2_ip4(&pcb->local_ip)));
    names->local_port = pcb->local_port;
    if (socket->kind == KIND_TCP) {
        names->address = lwip_htonl(ip4_addr_get_u32(ip_2_ip4(&pcb->remote_ip)));
        names->port = pcb->remote_port;
    }
}
