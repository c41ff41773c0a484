// SPDX-License-Identifier: MIT
/* setup - what the device offers, its queues, and resets: see card.h. */
#include "drivers/net/virtio_net/internal.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"

#define NEEDED VIRTIO_NET_F_MAC
#define WANTED                                                                                     \
    (VIRTIO_F_EVENT_INDEX | VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MTU |       \
     VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS)
#define VECTOR 0u

static bool has(const struct card *card, uint64_t feature)
{
    return (card->transport->features & feature) != 0;
}

/* Whether the cable is in; a device that does not say has it in. */
static bool read_link(const struct card *card, bool *link)
{
    uint16_t status = VIRTIO_NET_S_LINK_UP;

    if (has(card, VIRTIO_NET_F_STATUS) &&
        !transport_config(card->transport, VIRTIO_NET_STATUS, &status, sizeof status))
        return false;
    *link = (status & VIRTIO_NET_S_LINK_UP) != 0;
    return true;
}

static mnos_status_t read_info(struct card *card)
{
    uint16_t mtu = FRAME_MTU_MAX;
    bool link;

    if (!transport_config(card->transport, VIRTIO_NET_MAC, card->info.mac, 6) ||
        !read_link(card, &link) ||
        (has(card, VIRTIO_NET_F_MTU) &&
         !transport_config(card->transport, VIRTIO_NET_MTU, &mtu, sizeof mtu)))
        return MNOS_ERR_FORMAT;
    /* A group address is nobody's own; all zeros neither. */
    if ((card->info.mac[0] & 1) != 0 || bytes_get(card->info.mac, 6) == 0 || mtu < FRAME_MTU_MIN)
        return MNOS_ERR_FORMAT;
    card->info.mtu = mtu > FRAME_MTU_MAX ? FRAME_MTU_MAX : mtu;
    card->info.can = has(card, VIRTIO_NET_F_CSUM) ? FRAME_CAN_CHECKSUM : 0;
    card->info.link = link;
    return MNOS_OK;
}

bool card_look(struct card *card)
{
    bool link;

    card->look = false;
    if (transport_needs_reset(card->transport) || !read_link(card, &link))
        return false;
    if (link != card->info.link) {
        card->info.link = link;
        frame_port_link(card->port, link);
    }
    return true;
}

static mnos_status_t make_way(struct card *card, struct card_way *way, struct dma_memory *memory,
                              uint16_t index, uint16_t segments)
{
    uint32_t size = transport_queue_size(card->transport, index);

    if (size < 2 * segments)
        return MNOS_ERR_DEVICE; /* no queue, or a frame fills it */
    if (size > CARD_QUEUE_SIZE)
        size = CARD_QUEUE_SIZE;
    return queue_create(&way->queue, memory, (uint16_t)size, segments, card->transport->features)
               ? MNOS_OK
               : MNOS_ERR_MEMORY;
}

mnos_status_t card_open(struct card *card, struct dma_memory *memory)
{
    mnos_status_t status;

    if (!transport_features(card->transport, WANTED, NEEDED))
        return MNOS_ERR_DEVICE;
    status = read_info(card);
    if (status == MNOS_OK)
        status = make_way(card, &card->receive, memory, VIRTIO_NET_RECEIVE, 1);
    if (status == MNOS_OK)
        status = make_way(card, &card->send, memory, VIRTIO_NET_SEND, 1 + FRAME_SEGMENTS_MAX);
    if (status != MNOS_OK)
        return status;
    card->headers = dma_take(memory, CARD_QUEUE_SIZE * sizeof(struct virtio_net_header), 64);
    if (card->headers == NULL)
        return MNOS_ERR_MEMORY;
    card->headers_bus = dma_bus(memory, card->headers);
    return MNOS_OK;
}

/* From any state to a device with empty queues that works. The same features as at first: one that offers others now
 * is not the one that the stack knows. */
static bool begin(struct card *card)
{
    uint64_t features = card->transport->features;
    struct frame_info info = card->info;

    if (card->reset(card->context) != MNOS_OK ||
        !transport_features(card->transport, WANTED, features) ||
        card->transport->features != features || read_info(card) != MNOS_OK ||
        memcmp(info.mac, card->info.mac, sizeof info.mac) != 0 || info.mtu != card->info.mtu)
        return false;
    queue_begin(&card->receive.queue);
    queue_begin(&card->send.queue);
    if (!transport_queue(card->transport, VIRTIO_NET_RECEIVE, &card->receive.queue, VECTOR,
                         &card->receive.bell) ||
        !transport_queue(card->transport, VIRTIO_NET_SEND, &card->send.queue, VECTOR,
                         &card->send.bell) ||
        !transport_config_vector(card->transport, VECTOR))
        return false;
    card->more = 0;
    transport_go(card->transport);
    if (info.link != card->info.link)
        frame_port_link(card->port, card->info.link);
    return true;
}

static void fail(struct card *card)
{
    card->works = false;
    card->failed = true;
    card->info.link = 0;
    /* What it had may still land while it is not reset: in a region, which is not given to anybody else. */
    (void)!card->reset(card->context);
    transport_fail(card->transport);
    frame_port_link(card->port, false);
}

mnos_status_t card_start(struct card *card)
{
    card_free_flights(&card->receive);
    card_free_flights(&card->send);
    card->resets = 0;
    if (card->failed)
        return MNOS_ERR_DEVICE;
    card->works = begin(card);
    if (!card->works)
        fail(card);
    return card->works ? MNOS_OK : MNOS_ERR_DEVICE;
}

void card_stop(struct card *card)
{
    if (!card->works)
        return;
    card->works = false;
    if (card->reset(card->context) != MNOS_OK)
        fail(card);
}

void card_reset(struct card *card, uint64_t now_ns)
{
    if (card->resets++ >= CARD_RESETS_MAX || !begin(card)) {
        fail(card);
        return;
    }
    card->since_ns = now_ns;
    card_lose_sending(card);
    card_give_room_again(card);
    transport_notify(&card->receive.bell);
}
