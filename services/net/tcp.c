// SPDX-License-Identifier: MIT
/* tcp - sockets of TCP: bytes between rings and lwIP, connections, and how they end. */
#include "lib/mnos/time.h"
#include "services/net/hooks.h"
#include "services/net/net.h"

#define CONNECT_TRIES 16u /* local ports that are tried */

static void end(struct socket *socket);
static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *pbuf, err_t error);

/* lwIP's callbacks of a PCB are ours no longer. */
void tcp_forget(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_err(pcb, NULL);
    connection_touch(pcb);
}

/* ---- Sending ---- */

/* As many bytes as there are segments for, which may be small ones: lwIP takes a piece whole or not at all. */
static uint64_t put_some(struct tcp_pcb *pcb, const uint8_t *bytes, uint64_t count)
{
    while (count != 0 && tcp_write(pcb, bytes, (u16_t)count, 0) != ERR_OK)
        count /= 2;
    return count;
}

void tcp_put_up_to(struct socket *socket, uint64_t end)
{
    while (socket->queued != end) {
        uint64_t offset = socket->queued & (socket->send.capacity - 1);
        uint64_t count = end - socket->queued, left = socket->send.capacity - offset;

        count = count < left ? count : left;
        if (count > tcp_sndbuf(socket->tcp))
            count = tcp_sndbuf(socket->tcp);
        count = put_some(socket->tcp, socket->send.shared->data + offset, count);
        if (count == 0)
            break; /* on_sent() goes on */
        socket->queued += count;
    }
}

static mnos_status_t put_written(struct socket *socket)
{
    uint64_t written;
    mnos_status_t status = socket_written(socket, &written);

    /* By segments they would keep the ones behind them from going from ring to ring. */
    if (status == MNOS_OK && written != socket->queued && !direct_is_meant(socket))
        tcp_put_up_to(socket, written);
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
    socket_touch(socket);
}

/* What lwIP has of it and may send. */
static void send_queued(struct tcp_pcb *pcb)
{
    if (pcb->unsent != NULL || (pcb->flags & TF_ACK_NOW) != 0)
        (void)tcp_output(pcb);
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
    struct socket *from;

    if (status != MNOS_OK)
        return status;
    taken = socket->receive.own - (socket->receive.capacity - room);
    if (taken - socket->opened > socket->receive.capacity)
        return MNOS_ERR_FORMAT; /* it went back */
    if (taken != socket->opened && (from = direct_open(socket, taken - socket->opened)) != NULL) {
        socket->opened = taken;
        (void)direct_move(from);
        put_end(from);
        send_queued(from->tcp);
    }
    while (socket->opened != taken) {
        uint64_t part = taken - socket->opened;

        part = part < UINT16_MAX ? part : UINT16_MAX;
        tcp_recved(socket->tcp, (u16_t)part);
        socket->opened += part;
    }
    return MNOS_OK;
}

static void pump(struct socket *socket)
{
    if (socket->tcp == NULL || socket->tcp->state < ESTABLISHED)
        return;
    if ((!direct_move(socket) && put_written(socket) != MNOS_OK) ||
        open_window(socket) != MNOS_OK) {
        break_rules(socket);
        return;
    }
    if (socket->tcp->refused_data != NULL)
        (void)tcp_process_refused_data(socket->tcp);
    if (socket->tcp == NULL)
        return; /* what was refused ended it */
    put_end(socket);
    send_queued(socket->tcp);
    if (socket->closing)
        end(socket);
}

/* What of it could not leave may be for a timer. */
void tcp_socket_pump(struct socket *socket)
{
    timers_need(TIMERS_TCP);
    pump(socket);
}

/* ---- What lwIP tells ---- */

/* In TIME_WAIT both directions have ended and lwIP sees to the rest; it will not tell when it frees the PCB. */
static void leave(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->tcp;

    if (pcb == NULL || pcb->state != TIME_WAIT)
        return;
    tcp_forget(pcb);
    socket->tcp = NULL;
    socket_touch(socket);
    if (socket->closing)
        socket_free(&the_net, socket);
}

