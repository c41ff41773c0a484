// SPDX-License-Identifier: MIT
/* disk - see disk.h. What the device offers, and resets, are in setup.c. */
#include "drivers/block/virtio_blk/disk.h"

#include "lib/base/string.h"
#include "drivers/block/virtio_blk/internal.h"

/* ---- Requests into the queue ---- */

static uint32_t take_request(struct disk *disk)
{
    uint32_t number = disk->free_first;

    if (number != DISK_NO_REQUEST)
        disk->free_first = disk->requests[number].next;
    return number;
}

static void give_request(struct disk *disk, uint32_t number)
{
    disk->requests[number].next = disk->free_first;
    disk->free_first = number;
}

void disk_free_all(struct disk *disk)
{
    disk->free_first = DISK_NO_REQUEST;
    for (uint32_t i = disk->queue.size; i-- != 0;)
        give_request(disk, i);
}

static uint64_t bus_of(const struct disk *disk, uint32_t number, uint64_t offset)
{
    return disk->shared_bus + number * sizeof(struct disk_shared) + offset;
}

/* Header, what is in between, status. */
static bool enqueue(struct disk *disk, uint32_t number, struct queue_segment *segments,
                    uint32_t count)
{
    segments[0] = (struct queue_segment){
        .bus = bus_of(disk, number, offsetof(struct disk_shared, header)),
        .bytes = sizeof(struct virtio_blk_header),
    };
    segments[count++] = (struct queue_segment){
        .bus = bus_of(disk, number, offsetof(struct disk_shared, status)),
        .bytes = 1,
        .device_writes = 1,
    };
    disk->shared[number].status = DISK_NO_STATUS;
    return queue_add(&disk->queue, segments, count, number);
}

/* The runs of data from segments[1] on, none longer than the device takes; their number, or 0: too many. */
static uint32_t put_data(const struct disk *disk, const struct block_flight *flight,
                         struct queue_segment *segments)
{
    struct block_segment runs[BLOCK_SEGMENTS_MAX];
    uint32_t run_count = block_segments(disk->server, flight, runs, BLOCK_SEGMENTS_MAX), count = 0;

    for (uint32_t i = 0; i < run_count; i++) {
        while (runs[i].bytes != 0) {
            uint32_t part =
                runs[i].bytes < disk->segment_bytes_max ? runs[i].bytes : disk->segment_bytes_max;

            if (count == disk->segments_max)
                return 0;
            segments[1 + count++] = (struct queue_segment){
                .bus = runs[i].bus, .bytes = part, .device_writes = flight->op == BLOCK_READ};
            runs[i].bus += part;
            runs[i].bytes -= part;
        }
    }
    return count;
}

/* The next part of a DISCARD or ZERO. */
static bool put_range(struct disk *disk, uint32_t number, const struct block_flight *flight)
{
    struct disk_request *request = &disk->requests[number];
    struct disk_shared *shared = &disk->shared[number];
    uint64_t max = flight->op == BLOCK_DISCARD ? disk->discard_max : disk->zeroes_max;
    uint64_t part = request->left < max ? request->left : max;
    struct queue_segment segments[3];

    shared->header = (struct virtio_blk_header){
        .type = flight->op == BLOCK_DISCARD ? VIRTIO_BLK_T_DISCARD : VIRTIO_BLK_T_WRITE_ZEROES};
    shared->range = (struct virtio_blk_range){.sector = request->sector, .sectors = (uint32_t)part};
    segments[1] = (struct queue_segment){
        .bus = bus_of(disk, number, offsetof(struct disk_shared, range)),
        .bytes = sizeof shared->range,
    };
    request->sector += part;
    request->left -= part;
    return enqueue(disk, number, segments, 2);
}

static uint32_t type_of(uint8_t op)
{
    return op == BLOCK_READ    ? VIRTIO_BLK_T_IN
           : op == BLOCK_WRITE ? VIRTIO_BLK_T_OUT
                               : VIRTIO_BLK_T_FLUSH;
}

