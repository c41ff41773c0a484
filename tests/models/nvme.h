// SPDX-License-Identifier: MIT
/*
 * nvme.h - a model of an NVMe controller with one namespace behind lib/driver/mmio.h, written from
 * the "NVM Express Base Specification" 1.4. It carries out commands in any order when the test lets
 * it, and may be made to fail, to be silent, and to lie.
 */
#pragma once

#include <string.h>

#include "drivers/block/nvme/registers.h"
#include "tests/models/mmio.h"
#include "tests/unit/unit.h"

#define NVME_MODEL_BASE 0x7D0000000000ull
#define NVME_MODEL_BYTES 0x2000ull
#define NVME_MODEL_MEDIUM (2u << 20)
#define NVME_MODEL_QUEUES 2u
#define NVME_MODEL_ENTRIES 64u

struct nvme_model_queue {
    uint64_t commands, completions;
    uint32_t entries, head, tail; /* of commands */
    uint32_t done;                /* of completions */
    bool phase, exists, has_completions;
    unsigned interrupts;
};

struct nvme_model {
    struct mmio_model registers; /* first */
    uint8_t medium[NVME_MODEL_MEDIUM];
    uint8_t *memory; /* what it reaches */
    uint64_t memory_bus, memory_bytes;
    uint64_t capabilities, submissions, completions;
    uint32_t configuration, status, sizes;
    unsigned block_log2, transfer_log2, commands_bits;
    uint32_t nsid; /* 0: no namespace is active */
    uint8_t metadata, attributes;
    uint64_t blocks;
    struct nvme_model_queue queues[NVME_MODEL_QUEUES];
    bool never_ready, refuse_queues, silent;
    unsigned fail_next; /* so many commands of the second queue end with an error */
    unsigned flushes, resets, commands;
    uint32_t lie_id; /* not 0: the next completion names this one */
};

static inline uint8_t *nvme_model_at(struct nvme_model *model, uint64_t bus, uint64_t bytes)
{
    CHECK(bus >= model->memory_bus && bus - model->memory_bus <= model->memory_bytes &&
          bytes <= model->memory_bytes - (bus - model->memory_bus));
    return model->memory + (bus - model->memory_bus);
}

static inline void nvme_model_enable(struct nvme_model *model, uint32_t value)
{
    bool was = (model->configuration & NVME_CC_ENABLE) != 0, is = (value & NVME_CC_ENABLE) != 0;

    model->configuration = value;
    if (was && !is) {
        memset(model->queues, 0, sizeof model->queues);
        model->status = 0;
        model->resets++;
    } else if (!was && is) {
        CHECK_EQ(value, NVME_CC_SIZES | NVME_CC_ENABLE);
        model->queues[0] = (struct nvme_model_queue){
            .commands = model->submissions,
            .completions = model->completions,
            .entries = (model->sizes & 0xFFF) + 1,
            .phase = true,
            .exists = true,
            .has_completions = true,
        };
        CHECK_EQ(model->sizes >> 16, model->sizes & 0xFFF);
        model->status = model->never_ready ? 0 : NVME_CSTS_READY;
    }
}

static inline uint64_t nvme_model_read(struct mmio_model *registers, uint64_t offset, unsigned)
{
    const struct nvme_model *model = (const struct nvme_model *)registers;

    switch (offset) {
    case NVME_CAP: return model->capabilities;
    case NVME_CC: return model->configuration;
    case NVME_CSTS: return model->status;
    default: return 0;
    }
}

static inline void nvme_model_half(uint64_t *to, bool high, uint64_t value)
{
    *to = high ? (*to & UINT32_MAX) | value << 32 : (*to & ~(uint64_t)UINT32_MAX) | value;
}

static inline void nvme_model_work(struct nvme_model *model);

static inline void nvme_model_write(struct mmio_model *registers, uint64_t offset, unsigned width,
                                    uint64_t value)
{
    struct nvme_model *model = (struct nvme_model *)registers;

    CHECK_EQ(width, 4);
    if (offset == NVME_CC) {
        nvme_model_enable(model, (uint32_t)value);
    } else if (offset == NVME_AQA) {
        model->sizes = (uint32_t)value;
    } else if (offset == NVME_ASQ || offset == NVME_ASQ + 4) {
        nvme_model_half(&model->submissions, offset != NVME_ASQ, value);
    } else if (offset == NVME_ACQ || offset == NVME_ACQ + 4) {
        nvme_model_half(&model->completions, offset != NVME_ACQ, value);
    } else if (offset >= NVME_DOORBELLS) {
        uint64_t number = (offset - NVME_DOORBELLS) / NVME_CAP_STRIDE(model->capabilities);
        struct nvme_model_queue *queue = &model->queues[number / 2 % NVME_MODEL_QUEUES];

        CHECK(number / 2 < NVME_MODEL_QUEUES && queue->exists && value < queue->entries);
        if (number % 2 == 0)
            queue->tail = (uint32_t)value;
    }
}

