// SPDX-License-Identifier: MIT
/*
 * e1000e.h - a model of an Intel 82574 network controller behind lib/driver/mmio.h, written from "Intel 82574 GbE Controller
 * Family Datasheet": reset, the receive address, legacy descriptors of one queue each way, the link. It reaches nothing but
 * `memory`, keeps what it was given to send, and may be made to be silent, to stay in its reset, and to lie.
 */
#pragma once

#include <string.h>

#include "drivers/net/e1000e/registers.h"
#include "lib/driver/dma.h"
#include "tests/models/mmio.h"
#include "tests/unit/unit.h"

#define E1000E_MODEL_BASE 0xE1000000ull
#define E1000E_MODEL_FRAMES 64u
#define E1000E_MODEL_BYTES 4096u

struct e1000e_model_frame {
    uint32_t bytes;
    uint8_t data[E1000E_MODEL_BYTES];
};

struct e1000e_model {
    struct mmio_model window;
    struct mmio registers;
    struct dma_memory *memory; /* what it reaches begins with it, */
    uint64_t memory_bytes;     /* and has so many */
    uint8_t mac[6];
    uint32_t values[E1000E_WINDOW_BYTES / 4];
    struct e1000e_model_frame sent[E1000E_MODEL_FRAMES];
    unsigned sent_count, resets;
    bool link, silent, stuck; /* stuck: its reset does not end */
    bool no_address;          /* the EEPROM has none */
    uint64_t answer_set,
        answer_cleared; /* bits of what it says of a frame that came, other than the truth */
    uint32_t lie_bytes; /* not 0: how many bytes it says to have written */
};

static inline uint8_t *e1000e_model_at(const struct e1000e_model *model, uint64_t bus,
                                       uint64_t bytes)
{
    uint64_t at = bus - model->memory->table[0];

    CHECK(at <= model->memory_bytes && bytes <= model->memory_bytes - at);
    return model->memory->address + at;
}

/* The registers after a reset: "Register Summary Table", and the address that the EEPROM has. */
static inline void e1000e_model_reset(struct e1000e_model *model)
{
    uint32_t *values = model->values;

    memset(values, 0, sizeof model->values);
    values[E1000E_EECD / 4] = E1000E_EECD_AUTO_READ_DONE;
    memcpy(&values[E1000E_RAL0 / 4], model->mac, 4);
    values[E1000E_RAH0 / 4] =
        model->mac[4] | (uint32_t)model->mac[5] << 8 | (model->no_address ? 0 : E1000E_RAH_VALID);
    model->resets++;
}

static inline uint64_t e1000e_model_read(struct mmio_model *window, uint64_t offset, unsigned width)
{
    struct e1000e_model *model = (struct e1000e_model *)window;
    uint32_t value = model->values[offset / 4];

    CHECK_EQ(width, 4);
    if (offset == E1000E_STATUS)
        return (model->link ? E1000E_STATUS_LINK_UP : 0) |
               (model->values[E1000E_CTRL / 4] & E1000E_CTRL_MASTER_DISABLE
                    ? 0
                    : E1000E_STATUS_MASTER_ENABLED);
    return value;
}

static inline void e1000e_model_write(struct mmio_model *window, uint64_t offset, unsigned width,
                                      uint64_t value)
{
    struct e1000e_model *model = (struct e1000e_model *)window;
    uint32_t *at = &model->values[offset / 4];

    CHECK_EQ(width, 4);
    switch (offset) {
    case E1000E_IMC: model->values[E1000E_IMS / 4] &= ~(uint32_t)value; return;
    case E1000E_IMS: *at |= (uint32_t)value; return;
    case E1000E_ICR: *at &= ~(uint32_t)value; return;
    case E1000E_CTRL:
        if ((value & E1000E_CTRL_RESET) == 0 || model->stuck)
            break;
        e1000e_model_reset(model);
        return;
    default: break;
    }
    *at = (uint32_t)value;
}

static inline uint64_t e1000e_model_ring(const struct e1000e_model *model, uint32_t low)
{
    return model->values[low / 4] | (uint64_t)model->values[low / 4 + 1] << 32;
}

