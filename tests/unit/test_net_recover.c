// SPDX-License-Identifier: MIT
/* test_net_recover - what a run of net takes over, N4 of docs/net-death.md: what cannot be is refused, and what broke on its
 * way into lwIP keeps nothing of it. lwIP, windows and sockets' rings are stand-ins. */
#include "tests/unit/unit.h"

/* Names that other tests have, too. */
#define socket_close recover_socket_close
#define socket_room recover_socket_room
#define ipc_client_is_gone recover_client_is_gone
#define deadline_after_ns recover_deadline_after_ns
#define kinfo_time_ns recover_time_ns
#define direct_forget recover_direct_forget
#define lookup_add recover_lookup_add
#define lookup_remove recover_lookup_remove
#include "services/net/connection.c"
#include "services/net/kept.c"
#include "services/net/recover.c"
#define put udp_put
#include "services/net/udp.c"
#undef put

struct net the_net;
static struct tcp_pcb pcbs[4];
static struct udp_pcb udp_pcb;
static unsigned pcb_count, aborted, removed;
static mnos_status_t bind_comes_to, open_comes_to;
static uint32_t lost_share = NET_SHARES; /* whose window is not found */

#include "tests/unit/net_stand_ins.h"

/* ---- Sockets that get nothing of lwIP's ---- */

static struct socket *begun(enum socket_kind kind, enum kept_stage stage)
{
    struct socket *socket = &the_net.sockets[1];

    *socket = (struct socket){.kind = (uint8_t)kind, .bound = true, .port = 80};
    begin_socket(&the_net, socket, (uint8_t)stage);
    return socket;
}

TEST(net_recover, a_socket_that_gets_no_port_keeps_nothing_of_lwip)
{
    const struct socket *socket;

    bind_comes_to = MNOS_ERR_EXISTS;
    socket = begun(KIND_LISTENER, KEPT_LISTENER);
    CHECK_EQ(aborted, 1);
    CHECK(socket->tcp == NULL && socket->error == MNOS_ERR_LOST);
    socket = begun(KIND_TCP, KEPT_FRESH);
    CHECK_EQ(aborted, 2);
    CHECK(socket->tcp == NULL && socket->error == MNOS_ERR_LOST);
    socket = begun(KIND_UDP, KEPT_ENDED); /* its CLOSE gives it back */
    CHECK_EQ(socket->error, MNOS_ERR_LOST);
    udp_socket_close(&the_net.sockets[1]);
    CHECK_EQ(removed, 1);
    open_comes_to = MNOS_ERR_QUOTA;
    CHECK_EQ(begun(KIND_TCP, KEPT_FRESH)->error, MNOS_ERR_LOST);
    CHECK_EQ(aborted, 2);
    bind_comes_to = open_comes_to = MNOS_OK;
    socket = begun(KIND_LISTENER, KEPT_LISTENER);
    CHECK(socket->tcp != NULL && socket->error == MNOS_OK);
}

TEST(net_recover, a_socket_of_udp_without_memory_has_no_name)
{
    struct socket_names names = {.local_port = 1};
    struct socket *socket;

    open_comes_to = MNOS_ERR_QUOTA;
    socket = begun(KIND_UDP, KEPT_ENDED);
    CHECK(socket->udp == NULL && socket->error == MNOS_ERR_LOST);
    udp_socket_names(socket, &names);
    CHECK(ip_is_none(names.local_address) && names.local_port == 0 && ip_is_none(names.address) &&
          names.port == 0);
    udp_socket_close(socket);
    CHECK_EQ(removed, 0);
}

/* ---- Damaged images ---- */

static struct kept kept;
static struct state_header header;