static inline void nvme_model_begin(struct nvme_model *model, struct mmio *window, uint8_t *memory,
                                    uint64_t bus, uint64_t bytes)
{
    memset(model, 0, sizeof *model);
    model->registers = (struct mmio_model){.base = NVME_MODEL_BASE,
                                           .bytes = NVME_MODEL_BYTES,
                                           .read = nvme_model_read,
                                           .write = nvme_model_write};
    model->memory = memory;
    model->memory_bus = bus;
    model->memory_bytes = bytes;
    model->capabilities = (NVME_MODEL_ENTRIES - 1) | 4ull << 24 | 1ull << 37;
    model->block_log2 = 9;
    model->transfer_log2 = 7;
    model->commands_bits = NVME_CTRL_HAS_DATASET | NVME_CTRL_HAS_ZEROES;
    model->nsid = 3;
    model->blocks = NVME_MODEL_MEDIUM / 512;
    mmio_model_add(&model->registers);
    *window = (struct mmio){(void *)(uintptr_t)NVME_MODEL_BASE, NVME_MODEL_BYTES};
}

/* ---- what commands do; each returns the status ---- */

static inline void nvme_model_number(uint8_t *bytes, unsigned at, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static inline uint32_t nvme_model_identify(struct nvme_model *model,
                                           const struct nvme_command *command)
{
    uint8_t *bytes = nvme_model_at(model, command->prp[0], NVME_IDENTIFY_BYTES);

    memset(bytes, 0, NVME_IDENTIFY_BYTES);
    if (command->words[0] == NVME_IDENTIFY_CONTROLLER) {
        memset(bytes + NVME_CTRL_MODEL, ' ', NVME_CTRL_MODEL_BYTES);
        memcpy(bytes + NVME_CTRL_MODEL, "model disk", 10);
        bytes[NVME_CTRL_TRANSFER] = (uint8_t)model->transfer_log2;
        nvme_model_number(bytes, NVME_CTRL_NAMESPACES, 8, 4);
        nvme_model_number(bytes, NVME_CTRL_COMMANDS, model->commands_bits, 2);
        bytes[NVME_CTRL_CACHE] = 1;
    } else if (command->words[0] == NVME_IDENTIFY_LIST) {
        nvme_model_number(bytes, 0, model->nsid, 4);
    } else {
        CHECK_EQ(command->nsid, model->nsid);
        nvme_model_number(bytes, NVME_NS_BLOCKS, model->blocks, 8);
        bytes[NVME_NS_FORMAT] = 0x10 | 2; /* the third format; the upper bits are about metadata */
        bytes[NVME_NS_ATTRIBUTES] = model->attributes;
        bytes[NVME_NS_FORMATS + 8] = model->metadata;
        bytes[NVME_NS_FORMATS + 10] = (uint8_t)model->block_log2;
    }
    return 0;
}

static inline uint32_t nvme_model_create(struct nvme_model *model,
                                         const struct nvme_command *command)
{
    struct nvme_model_queue *queue = &model->queues[1];
    uint32_t entries = (command->words[0] >> 16) + 1;

    CHECK_EQ(command->words[0] & 0xFFFF, 1);
    CHECK(command->words[1] & NVME_QUEUE_CONTIGUOUS);
    if (model->refuse_queues)
        return 1;
    if (command->opcode == NVME_ADMIN_CREATE_CQ) {
        CHECK_EQ(command->words[1], NVME_QUEUE_CONTIGUOUS | NVME_QUEUE_INTERRUPTS);
        *queue = (struct nvme_model_queue){.completions = command->prp[0],
                                           .entries = entries,
                                           .phase = true,
                                           .has_completions = true};
        return 0;
    }
    CHECK(queue->has_completions && queue->entries == entries);
    queue->commands = command->prp[0];
    queue->exists = true;
    return 0;
}

/* Copies a part of the medium from or to the pages of a command. */
static inline void nvme_model_data(struct nvme_model *model, const struct nvme_command *command,
                                   uint64_t at, uint64_t bytes, bool reads)
{
    uint64_t bus = command->prp[0], left = bytes, page = 0;
    uint64_t pages = (bus % 4096 + bytes + 4095) / 4096;

    CHECK(pages <= 1ull << model->transfer_log2);
    while (left != 0) {
        uint64_t part = 4096 - bus % 4096;
        uint8_t *memory;

        part = part < left ? part : left;
        memory = nvme_model_at(model, bus, part);
        if (reads)
            memcpy(memory, model->medium + at, part);
        else
            memcpy(model->medium + at, memory, part);
        at += part;
        left -= part;
        page++;
        if (left == 0)
            return;
        if (pages == 2)
            bus = command->prp[1];
        else
            memcpy(&bus, nvme_model_at(model, command->prp[1] + 8 * (page - 1), 8), 8);
        CHECK_EQ(bus % 4096, 0);
        if (pages > 2) /* the list crosses no page */
            CHECK(command->prp[1] / 4096 == (command->prp[1] + 8 * (pages - 1) - 1) / 4096);
    }
}

static inline uint32_t nvme_model_disk(struct nvme_model *model, const struct nvme_command *command,
                                       uint8_t opcode)
{
    uint64_t block = command->words[0] | (uint64_t)command->words[1] << 32;
    uint64_t blocks = (command->words[2] & 0xFFFF) + 1ull;
    struct nvme_range range;

    CHECK_EQ(command->nsid, model->nsid);
    if (opcode == NVME_FLUSH) {
        model->flushes++;
        return 0;
    }
    if (opcode == NVME_DATASET) {
        memcpy(&range, nvme_model_at(model, command->prp[0], sizeof range), sizeof range);
        CHECK_EQ(command->words[0], 0);
        CHECK_EQ(command->words[1], NVME_DATASET_DEALLOCATE);
        block = range.first;
        blocks = range.blocks;
    }
    CHECK(block <= model->blocks && blocks <= model->blocks - block);
    if (block > model->blocks || blocks > model->blocks - block)
        return 0x80;
    if (opcode == NVME_DATASET || opcode == NVME_WRITE_ZEROES)
        memset(model->medium + (block << model->block_log2), opcode == NVME_DATASET ? 0xDD : 0,
               blocks << model->block_log2);
    else
        nvme_model_data(model, command, block << model->block_log2, blocks << model->block_log2,
                        opcode == NVME_READ);
    return 0;
}

static inline uint32_t nvme_model_run(struct nvme_model *model, unsigned number,
                                      const struct nvme_command *command)
{
    uint8_t opcode = (uint8_t)command->opcode;

    CHECK_EQ(command->opcode >> 8 & 0xFF, 0);
    if (number == 0) {
        struct nvme_command plain = *command;

        plain.opcode = opcode;
        return opcode == NVME_ADMIN_IDENTIFY ? nvme_model_identify(model, &plain)
                                             : nvme_model_create(model, &plain);
    }
    model->commands++;
    if (model->fail_next != 0) {
        model->fail_next--;
        return 0x281; /* unrecovered read error */
    }
    return nvme_model_disk(model, command, opcode);
}

static inline void nvme_model_complete(struct nvme_model *model, struct nvme_model_queue *queue,
                                       uint32_t id, uint32_t status)
{
    struct nvme_completion completion = {
        .queue = queue->head,
        .status = id | (uint32_t)queue->phase << 16 | status << 17,
    };

    if (model->lie_id != 0 && queue != &model->queues[0]) {
        completion.status = (completion.status & ~0xFFFFu) | model->lie_id;
        model->lie_id = 0;
    }
    memcpy(nvme_model_at(model, queue->completions + 16 * queue->done, 16), &completion, 16);
    queue->done = (queue->done + 1) % queue->entries;
    if (queue->done == 0)
        queue->phase = !queue->phase;
    queue->interrupts++;
}

/* Carries out what both queues have. */
static inline void nvme_model_work(struct nvme_model *model)
{
    for (unsigned i = 0; i < NVME_MODEL_QUEUES; i++) {
        struct nvme_model_queue *queue = &model->queues[i];

        while (queue->exists && queue->head != queue->tail && !(i == 1 && model->silent)) {
            struct nvme_command command;

            memcpy(&command, nvme_model_at(model, queue->commands + 64 * queue->head, 64), 64);
            queue->head = (queue->head + 1) % queue->entries;
            nvme_model_complete(model, queue, command.opcode >> 16,
                                nvme_model_run(model, i, &command));
        }
    }
}