struct socket *tcp_socket_of(const struct tcp_pcb *pcb)
{
    return pcb->recv == on_receive ? pcb->callback_arg : NULL;
}

void tcp_freed(const struct tcp_pcb *pcb)
{
    struct socket *socket = pcb->callback_arg;

    if (pcb->state != TIME_WAIT || pcb->recv != on_receive)
        return; /* its callbacks tell, or are nobody's */
    socket->tcp = NULL;
    socket_touch(socket);
    if (socket->closing)
        socket_free(&the_net, socket);
}

static err_t on_sent(void *arg, struct tcp_pcb *, u16_t count)
{
    struct socket *socket = arg;
    uint64_t own = socket->send.own + count;
    /* The end of the stream counts as a byte. */
    uint64_t freed = (own < socket->queued ? own : socket->queued) - socket->send.own;

    socket->send.own += freed;
    socket_freed(socket, freed);
    if (put_written(socket) == MNOS_OK)
        put_end(socket);
    leave(socket);
    return ERR_OK;
}

static err_t receive(struct socket *socket, struct pbuf *pbuf)
{
    uint64_t room;

    if (socket->closing) { /* nobody reads it */
        tcp_recved(socket->tcp, pbuf->tot_len);
        (void)pbuf_free(pbuf);
        return ERR_OK;
    }
    /* There is room for what the window allows (K2), unless the client breaks K6, which the pump finds. */
    if (socket_room(socket, &room) != MNOS_OK || room < pbuf->tot_len)
        return ERR_MEM;
    for (const struct pbuf *part = pbuf; part != NULL; part = part->next)
        if (socket_put(socket, part->payload, part->len) != MNOS_OK)
            break;
    (void)pbuf_free(pbuf);
    return ERR_OK;
}

static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *pbuf, err_t)
{
    struct socket *socket = arg;
    err_t error = ERR_OK;

    /* Of segments that were joined lwIP counts one, and at least each second is acknowledged (RFC 9293, 3.8.6.3). */
    if (pbuf != NULL && pbuf->next != NULL)
        tcp_ack_now(pcb);
    if (pbuf == NULL)
        socket_state(socket, SOCKET_PEER_CLOSED, 0);
    else
        error = receive(socket, pbuf);
    socket_moved(socket);
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

    pump(socket);
    if (socket->kind != KIND_TCP || !socket->closing || socket->tcp != pcb)
        return socket->tcp == pcb ? ERR_OK : ERR_ABRT;
    if (kinfo_time_ns() >= socket->deadline_ns) {
        tcp_socket_abort(socket);
        socket_free(&the_net, socket);
        return ERR_ABRT;
    }
    return ERR_OK;
}

bool tcp_polls(const struct tcp_pcb *pcb)
{
    const struct socket *socket = pcb->callback_arg;

    return pcb->poll == on_poll &&
           (socket->closing || (socket->shut && !socket->ended) || !all_is_queued(socket));
}

void tcp_adopt(struct socket *socket, struct tcp_pcb *pcb)
{
    socket->tcp = pcb;
    tcp_arg(pcb, socket);
    tcp_recv(pcb, on_receive);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_poll, 1);
    connection_touch(pcb);
    /* What is put while net is at work goes in one piece; to wait for an acknowledgement as well (RFC 896) makes an
     * answer in two parts as late as its peer's delayed one. */
    tcp_nagle_disable(pcb);
}

/* ---- Opening ---- */

mnos_status_t tcp_socket_open(struct socket *socket)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4);

    if (pcb == NULL)
        return MNOS_ERR_QUOTA;
    if (connection_watch(pcb) != ERR_OK) {
        tcp_abort(pcb);
        return MNOS_ERR_QUOTA;
    }
    tcp_adopt(socket, pcb);
    return MNOS_OK;
}

