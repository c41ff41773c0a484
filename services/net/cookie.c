// SPDX-License-Identifier: MIT
/* cookie - see cookie.h. Fields of a header that came are in the order of this machine, but its flags. */
#include "services/net/cookie.h"

#include "lib/mnos/time.h"
#include "services/net/hooks.h"
#include "services/net/loopback.h"
#include "services/net/net.h"

/* A cookie: bits 31 to 27 the time, 26 to 24 the size of segments, 23 to 0 what proves them and whose it is, plus the first
 * number of the peer: so a segment behind the first is known to be of a peer that was given one. */
#define TIME_STEP_NS 64000000000ull
#define TIME_SHIFT 27u
#define TIMES 32u
#define TIMES_GOOD 2u /* this one and the one before: 64 to 128 s */
#define SIZE_SHIFT 24u
#define PROOF_BITS 0xFFFFFFu
/* With more of them a SYN is answered by a cookie: the others are for who has shown that its address is its own. */
#define CONNECTIONS_WANTED (NET_CONNECTIONS * 3 / 4)
#define OPTION_END 0u
#define OPTION_NOTHING 1u
#define OPTION_MSS 2u
#define OPTION_MSS_BYTES 4u

/* Of segments that a peer takes: without the option the first (RFC 9293, 3.7.1), on loopback the last. */
static const uint16_t sizes[] = {536, 1220, 1360, 1440, 1460, 4312, 8960, TCP_MSS};
#define SIZES (sizeof sizes / sizeof sizes[0])

/* ---- Cookies ---- */

static uint32_t time_now(void)
{
    return (uint32_t)(kinfo_time_ns() / TIME_STEP_NS) % TIMES;
}

/* `top`: the bits above the proof. */
static uint32_t proof(const struct tcp_hdr *head, uint32_t top)
{
    return port_proof(ip_current_dest_addr(), head->dest, ip_current_src_addr(), head->src, top);
}

static uint32_t make(const struct tcp_hdr *head, uint32_t top)
{
    return top | ((proof(head, top) + head->seqno) & PROOF_BITS);
}

/* How far behind the first byte of its peer the segment is, if what it acknowledges is a cookie that is still good; else
 * any number, which hardly ever is a small one. */
static uint32_t distance(const struct tcp_hdr *head)
{
    uint32_t cookie = head->ackno - 1, age = (time_now() - (cookie >> TIME_SHIFT)) % TIMES;
    uint32_t sequence = cookie - proof(head, cookie & ~PROOF_BITS);

    return age < TIMES_GOOD ? (head->seqno - 1 - sequence) & PROOF_BITS : PROOF_BITS;
}

/* ---- The answer to a SYN ---- */

struct options {
    const uint8_t *first, *second;
    uint32_t first_bytes, bytes;
};

static uint32_t option_byte(const struct options *options, uint32_t at)
{
    return at < options->first_bytes ? options->first[at]
                                     : options->second[at - options->first_bytes];
}

/* The index of the largest size that is no more than what the peer takes. */
static uint32_t size_of_peer(const struct options *options)
{
    uint32_t mss = sizes[0], index = 0;

    for (uint32_t at = 0; at + 1 < options->bytes && option_byte(options, at) != OPTION_END;) {
        uint32_t kind = option_byte(options, at), count = option_byte(options, at + 1);

        if (kind == OPTION_MSS && count == OPTION_MSS_BYTES && at + count <= options->bytes)
            mss = option_byte(options, at + 2) << 8 | option_byte(options, at + 3);
        if (kind != OPTION_NOTHING && count < 2)
            break;
        at += kind == OPTION_NOTHING ? 1 : count;
    }
    while (index + 1 < SIZES && sizes[index + 1] <= mss)
        index++;
    return index;
}

static void answer(const struct tcp_hdr *head, uint32_t size)
{
    uint32_t top = time_now() << TIME_SHIFT | size << SIZE_SHIFT;
    struct pbuf *pbuf = pbuf_alloc(PBUF_IP, TCP_HLEN + OPTION_MSS_BYTES, PBUF_RAM);
    struct netif *netif = ip_current_input_netif();
    struct tcp_hdr *to;
    uint32_t option;

    if (pbuf == NULL)
        return; /* as if it was lost */
    to = pbuf->payload;
    *to = (struct tcp_hdr){.src = lwip_htons(head->dest),
                           .dest = lwip_htons(head->src),
                           .seqno = lwip_htonl(make(head, top)),
                           .ackno = lwip_htonl(head->seqno + 1),
                           .wnd = lwip_htons(TCPWND_MIN16(TCP_WND))};
    TCPH_HDRLEN_FLAGS_SET(to, (TCP_HLEN + OPTION_MSS_BYTES) / 4, TCP_SYN | TCP_ACK);
    option = TCP_BUILD_MSS_OPTION(tcp_eff_send_mss_netif(TCP_MSS, netif, ip_current_src_addr()));
    memcpy(to + 1, &option, sizeof option);
    to->chksum = ip_chksum_pseudo(pbuf, IP_PROTO_TCP, pbuf->tot_len, ip_current_dest_addr(),
                                  ip_current_src_addr());
    (void)ip_output_if(pbuf, ip_current_dest_addr(), ip_current_src_addr(), TCP_TTL, 0,
                       IP_PROTO_TCP, netif);
    (void)pbuf_free(pbuf);
}