static mnos_status_t submit(void *context, struct block_flight *flight)
{
    struct disk *disk = context;
    uint32_t scale = disk->device.info.sector_bytes / VIRTIO_BLK_SECTOR_BYTES;
    struct queue_segment segments[DISK_SEGMENTS];
    bool has_data = flight->op == BLOCK_READ || flight->op == BLOCK_WRITE;
    uint32_t number, count = 0;
    bool added;

    if (disk->failed) {
        block_server_done(disk->server, flight, MNOS_ERR_DEVICE, flight->sector);
        return MNOS_OK;
    }
    if (has_data && (count = put_data(disk, flight, segments)) == 0) {
        block_server_done(disk->server, flight, MNOS_ERR_ARGUMENT, 0); /* in too many pieces */
        return MNOS_OK;
    }
    number = take_request(disk);
    if (number == DISK_NO_REQUEST)
        return MNOS_ERR_AGAIN;
    disk->requests[number] = (struct disk_request){
        .flight = block_flight_number(disk->server, flight),
        .sector = flight->sector * scale,
        .left = flight->bytes / VIRTIO_BLK_SECTOR_BYTES,
    };
    if (has_data || flight->op == BLOCK_FLUSH) {
        disk->shared[number].header = (struct virtio_blk_header){
            .type = type_of(flight->op), .sector = has_data ? flight->sector * scale : 0};
        disk->requests[number].left = 0;
        added = enqueue(disk, number, segments, 1 + count);
    } else {
        added = put_range(disk, number, flight);
    }
    if (!added)
        give_request(disk, number);
    return added ? MNOS_OK : MNOS_ERR_AGAIN;
}

static void kick(void *context)
{
    struct disk *disk = context;

    if (!disk->failed && queue_publish(&disk->queue))
        transport_notify(&disk->bell);
}

static mnos_status_t attach_data(void *context, struct block_piece *piece)
{
    struct disk *disk = context;

    piece->bus = disk->reach(disk->context, piece->memory);
    return piece->bus == 0 ? MNOS_ERR_DENIED : MNOS_OK;
}

/* What the device may reach is in regions, which outlive their users. */
static void detach_data(void *, struct block_piece *)
{
}

const struct block_device_operations disk_operations = {submit, kick, attach_data, detach_data};

/* ---- and back ---- */

/* `token` is of a request in flight: the queue has seen to that. */
static void end_request(struct disk *disk, uint32_t number)
{
    struct disk_request *request = &disk->requests[number];
    struct block_flight *flight = block_flight_of(disk->server, request->flight);
    uint8_t status = disk->shared[number].status;

    if (flight == NULL) { /* not a client's: the name, or of a client that is gone */
        give_request(disk, number);
        return;
    }
    if (status == VIRTIO_BLK_S_OK && request->left != 0 && put_range(disk, number, flight))
        return; /* there is a slot: its own */
    give_request(disk, number);
    disk->resets = 0;
    block_server_done(disk->server, flight, status == VIRTIO_BLK_S_OK ? MNOS_OK : MNOS_ERR_DEVICE,
                      flight->sector);
}

void disk_take_done(struct disk *disk)
{
    enum queue_result result = QUEUE_NOTHING;
    uint64_t token;
    uint32_t bytes, count = 0;

    if (disk->failed)
        return;
    /* A device that is done with more than it was given breaks its queue, so this ends. */
    do {
        while ((result = queue_take(&disk->queue, &token, &bytes)) == QUEUE_TAKEN) {
            end_request(disk, (uint32_t)token);
            count++;
        }
    } while (result == QUEUE_NOTHING && queue_arm(&disk->queue));
    if (result == QUEUE_BROKEN)
        disk_reset(disk);
    else
        disk->suspicious |= count == 0; /* it has sent an interrupt for something else */
}

uint64_t disk_deadline(const struct disk *disk)
{
    uint64_t after = block_server_issued_after(disk->server);

    return after == MNOS_DEADLINE_NEVER || disk->failed ? MNOS_DEADLINE_NEVER
                                                        : after + DISK_SILENCE_NS;
}

void disk_check(struct disk *disk, uint64_t now_ns)
{
    bool late = now_ns >= disk_deadline(disk);
    uint64_t oldest;

    if (disk->failed || (!late && !disk->suspicious))
        return;
    disk->suspicious = false;
    oldest = block_server_oldest(disk->server);
    if (transport_needs_reset(disk->transport) ||
        (oldest != MNOS_DEADLINE_NEVER && now_ns >= oldest + DISK_SILENCE_NS))
        disk_reset(disk);
}
