// SPDX-License-Identifier: MIT
/*
 * connection - connections of lwIP, their images, and connections made anew from those: docs/net-death.md.
 *
 * Each PCB of TCP but a listener has a number, its own until lwIP frees it. lwIP tells of each segment that comes or leaves
 * (hooks.h), of each PCB that a listener makes, and of each that it frees: so nothing of a connection changes that
 * others could see without its image being made anew before they do (N1).
 */
#include "services/net/hooks.h"
#include "services/net/net.h"

/* What a connection keeps of its flags; the others are of the moment. */
#define FLAGS_KEPT (TF_NODELAY | TF_WND_SCALE | TF_TIMESTAMP | TF_SACK | TF_RXCLOSED)
#define WINDOW_INITIAL 4380u /* RFC 3390 */

static void on_destroy(u8_t id, void *data);
static err_t on_passive_open(u8_t id, struct tcp_pcb_listen *listener, struct tcp_pcb *pcb);

static const struct tcp_ext_arg_callbacks callbacks = {on_destroy, on_passive_open};

/* ---- Numbers ---- */

#define ARGUMENT 0u /* the one that LWIP_TCP_PCB_NUM_EXT_ARGS gives each PCB: number + 1, or 0 */

static uint32_t number_of(const struct tcp_pcb *pcb)
{
    return (uint32_t)(uintptr_t)pcb->ext_args[ARGUMENT].data; /* as tcp_ext_arg_get(), in place */
}

bool connection_number(const struct tcp_pcb *pcb, uint32_t *number)
{
    uint32_t argument = number_of(pcb);

    *number = argument - 1;
    return argument != 0;
}

static void set_number(struct tcp_pcb *pcb, uint32_t number)
{
    tcp_ext_arg_set_callbacks(pcb, ARGUMENT, &callbacks);
    tcp_ext_arg_set(pcb, ARGUMENT, (void *)(uintptr_t)(number + 1));
    the_net.connections[number] = pcb;
    numbers_add(&the_net.connections_used, number);
    the_net.connection_count++;
    numbers_add(&the_net.changes.connections, number);
}

err_t connection_watch(struct tcp_pcb *pcb)
{
    uint32_t number = numbers_lowest_out(&the_net.connections_used, 0);

    if (number >= NET_CONNECTIONS)
        return ERR_MEM;
    set_number(pcb, number);
    return ERR_OK;
}

static void free_number(uint32_t number)
{
    direct_forget(number);
    lookup_remove(number);
    the_net.connections[number] = NULL;
    numbers_drop(&the_net.connections_used, number);
    the_net.connection_count--;
    numbers_add(&the_net.changes.connections, number);
}

static void on_destroy(u8_t, void *data)
{
    uint32_t argument = (uint32_t)(uintptr_t)data;

    if (argument == 0)
        return; /* a listener, or a PCB that has become one */
    tcp_freed(the_net.connections[argument - 1]);
    free_number(argument - 1);
}

static err_t on_passive_open(u8_t, struct tcp_pcb_listen *, struct tcp_pcb *pcb)
{
    err_t error = connection_watch(pcb);

    if (error == ERR_OK)
        connection_named(pcb);
    return error;
}

void connection_named(const struct tcp_pcb *pcb)
{
    lookup_add(number_of(pcb) - 1);
}

void connection_unwatch(struct tcp_pcb *pcb)
{
    uint32_t argument = number_of(pcb);

    tcp_ext_arg_set(pcb, ARGUMENT, NULL);
    free_number(argument - 1);
}

void connection_touch(const struct tcp_pcb *pcb)
{
    uint32_t argument = number_of(pcb);

    if (argument != 0)
        numbers_add(&the_net.changes.connections, argument - 1);
}

void port_segment(const struct tcp_pcb *pcb)
{
    uint32_t argument = pcb == NULL ? 0 : number_of(pcb);

    timers_need(TIMERS_TCP);
    if (argument != 0)
        numbers_add(&the_net.changes.segments, argument - 1);
}

/* ---- Images ---- */

static uint32_t sequence_of(const struct tcp_seg *segment)
{
    return lwip_ntohl(segment->tcphdr->seqno);
}

/* The first byte that lwIP still has, which is the one at the socket's `send.own`: lwIP tells of what is acknowledged by
 * whole segments. */