/* The next descriptor of a ring that the driver has given, by its registers; NULL: none. */
static inline void *e1000e_model_next(struct e1000e_model *model, uint32_t low, uint32_t head)
{
    uint32_t at = model->values[head / 4];

    /* The tail is two words behind the head in either direction. */
    if (at == model->values[head / 4 + 2])
        return NULL;
    CHECK(at < model->values[low / 4 + 2] / 16);
    return e1000e_model_at(model, e1000e_model_ring(model, low) + 16ull * at, 16);
}

static inline void e1000e_model_advance(struct e1000e_model *model, uint32_t low, uint32_t head)
{
    model->values[head / 4] = (model->values[head / 4] + 1) % (model->values[low / 4 + 2] / 16);
}

/* Sends one frame; false: there is none. */
static inline bool e1000e_model_send(struct e1000e_model *model)
{
    struct e1000e_model_frame *frame = &model->sent[model->sent_count % E1000E_MODEL_FRAMES];
    struct e1000e_send *descriptor;
    bool end = false;

    if (model->silent || (model->values[E1000E_TCTL / 4] & E1000E_TCTL_ENABLE) == 0 ||
        e1000e_model_next(model, E1000E_TDBAL, E1000E_TDH) == NULL)
        return false;
    frame->bytes = 0;
    while (!end) {
        uint32_t bytes;

        descriptor = e1000e_model_next(model, E1000E_TDBAL, E1000E_TDH);
        CHECK(descriptor != NULL); /* a frame is given whole */
        if (descriptor == NULL)
            return false;
        bytes = descriptor->command & 0xFFFF;
        CHECK((descriptor->command & E1000E_SEND_REPORT) != 0);
        CHECK((descriptor->command & E1000E_SEND_INSERT_SUM) != 0);
        CHECK(frame->bytes + bytes <= E1000E_MODEL_BYTES);
        memcpy(frame->data + frame->bytes, e1000e_model_at(model, descriptor->address, bytes),
               bytes);
        frame->bytes += bytes;
        end = (descriptor->command & E1000E_SEND_END) != 0;
        descriptor->command |= E1000E_SEND_DONE;
        e1000e_model_advance(model, E1000E_TDBAL, E1000E_TDH);
    }
    model->sent_count++;
    return true;
}

/* A frame arrives; false: it is lost, as there is no room or it is too long. */
static inline bool e1000e_model_receive(struct e1000e_model *model, const uint8_t *data,
                                        uint32_t bytes)
{
    uint64_t truth = E1000E_RECEIVED_DONE | E1000E_RECEIVED_END;
    struct e1000e_receive *descriptor;

    if ((model->values[E1000E_RCTL / 4] & E1000E_RCTL_ENABLE) == 0 || bytes > 1522)
        return false;
    descriptor = e1000e_model_next(model, E1000E_RDBAL, E1000E_RDH);
    if (descriptor == NULL)
        return false;
    memcpy(e1000e_model_at(model, descriptor->address, bytes), data, bytes);
    descriptor->answer =
        (truth | model->answer_set | (model->lie_bytes ? model->lie_bytes : bytes)) &
        ~model->answer_cleared;
    e1000e_model_advance(model, E1000E_RDBAL, E1000E_RDH);
    return true;
}

static inline void e1000e_model_begin(struct e1000e_model *model, struct dma_memory *memory,
                                      uint64_t memory_bytes)
{
    static bool added;
    static struct mmio_model *first;

    model->memory = memory;
    model->memory_bytes = memory_bytes;
    model->window.base = E1000E_MODEL_BASE;
    model->window.bytes = E1000E_WINDOW_BYTES;
    model->window.read = e1000e_model_read;
    model->window.write = e1000e_model_write;
    model->registers = (struct mmio){(void *)E1000E_MODEL_BASE, E1000E_WINDOW_BYTES};
    if (!added)
        mmio_model_add(&model->window);
    first = added ? first : &model->window;
    CHECK_PTR_EQ(first, &model->window); /* one device is at this address */
    added = true;
}
