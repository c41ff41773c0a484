// SPDX-License-Identifier: MIT
/*
 * controller.h - an NVMe controller from a reset to one that works: admin queue, what it and its
 * first namespace say of themselves, and one pair of queues for requests. One thread serves the
 * disk, so one pair is enough.
 *
 *   anything --nvme_start--> works, or an error; every wait in it has a deadline that the
 *   controller states or 5 s
 */
#pragma once

#include "abi/types.h"
#include "drivers/block/nvme/queue.h"

#define NVME_NAME_BYTES 32u

struct nvme_geometry {
    uint32_t nsid; /* of the first active namespace */
    uint32_t block_bytes;
    uint64_t blocks;
    uint32_t pages_max; /* of memory, in one command */
    bool has_cache, has_dataset, has_zeroes, read_only;
    char name[NVME_NAME_BYTES];
};

struct nvme_controller {
    struct mmio registers;
    uint64_t capabilities;
    struct nvme_queue admin, queue;
    volatile uint8_t *identify; /* 4,096 bytes that the device writes */
    uint64_t identify_bus;
    uint32_t namespaces; /* that the controller may have */
    struct nvme_geometry geometry;
};

/* Memory and doorbells, once. `registers` reach to the last doorbell. MNOS_ERR_FORMAT: the
 * controller cannot be used by this driver; MNOS_ERR_MEMORY: `memory` is too small. */
mnos_status_t nvme_open(struct nvme_controller *controller, const struct mmio *registers,
                        struct dma_memory *memory);
/* Resets it and starts it. MNOS_ERR_DEVICE: it does not answer, or refuses; MNOS_ERR_FORMAT: what
 * it says cannot be; MNOS_ERR_NOT_FOUND: no namespace is active. */
mnos_status_t nvme_start(struct nvme_controller *controller);
