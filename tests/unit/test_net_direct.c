// SPDX-License-Identifier: MIT
/* test_net_direct - services/net/direct.c: bytes from ring to ring, and when they may not go that way. */
#include "tests/unit/unit.h"

#include "lib/base/string.h"

/* Names that other tests have, too. */
#define the_net direct_net
#define loopback_is_own direct_is_own
#define connection_number direct_connection_number
#define lookup_find direct_lookup_find
#define port_segment direct_port_segment
#define socket_written direct_socket_written
#define socket_room direct_socket_room
#define socket_put direct_socket_put
#define socket_tell direct_socket_tell
#define socket_freed direct_socket_freed
#define tcp_socket_of direct_socket_of
#define tcp_socket_pump direct_socket_pump
#define tcp_output direct_output
#define tcp_ticks direct_ticks
#include "services/net/hooks.h"
#include "services/net/loopback.h"
#include "services/net/net.h"

struct net direct_net;
static struct tcp_pcb pcbs[2];
static _Alignas(
    struct ring_shared) uint8_t rings[4][sizeof(struct ring_shared) + SOCKET_RING_BYTES];
static unsigned told, acknowledged, segments;

/* ---- Stand-ins ---- */

u32_t tcp_ticks;

bool loopback_is_own(struct ip_address address)
{
    return ip_is_v4(address) && ip_v4_of(address) == lwip_htonl(1);
}

bool connection_number(const struct tcp_pcb *pcb, uint32_t *number)
{
    *number = (uint32_t)(pcb - pcbs) + 3;
    return true;
}

struct tcp_pcb *lookup_find(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                            uint16_t remote_port)
{
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++) {
        struct tcp_pcb *pcb = the_net.connections[i];

        if (pcb != NULL && pcb->local_port == local_port && pcb->remote_port == remote_port &&
            ip_addr_eq(&pcb->local_ip, local) && ip_addr_eq(&pcb->remote_ip, remote))
            return pcb;
    }
    return NULL;
}

void port_segment(const struct tcp_pcb *)
{
    segments++;
}

mnos_status_t socket_written(const struct socket *socket, uint64_t *written)
{
    *written = socket->send.shared->written;
    return MNOS_OK;
}

mnos_status_t socket_room(const struct socket *socket, uint64_t *room)
{
    *room = socket->receive.capacity - (socket->receive.own - socket->receive.shared->taken);
    return MNOS_OK;
}

mnos_status_t socket_put(struct socket *socket, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        socket->receive.shared->data[socket->receive.own++ % SOCKET_RING_BYTES] =
            ((const uint8_t *)bytes)[i];
    return MNOS_OK;
}

void socket_tell(struct net *, struct socket *)
{
    told++;
}

void socket_freed(struct socket *, uint64_t)
{
}

struct socket *tcp_socket_of(const struct tcp_pcb *pcb)
{
    return pcb->callback_arg;
}

void tcp_socket_pump(struct socket *socket)
{
    (void)direct_move(socket);
}

err_t tcp_output(struct tcp_pcb *)
{
    acknowledged++;
    return ERR_OK;
}

#include "services/net/direct.c"

/* ---- The scene: socket 1 sends to socket 2 ---- */

static void begin(void)
{
    memset(&direct_net, 0, sizeof direct_net);
    memset(rings, 0, sizeof rings);
    told = acknowledged = segments = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct socket *socket = &direct_net.sockets[1 + i];

        *socket = (struct socket){.kind = KIND_TCP, .tcp = &pcbs[i]};
        ring_init(&socket->send, &rings[2 * i], SOCKET_RING_BYTES);
        ring_init(&socket->receive, &rings[2 * i + 1], SOCKET_RING_BYTES);
        pcbs[i] = (struct tcp_pcb){.state = ESTABLISHED,
                                   .callback_arg = socket,
                                   .local_port = (u16_t)(10 + i),
                                   .remote_port = (u16_t)(11 - i),
                                   .rcv_wnd = TCP_WND};
        ip4_addr_set_u32(ip_2_ip4(&pcbs[i].local_ip), 1);
        ip4_addr_set_u32(ip_2_ip4(&pcbs[i].remote_ip), 1);
        direct_net.connections[3 + i] = &pcbs[i];
    }
    pcbs[0].snd_nxt = pcbs[0].snd_lbb = pcbs[0].lastack = pcbs[1].rcv_nxt = UINT32_MAX - 2;
    pcbs[1].snd_nxt = pcbs[1].snd_lbb = pcbs[1].lastack = pcbs[0].rcv_nxt = 700;
}

static void put(unsigned number, uint64_t count)
{
    struct ring_shared *ring = direct_net.sockets[number].send.shared;

    for (uint64_t i = 0; i < count; i++, ring->written++)
        ring->data[ring->written % SOCKET_RING_BYTES] = (uint8_t)(ring->written * 7);
}

