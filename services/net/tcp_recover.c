// SPDX-License-Identifier: MIT
/* tcp_recover - sockets of TCP after a death of the service, and what their images say: docs/net-death.md. */
#include "services/net/net.h"

void tcp_owner(const struct tcp_pcb *pcb, struct kept_connection *image)
{
    image->owner = KEPT_NOBODYS;
    if (pcb->state == SYN_RCVD && pcb->listener != NULL && pcb->callback_arg != NULL) {
        image->owner = KEPT_LISTENERS;
        image->owner_number = (uint16_t)socket_number(pcb->callback_arg);
    } else if (tcp_socket_of(pcb) != NULL && pcb->state != TIME_WAIT) {
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
    tcp_put_up_to(socket, end);
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