static uint32_t first_of(const struct tcp_pcb *pcb)
{
    const struct tcp_seg *first = pcb->unacked;

    if (first == NULL ||
        (pcb->unsent != NULL && TCP_SEQ_LT(sequence_of(pcb->unsent), sequence_of(first))))
        first = pcb->unsent;
    return first == NULL ? pcb->snd_nxt : sequence_of(first);
}

/* `end`, or the number behind a segment of the list, if that is later. */
static uint32_t later_of(const struct tcp_seg *segment, uint32_t end)
{
    for (; segment != NULL; segment = segment->next) {
        uint32_t behind = sequence_of(segment) + TCP_TCPLEN(segment);

        if (TCP_SEQ_GT(behind, end))
            end = behind;
    }
    return end;
}

/* Behind the last byte that lwIP has, and behind the end of the stream, if lwIP has that: one that goes with the last
 * bytes is not counted in `snd_lbb`. */
static uint32_t end_of(const struct tcp_pcb *pcb)
{
    uint32_t end = pcb->snd_lbb;

    if (pcb->unsent == NULL && pcb->unacked == NULL)
        return pcb->snd_nxt;
    if ((pcb->flags & TF_FIN) == 0)
        return end;
    return later_of(pcb->unsent, later_of(pcb->unacked, end));
}

static void set_flow(struct kept_connection *image, const struct tcp_pcb *pcb)
{
    image->first = first_of(pcb);
    image->acked = pcb->lastack;
    image->next = pcb->snd_nxt;
    image->end = end_of(pcb);
    image->window = pcb->snd_wnd;
    image->window_sequence = pcb->snd_wl1;
    image->window_acked = pcb->snd_wl2;
    image->receive_next = pcb->rcv_nxt;
    image->receive_edge = pcb->rcv_ann_right_edge;
    image->stamp_recent = pcb->ts_recent;
    image->stamp_acked = pcb->ts_lastacksent;
    image->congestion = pcb->cwnd;
    image->threshold = pcb->ssthresh;
    image->timeout = (uint32_t)pcb->rto;
    image->flow_sum = KEPT_FLOW_SUM(image, first);
}

bool connection_note_flow(uint32_t number)
{
    struct kept_connection *image = &the_net.kept->connections[number];
    const struct tcp_pcb *pcb = the_net.connections[number];

    if (pcb == NULL || pcb->state != image->state || (pcb->flags & FLAGS_KEPT) != image->flags ||
        pcb->mss != image->segment || (pcb->refused_data != NULL) != image->unsound)
        return false;
    KEPT_FLOW_NOTE(image, first);
    set_flow(image, pcb);
    return true;
}

void connection_image(uint32_t number, struct kept_connection *image)
{
    const struct tcp_pcb *pcb = the_net.connections[number];

    *image = (struct kept_connection){0};
    if (pcb == NULL || pcb->state < SYN_RCVD) /* what is being connected is begun anew */
        return;
    *image = (struct kept_connection){
        .state = (uint8_t)pcb->state,
        .send_scale = pcb->snd_scale,
        .receive_scale = pcb->rcv_scale,
        .options = pcb->so_options,
        .local = port_address(&pcb->local_ip),
        .remote = port_address(&pcb->remote_ip),
        .zone = port_zone(port_zone(&pcb->local_ip) != 0 ? &pcb->local_ip : &pcb->remote_ip),
        .local_port = pcb->local_port,
        .remote_port = pcb->remote_port,
        .window_max = pcb->snd_wnd_max,
        .segment = pcb->mss,
        .flags = (uint16_t)(pcb->flags & FLAGS_KEPT),
        .unsound = pcb->refused_data != NULL,
    };
    set_flow(image, pcb);
    tcp_owner(pcb, image);
    image->sum = KEPT_SUM(image);
}

/* ---- Made anew ---- */

static bool has_ended(uint32_t state)
{
    return state == FIN_WAIT_1 || state == FIN_WAIT_2 || state == CLOSING || state == LAST_ACK ||
           state == TIME_WAIT;
}

