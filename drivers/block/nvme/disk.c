// SPDX-License-Identifier: MIT
/* disk - see disk.h. */
#include "drivers/block/nvme/disk.h"

#include "lib/base/string.h"

#define PAGE 4096u
#define NO_SLOT UINT16_MAX

/* ---- Slots ---- */

static void free_all_slots(struct nvme_disk *disk)
{
    disk->free_first = NO_SLOT;
    /* One entry of a ring stays free (N2). */
    for (uint16_t i = (uint16_t)(disk->controller.queue.entries - 1); i-- != 0;) {
        disk->slots[i].next = disk->free_first;
        disk->free_first = i;
    }
}

static void give_slot(struct nvme_disk *disk, uint16_t number)
{
    disk->slots[number].next = disk->free_first;
    disk->free_first = number;
}

static uint64_t slot_bus(const struct nvme_disk *disk, uint16_t number)
{
    return disk->memory_bus + number * sizeof(union nvme_slot_memory);
}

/* ---- Commands ---- */

/* Where bytes [skip, skip + bytes) of a request's data are, page by page: the first may begin
 * inside a page, and all others begin one (NVMe 1.4, section 4.3). False: the pieces of memory are
 * not such. */
static bool put_pages(struct nvme_disk *disk, const struct block_flight *flight, uint16_t number,
                      uint32_t skip, uint32_t bytes, struct nvme_command *command)
{
    struct block_segment runs[BLOCK_SEGMENTS_MAX];
    uint32_t run_count = block_segments(disk->server, flight, runs, BLOCK_SEGMENTS_MAX);
    uint64_t *list = disk->memory[number].list, last = 0;
    uint32_t count = 0;

    for (uint32_t i = 0; i < run_count && bytes != 0; i++) {
        uint64_t bus = runs[i].bus + skip;
        uint32_t left = runs[i].bytes > skip ? runs[i].bytes - skip : 0;

        skip -= skip < runs[i].bytes ? skip : runs[i].bytes;
        while (left != 0 && bytes != 0) {
            uint32_t part = PAGE - (uint32_t)(bus % PAGE);

            part = part < left ? part : left;
            part = part < bytes ? part : bytes;
            if ((count != 0 && bus % PAGE != 0) || count > NVME_LIST_ENTRIES)
                return false;
            if (count == 0)
                command->prp[0] = bus;
            else
                list[count - 1] = last = bus;
            count++;
            bus += part;
            left -= part;
            bytes -= part;
        }
    }
    command->prp[1] = count > 2 ? slot_bus(disk, number) : last;
    return bytes == 0 && count != 0;
}

/* How many blocks of what is left one command takes, from the place in memory where they begin. */
static uint32_t part_blocks(const struct nvme_disk *disk, const struct block_flight *flight,
                            const struct nvme_slot *slot)
{
    const struct nvme_geometry *geometry = &disk->controller.geometry;
    uint64_t max = NVME_BLOCKS_MAX;

    if (flight->op == BLOCK_READ || flight->op == BLOCK_WRITE) {
        uint32_t inside = (uint32_t)((flight->offset + slot->done_bytes) % PAGE);

        max = (geometry->pages_max * PAGE - inside) / geometry->block_bytes;
    } else if (flight->op == BLOCK_DISCARD) {
        max = UINT32_MAX;
    }
    return (uint32_t)(slot->left < max ? slot->left : max);
}

/* The next part of a request. False: its memory cannot be described, or the queue takes none. */
static bool put_part(struct nvme_disk *disk, const struct block_flight *flight, uint16_t number)
{
    struct nvme_slot *slot = &disk->slots[number];
    uint32_t blocks = part_blocks(disk, flight, slot);
    uint32_t bytes = blocks * disk->controller.geometry.block_bytes;
    struct nvme_command command = {
        .nsid = disk->controller.geometry.nsid,
        .words = {(uint32_t)slot->block, (uint32_t)(slot->block >> 32), blocks - 1},
    };

    switch (flight->op) {
    case BLOCK_READ:
    case BLOCK_WRITE:
        command.opcode = flight->op == BLOCK_READ ? NVME_READ : NVME_WRITE;
        if (!put_pages(disk, flight, number, slot->done_bytes, bytes, &command))
            return false;
        slot->done_bytes += bytes;
        break;
    case BLOCK_ZERO: command.opcode = NVME_WRITE_ZEROES; break;
    case BLOCK_DISCARD:
        command.opcode = NVME_DATASET;
        command.prp[0] = slot_bus(disk, number);
        memset(command.words, 0, sizeof command.words);
        command.words[1] = NVME_DATASET_DEALLOCATE; /* one range */
        disk->memory[number].range = (struct nvme_range){.blocks = blocks, .first = slot->block};
        break;
    default:
        command.opcode = NVME_FLUSH;
        memset(command.words, 0, sizeof command.words);
        break;
    }
    slot->block += blocks;
    slot->left -= blocks;
    return nvme_queue_add(&disk->controller.queue, command, number);
}

static mnos_status_t submit(void *context, struct block_flight *flight)
{
    struct nvme_disk *disk = context;
    uint16_t number = disk->free_first;

    if (disk->failed) {
        block_server_done(disk->server, flight, MNOS_ERR_DEVICE, flight->sector);
        return MNOS_OK;
    }
    if (number == NO_SLOT)
        return MNOS_ERR_AGAIN;
    disk->free_first = disk->slots[number].next;
    disk->slots[number] = (struct nvme_slot){
        .flight = block_flight_number(disk->server, flight),
        .block = flight->sector,
        .left =
            flight->op == BLOCK_FLUSH ? 0 : flight->bytes / disk->controller.geometry.block_bytes,
    };
    if (put_part(disk, flight, number))
        return MNOS_OK;
    give_slot(disk, number);
    block_server_done(disk->server, flight, MNOS_ERR_ARGUMENT, 0);
    return MNOS_OK;
}

