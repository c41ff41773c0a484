// SPDX-License-Identifier: MIT
/* nvme_fuzz.c - see nvme_fuzz.h. The first byte chooses the number of entries; then each four bytes
 * are one step: of the device, which writes a byte anywhere in the memory of the queues, or of the
 * driver. */
#include "tests/unit/nvme_fuzz.h"

#include <stdlib.h>

#include "drivers/block/nvme/queue.h"
#include "tests/models/mmio.h"
#include "tests/unit/unit.h"

#define BUS 0x5000000ull
#define MEMORY_BYTES 8192u
#define BELLS 0x7C0000000000ull

static uint64_t read_nothing(struct mmio_model *, uint64_t, unsigned)
{
    return 0;
}

static void write_bell(struct mmio_model *, uint64_t offset, unsigned width, uint64_t value)
{
    CHECK(offset >= NVME_DOORBELLS && width == 4 && value < NVME_ENTRIES_MAX);
}

static void check(const struct nvme_queue *queue)
{
    unsigned flying = 0;

    for (unsigned i = 0; i < queue->entries; i++)
        flying += queue->in_flight[i];
    CHECK(flying == queue->flying && flying < queue->entries);
    CHECK(queue->head < queue->entries && queue->tail < queue->entries);
}

static void drive(struct nvme_queue *queue, const uint8_t *step)
{
    struct nvme_command command = {.opcode = NVME_READ, .words = {step[3]}};
    bool known = false;
    uint32_t status;
    uint16_t id;

    switch (step[0] % 4) {
    case 0:
    case 1: (void)nvme_queue_add(queue, command, step[1]); break;
    case 2: nvme_queue_publish(queue); break;
    default:
        for (unsigned i = 0; i < queue->entries; i++)
            known |= queue->in_flight[i];
        /* Only what is in flight comes back, and only once. */
        if (nvme_queue_take(queue, &id, &status) == NVME_TAKEN)
            CHECK(known && id < queue->entries && !queue->in_flight[id]);
        nvme_queue_release(queue);
    }
}

void nvme_fuzz(const uint8_t *data, size_t size)
{
    static struct mmio_model bells = {
        .base = BELLS, .bytes = NVME_DOORBELLS + 8, .read = read_nothing, .write = write_bell};
    struct mmio registers = {(void *)(uintptr_t)BELLS, NVME_DOORBELLS + 8};
    struct nvme_queue queue = {0};
    struct dma_memory memory = {.address = aligned_alloc(4096, MEMORY_BYTES),
                                .bytes = MEMORY_BYTES,
                                .block_bytes = MEMORY_BYTES,
                                .block_count = 1,
                                .table = {BUS}};
    static bool added;

    if (!added)
        mmio_model_add(&bells);
    added = true;
    if (size != 0 && nvme_queue_create(&queue, &memory, data[0] % 70, &registers, 0, 4)) {
        for (size_t at = 1; at + 4 <= size; at += 4) {
            if (data[at] >= 128)
                memory.address[(data[at + 1] | data[at + 2] << 8) % MEMORY_BYTES] = data[at + 3];
            else
                drive(&queue, data + at);
            check(&queue);
            if (queue.broken && data[at] % 4 == 0)
                nvme_queue_begin(&queue);
        }
    }
    free(memory.address);
}