/* ---- A listener ---- */

/* Connections that are not over: of those in TIME_WAIT tcp_alloc() ends the oldest when it needs its place. */
static uint32_t alive_count(void)
{
    uint32_t count = the_net.connection_count, number;

    for (const struct tcp_pcb *pcb = tcp_tw_pcbs; pcb != NULL; pcb = pcb->next)
        count -= connection_number(pcb, &number) ? 1 : 0;
    return count;
}

static bool has_place(const struct tcp_pcb_listen *listener, const struct socket *socket)
{
    return listener->accepts_pending - socket->waiting < NET_HALF_OPEN &&
           listener->accepts_pending < listener->backlog &&
           (the_net.connection_count < CONNECTIONS_WANTED || alive_count() < CONNECTIONS_WANTED);
}

/* Whether one of its cookies may be good. */
static bool gives_cookies(const struct socket *socket)
{
    return socket->cookie_ns != 0 &&
           kinfo_time_ns() - socket->cookie_ns <= TIMES_GOOD * TIME_STEP_NS;
}

int cookie_refuses(struct tcp_pcb *pcb, const struct tcp_hdr *head, uint32_t first_bytes,
                   const uint8_t *second, uint32_t second_bytes)
{
    const struct tcp_pcb_listen *listener = (const struct tcp_pcb_listen *)pcb;
    struct socket *socket = pcb->callback_arg;
    struct options options = {(const uint8_t *)(head + 1), second, first_bytes,
                              first_bytes + second_bytes};
    int refused = loopback_refuses_connection(pcb, head);

    if (refused != ERR_OK || socket == NULL || (TCPH_FLAGS(head) & TCP_RST) != 0)
        return refused;
    /* There was no place for it, or it is behind one that found none or was lost: it comes again. */
    if ((TCPH_FLAGS(head) & TCP_ACK) != 0)
        return gives_cookies(socket) && distance(head) <= TCP_WND ? ERR_MEM : ERR_OK;
    if ((TCPH_FLAGS(head) & TCP_SYN) == 0 || has_place(listener, socket) ||
        socket->waiting >= listener->backlog)
        return ERR_OK;
    answer(head, size_of_peer(&options));
    socket->cookie_ns = kinfo_time_ns();
    return ERR_MEM;
}

/* As tcp_listen_input() makes it and tcp_enqueue_flags() sends its SYN. */
static struct tcp_pcb *half_open(struct tcp_pcb_listen *listener, const struct tcp_hdr *head)
{
    uint32_t cookie = head->ackno - 1;
    struct tcp_pcb *pcb = tcp_alloc(listener->prio);

    if (pcb == NULL)
        return NULL;
    listener->accepts_pending++;
    tcp_set_flags(pcb, TF_BACKLOGPEND);
    ip_addr_copy(pcb->local_ip, *ip_current_dest_addr());
    ip_addr_copy(pcb->remote_ip, *ip_current_src_addr());
    pcb->local_port = listener->local_port;
    pcb->remote_port = head->src;
    pcb->state = SYN_RCVD;
    pcb->rcv_nxt = pcb->rcv_ann_right_edge = head->seqno;
    pcb->lastack = pcb->snd_wl2 = cookie;
    pcb->snd_nxt = pcb->snd_lbb = cookie + 1;
    pcb->snd_wl1 = head->seqno - 1;
    pcb->snd_wnd = pcb->snd_wnd_max = head->wnd;
    pcb->callback_arg = listener->callback_arg;
    pcb->listener = listener;
    pcb->so_options = listener->so_options & SOF_INHERITED;
    pcb->netif_idx = listener->netif_idx;
    TCP_REG_ACTIVE(pcb);
    pcb->mss = tcp_eff_send_mss(sizes[cookie >> SIZE_SHIFT & (SIZES - 1)], &pcb->local_ip,
                                &pcb->remote_ip);
    return pcb;
}

struct tcp_pcb *cookie_connection(struct tcp_pcb_listen *listener, const struct tcp_hdr *head)
{
    struct socket *socket = listener->callback_arg;
    struct tcp_pcb *pcb;

    if ((TCPH_FLAGS(head) & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_ACK || socket == NULL ||
        !gives_cookies(socket) || distance(head) != 0 || socket->waiting >= listener->backlog ||
        (the_net.connection_count >= NET_CONNECTIONS && alive_count() >= NET_CONNECTIONS))
        return NULL;
    pcb = half_open(listener, head);
    if (pcb != NULL && connection_watch(pcb) != ERR_OK) {
        tcp_abandon(pcb, 0);
        return NULL;
    }
    if (pcb != NULL)
        connection_named(pcb);
    return pcb;
}
