// SPDX-License-Identifier: MIT
/* port - what the core asks for: blocks, a flush, the time; see ext4.h. */
#include "services/fs/ext4/service.h"

static void add_for_slot(struct ext4_service *service, enum queue_op op, uint32_t slot,
                         uint64_t block, bool durable)
{
    struct queue_request request = {.op = (uint8_t)op,
                                    .owner = QUEUE_SLOT,
                                    .durable = durable,
                                    .number = slot,
                                    .page = ext4_slot_page(service->fs, slot),
                                    .bytes = ext4_block_bytes(service->fs),
                                    .position = block * ext4_block_bytes(service->fs)};

    disk_queue_add(&service->queue, &request);
}

static void port_read(void *context, uint32_t slot, uint64_t block)
{
    add_for_slot(context, QUEUE_READ, slot, block, false);
}

static void port_write(void *context, uint32_t slot, uint64_t block, bool durable)
{
    add_for_slot(context, QUEUE_WRITE, slot, block, durable);
}

static void port_flush(void *context)
{
    struct ext4_service *service = context;
    struct queue_request request = {.op = QUEUE_FLUSH, .owner = QUEUE_CORE_FLUSH};

    disk_queue_add(&service->queue, &request);
}

static mnos_status_t port_data_written(void *context, uint32_t transaction)
{
    struct ext4_service *service = context;

    service->cache.waited_for = transaction;
    if (!cache_is_noted(&service->cache, transaction))
        return MNOS_OK;
    writeback_noted(service, transaction);
    return MNOS_ERR_AGAIN;
}

static uint64_t port_now_ns(void *context)
{
    const struct ext4_service *service = context;

    return service->date_ns(service->tick_ns);
}

static void port_say(void *context, const char *text)
{
    struct ext4_service *service = context;

    if (service->say != NULL)
        service->say(text);
}

struct ext4_port volume_port(struct ext4_service *service)
{
    return (struct ext4_port){.context = service,
                              .read = port_read,
                              .write = port_write,
                              .flush = port_flush,
                              .data_written = port_data_written,
                              .now_ns = port_now_ns,
                              .say = port_say};
}
