// SPDX-License-Identifier: MIT
/* queue - see queue.h. */
#include "drivers/block/nvme/queue.h"

#include <stddef.h>

#define PAGE 4096u
#define ID_MASK 0xFFFFu
#define PHASE (1u << 16)
#define STATUS_SHIFT 17

bool nvme_queue_create(struct nvme_queue *queue, struct dma_memory *memory, uint16_t entries,
                       const struct mmio *registers, uint16_t number, uint32_t stride)
{
    uint64_t bell = NVME_DOORBELLS + 2ull * number * stride;

    if (entries < 2 || entries > NVME_ENTRIES_MAX ||
        !mmio_part(registers, bell, 4, &queue->submit_bell) ||
        !mmio_part(registers, bell + stride, 4, &queue->complete_bell))
        return false;
    queue->entries = entries;
    queue->commands = dma_take(memory, entries * sizeof *queue->commands, PAGE);
    queue->completions = dma_take(memory, entries * sizeof *queue->completions, PAGE);
    if (queue->commands == NULL || queue->completions == NULL)
        return false;
    queue->commands_bus = dma_bus(memory, (const void *)(uintptr_t)queue->commands);
    queue->completions_bus = dma_bus(memory, (const void *)(uintptr_t)queue->completions);
    nvme_queue_begin(queue);
    return true;
}

void nvme_queue_begin(struct nvme_queue *queue)
{
    queue->tail = queue->shown = queue->head = queue->flying = 0;
    queue->phase = true;
    queue->broken = false;
    for (uint16_t i = 0; i < queue->entries; i++) {
        queue->in_flight[i] = false;
        queue->completions[i].status = 0; /* the phase of no round that comes next */
    }
}

bool nvme_queue_add(struct nvme_queue *queue, struct nvme_command command, uint16_t id)
{
    volatile struct nvme_command *to = &queue->commands[queue->tail];

    if (queue->broken || queue->flying + 1 >= queue->entries || id >= queue->entries ||
        queue->in_flight[id])
        return false;
    command.opcode |= (uint32_t)id << 16;
    *to = command;
    queue->in_flight[id] = true;
    queue->flying++;
    queue->tail = (uint16_t)((queue->tail + 1) % queue->entries);
    return true;
}

void nvme_queue_publish(struct nvme_queue *queue)
{
    if (queue->shown == queue->tail)
        return;
    dma_write_barrier(); /* the commands before the doorbell */
    mmio_write32(&queue->submit_bell, 0, queue->tail);
    queue->shown = queue->tail;
}

enum nvme_result nvme_queue_take(struct nvme_queue *queue, uint16_t *id, uint32_t *status)
{
    uint32_t word = queue->completions[queue->head].status;

    if (queue->broken)
        return NVME_BROKEN;
    if (((word & PHASE) != 0) != queue->phase)
        return NVME_NOTHING;
    dma_read_barrier();
    *id = (uint16_t)(word & ID_MASK);
    *status = word >> STATUS_SHIFT;
    if (*id >= queue->entries || !queue->in_flight[*id]) {
        queue->broken = true;
        return NVME_BROKEN;
    }
    queue->in_flight[*id] = false;
    queue->flying--;
    queue->head = (uint16_t)((queue->head + 1) % queue->entries);
    if (queue->head == 0)
        queue->phase = !queue->phase;
    return NVME_TAKEN;
}

void nvme_queue_release(const struct nvme_queue *queue)
{
    mmio_write32(&queue->complete_bell, 0, queue->head);
}