/* One connection of a listener's, which waits for ACCEPT, and a listener: as a run leaves them. */
static void leave_images(void)
{
    the_net.kept = &kept;
    the_net.limits = kept.limits;
    the_net.state.header = &header;
    the_net.sockets[1] = (struct socket){.kind = KIND_LISTENER,
                                         .session = 1,
                                         .share = &the_net.shares[0],
                                         .tcp = &pcbs[3],
                                         .backlog = 4};
    the_net.pending[2] = (struct pending){
        .pcb = &pcbs[2], .listener = &the_net.sockets[1], .order = 5, .buffer = 1, .bytes = 100};
    pcbs[2] = (struct tcp_pcb){.state = ESTABLISHED,
                               .mss = 1460,
                               .rcv_nxt = 1000,
                               .rcv_ann_right_edge = 3000,
                               .snd_nxt = 77,
                               .snd_lbb = 77,
                               .lastack = 77};
    the_net.connections[6] = &pcbs[2];
    note_socket(&the_net, 1);
    note_pending(&the_net, 2);
    note_connection(&the_net, 6);
    /* The run that finds them. */
    the_net.pending[2] = (struct pending){0};
    the_net.connections[6] = NULL;
    the_net.buffers = 0;
}

/* Each byte in turn, changed in one bit, is noticed; as it was, it is taken again. */
static unsigned noticed(void *image, size_t bytes, bool (*refuses)(void))
{
    unsigned count = 0;

    for (size_t i = 0; i < bytes; i++) {
        uint8_t *byte = (uint8_t *)image + i, was = *byte;

        *byte = was ^ (uint8_t)(1u << i % 8);
        count += refuses();
        *byte = was;
    }
    return count;
}

static struct sessions *sessions;
static _Alignas(64) uint8_t sessions_memory[256 * 1024];

static bool refuses_all(void)
{
    return wrong_with(&the_net, STATE_WHOLE, sessions) != NULL;
}

TEST(net_recover, a_damaged_socket_makes_what_was_left_of_no_use)
{
    CHECK(sessions_bytes(NET_SESSIONS, NET_HANDLES) <= sizeof sessions_memory);
    sessions = (struct sessions *)sessions_memory;
    sessions_format(sessions, NET_SESSIONS, NET_HANDLES, 1);
    leave_images();
    CHECK(!refuses_all());
    CHECK_EQ(noticed(&kept.sockets[1], sizeof kept.sockets[1], refuses_all),
             sizeof kept.sockets[1]);
    CHECK(!refuses_all());
    kept.sockets[1].kind = KIND_FREE;
    CHECK_STR_EQ(wrong_with(&the_net, STATE_WHOLE, sessions), "a socket is damaged");
    kept.sockets[1] = (struct kept_socket){0};
    CHECK(!refuses_all());
}

TEST(net_recover, a_damaged_share_of_a_window_makes_what_was_left_of_no_use)
{
    struct kept_share *image = &kept.shares[5];

    sessions = (struct sessions *)sessions_memory;
    sessions_format(sessions, NET_SESSIONS, NET_HANDLES, 1);
    leave_images();
    *image = (struct kept_share){.slots = 8, .session = 1, .place = 0x10003};
    image->sum = KEPT_SUM(image);
    CHECK(!refuses_all());
    CHECK_EQ(noticed(image, sizeof *image, refuses_all), sizeof *image);
    image->slots = 0;
    CHECK_STR_EQ(wrong_with(&the_net, STATE_WHOLE, sessions), "a window's share is damaged");
    *image = (struct kept_share){0};
    CHECK(!refuses_all());
}

static bool refuses_pending(void)
{
    bool taken = recover_pending(&the_net, 2, &pcbs[2]);

    the_net.pending[2] = (struct pending){0};
    return !taken;
}

TEST(net_recover, what_waited_and_is_damaged_is_refused)
{
    leave_images();
    CHECK(!refuses_pending());
    CHECK_EQ(noticed(&kept.pending[2], sizeof kept.pending[2], refuses_pending),
             sizeof kept.pending[2]);
    CHECK(!refuses_pending());
    kept.connections[6].owner = KEPT_PENDINGS;
    kept.connections[6].owner_number = 2;
    kept.connections[6].sum = KEPT_SUM(&kept.connections[6]);
    kept.pending[2].order++;
    CHECK_EQ(recover_connections(&the_net), 0);
    CHECK_EQ(aborted, 1); /* its peer gets RST */
    kept.pending[2].order--;
    the_net.connections[6] = NULL;
    CHECK_EQ(recover_connections(&the_net), 1);
    CHECK_EQ(aborted, 1);
}

