// SPDX-License-Identifier: MIT
/* stream_ring - see stream_ring.h. */
#include "lib/client/stream_ring.h"

#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"

#define PIECE_RIGHTS (MNOS_RIGHT_READ | MNOS_RIGHT_WRITE)

static mnos_status_t send_attach(struct stream_ring *ring, mnos_cap_t mine)
{
    struct message msg = {0};

    message_put(&msg, STREAM_ATTACH, &ring->record, sizeof ring->record);
    message_add_cap(&msg, ring->input_memory.memory, PIECE_RIGHTS);
    message_add_cap(&msg, ring->output_memory.memory, PIECE_RIGHTS);
    message_add_cap(&msg, mine, MNOS_RIGHT_WRITE);
    return ipc_request(ring->stream, &msg);
}

mnos_status_t stream_ring_attach(struct stream_ring *ring)
{
    const struct stream_events *events = &ring->record.events;
    uint64_t all =
        events->input | events->front | events->size | events->interrupt | ring->record.output;
    mnos_status_t status;

    do {
        mnos_cap_t mine;

        status = sys_cap_create(MNOS_CREATE_MINT, ring->endpoint,
                                MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, ring->badge, all, &mine);
        if (status != MNOS_OK)
            return status;
        status = send_attach(ring, mine);
        (void)!sys_cap_delete(mine); /* the driver's copy stays, and tells when the driver ends */
    } while (status == MNOS_ERR_PEER);
    return status;
}

mnos_status_t stream_ring_open(struct stream_ring *ring, mnos_cap_t stream, mnos_cap_t endpoint,
                               mnos_badge_t badge, const struct stream_attach *record,
                               uint64_t pages)
{
    uint64_t bytes = pages * MNOS_PAGE_BYTES;
    mnos_status_t status;

    *ring = (struct stream_ring){
        .stream = stream, .endpoint = endpoint, .badge = badge, .record = *record};
    status = memory_allocate(pages, &ring->input_memory);
    if (status != MNOS_OK)
        return status;
    status = memory_allocate(pages, &ring->output_memory);
    if (status == MNOS_OK) {
        ring_init(&ring->input, (uint8_t *)ring->input_memory.address + STREAM_INPUT_HEADER,
                  ring_capacity(bytes - STREAM_INPUT_HEADER));
        ring_init(&ring->output, ring->output_memory.address, ring_capacity(bytes));
        status = stream_ring_attach(ring);
        if (status != MNOS_OK)
            memory_free(&ring->output_memory);
    }
    if (status != MNOS_OK)
        memory_free(&ring->input_memory);
    return status;
}

/* The driver looks at the rings. When it does not run it does when it is attached again. */
static void look(const struct stream_ring *ring)
{
    (void)!sys_ipc_notify(ring->stream, STREAM_EVENT_LOOK);
}

mnos_status_t stream_ring_read(struct stream_ring *ring, void *bytes, size_t max, size_t *count)
{
    const struct stream_input *header = ring->input_memory.address;
    mnos_status_t status;
    size_t found;
    uint8_t byte;

    /* First whether there are bytes, then whether some are missing before these: stream.h. */
    status = ring_peek(&ring->input, &byte, 1, &found);
    if (status != MNOS_OK)
        return status;
    if (atomic_load_explicit(&header->lost, memory_order_acquire) != ring->lost) {
        ring->lost++;
        return MNOS_ERR_LOST;
    }
    *count = 0;
    if (found == 0)
        return MNOS_OK;
    status = ring_take(&ring->input, bytes, max, count);
    if (status == MNOS_OK && ring_peek(&ring->input, &byte, 1, &found) == MNOS_OK && found == 0)
        look(ring); /* it may have more than the ring has room for, or wait to count a loss */
    return status;
}

mnos_status_t stream_ring_write(struct stream_ring *ring, const void *bytes, size_t count,
                                size_t *put)
{
    mnos_status_t status = ring_put(&ring->output, bytes, count, put);

    if (status == MNOS_OK && *put != 0)
        look(ring);
    return status;
}

bool stream_ring_is_sent(const struct stream_ring *ring)
{
    return atomic_load_explicit(&ring->output.shared->taken, memory_order_acquire) ==
           ring->output.own;
}
