// SPDX-License-Identifier: MIT
/* kept - see kept.h. Rules N1 to N6 are in docs/net-death.md. */
#include "lib/base/string.h"
#include "services/net/net.h"

/* The image is replaced, and the old one can be restored. */
static void put(void *image, const void *now, size_t bytes)
{
    state_note(image, bytes);
    memcpy(image, now, bytes);
}

static uint8_t stage_of(const struct socket *socket)
{
    if (socket->kind == KIND_LISTENER)
        return KEPT_LISTENER;
    if (socket->kind != KIND_TCP || socket->tcp == NULL || socket->tcp->state == TIME_WAIT)
        return KEPT_ENDED;
    return socket->tcp->state < SYN_RCVD ? KEPT_FRESH : KEPT_CONNECTION;
}

static void note_socket(struct net *net, uint32_t number)
{
    const struct socket *socket = &net->sockets[number];
    struct kept_socket image = {0};

    if (socket->kind != KIND_FREE) {
        image = (struct kept_socket){
            .kind = socket->kind,
            .stage = stage_of(socket),
            .bound = socket->bound,
            .shut = socket->shut,
            .ended = socket->ended,
            .closing = socket->closing,
            .port = socket->port,
            .session = socket->session,
            .share = (uint32_t)(socket->share - net->shares),
            .slot = (uint16_t)socket->slot,
            .account = socket->account,
            .state = socket->state,
            .error = socket->error,
            .address = socket->address,
            .backlog = socket->backlog,
            .peer_count = socket->peer_count,
            .sent = socket->send.own,
            .received = socket->receive.own,
            .lost = socket->lost,
            .remote = socket->remote,
        };
        memcpy(image.peers, socket->peers, sizeof image.peers);
        image.sum = KEPT_SUM(&image);
        image.flow_sum = KEPT_FLOW_SUM(&image, sent);
    }
    put(&net->kept->sockets[number], &image, sizeof image);
    numbers_add(&net->unpublished, number);
}

static void note_socket_flow(struct net *net, uint32_t number)
{
    const struct socket *socket = &net->sockets[number];
    struct kept_socket *image = &net->kept->sockets[number];

    if (socket->kind == KIND_FREE)
        return; /* what has made it free made its image */
    KEPT_FLOW_NOTE(image, sent);
    image->sent = socket->send.own;
    image->received = socket->receive.own;
    image->lost = socket->lost;
    image->flow_sum = KEPT_FLOW_SUM(image, sent);
    numbers_add(&net->unpublished, number);
}

static void note_pending(struct net *net, uint32_t number)
{
    const struct pending *pending = &net->pending[number];
    struct kept_pending image = {0};

    if (pending->pcb != NULL) {
        image = (struct kept_pending){.used = 1,
                                      .listener = (uint32_t)socket_number(pending->listener),
                                      .order = pending->order,
                                      .closed = pending->closed,
                                      .buffer = pending->buffer,
                                      .bytes = pending->bytes};
        image.sum = KEPT_SUM(&image);
    }
    put(&net->kept->pending[number], &image, sizeof image);
}

static void note_share(struct net *net, uint32_t number)
{
    const struct share *share = &net->shares[number];
    struct kept_share image = {0};

    if (share->page != NULL && !share->ending) {
        image = (struct kept_share){.slots = share->slots,
                                    .session = share->session,
                                    .place = share->window.place,
                                    .index = share->index,
                                    .account = share->account};
        image.sum = KEPT_SUM(&image);
    }
    put(&net->kept->shares[number], &image, sizeof image);
}

static void note_connection(struct net *net, uint32_t number)
{
    struct kept_connection image;

    connection_image(number, &image);
    put(&net->kept->connections[number], &image, sizeof image);
}

static void note_address(struct net *net, uint32_t number)
{
    struct kept_address image;

    interface_address(&net->interfaces[number], &image);
    image.sum = KEPT_SUM(&image);
    put(&net->kept->addresses[number], &image, sizeof image);
}

void kept_note(struct net *net)
{
    struct changes *changes = &net->changes;
    uint32_t number;

    while (numbers_take(&changes->segments, &number))
        if (!connection_note_flow(number))
            numbers_add(&changes->connections, number);
    while (numbers_take(&changes->flows, &number))
        note_socket_flow(net, number);
    while (numbers_take(&changes->sockets, &number))
        note_socket(net, number);
    while (numbers_take(&changes->connections, &number))
        note_connection(net, number);
    while (numbers_take(&changes->pending, &number))
        note_pending(net, number);
    while (numbers_take(&changes->shares, &number))
        note_share(net, number);
    while (numbers_take(&changes->addresses, &number))
        note_address(net, number);
}

void kept_commit(struct net *net)
{
    kept_note(net);
    state_step();
}