static bool refuses_connection(void)
{
    return !is_sound(&kept.connections[6]);
}

TEST(net_recover, a_damaged_connection_is_refused)
{
    leave_images();
    CHECK(!refuses_connection());
    CHECK_EQ(noticed(&kept.connections[6], sizeof kept.connections[6], refuses_connection),
             sizeof kept.connections[6]);
    CHECK(!refuses_connection());
}

/* One whose sum is right, but which cannot be. */
static bool refuses(struct kept_connection image)
{
    image.sum = KEPT_SUM(&image);
    image.flow_sum = KEPT_FLOW_SUM(&image, first);
    return !is_sound(&image);
}

TEST(net_recover, a_connection_that_cannot_be_is_refused)
{
    struct kept_connection good, image;

    leave_images();
    good = kept.connections[6];
    good.end = good.next = good.first + 10;
    good.acked = good.first + 5;
    CHECK(!refuses(good));
#define WRONG(change) (image = good, change, CHECK(refuses(image)))
    WRONG(image.unsound = 1);
    WRONG(image.state = LISTEN);
    WRONG(image.state = TIME_WAIT + 1);
    WRONG(image.segment = 0);
    WRONG(image.end = image.first + SOCKET_RING_BYTES + 1);
    WRONG(image.end = image.first - 1);
    WRONG(image.acked = image.end + 1);
    WRONG(image.acked = image.first - 1);
    WRONG(image.next = image.end + 1);
    WRONG(image.next = image.acked - 1);
    WRONG(image.receive_edge = image.receive_next + TCP_WND + 1);
    WRONG(image.receive_edge = image.receive_next - 1);
    WRONG(image.owner = KEPT_LISTENERS);
#undef WRONG
}

/* ---- Flows ---- */

/* A segment makes only the flow anew, as long as all else is as its image says. */
TEST(net_recover, the_flow_of_a_connection_is_made_anew_alone)
{
    struct kept_connection before;

    leave_images();
    the_net.connections[6] = &pcbs[2];
    before = kept.connections[6];
    pcbs[2].rcv_nxt += 10;
    CHECK(connection_note_flow(6));
    CHECK_EQ(kept.connections[6].receive_next, before.receive_next + 10);
    CHECK_EQ(kept.connections[6].sum, before.sum);
    CHECK(is_sound(&kept.connections[6]));
    pcbs[2].state = CLOSE_WAIT;
    CHECK(!connection_note_flow(6));
    pcbs[2].state = ESTABLISHED;
    pcbs[2].mss--;
    CHECK(!connection_note_flow(6));
    pcbs[2].mss++;
    pcbs[2].refused_data = (struct pbuf *)&header;
    CHECK(!connection_note_flow(6));
    pcbs[2].refused_data = NULL;
    the_net.connections[6] = NULL;
    CHECK(!connection_note_flow(6));
}

/* lwIP lets the end of a stream go with its last bytes if those are not sent, and does not count it in `snd_lbb` then. */
TEST(net_recover, the_end_of_a_stream_that_goes_with_its_last_bytes_is_counted)
{
    struct tcp_hdr head = {.seqno = lwip_htonl(1000)}, behind = {.seqno = lwip_htonl(1010)};
    struct tcp_seg last = {.tcphdr = &behind, .len = 5}, first = {.tcphdr = &head, .len = 10};
    struct tcp_pcb pcb = {.state = LAST_ACK, .mss = 1460, .snd_lbb = 1015, .snd_nxt = 1010};
    struct kept_connection image;

    leave_images();
    pcb.lastack = 1000;
    pcb.unacked = &first;
    pcb.unsent = &last;
    the_net.connections[6] = &pcb;
    connection_image(6, &image);
    CHECK_EQ(image.end, 1015);
    tcp_set_flags(&pcb, TF_FIN);
    TCPH_SET_FLAG(&behind, TCP_FIN);
    connection_image(6, &image);
    CHECK(image.first == 1000 && image.end == 1016);
    CHECK(is_sound(&image));
    /* The first is sent again, the last waits for its acknowledgement. */
    pcb.unsent = &first;
    pcb.unacked = &last;
    pcb.snd_nxt = 1016;
    connection_image(6, &image);
    CHECK(image.first == 1000 && image.end == 1016);
    CHECK(is_sound(&image));
    /* All is acknowledged. */
    pcb.unsent = pcb.unacked = NULL;
    pcb.state = FIN_WAIT_2;
    pcb.lastack = 1016;
    connection_image(6, &image);
    CHECK(image.first == 1016 && image.end == 1016);
    CHECK(is_sound(&image));
    the_net.connections[6] = NULL;
}