TEST(net_direct, bytes_go_from_ring_to_ring_and_both_ends_count_them)
{
    struct socket *to = &direct_net.sockets[2];

    begin();
    put(1, 10);
    CHECK(direct_move(&direct_net.sockets[1]));
    CHECK_EQ(to->receive.own, 10);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(to->receive.shared->data[i], (uint8_t)(i * 7));
    CHECK(direct_net.sockets[1].queued == 10 && direct_net.sockets[1].send.own == 10);
    CHECK(pcbs[0].snd_nxt == 7 && pcbs[0].snd_lbb == 7 && pcbs[0].lastack == 7);
    CHECK(pcbs[1].rcv_nxt == 7 && pcbs[1].rcv_wnd == TCP_WND - 10);
    CHECK(pcbs[1].rcv_ann_right_edge == 7 + TCP_WND - 10 && pcbs[0].snd_wnd == TCP_WND - 10);
    CHECK(told == 1 && segments == 2);
}

TEST(net_direct, no_more_is_moved_than_the_window_and_the_ring_allow)
{
    struct socket *from = &direct_net.sockets[1], *to = &direct_net.sockets[2];

    begin();
    put(1, SOCKET_RING_BYTES);
    CHECK(direct_move(from));
    CHECK_EQ(to->receive.own, SOCKET_RING_BYTES);
    from->send.shared->taken = from->send.own;
    put(1, 5);
    CHECK(direct_move(from)); /* the receiver is full, and they wait */
    CHECK(from->queued == SOCKET_RING_BYTES && pcbs[1].rcv_wnd == 0 && pcbs[0].snd_wnd == 0);
    to->receive.shared->taken = 3; /* the ring has room, which the window does not show yet */
    CHECK(direct_move(from));
    CHECK_EQ(from->queued, SOCKET_RING_BYTES);
    CHECK(direct_open(to, 3) == from);
    CHECK(direct_move(from));
    CHECK_EQ(from->queued, SOCKET_RING_BYTES + 3);
    CHECK_EQ(pcbs[1].rcv_ann_right_edge - pcbs[1].rcv_nxt, pcbs[1].rcv_wnd);
}

/* D1, and each state in which a direction is not open. */
TEST(net_direct, what_is_on_its_way_or_ended_keeps_bytes_where_they_are)
{
    struct tcp_seg segment = {0};
    struct pbuf pbuf = {0};

#define REFUSED(change)                                                                            \
    (begin(), put(1, 4), change, CHECK(!direct_move(&direct_net.sockets[1])),                      \
     CHECK_EQ(direct_net.sockets[1].queued, 0))
    REFUSED(pcbs[0].unacked = &segment);
    REFUSED(pcbs[0].unsent = &segment);
    REFUSED(pcbs[0].snd_lbb++);
    REFUSED(pcbs[0].lastack--);
    REFUSED(pcbs[1].rcv_nxt--);
    REFUSED(pcbs[1].refused_data = &pbuf);
    REFUSED(pcbs[1].ooseq = &segment);
    REFUSED(pcbs[0].state = FIN_WAIT_1);
    REFUSED(pcbs[1].state = SYN_RCVD);
    REFUSED(pcbs[1].state = CLOSE_WAIT);
    REFUSED(direct_net.sockets[2].closing = true);
    REFUSED(pcbs[1].callback_arg = NULL);
    REFUSED(ip4_addr_set_u32(ip_2_ip4(&pcbs[0].remote_ip), 2));
#undef REFUSED
}

TEST(net_direct, a_half_that_is_open_goes_on)
{
    begin();
    put(1, 4);
    pcbs[0].state = CLOSE_WAIT;
    pcbs[1].state = FIN_WAIT_2;
    CHECK(direct_move(&direct_net.sockets[1]));
    CHECK_EQ(direct_net.sockets[2].receive.own, 4);
}

TEST(net_direct, bytes_wait_for_what_is_on_its_way_and_hurry_its_acknowledgement)
{
    struct tcp_seg segment = {0};

    begin();
    put(1, 4);
    pcbs[0].unacked = &segment;
    CHECK(direct_is_meant(&direct_net.sockets[1]));
    pcbs[1].flags = TF_ACK_DELAY;
    CHECK(direct_resume() && acknowledged == 1 && (pcbs[1].flags & TF_ACK_NOW) != 0);
    CHECK(!direct_resume()); /* nobody waits any more */
    pcbs[0].unacked = NULL;
    CHECK(direct_is_meant(&direct_net.sockets[1]));
    pcbs[1].flags = 0;
    CHECK(!direct_resume());
    CHECK_EQ(direct_net.sockets[2].receive.own, 4);
}

TEST(net_direct, an_end_that_is_gone_is_nobodys_peer)
{
    begin();
    put(1, 4);
    CHECK(direct_move(&direct_net.sockets[1]));
    direct_forget(4);
    direct_net.connections[4] = NULL;
    put(1, 4);
    CHECK(!direct_move(&direct_net.sockets[1]) && !direct_is_meant(&direct_net.sockets[1]));
}
