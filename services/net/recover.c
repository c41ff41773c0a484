// SPDX-License-Identifier: MIT
/* recover - takes over what the last run has left: docs/net-death.md. */
#include "lib/base/string.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "services/net/net.h"

#define MAGIC 0x315453544554454Eull
#define LAYOUT 7u
/* A change of all images at once, and of all sessions. */
#define LOG_BYTES (832u * 1024)

/* ---- Regions ---- */

static uint64_t kept_bytes(void)
{
    return (sizeof(struct kept) + 63) / 64 * 64;
}

static void make_new(struct net *net, struct sessions *sessions)
{
    state_drop(&net->state);
    memset(net->kept, 0, sizeof *net->kept);
    sessions_format(sessions, NET_SESSIONS, NET_HANDLES, kinfo_time_ns());
    state_ready(&net->state);
}

/* Authority does not grow over a death: what is beyond its table is none, and no session may more than the one that it is a
 * part of. */
static const char *wrong_limits(const struct net *net, const struct sessions *sessions)
{
    struct socket_refusal refusal;

    for (uint32_t i = 1; i <= NET_SESSIONS; i++) {
        const struct server_session *at = session_at(sessions, i);

        if (at->badge == 0)
            continue;
        if (!limits_valid(&net->limits[i]))
            return "a session has limits that cannot be";
        if (at->parent != 0 && !limits_narrow(&net->limits[at->parent], &net->limits[i], &refusal))
            return "a session has limits beyond those above it";
    }
    return NULL;
}

/* A handle leads to a socket by its number: of one that cannot be read nobody knows whose it is, and so nothing is used. */
static const char *wrong_sockets(const struct kept *kept)
{
    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        const struct kept_socket *image = &kept->sockets[i];

        if (image->kind == KIND_FREE
                ? (image->sum | image->flow_sum) != 0
                : image->sum != KEPT_SUM(image) || image->flow_sum != KEPT_FLOW_SUM(image, sent))
            return "a socket is damaged";
    }
    return NULL;
}

/* Likewise: the session that a window is of would be another one. */
static const char *wrong_shares(const struct kept *kept)
{
    for (uint32_t i = 0; i < NET_SHARES; i++) {
        const struct kept_share *image = &kept->shares[i];

        if (image->sum != (image->slots == 0 ? 0 : KEPT_SUM(image)))
            return "a window's share is damaged";
    }
    return NULL;
}

static const char *wrong_with(const struct net *net, enum state_found found,
                              struct sessions *sessions)
{
    const char *wrong;

    if (found == STATE_FOREIGN)
        return "it cannot be read";
    if (state_trust(&net->state) == STATE_TRUST_NONE)
        return "it has died too often with it";
    wrong = sessions_take_over(sessions, NET_SESSIONS, NET_HANDLES);
    if (wrong == NULL)
        wrong = wrong_limits(net, sessions);
    if (wrong == NULL)
        wrong = wrong_shares(net->kept);
    return wrong != NULL ? wrong : wrong_sockets(net->kept);
}

mnos_status_t recover_open(struct net *net)
{
    static struct region_piece piece;
    struct region *region = &net->state_region;
    struct sessions *sessions;
    enum state_found found;
    const char *wrong = NULL;
    mnos_status_t status = region_open(region, BOOTSTRAP_REQUIRED("net_state"), &piece, 1);

    if (status == MNOS_OK)
        status = windows_open(&net->windows_region, BOOTSTRAP_REQUIRED("net_windows"));
    if (status == MNOS_OK && region->bytes < state_overhead(LOG_BYTES) + kept_bytes() +
                                                 sessions_bytes(NET_SESSIONS, NET_HANDLES))
        status = MNOS_ERR_MEMORY;
    if (status != MNOS_OK)
        return status;
    found = state_open(&net->state, region->address, region->bytes, MAGIC, LAYOUT, LOG_BYTES, NULL);
    net->kept = state_content(&net->state);
    net->limits = net->kept->limits;
    sessions = (struct sessions *)((uint8_t *)net->kept + kept_bytes());
    net->loop.sessions = sessions;
    if (found != STATE_NONE)
        wrong = wrong_with(net, found, sessions);
    if (wrong != NULL)
        log_at(MNOS_LOG_ERROR, "what the last run left is of no use: %s; all connections are lost",
               wrong);
    if (found == STATE_NONE || wrong != NULL)
        make_new(net, sessions);
    state_current = &net->state;
    return MNOS_OK;
}

/* ---- Sockets ---- */