static void kick(void *context)
{
    struct nvme_disk *disk = context;

    if (!disk->failed)
        nvme_queue_publish(&disk->controller.queue);
}

static mnos_status_t attach_data(void *context, struct block_piece *piece)
{
    struct nvme_disk *disk = context;

    piece->bus = disk->reach(disk->context, piece->memory);
    return piece->bus == 0 ? MNOS_ERR_DENIED : MNOS_OK;
}

/* What the device may reach is in regions, which outlive their users. */
static void detach_data(void *, struct block_piece *)
{
}

static const struct block_device_operations operations = {submit, kick, attach_data, detach_data};

/* ---- and back ---- */

static void end_command(struct nvme_disk *disk, uint16_t number, uint32_t status)
{
    struct nvme_slot *slot = &disk->slots[number];
    struct block_flight *flight = block_flight_of(disk->server, slot->flight);

    if (flight == NULL) {
        give_slot(disk, number);
        return;
    }
    if (status == 0 && slot->left != 0 && put_part(disk, flight, number))
        return; /* there is an entry: the one that it just gave back */
    give_slot(disk, number);
    disk->resets = 0;
    block_server_done(disk->server, flight,
                      status == 0 && slot->left == 0 ? MNOS_OK : MNOS_ERR_DEVICE, flight->sector);
}

static bool same_geometry(const struct nvme_geometry *a, const struct nvme_geometry *b)
{
    return a->nsid == b->nsid && a->block_bytes == b->block_bytes && a->blocks == b->blocks &&
           a->pages_max == b->pages_max && a->has_cache == b->has_cache &&
           a->has_dataset == b->has_dataset && a->has_zeroes == b->has_zeroes &&
           a->read_only == b->read_only;
}

/* A device that calls itself something else now is not the one that clients know. */
static void reset(struct nvme_disk *disk)
{
    struct nvme_geometry before = disk->controller.geometry;

    disk->resets_ever++;
    if (disk->resets++ < NVME_RESETS_MAX && nvme_start(&disk->controller) == MNOS_OK &&
        same_geometry(&before, &disk->controller.geometry)) {
        free_all_slots(disk);
        block_server_repeat(disk->server);
        return;
    }
    disk->failed = true;
    mmio_write32(&disk->controller.registers, NVME_CC, 0);
    /* It may go on for a while, or for ever: what it has must not land in memory that clients use for something else once
     * they are told that it failed. */
    disk->cut_off(disk->context);
    block_server_fail(disk->server);
}

void nvme_disk_take_done(struct nvme_disk *disk)
{
    struct nvme_queue *queue = &disk->controller.queue;
    enum nvme_result result;
    uint32_t status;
    uint16_t id;
    bool any = false;

    if (disk->failed)
        return;
    /* A device that is done with more than it was given breaks its queue, so this ends. */
    while ((result = nvme_queue_take(queue, &id, &status)) == NVME_TAKEN) {
        any = true;
        end_command(disk, id, status);
    }
    if (any)
        nvme_queue_release(queue);
    if (result == NVME_BROKEN)
        reset(disk);
    else
        nvme_queue_publish(queue);
}

uint64_t nvme_disk_deadline(const struct nvme_disk *disk)
{
    uint64_t after = block_server_issued_after(disk->server);

    return after == MNOS_DEADLINE_NEVER || disk->failed ? MNOS_DEADLINE_NEVER
                                                        : after + NVME_SILENCE_NS;
}

/* All requests are looked at, and the device is, only when something may be late. */
void nvme_disk_check(struct nvme_disk *disk, uint64_t now_ns)
{
    uint64_t oldest;

    if (disk->failed || now_ns < nvme_disk_deadline(disk))
        return;
    oldest = block_server_oldest(disk->server);
    if (oldest != MNOS_DEADLINE_NEVER && now_ns >= oldest + NVME_SILENCE_NS)
        reset(disk);
}

mnos_status_t nvme_disk_open(struct nvme_disk *disk, const struct mmio *registers,
                             struct dma_memory *memory)
{
    const struct nvme_geometry *geometry = &disk->controller.geometry;
    struct block_info *info = &disk->device.info;
    mnos_status_t status = nvme_open(&disk->controller, registers, memory);

    if (status == MNOS_OK)
        status = nvme_start(&disk->controller);
    if (status != MNOS_OK)
        return status;
    disk->memory = dma_take(memory, disk->controller.queue.entries * sizeof *disk->memory, PAGE);
    if (disk->memory == NULL)
        return MNOS_ERR_MEMORY;
    disk->memory_bus = dma_bus(memory, disk->memory);
    disk->device.operations = &operations;
    disk->device.context = disk;
    info->sector_bytes = info->physical_bytes = geometry->block_bytes;
    info->sectors = geometry->blocks;
    info->flags = (geometry->has_cache ? BLOCK_CAN_FLUSH : 0u) |
                  (geometry->has_dataset ? BLOCK_CAN_DISCARD : 0u) |
                  (geometry->has_zeroes ? BLOCK_CAN_ZERO : 0u) |
                  (geometry->read_only ? BLOCK_READ_ONLY : 0u);
    string_copy(info->name, geometry->name, sizeof info->name);
    free_all_slots(disk);
    return MNOS_OK;
}
