// SPDX-License-Identifier: MIT
/*
 * direct - a connection whose two ends are sockets of this machine: its bytes go from ring to ring, without a segment.
 *
 * A move leaves both PCBs as if lwIP had sent the bytes in one segment, and had taken its acknowledgement. So there is no
 * other kind of connection: how it begins and ends is lwIP's, the images of its ends are those of any, and what cannot be
 * moved goes by segments. docs/network.md tells when that is.
 *
 * D1  Bytes are moved only while nothing of that direction is with lwIP or on its way: the sender's segments are all
 *     acknowledged, and what it sends next is what the receiver waits for.
 * D2  No more is moved than the receiver's window allows (K2 of protocols/socket.h), and afterwards the sender knows the
 *     window as it is.
 */
#include "services/net/hooks.h"
#include "services/net/loopback.h"
#include "services/net/net.h"

/* ---- The other end ---- */

/* In struct net's `peers`: not looked for yet; there is none here. Else the number of its image, and one more. */
#define UNKNOWN 0u
#define ELSEWHERE UINT16_MAX

_Static_assert(NET_CONNECTIONS < ELSEWHERE, "numbers of connections");

/* Once for each connection. */
static void look_for_peer(uint32_t number)
{
    const struct tcp_pcb *pcb = the_net.connections[number], *other;
    uint32_t peer;

    the_net.peers[number] = ELSEWHERE;
    if (!loopback_is_own(port_address(&pcb->remote_ip)))
        return;
    other = lookup_find(&pcb->remote_ip, pcb->remote_port, &pcb->local_ip, pcb->local_port);
    if (other == NULL || other == pcb || !connection_number(other, &peer))
        return;
    the_net.peers[number] = (uint16_t)(peer + 1);
    the_net.peers[peer] = (uint16_t)(number + 1);
}

void direct_forget(uint32_t number)
{
    uint32_t peer = the_net.peers[number];

    if (peer != UNKNOWN && peer != ELSEWHERE)
        the_net.peers[peer - 1] = ELSEWHERE;
    the_net.peers[number] = UNKNOWN;
}

/* The socket at the other end, where bytes are read, at least some time; NULL: they go by segments. */
static struct socket *receiver_of(const struct socket *from)
{
    struct socket *to;
    uint32_t number;

    if (from->tcp == NULL || !connection_number(from->tcp, &number))
        return NULL;
    if (the_net.peers[number] == UNKNOWN)
        look_for_peer(number);
    if (the_net.peers[number] == ELSEWHERE)
        return NULL;
    to = tcp_socket_of(the_net.connections[the_net.peers[number] - 1]);
    return to == NULL || to->closing ? NULL : to;
}

/* D1, and both directions are open as far as it takes. */
static bool is_possible(const struct tcp_pcb *from, const struct tcp_pcb *to)
{
    return (from->state == ESTABLISHED || from->state == CLOSE_WAIT) &&
           (to->state == ESTABLISHED || to->state == FIN_WAIT_2) && from->unsent == NULL &&
           from->unacked == NULL && from->snd_nxt == from->snd_lbb &&
           from->lastack == from->snd_nxt && to->rcv_nxt == from->snd_nxt &&
           to->refused_data == NULL && to->ooseq == NULL;
}

bool direct_is_meant(const struct socket *from)
{
    const struct socket *to = receiver_of(from);

    if (to == NULL || (from->tcp->state != ESTABLISHED && from->tcp->state != CLOSE_WAIT))
        return false;
    numbers_add(&the_net.direct_waiting, socket_number(from));
    return true;
}

/* ---- Bytes ---- */

/* D2: what the acknowledgement of all that was received would say. */
static void acknowledge(struct tcp_pcb *from, struct tcp_pcb *to)
{
    to->rcv_ann_wnd = to->rcv_wnd;
    to->rcv_ann_right_edge = to->rcv_nxt + to->rcv_ann_wnd;
    to->ts_lastacksent = to->rcv_nxt;
    from->snd_wnd = to->rcv_ann_wnd;
    if (from->snd_wnd_max < from->snd_wnd)
        from->snd_wnd_max = from->snd_wnd;
    from->snd_wl1 = to->snd_nxt;
    from->snd_wl2 = to->rcv_nxt;
    from->tmr = to->tmr = tcp_ticks;
    port_segment(from);
    port_segment(to);
}

/* `count` bytes of the send ring, of which the receiver has room for all. */
static uint64_t move(struct socket *from, struct socket *to, uint64_t count)
{
    uint64_t moved = 0;

    while (moved != count) {
        uint64_t offset = from->queued & (from->send.capacity - 1), part = count - moved;

        if (part > from->send.capacity - offset)
            part = from->send.capacity - offset;
        if (socket_put(to, from->send.shared->data + offset, part) != MNOS_OK)
            break; /* the room has become less: its client breaks K6 */
        from->queued += part;
        moved += part;
    }
    from->send.own = from->queued;
    return moved;
}

bool direct_move(struct socket *from)
{
    struct socket *to = receiver_of(from);
    uint64_t written, room, count;
    struct tcp_pcb *sender = from->tcp, *receiver;

    if (to == NULL || !is_possible(sender, to->tcp))
        return false;
    receiver = to->tcp;
    if (socket_written(from, &written) != MNOS_OK)
        return false; /* who hands them to lwIP finds that, too */
    if (socket_room(to, &room) != MNOS_OK)
        return true; /* its own pump ends it */
    count = written - from->queued;
    count = count < room ? count : room;
    count = count < receiver->rcv_wnd ? count : receiver->rcv_wnd;
    if (count == 0)
        return true;
    count = move(from, to, count);
    sender->snd_nxt += (uint32_t)count;
    sender->snd_lbb = sender->lastack = sender->snd_nxt;
    receiver->rcv_nxt += (uint32_t)count;
    receiver->rcv_wnd -= (tcpwnd_size_t)count;
    acknowledge(sender, receiver);
    socket_freed(from, count);
    socket_moved(to);
    socket_tell(&the_net, to);
    return true;
}

struct socket *direct_open(struct socket *to, uint64_t count)
{
    struct socket *from = receiver_of(to); /* the other end of the other end */

    if (from == NULL || !is_possible(from->tcp, to->tcp))
        return NULL;
    to->tcp->rcv_wnd += (tcpwnd_size_t)count;
    acknowledge(from->tcp, to->tcp);
    return from;
}

bool direct_resume(void)
{
    struct numbers waiting;
    bool hurried = false;
    uint32_t number;

    if (the_net.direct_waiting.any == 0)
        return false;
    waiting = the_net.direct_waiting;
    the_net.direct_waiting = (struct numbers){0};
    while (numbers_take(&waiting, &number)) {
        struct socket *from = &the_net.sockets[number];
        struct socket *to = from->kind == KIND_TCP ? receiver_of(from) : NULL;

        if (to != NULL && (to->tcp->flags & TF_ACK_DELAY) != 0) {
            tcp_ack_now(to->tcp); /* what waits is not to wait for the timer of acknowledgements */
            hurried |= tcp_output(to->tcp) == ERR_OK;
        }
        if (from->kind == KIND_TCP)
            tcp_socket_pump(from);
    }
    return hurried;
}
