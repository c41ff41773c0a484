// SPDX-License-Identifier: MIT
/* listener - connections that wait for ACCEPT, and what a listener has of lwIP. */
#include "services/net/net.h"

static uint32_t pending_number(const struct pending *pending)
{
    return (uint32_t)(pending - the_net.pending);
}

/* Its bytes may be needed until the next run knows that they are not. */
void listener_leave(struct pending *pending)
{
    pending->pcb = NULL;
    pending->leaving = true;
    pending->listener->waiting--;
    numbers_add(&the_net.changes.pending, pending_number(pending));
    numbers_add(&the_net.pending_leaving, pending_number(pending));
}

static void on_pending_error(void *arg, err_t)
{
    struct pending *pending = arg;

    listener_leave(pending);
    (void)tcp_socket_waiting(pending->listener); /* nobody is to wait for what is gone */
}

_Static_assert(NET_PENDING_BUFFERS == 32, "a bit for each");

static uint32_t take_buffer(void)
{
    uint32_t number =
        the_net.buffers == UINT32_MAX ? 0 : (uint32_t)__builtin_ctz(~the_net.buffers) + 1;

    if (number != 0)
        the_net.buffers |= 1u << (number - 1);
    return number;
}

void listener_left(struct pending *pending)
{
    if (pending->buffer != 0)
        the_net.buffers &= ~(1u << (pending->buffer - 1));
    *pending = (struct pending){0};
}

void listener_bytes(const struct pending *pending, struct socket *socket)
{
    if (pending->buffer != 0)
        (void)socket_put(socket, the_net.kept->bytes[pending->buffer - 1], pending->bytes);
}

/* With no buffer nothing has room: what comes is sent again until it is accepted. */
static void set_window(const struct pending *pending, struct tcp_pcb *pcb)
{
    pcb->rcv_wnd = pending->buffer == 0 ? 0 : (tcpwnd_size_t)(SOCKET_RING_BYTES - pending->bytes);
}

/* The bytes wait in memory that outlives this run, as many as the window allows: what comes behind them lwIP drops, and
 * it is sent again. */
static err_t on_pending_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *pbuf, err_t)
{
    struct pending *pending = arg;

    numbers_add(&the_net.changes.pending, pending_number(pending));
    if (pbuf == NULL) {
        pending->closed = true;
        return ERR_OK;
    }
    if (pbuf->next != NULL)
        tcp_ack_now(pcb); /* as in on_receive() of tcp.c */
    LWIP_ASSERT("more than the window",
                pending->buffer != 0 && pbuf->tot_len <= SOCKET_RING_BYTES - pending->bytes);
    pending->bytes += pbuf_copy_partial(
        pbuf, the_net.kept->bytes[pending->buffer - 1] + pending->bytes, pbuf->tot_len, 0);
    (void)pbuf_free(pbuf);
    return ERR_OK;
}

static void adopt_pending(struct pending *pending, struct tcp_pcb *pcb)
{
    pending->pcb = pcb;
    pending->listener->waiting++;
    tcp_arg(pcb, pending);
    tcp_recv(pcb, on_pending_receive);
    tcp_err(pcb, on_pending_error);
    tcp_backlog_delayed(pcb);
    connection_touch(pcb);
    numbers_add(&the_net.changes.pending, pending_number(pending));
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct socket *listener = arg;

    if (error != ERR_OK || pcb == NULL || listener == NULL)
        return ERR_VAL;
    for (uint32_t i = 0; i < NET_PENDING; i++) {
        struct pending *pending = &the_net.pending[i];

        if (pending->pcb != NULL || pending->leaving)
            continue;
        *pending = (struct pending){
            .listener = listener, .order = ++the_net.next_order, .buffer = take_buffer()};
        set_window(pending, pcb);
        adopt_pending(pending, pcb);
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

    tcp_forget(socket->tcp);
    connection_unwatch(socket->tcp);
    pcb = tcp_listen_with_backlog_and_err(socket->tcp, (u8_t)backlog, &error);
    if (pcb == NULL) {
        (void)connection_watch(socket->tcp); /* its number is free */
        tcp_adopt(socket, socket->tcp);
        return port_status(error);
    }
    socket->kind = KIND_LISTENER;
    socket->backlog = backlog;
    socket_touch(socket);
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

bool listener_has(const struct tcp_pcb *pcb)
{
    return pcb->recv == on_pending_receive;
}

/* ---- The end ---- */

void listener_close(struct socket *socket)
{
    for (uint32_t i = 0; i < NET_PENDING; i++) {
        struct tcp_pcb *pcb = the_net.pending[i].pcb;

        if (pcb == NULL || the_net.pending[i].listener != socket)
            continue;
        listener_leave(&the_net.pending[i]);
        tcp_forget(pcb);
        tcp_backlog_accepted(pcb);
        tcp_abort(pcb);
    }
    tcp_arg(socket->tcp, NULL);
    tcp_accept(socket->tcp, NULL);
    (void)tcp_close(socket->tcp); /* of a listener it cannot fail */
    socket_free(&the_net, socket);
}

/* ---- After a death ---- */

void tcp_pending_recover(struct pending *pending, struct socket *listener, struct tcp_pcb *pcb)
{
    pcb->listener = (struct tcp_pcb_listen *)listener->tcp;
    if (pending->buffer != 0)
        the_net.buffers |= 1u << (pending->buffer - 1);
    set_window(pending, pcb);
    adopt_pending(pending, pcb);
    socket_state(listener, SOCKET_ACCEPTABLE, 0);
}

/* Its SYN is sent again when the timer says so: a peer that has it sends its acknowledgement with what it sends first, and
 * one that has not sends its own again. */
bool tcp_half_open_recover(struct socket *listener, struct tcp_pcb *pcb)
{
    pcb->listener = (struct tcp_pcb_listen *)listener->tcp;
    tcp_arg(pcb, listener);
    tcp_backlog_delayed(pcb);
    connection_touch(pcb);
    pcb->rtime = 0;
    return tcp_enqueue_flags(pcb, TCP_SYN | TCP_ACK) == ERR_OK;
}
