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
}

/* ---- Sending ---- */

/* The rest of what was put, as far as lwIP takes it. It lies in the ring until the peer has acknowledged it, and is
 * sent from there. */
static void put_up_to(struct socket *socket, uint64_t end)
{
    while (socket->queued != end) {
        uint64_t offset = socket->queued & (socket->send.capacity - 1);
        uint64_t count = end - socket->queued, left = socket->send.capacity - offset;

        count = count < left ? count : left;
        if (count > tcp_sndbuf(socket->tcp))
            count = tcp_sndbuf(socket->tcp);
        if (count == 0 ||
            tcp_write(socket->tcp, socket->send.shared->data + offset, (u16_t)count, 0) != ERR_OK)
            break; /* on_sent() goes on */
        socket->queued += count;
    }
}

static mnos_status_t put_written(struct socket *socket)
{
    uint64_t written;
    mnos_status_t status = socket_written(socket, &written);

    if (status == MNOS_OK)
        put_up_to(socket, written);
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
    tcp_forget(pcb);
    socket->tcp = NULL;
    socket_touch(socket);
    if (socket->closing)
        socket_free(&the_net, socket);
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
    socket->send.own = own < socket->queued ? own : socket->queued;
    socket_tell(&the_net, socket);
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

void tcp_adopt(struct socket *socket, struct tcp_pcb *pcb)
{
    socket->tcp = pcb;
    tcp_arg(pcb, socket);
    tcp_recv(pcb, on_receive);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_poll, 1);
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

mnos_status_t tcp_socket_bind(struct socket *socket, uint32_t address, uint16_t port)
{
    ip4_addr_t local = {lwip_htonl(address)};
    err_t error;

    ip_set_option(socket->tcp, SOF_REUSEADDR);
    error = tcp_bind(socket->tcp, &local, port);

    socket->bound = error == ERR_OK;
    socket->address = address;
    socket_touch(socket);
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
    port_segment(pcb); /* whose it is is a part of its image */
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
        (void)tcp_output(socket->tcp);
        end(socket);
    }
}

/* ---- After a death ---- */

void tcp_owner(const struct tcp_pcb *pcb, struct kept_connection *image)
{
    image->owner = KEPT_NOBODYS;
    if (pcb->state == SYN_RCVD && pcb->listener != NULL && pcb->callback_arg != NULL) {
        image->owner = KEPT_LISTENERS;
        image->owner_number = (uint16_t)socket_number(pcb->callback_arg);
    } else if (pcb->recv == on_receive && pcb->state != TIME_WAIT) {
        image->owner = KEPT_SOCKETS;
        image->owner_number = (uint16_t)socket_number(pcb->callback_arg);
    } else if (listener_has(pcb)) {
        image->owner = KEPT_PENDINGS;
        image->owner_number = (uint16_t)((struct pending *)pcb->callback_arg - the_net.pending);
    }
}

/* The window is the room in the ring, and what the client has taken meanwhile is a part of it. */
static bool recover_window(struct socket *socket)
{
    uint64_t room;

    if (socket->closing)
        socket->opened = socket->receive.own;
    else if (socket_room(socket, &room) == MNOS_OK)
        socket->opened = socket->receive.own - (socket->receive.capacity - room);
    else
        return false;
    socket->tcp->rcv_wnd = (tcpwnd_size_t)(TCP_WND - (socket->receive.own - socket->opened));
    (void)tcp_update_rcv_ann_wnd(socket->tcp);
    return true;
}

/* lwIP gets again what it had sent, and its end if that was queued: then all bytes were. The pump gives it the rest. */
static bool recover_sender(struct socket *socket, const struct kept_connection *image)
{
    struct tcp_pcb *pcb = socket->tcp;
    bool ended = image->state != ESTABLISHED && image->state != CLOSE_WAIT;
    uint32_t count = (ended ? image->end : image->next) - image->first;
    bool unacked_end = ended && image->state != FIN_WAIT_2;
    uint64_t written, end = socket->send.own + count - (unacked_end ? 1 : 0);

    if (socket_written(socket, &written) != MNOS_OK ||
        end - socket->send.own > written - socket->send.own)
        return false;
    if (unacked_end && count == 0)
        return false;
    pcb->state = ESTABLISHED; /* else nothing may be written */
    put_up_to(socket, end);
    if (socket->queued != end || (unacked_end && tcp_send_fin(pcb) != ERR_OK))
        return false;
    pcb->state = (enum tcp_state)image->state;
    return true;
}

bool tcp_socket_recover(struct socket *socket, struct tcp_pcb *pcb,
                        const struct kept_connection *image)
{
    tcp_adopt(socket, pcb);
    if (recover_window(socket) && recover_sender(socket, image))
        return true;
    tcp_socket_abort(socket);
    return false;
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