static bool read_socket(struct net *net, uint32_t number)
{
    const struct kept_socket *image = &net->kept->sockets[number];
    struct socket *socket = &net->sockets[number];
    struct share *share = &net->shares[image->share % NET_SHARES];
    uint64_t bit = 1ull << image->slot % 64;

    if (image->kind > KIND_UDP || image->share >= NET_SHARES || share->page == NULL ||
        image->slot >= share->slots || (share->used & bit) != 0 || image->session == 0 ||
        image->session > NET_SESSIONS || image->account >= SESSION_ACCOUNTS ||
        image->backlog > NET_BACKLOG)
        return false;
    *socket = (struct socket){.kind = image->kind,
                              .bound = image->bound,
                              .shut = image->shut,
                              .ended = image->ended,
                              .closing = image->closing,
                              .session = image->session,
                              .slot = image->slot,
                              .account = image->account,
                              .share = share,
                              .state = image->state,
                              .error = image->error,
                              .lost = image->lost,
                              .address = image->address,
                              .port = image->port,
                              .backlog = image->backlog,
                              .remote = image->remote,
                              .peer_count = image->peer_count};
    memcpy(socket->peers, image->peers, sizeof socket->peers);
    numbers_add(&net->sockets_used, number);
    net->held[socket->account]++;
    share->used |= bit;
    share->news |= bit;
    share_changed(net, share);
    socket_place(socket);
    socket->send.own = socket->queued = image->sent;
    socket->receive.own = image->received;
    socket->deadline_ns = deadline_after_ns(NET_LINGER_NS);
    return true;
}

static mnos_status_t begin_udp(struct socket *socket)
{
    mnos_status_t status = udp_socket_open(socket);

    if (status == MNOS_OK && socket->bound)
        status = udp_socket_bind(socket, socket->address, socket->port);
    if (status == MNOS_OK && (socket->state & SOCKET_CONNECTED) != 0)
        status = udp_socket_connect(socket, socket->remote.address, socket->remote.port);
    return status;
}

static mnos_status_t begin_tcp(struct socket *socket, uint8_t stage)
{
    mnos_status_t status = MNOS_OK;

    if (stage == KEPT_FRESH || stage == KEPT_LISTENER) {
        socket->kind = KIND_TCP;
        status = tcp_socket_open(socket);
        /* A port that CONNECT has drawn is not kept: it draws another. */
        socket->bound = socket->port != 0;
        if (status == MNOS_OK && socket->bound)
            status = tcp_socket_bind(socket, socket->address, socket->port);
    }
    if (status == MNOS_OK && stage == KEPT_LISTENER)
        status = tcp_socket_listen(socket, socket->backlog);
    return status;
}

/* What lwIP has of it, but connections. */
static void begin_socket(struct net *net, struct socket *socket, uint8_t stage)
{
    mnos_status_t status = socket->kind == KIND_UDP ? begin_udp(socket) : begin_tcp(socket, stage);

    if (status == MNOS_OK)
        return;
    if (socket->kind == KIND_TCP)
        tcp_socket_abort(socket); /* one that got no port has a PCB nevertheless */
    socket_fail(net, socket, MNOS_ERR_LOST);
}

/* All its sockets are gone with its window, before their numbers are others': it begins anew. */
static void lose_session(struct net *net, uint32_t number)
{
    struct sessions *sessions = net->loop.sessions;
    struct server_session *session = session_at(sessions, number);

    if (session->badge != 0 && !session->gone)
        session_lose(sessions, session, &net->loop.owner);
}

static void recover_sockets(struct net *net)
{
    uint64_t lost = 0;

    for (uint32_t i = 0; i < NET_SHARES; i++) {
        if (net->kept->shares[i].slots == 0 || share_recover(net, i))
            continue;
        net->shares[i] = (struct share){0};
        numbers_add(&net->changes.shares, i);
        if (net->kept->shares[i].session <= NET_SESSIONS)
            lost |= 1ull << net->kept->shares[i].session;
    }
    /* All of its windows are here now, and go with it. */
    for (uint32_t i = 1; i <= NET_SESSIONS; i++)
        if ((lost >> i & 1) != 0)
            lose_session(net, i);
    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        uint8_t stage = net->kept->sockets[i].stage;

        numbers_add(&net->changes.sockets, i); /* what clients see may be older than its image */
        if (net->kept->sockets[i].kind == KIND_FREE || !read_socket(net, i))
            continue;
        begin_socket(net, &net->sockets[i], stage);
    }
}

/* ---- Connections ---- */

static struct socket *listener_of(struct net *net, uint32_t number)
{
    struct socket *listener = &net->sockets[number <= NET_SOCKETS ? number : 0];

    return listener->kind == KIND_LISTENER && listener->tcp != NULL ? listener : NULL;
}