/* Of the family of its first address, before it is bound. */
static void set_family(struct tcp_pcb *pcb, const ip_addr_t *address)
{
    IP_SET_TYPE_VAL(pcb->local_ip, IP_GET_TYPE(address));
    IP_SET_TYPE_VAL(pcb->remote_ip, IP_GET_TYPE(address));
}

mnos_status_t tcp_socket_bind(struct socket *socket, struct ip_address address, uint16_t port)
{
    ip_addr_t local = port_to_lwip(address);
    err_t error;

    set_family(socket->tcp, &local);
    ip_set_option(socket->tcp, SOF_REUSEADDR);
    error = tcp_bind(socket->tcp, &local, port);

    socket->bound = error == ERR_OK;
    socket->address = address;
    socket_touch(socket);
    return port_status(error);
}

mnos_status_t tcp_socket_connect(struct socket *socket, struct ip_address address, uint16_t port)
{
    ip_addr_t remote = port_to_lwip(address), any = port_to_lwip(ip_any_beside(address));
    err_t error = ERR_USE;

    if (!socket->bound)
        set_family(socket->tcp, &remote);
    /* A port that nobody foretells; one that is in use is not taken. */
    for (unsigned i = 0; !socket->bound && i < CONNECT_TRIES && error == ERR_USE; i++)
        error = tcp_bind(socket->tcp, &any, port_of_own());
    if (!socket->bound && error != ERR_OK)
        return port_status(error);
    socket->bound = true;
    error = tcp_connect(socket->tcp, &remote, port, on_connected);
    socket->connecting = error == ERR_OK;
    if (error == ERR_OK)
        connection_named(socket->tcp);
    socket_touch(socket);
    return port_status(error);
}

/* ---- From a listener ---- */

void tcp_socket_take(struct socket *socket, struct pending *pending)
{
    struct tcp_pcb *pcb = pending->pcb;

    tcp_backlog_accepted(pcb);
    tcp_adopt(socket, pcb);
    listener_bytes(pending, socket);
    listener_leave(pending);
    pcb->rcv_wnd = (tcpwnd_size_t)(TCP_WND - pending->bytes);
    (void)tcp_update_rcv_ann_wnd(pcb);
    tcp_ack_now(pcb);
    socket->bound = true;
    socket_state(socket, SOCKET_CONNECTED | (pending->closed ? SOCKET_PEER_CLOSED : 0u), 0);
    socket_tell(&the_net, socket);
    tcp_socket_pump(socket);
    (void)tcp_socket_waiting(pending->listener);
}

/* ---- The end ---- */

void tcp_socket_abort(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->tcp;

    if (pcb == NULL)
        return;
    tcp_forget(pcb);
    socket->tcp = NULL;
    socket_touch(socket);
    tcp_abort(pcb);
}

/* Of one that lingers: when the peer has all bytes, lwIP needs the ring no more. */
static void end(struct socket *socket)
{
    struct tcp_pcb *pcb = socket->tcp;

    if (pcb == NULL || !socket->ended || socket->send.own != socket->queued)
        return;
    socket->tcp = NULL;
    tcp_forget(pcb);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
    socket_free(&the_net, socket);
}

void tcp_socket_close(struct socket *socket)
{
    if (socket->kind == KIND_LISTENER) {
        listener_close(socket);
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
        send_queued(socket->tcp);
        end(socket);
    }
}

void tcp_socket_names(const struct socket *socket, struct socket_names *names)
{
    const struct tcp_pcb *pcb = socket->tcp;

    *names = (struct socket_names){0};
    if (pcb == NULL)
        return;
    names->local_address = port_address(&pcb->local_ip);
    names->local_port = pcb->local_port;
    if (socket->kind == KIND_TCP) {
        names->address = port_address(&pcb->remote_ip);
        names->port = pcb->remote_port;
    }
}
