// SPDX-License-Identifier: MIT
/* controller - see controller.h. */
#include "drivers/block/nvme/controller.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"
#include "lib/mnos/time.h"

#define PAGE 4096u
#define LOOK_NS 100000ull
#define ADMIN_NS 5000000000ull
#define ADMIN_ENTRIES 8u
#define ADMIN_ID 0u
#define QUEUE 1u
#define VECTOR 0u
#define PAGES_MAX 128u

mnos_status_t nvme_open(struct nvme_controller *controller, const struct mmio *registers,
                        struct dma_memory *memory)
{
    uint64_t capabilities = mmio_read64(registers, NVME_CAP);
    uint32_t stride = NVME_CAP_STRIDE(capabilities);
    uint64_t entries = NVME_CAP_ENTRIES(capabilities);
    uint8_t *identify;

    /* Pages of 4 KiB, and the set of commands that disks have. All ones: nobody is there. */
    if (capabilities == UINT64_MAX || NVME_CAP_PAGE_MIN(capabilities) != 0 ||
        !NVME_CAP_NVM_SET(capabilities) || entries < 2)
        return MNOS_ERR_FORMAT;
    controller->registers = *registers;
    controller->capabilities = capabilities;
    if (entries > NVME_ENTRIES_MAX)
        entries = NVME_ENTRIES_MAX;
    identify = dma_take(memory, NVME_IDENTIFY_BYTES, PAGE);
    if (identify == NULL ||
        !nvme_queue_create(&controller->admin, memory,
                           (uint16_t)(entries < ADMIN_ENTRIES ? entries : ADMIN_ENTRIES), registers,
                           0, stride) ||
        !nvme_queue_create(&controller->queue, memory, (uint16_t)entries, registers, QUEUE, stride))
        return MNOS_ERR_MEMORY;
    controller->identify = identify;
    controller->identify_bus = dma_bus(memory, identify);
    return MNOS_OK;
}

/* ---- Enabling ---- */

static bool becomes_ready(const struct nvme_controller *controller, bool ready)
{
    uint64_t units = NVME_CAP_TIMEOUT(controller->capabilities) + 1;
    uint64_t deadline = deadline_after_ns(units * NVME_TIMEOUT_UNIT_NS);

    for (;;) {
        uint32_t status = mmio_read32(&controller->registers, NVME_CSTS);

        if (status == UINT32_MAX || (ready && (status & NVME_CSTS_FATAL) != 0))
            return false;
        if (((status & NVME_CSTS_READY) != 0) == ready)
            return true;
        if (kinfo_time_ns() >= deadline)
            return false;
        sleep_until(deadline_after_ns(LOOK_NS));
    }
}

static void write_address(const struct nvme_controller *controller, uint64_t offset, uint64_t bus)
{
    mmio_write32(&controller->registers, offset, (uint32_t)bus);
    mmio_write32(&controller->registers, offset + 4, (uint32_t)(bus >> 32));
}

static bool enable(struct nvme_controller *controller)
{
    const struct mmio *registers = &controller->registers;
    uint32_t last = controller->admin.entries - 1u;

    mmio_write32(registers, NVME_CC, mmio_read32(registers, NVME_CC) & ~(uint32_t)NVME_CC_ENABLE);
    if (!becomes_ready(controller, false))
        return false;
    nvme_queue_begin(&controller->admin);
    nvme_queue_begin(&controller->queue);
    mmio_write32(registers, NVME_AQA, last << 16 | last);
    write_address(controller, NVME_ASQ, controller->admin.commands_bus);
    write_address(controller, NVME_ACQ, controller->admin.completions_bus);
    mmio_write32(registers, NVME_CC, NVME_CC_SIZES | NVME_CC_ENABLE);
    return becomes_ready(controller, true);
}

/* ---- Admin commands, one at a time ---- */

static bool admin(struct nvme_controller *controller, const struct nvme_command *command)
{
    uint64_t deadline = deadline_after_ns(ADMIN_NS);
    enum nvme_result result;
    uint32_t status;
    uint16_t id;

    if (!nvme_queue_add(&controller->admin, *command, ADMIN_ID))
        return false;
    nvme_queue_publish(&controller->admin);
    while ((result = nvme_queue_take(&controller->admin, &id, &status)) == NVME_NOTHING) {
        if (kinfo_time_ns() >= deadline)
            return false;
        sleep_until(deadline_after_ns(LOOK_NS));
    }
    nvme_queue_release(&controller->admin);
    return result == NVME_TAKEN && status == 0;
}

