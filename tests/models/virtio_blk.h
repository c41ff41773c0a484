// SPDX-License-Identifier: MIT
/*
 * virtio_blk.h - a model of a virtio block device over tests/models/virtio.h, written from "Virtual I/O Device
 * (VIRTIO) Version 1.1", section 5.2. It carries out its requests in any order, and may be made to fail, to be
 * silent, and to lie.
 */
#pragma once

#include "drivers/block/virtio_blk/registers.h"
#include "tests/models/virtio.h"

#define BLK_MODEL_SECTORS 4096u /* of 512 bytes */

struct virtio_blk_model {
    struct virtio_model virtio;
    uint8_t medium[BLK_MODEL_SECTORS * 512];
    uint32_t discard_max, zeroes_max, seg_max, size_max;
    unsigned requests, flushes, interrupts;
    unsigned fail_next; /* so many requests end with an error */
    uint8_t failure;    /* the status that they get; 0xFF: none at all */
    bool silent;        /* it takes nothing */
    bool lies;          /* it says once to have written more than it may */
    struct virtio_model_request held[QUEUE_SIZE_MAX];
    unsigned held_count;
};

static inline void blk_model_config(struct virtio_blk_model *model, uint64_t capacity,
                                    uint32_t blk_size)
{
    uint8_t *config = model->virtio.config;

    memcpy(config + VIRTIO_BLK_CAPACITY, &capacity, 8);
    memcpy(config + VIRTIO_BLK_SIZE_MAX, &model->size_max, 4);
    memcpy(config + VIRTIO_BLK_SEG_MAX, &model->seg_max, 4);
    memcpy(config + VIRTIO_BLK_BLK_SIZE, &blk_size, 4);
    config[VIRTIO_BLK_PHYSICAL_EXPONENT] = 3;
    memcpy(config + VIRTIO_BLK_MAX_DISCARD_SECTORS, &model->discard_max, 4);
    memcpy(config + VIRTIO_BLK_MAX_ZEROES_SECTORS, &model->zeroes_max, 4);
}

/* Between the first and the last segment; returns how many bytes the device has written. */
static inline uint32_t blk_model_data(struct virtio_blk_model *model, uint64_t sector, bool reads,
                                      const struct virtio_model_request *request)
{
    uint64_t at = sector * 512, written = 0;

    for (uint32_t i = 1; i + 1 < request->count; i++) {
        const struct virtio_descriptor *segment = &request->segments[i];
        uint8_t *bytes = virtio_model_at(&model->virtio, segment->address, segment->bytes);

        CHECK_EQ((segment->flags & DESCRIPTOR_WRITE) != 0, reads);
        CHECK(model->size_max == 0 || segment->bytes <= model->size_max);
        CHECK(at + segment->bytes <= sizeof model->medium);
        if (at + segment->bytes > sizeof model->medium)
            return 0;
        if (reads)
            memcpy(bytes, model->medium + at, segment->bytes);
        else
            memcpy(model->medium + at, bytes, segment->bytes);
        at += segment->bytes;
        written += reads ? segment->bytes : 0;
    }
    CHECK(model->seg_max == 0 || request->count - 2 <= model->seg_max);
    return (uint32_t)written;
}

static inline void blk_model_range(struct virtio_blk_model *model, uint32_t max, uint8_t fill,
                                   const struct virtio_model_request *request)
{
    const struct virtio_blk_range *range =
        virtio_model_at(&model->virtio, request->segments[1].address, sizeof *range);

    CHECK_EQ(request->count, 3);
    CHECK(range->sectors != 0 && range->sectors <= max);
    CHECK(range->sector + range->sectors <= BLK_MODEL_SECTORS);
    memset(model->medium + range->sector * 512, fill, range->sectors * 512ull);
}

static inline void blk_model_do(struct virtio_blk_model *model,
                                const struct virtio_model_request *request)
{
    const struct virtio_blk_header *header =
        virtio_model_at(&model->virtio, request->segments[0].address, sizeof *header);
    const struct virtio_descriptor *last = &request->segments[request->count - 1];
    uint8_t *status = virtio_model_at(&model->virtio, last->address, 1);
    uint32_t written = 0;

    CHECK_EQ(request->segments[0].bytes, 16);
    CHECK_EQ(last->bytes, 1);
    CHECK((last->flags & DESCRIPTOR_WRITE) != 0);
    model->requests++;
    if (model->fail_next != 0) {
        model->fail_next--;
        if (model->failure != 0xFF)
            *status = model->failure;
    } else {
        switch (header->type) {
        case VIRTIO_BLK_T_IN:
        case VIRTIO_BLK_T_OUT:
            written =
                blk_model_data(model, header->sector, header->type == VIRTIO_BLK_T_IN, request);
            break;
        case VIRTIO_BLK_T_FLUSH: model->flushes++; break;
        case VIRTIO_BLK_T_DISCARD: blk_model_range(model, model->discard_max, 0xDD, request); break;
        case VIRTIO_BLK_T_WRITE_ZEROES:
            blk_model_range(model, model->zeroes_max, 0, request);
            break;
        case VIRTIO_BLK_T_GET_ID:
            memcpy(virtio_model_at(&model->virtio, request->segments[1].address, 20),
                   "model disk\0\0\0\0\0\0\0\0\0\0", 20);
            break;
        default: CHECK(!"the driver sends this");
        }
        *status = VIRTIO_BLK_S_OK;
    }
    if (model->lies)
        written += 100000;
    model->lies = false;
    model->interrupts += virtio_model_done(&model->virtio, 0, request->head, written + 1);
}

/* Takes what there is. */
static inline void blk_model_take(struct virtio_blk_model *model)
{
    while (!model->silent && (model->virtio.status & VIRTIO_DRIVER_OK) &&
           virtio_model_next(&model->virtio, 0, &model->held[model->held_count]))
        model->held_count++;
}

/* Does one of those that it has taken; false: it has none. */
static inline bool blk_model_work(struct virtio_blk_model *model, unsigned which)
{
    struct virtio_model_request request;

    blk_model_take(model);
    if (model->held_count == 0 || !(model->virtio.status & VIRTIO_DRIVER_OK))
        return false;
    which %= model->held_count;
    request = model->held[which];
    model->held[which] = model->held[--model->held_count];
    blk_model_do(model, &request);
    return true;
}