static bool recover_pending(struct net *net, uint32_t number, struct tcp_pcb *pcb)
{
    const struct kept_pending *image = &net->kept->pending[number % NET_PENDING];
    struct pending *pending = &net->pending[number % NET_PENDING];
    struct socket *listener = listener_of(net, image->listener);

    if (number >= NET_PENDING || image->used == 0 || image->sum != KEPT_SUM(image) ||
        pending->pcb != NULL || listener == NULL || image->buffer > NET_PENDING_BUFFERS ||
        image->bytes > SOCKET_RING_BYTES ||
        (image->buffer == 0 ? image->bytes != 0 : (net->buffers >> (image->buffer - 1) & 1) != 0))
        return false;
    *pending = (struct pending){.listener = listener,
                                .order = image->order,
                                .buffer = image->buffer,
                                .bytes = image->bytes,
                                .closed = image->closed != 0};
    if (image->order > net->next_order)
        net->next_order = image->order;
    tcp_pending_recover(pending, listener, pcb);
    return true;
}

static bool recover_connection(struct net *net, const struct kept_connection *image,
                               struct tcp_pcb *pcb)
{
    uint32_t number = image->owner_number;
    struct socket *socket = &net->sockets[number <= NET_SOCKETS ? number : 0];
    struct socket *listener;

    switch (image->owner) {
    case KEPT_NOBODYS: return connection_finish(pcb, image);
    case KEPT_PENDINGS: return recover_pending(net, number, pcb);
    case KEPT_LISTENERS:
        listener = listener_of(net, number);
        return listener != NULL && tcp_half_open_recover(listener, pcb);
    case KEPT_SOCKETS:
        return socket->kind == KIND_TCP && socket->tcp == NULL &&
               net->kept->sockets[number].stage == KEPT_CONNECTION &&
               tcp_socket_recover(socket, pcb, image);
    default: return false;
    }
}

/* N4: a connection that cannot be is dropped, and its peer gets RST for what it sends next. */
static uint32_t recover_connections(struct net *net)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < NET_CONNECTIONS; i++) {
        struct kept_connection image = net->kept->connections[i];
        struct tcp_pcb *pcb;

        if (image.owner == 0)
            continue;
        pcb = connection_rebuild(i);
        if (pcb == NULL)
            numbers_add(&net->changes.connections, i);
        else if (recover_connection(net, &image, pcb))
            count++;
        else if (net->connections[i] != NULL)
            tcp_abort(pcb);
    }
    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        struct socket *socket = &net->sockets[i];

        if (socket->kind == KIND_TCP && socket->tcp == NULL &&
            net->kept->sockets[i].stage == KEPT_CONNECTION)
            socket_fail(net, socket, MNOS_ERR_LOST);
    }
    for (uint32_t i = 0; i < NET_PENDING; i++)
        numbers_add(&net->changes.pending, i);
    return count;
}

/* ---- Sessions ---- */

static bool is_gone(void *context, mnos_badge_t badge)
{
    const struct net *net = context;

    return ipc_client_is_gone(net->loop.endpoint, 0, badge);
}

static void hold(void *context, uint32_t object)
{
    numbers_add(context, object <= NET_SOCKETS ? object : 0);
}

static bool is_open(const struct net *net, uint32_t session)
{
    const struct server_session *at = session_at(net->loop.sessions, session);

    return at->badge != 0 && !at->gone;
}

/* The tables of sessions and of sockets are two: between their operations the last run may have closed a handle and not
 * yet its socket, or a session and not yet its window. */
static void end_what_nobody_has(struct net *net)
{
    struct numbers held = {0};

    sessions_hold_all(net->loop.sessions, hold, &held);
    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        struct socket *socket = &net->sockets[i];
        bool has_handle = (held.words[i / 64] >> i % 64 & 1) != 0;

        if (socket->kind == KIND_FREE)
            continue;
        if (!socket->closing)
            net->open[socket->session]++;
        if (!socket->closing && !has_handle)
            socket_close(net, i);
        else if (socket->kind == KIND_TCP && socket->closing && socket->tcp == NULL)
            socket_free(net, socket);
    }
    for (uint32_t i = 1; i <= NET_SESSIONS; i++)
        if (!is_open(net, i))
            share_leave(net, i);
}

void recover_all(struct net *net)
{
    bool ordered = state_was_ordered(&net->state);
    uint32_t connections;
    unsigned running;

    if (net->state.header->epoch <= 1)
        return;
    recover_sockets(net);
    connections = recover_connections(net);
    end_what_nobody_has(net);
    running = sessions_recover(net->loop.sessions, &net->loop.owner, is_gone, ordered);
    kept_commit(net);
    log_line("run %llu goes on with %u connections of the last: %u requests were running, %u of "
             "them for the second time",
             (unsigned long long)net->state.header->epoch, connections, running & 0xFFFF,
             running >> 16);
}

/* Bells of the last run may have been taken and not answered. */
void recover_pump(struct net *net)
{
    connections_resume();
    for (uint32_t i = 1; i <= NET_SOCKETS; i++) {
        if (net->sockets[i].kind == KIND_TCP)
            tcp_socket_pump(&net->sockets[i]);
        else if (net->sockets[i].kind == KIND_UDP)
            udp_socket_pump(&net->sockets[i]);
    }
}