/* A copy of what the device answers: it may change it at any time. */
static bool identify(struct nvme_controller *controller, uint32_t what, uint32_t nsid,
                     uint8_t out[NVME_IDENTIFY_BYTES])
{
    struct nvme_command command = {.opcode = NVME_ADMIN_IDENTIFY,
                                   .nsid = nsid,
                                   .prp = {controller->identify_bus},
                                   .words = {what}};

    if (!admin(controller, &command))
        return false;
    for (unsigned i = 0; i < NVME_IDENTIFY_BYTES; i++)
        out[i] = controller->identify[i];
    return true;
}

static bool create_queues(struct nvme_controller *controller)
{
    const struct nvme_queue *queue = &controller->queue;
    uint32_t size = (queue->entries - 1u) << 16 | QUEUE;
    struct nvme_command completions = {
        .opcode = NVME_ADMIN_CREATE_CQ,
        .prp = {queue->completions_bus},
        .words = {size, VECTOR << 16 | NVME_QUEUE_INTERRUPTS | NVME_QUEUE_CONTIGUOUS}};
    struct nvme_command commands = {.opcode = NVME_ADMIN_CREATE_SQ,
                                    .prp = {queue->commands_bus},
                                    .words = {size, QUEUE << 16 | NVME_QUEUE_CONTIGUOUS}};

    return admin(controller, &completions) && admin(controller, &commands);
}

/* ---- What it is ---- */

/* Printable ASCII without the blanks at its end. */
static void keep_name(struct nvme_geometry *geometry, const uint8_t *model)
{
    uint32_t count = 0;

    while (count < NVME_NAME_BYTES - 1 && model[count] >= 0x20 && model[count] < 0x7F)
        count++;
    while (count != 0 && model[count - 1] == ' ')
        count--;
    memcpy(geometry->name, model, count);
    if (count == 0)
        string_copy(geometry->name, "NVMe disk", sizeof geometry->name);
}

static void read_controller(struct nvme_controller *controller, const uint8_t *bytes,
                            struct nvme_geometry *geometry)
{
    uint64_t commands = bytes_get(bytes + NVME_CTRL_COMMANDS, 2);
    uint8_t log2 = bytes[NVME_CTRL_TRANSFER];

    controller->namespaces = (uint32_t)bytes_get(bytes + NVME_CTRL_NAMESPACES, 4);
    geometry->pages_max = log2 == 0 || log2 > 7 ? PAGES_MAX : 1u << log2;
    geometry->has_cache = (bytes[NVME_CTRL_CACHE] & 1) != 0;
    geometry->has_dataset = (commands & NVME_CTRL_HAS_DATASET) != 0;
    geometry->has_zeroes = (commands & NVME_CTRL_HAS_ZEROES) != 0;
    keep_name(geometry, bytes + NVME_CTRL_MODEL);
}

static mnos_status_t read_namespace(const uint8_t *bytes, struct nvme_geometry *geometry)
{
    const uint8_t *format = bytes + NVME_NS_FORMATS + 4 * (bytes[NVME_NS_FORMAT] & 15);
    uint8_t log2 = format[2];

    geometry->blocks = bytes_get(bytes + NVME_NS_BLOCKS, 8);
    geometry->read_only = (bytes[NVME_NS_ATTRIBUTES] & NVME_NS_READ_ONLY) != 0;
    /* Blocks of 512 to 4096 bytes, without metadata between them. */
    if (log2 < 9 || log2 > 12 || bytes_get(format, 2) != 0 || geometry->blocks == 0 ||
        geometry->blocks > UINT64_MAX >> log2)
        return MNOS_ERR_FORMAT;
    geometry->block_bytes = 1u << log2;
    return MNOS_OK;
}

static mnos_status_t read_geometry(struct nvme_controller *controller,
                                   struct nvme_geometry *geometry)
{
    static uint8_t bytes[NVME_IDENTIFY_BYTES];

    if (!identify(controller, NVME_IDENTIFY_CONTROLLER, 0, bytes))
        return MNOS_ERR_DEVICE;
    read_controller(controller, bytes, geometry);
    /* The numbers of namespaces that are there, in ascending order. */
    if (!identify(controller, NVME_IDENTIFY_LIST, 0, bytes))
        return MNOS_ERR_DEVICE;
    geometry->nsid = (uint32_t)bytes_get(bytes, 4);
    if (geometry->nsid == 0)
        return MNOS_ERR_NOT_FOUND;
    if (!identify(controller, NVME_IDENTIFY_NAMESPACE, geometry->nsid, bytes))
        return MNOS_ERR_DEVICE;
    return read_namespace(bytes, geometry);
}

mnos_status_t nvme_start(struct nvme_controller *controller)
{
    struct nvme_geometry geometry = {0};
    mnos_status_t status;

    if (!enable(controller))
        return MNOS_ERR_DEVICE;
    status = read_geometry(controller, &geometry);
    if (status != MNOS_OK)
        return status;
    controller->geometry = geometry;
    return create_queues(controller) ? MNOS_OK : MNOS_ERR_DEVICE;
}