TEST(net_recover, the_link_of_either_end_is_kept)
{
    const struct ip_address link = {0xFE80ull << 48, 0x77}, beyond = {0x20010DB8ull << 32, 0xF};
    struct tcp_pcb pcb = {.state = ESTABLISHED, .mss = 1220}, made = {0};
    struct kept_connection image;

    for (unsigned i = 0; i < 3; i++) { /* with both, each is of the same link */
        pcb.local_ip = port_to_lwip_at(i == 0 ? beyond : link, 3);
        pcb.remote_ip = port_to_lwip_at(i == 1 ? beyond : link, 3);
        the_net.connections[6] = &pcb;
        connection_image(6, &image);
        CHECK_EQ(image.zone, 3);
        set_names(&made, &image);
        CHECK(ip_addr_eq(&made.local_ip, &pcb.local_ip) &&
              ip_addr_eq(&made.remote_ip, &pcb.remote_ip));
    }
    the_net.connections[6] = NULL;
}

TEST(net_recover, the_flow_of_a_socket_is_made_anew_alone)
{
    leave_images();
    the_net.sockets[1].send.own = 5;
    the_net.sockets[1].receive.own = 7;
    note_socket_flow(&the_net, 1);
    CHECK(kept.sockets[1].sent == 5 && kept.sockets[1].received == 7);
    CHECK_EQ(kept.sockets[1].flow_sum, KEPT_FLOW_SUM(&kept.sockets[1], sent));
    CHECK(wrong_sockets(&kept) == NULL);
}

/* ---- Windows ---- */

static unsigned dropped;

static void drop(void *, uint32_t object)
{
    dropped += object != 0;
}

TEST(net_recover, a_session_without_its_window_has_no_socket_and_begins_anew)
{
    static uint8_t memory[1u << 20] __attribute__((aligned(64)));
    const struct session_owner owner = {.drop = drop};
    struct server_session *lost, *other;
    uint64_t handle, others;
    uint32_t number;

    CHECK(sessions_bytes(NET_SESSIONS, NET_HANDLES) <= sizeof memory);
    the_net.kept = &kept;
    the_net.loop.sessions = sessions_format(memory, NET_SESSIONS, NET_HANDLES, 1);
    the_net.loop.owner = owner;
    lost = session_make(the_net.loop.sessions, 0x10001, NULL, 0, 0);
    other = session_make(the_net.loop.sessions, 0x20001, NULL, 0, 0);
    CHECK_EQ(handle_make(the_net.loop.sessions, lost, 3, 0, 0, &handle), MNOS_OK);
    CHECK_EQ(handle_make(the_net.loop.sessions, other, 4, 0, 0, &others), MNOS_OK);
    memset(kept.sockets, 0, sizeof kept.sockets);
    memset(kept.shares, 0, sizeof kept.shares);
    kept.shares[5] = (struct kept_share){.slots = 8, .session = lost->number};
    kept.shares[6] = (struct kept_share){.slots = 8, .session = other->number};
    lost_share = 5;
    recover_sockets(&the_net);
    lost_share = NET_SHARES;
    CHECK(lost->lost && !other->lost);
    CHECK(handle_of(the_net.loop.sessions, lost, handle) == NULL);
    CHECK(handle_of(the_net.loop.sessions, other, others) != NULL);
    CHECK_EQ(dropped, 1);
    CHECK(numbers_take(&the_net.changes.shares, &number) && number == 5); /* as of none */
    session_begin_anew(the_net.loop.sessions, lost, &owner);
    CHECK(!lost->lost);
}
