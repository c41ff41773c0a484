// SPDX-License-Identifier: MIT
/*
 * virtio_net.h - a model of a virtio network device over tests/models/virtio.h, written from "Virtual I/O Device
 * (VIRTIO) Version 1.1", section 5.1. It keeps what it was given to send, puts frames into the room that it was
 * given, may spread one over several buffers, and may be made to fail, to be silent, and to lie.
 */
#pragma once

#include "drivers/net/virtio_net/registers.h"
#include "tests/models/virtio.h"

#define NET_MODEL_FRAMES 64u
#define NET_MODEL_BYTES 4096u

struct net_model_frame {
    struct virtio_net_header header;
    uint32_t bytes;
    uint8_t data[NET_MODEL_BYTES];
};

struct virtio_net_model {
    struct virtio_model virtio;
    struct net_model_frame sent[NET_MODEL_FRAMES];
    unsigned sent_count, interrupts;
    bool silent;          /* it sends nothing */
    uint8_t header_flags; /* of frames that it receives */
    uint16_t lie_buffers; /* not 0: how many buffers it says there are */
    uint32_t lie_bytes;   /* not 0: how many bytes it says to have written */
};

static inline void net_model_config(struct virtio_net_model *model, const uint8_t mac[6],
                                    uint16_t status, uint16_t mtu)
{
    memcpy(model->virtio.config + VIRTIO_NET_MAC, mac, 6);
    memcpy(model->virtio.config + VIRTIO_NET_STATUS, &status, 2);
    memcpy(model->virtio.config + VIRTIO_NET_MTU, &mtu, 2);
}

/* Sends one frame; false: there is none. */
static inline bool net_model_send(struct virtio_net_model *model)
{
    struct virtio_model_request request;
    struct net_model_frame *frame = &model->sent[model->sent_count % NET_MODEL_FRAMES];

    if (model->silent || !(model->virtio.status & VIRTIO_DRIVER_OK) ||
        !virtio_model_next(&model->virtio, VIRTIO_NET_SEND, &request))
        return false;
    CHECK_EQ(request.segments[0].bytes, 12);
    memcpy(&frame->header, virtio_model_at(&model->virtio, request.segments[0].address, 12), 12);
    frame->bytes = 0;
    for (uint32_t i = 1; i < request.count; i++) {
        const struct virtio_descriptor *segment = &request.segments[i];

        CHECK((segment->flags & DESCRIPTOR_WRITE) == 0);
        CHECK(frame->bytes + segment->bytes <= NET_MODEL_BYTES);
        memcpy(frame->data + frame->bytes,
               virtio_model_at(&model->virtio, segment->address, segment->bytes), segment->bytes);
        frame->bytes += segment->bytes;
    }
    model->sent_count++;
    model->interrupts += virtio_model_done(&model->virtio, VIRTIO_NET_SEND, request.head, 0);
    return true;
}

/* A frame arrives, in pieces of at most `piece` bytes (with the header); false: there is no room. Without
 * VIRTIO_NET_F_MRG_RXBUF it has to fit one. */
static inline bool net_model_receive(struct virtio_net_model *model, const uint8_t *data,
                                     uint32_t bytes, uint32_t piece)
{
    struct virtio_net_header header = {.flags = model->header_flags};
    struct virtio_model_request requests[16];
    uint32_t count = (bytes + 12 + piece - 1) / piece, at = 0;

    if (!(model->virtio.status & VIRTIO_DRIVER_OK))
        return false;
    CHECK(count <= 16);
    for (uint32_t i = 0; i < count; i++)
        if (!virtio_model_next(&model->virtio, VIRTIO_NET_RECEIVE, &requests[i]))
            return false; /* a real one would put back what it took; the tests do not go on then */
    header.buffers = model->lie_buffers != 0 ? model->lie_buffers : (uint16_t)count;
    for (uint32_t i = 0; i < count; i++) {
        const struct virtio_descriptor *segment = &requests[i].segments[0];
        uint8_t *to = virtio_model_at(&model->virtio, segment->address, segment->bytes);
        uint32_t room = piece < segment->bytes ? piece : segment->bytes, skip = i == 0 ? 12 : 0;
        uint32_t part = bytes - at < room - skip ? bytes - at : room - skip;

        CHECK((segment->flags & DESCRIPTOR_WRITE) != 0);
        if (i == 0)
            memcpy(to, &header, 12);
        memcpy(to + skip, data + at, part);
        at += part;
        model->interrupts +=
            virtio_model_done(&model->virtio, VIRTIO_NET_RECEIVE, requests[i].head,
                              model->lie_bytes != 0 ? model->lie_bytes : part + skip);
    }
    return true;
}
