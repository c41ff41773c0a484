// SPDX-License-Identifier: MIT
/*
 * queue.h - a pair of queues of an NVMe controller: commands into one, completions out of the
 * other. Knows memory and its two doorbells only; what a command means is the caller's.
 *
 * N1  What the driver believes (which identifiers are in flight, where it is in both rings) is in
 *     this structure, never in the memory that the device can write.
 * N2  At most entries - 1 commands are in flight, so the submission queue is never full when one is
 *     added.
 * N3  A completion counts when its phase is this round's; an identifier that is not in flight
 *     breaks the queue.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/block/nvme/registers.h"
#include "lib/driver/dma.h"
#include "lib/driver/mmio.h"

#define NVME_ENTRIES_MAX 64u

struct nvme_queue {
    uint16_t entries;
    uint16_t tail;  /* of submissions */
    uint16_t shown; /* up to where the device has been told */
    uint16_t head;  /* of completions */
    uint16_t flying;
    bool phase, broken;
    bool in_flight[NVME_ENTRIES_MAX]; /* by identifier */
    volatile struct nvme_command *commands;
    volatile struct nvme_completion *completions;
    uint64_t commands_bus, completions_bus;
    struct mmio submit_bell, complete_bell;
};

/* Memory for `entries`, at most NVME_ENTRIES_MAX, and the doorbells of queue number `number` in
 * `registers`. False: no room, or the registers do not reach so far. */
bool nvme_queue_create(struct nvme_queue *queue, struct dma_memory *memory, uint16_t entries,
                       const struct mmio *registers, uint16_t number, uint32_t stride);
/* Empty, after the controller was reset. */
void nvme_queue_begin(struct nvme_queue *queue);

/* Adds a command under an identifier that is not in flight. False: no room. */
bool nvme_queue_add(struct nvme_queue *queue, struct nvme_command command, uint16_t id);
/* Tells the device of what was added. */
void nvme_queue_publish(struct nvme_queue *queue);

enum nvme_result { NVME_NOTHING, NVME_TAKEN, NVME_BROKEN };
/* The next that is done; *status is 0 for success. */
enum nvme_result nvme_queue_take(struct nvme_queue *queue, uint16_t *id, uint32_t *status);
/* Tells the device what was taken. */
void nvme_queue_release(const struct nvme_queue *queue);