/* N4. */
static bool is_sound(const struct kept_connection *image)
{
    uint32_t bytes = image->end - image->first;

    return image->sum == KEPT_SUM(image) && image->flow_sum == KEPT_FLOW_SUM(image, first) &&
           image->unsound == 0 && ip_is_v4(image->local) == ip_is_v4(image->remote) &&
           image->state >= SYN_RCVD && image->state <= TIME_WAIT &&
           image->segment >= TCP_MSS_LEAST &&
           bytes <= SOCKET_RING_BYTES + (has_ended(image->state) ? 1u : 0u) +
                        (image->state == SYN_RCVD ? 1u : 0u) &&
           image->acked - image->first <= bytes && image->next - image->acked <= bytes &&
           image->next - image->first <= bytes &&
           image->receive_edge - image->receive_next <= TCP_WND &&
           (image->owner != KEPT_LISTENERS) == (image->state != SYN_RCVD);
}

static void set_names(struct tcp_pcb *pcb, const struct kept_connection *image)
{
    pcb->local_ip = port_to_lwip_at(image->local, image->zone);
    pcb->remote_ip = port_to_lwip_at(image->remote, image->zone);
    pcb->local_port = image->local_port;
    pcb->remote_port = image->remote_port;
    pcb->so_options = image->options;
    tcp_set_flags(pcb, image->flags);
    pcb->mss = image->segment;
    pcb->snd_scale = image->send_scale;
    pcb->rcv_scale = image->receive_scale;
    pcb->ts_recent = image->stamp_recent;
    pcb->ts_lastacksent = image->stamp_acked;
}

/* As after a retransmission timeout: all from `first` on is to be sent, up to `next` for another time; the congestion
 * window is a new one's. */
static void set_sender(struct tcp_pcb *pcb, const struct kept_connection *image)
{
    uint32_t half = image->congestion / 2, least = 2u * image->segment;

    pcb->snd_lbb = image->first;
    pcb->lastack = image->acked;
    pcb->snd_nxt = image->next;
    pcb->snd_wl1 = image->window_sequence;
    pcb->snd_wl2 = image->window_acked;
    pcb->snd_wnd = image->window;
    pcb->snd_wnd_max = image->window_max > image->window ? image->window_max : image->window;
    /* One that has grown by retransmissions begins as a new one's. */
    if (image->timeout >= 1 && image->timeout < (uint32_t)pcb->rto)
        pcb->rto = (s16_t)image->timeout;
    pcb->ssthresh = half < least ? least : half;
    pcb->cwnd = least > WINDOW_INITIAL ? least : WINDOW_INITIAL;
}

/* The room is the ring's, which is no less than what the peer was told (K2). */
static void set_receiver(struct tcp_pcb *pcb, const struct kept_connection *image)
{
    pcb->rcv_nxt = image->receive_next;
    pcb->rcv_ann_right_edge = image->receive_edge;
    pcb->rcv_ann_wnd = image->receive_edge - image->receive_next;
}

struct tcp_pcb *connection_rebuild(uint32_t number)
{
    const struct kept_connection *image = &the_net.kept->connections[number];
    struct tcp_pcb *pcb;

    if (!is_sound(image))
        return NULL;
    pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (pcb == NULL)
        return NULL;
    set_number(pcb, number);
    set_names(pcb, image);
    set_sender(pcb, image);
    set_receiver(pcb, image);
    pcb->state = (enum tcp_state)image->state;
    if (pcb->state == TIME_WAIT) {
        TCP_REG(&tcp_tw_pcbs, pcb);
    } else {
        TCP_REG_ACTIVE(pcb);
    }
    lookup_add(number);
    return pcb;
}

/* One that its client has closed: of what it had to send there is the FIN at most. */
bool connection_finish(struct tcp_pcb *pcb, const struct kept_connection *image)
{
    if (image->end == image->first || image->state == TIME_WAIT)
        return true;
    pcb->state = ESTABLISHED;
    if (image->end - image->first != 1 || tcp_send_fin(pcb) != ERR_OK)
        return false;
    pcb->state = (enum tcp_state)image->state;
    return true;
}

void connections_resume(void)
{
    for (uint32_t i = 0; i < NET_CONNECTIONS; i++) {
        struct tcp_pcb *pcb = the_net.connections[i];

        if (pcb == NULL || pcb->state < ESTABLISHED || pcb->state == TIME_WAIT)
            continue;
        tcp_ack_now(pcb); /* goes with the first bytes, if there are some */
        (void)tcp_output(pcb);
    }
}
