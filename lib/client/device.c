// SPDX-License-Identifier: MIT
/* device - see device.h. */
#include "lib/client/device.h"

#include "lib/client/service.h"

/* Sends a request and waits; the reply replaces it. */
static mnos_status_t request(mnos_cap_t devices, struct message *msg, uint32_t label,
                             const void *record, size_t bytes, mnos_cap_t cap, unsigned accept)
{
    *msg = (struct message){.accept = accept};
    message_put(msg, label, record, bytes);
    if (cap != 0)
        message_add_cap(msg, cap, MNOS_RIGHT_READ);
    return label == DEVICE_CLAIM ? service_call_parking(devices, msg) : service_call(devices, msg);
}

mnos_status_t device_claim(mnos_cap_t devices, struct device_info *info)
{
    struct message msg;
    mnos_status_t status = request(devices, &msg, DEVICE_CLAIM, NULL, 0, 0, 0);

    if (status != MNOS_OK)
        return status;
    return message_get(&msg, info, sizeof *info) == sizeof *info ? MNOS_OK : MNOS_ERR_SIZE;
}

/* Of a reply that has to carry a capability. */
static mnos_status_t take_cap(const struct message *msg, mnos_cap_t *cap)
{
    *cap = message_cap(msg, 0);
    return *cap != 0 ? MNOS_OK : MNOS_ERR_FORMAT;
}

mnos_status_t device_bar(mnos_cap_t devices, uint32_t bar, uint32_t part,
                         struct device_bar_part *out, mnos_cap_t *memory)
{
    struct device_index index = {device_bar_index(bar, part)};
    struct message msg;
    mnos_status_t status = request(devices, &msg, DEVICE_BAR, &index, sizeof index, 0, 1);

    if (status != MNOS_OK)
        return status;
    if (message_get(&msg, out, sizeof *out) != sizeof *out) {
        message_refuse_caps(&msg);
        return MNOS_ERR_SIZE;
    }
    return take_cap(&msg, memory);
}

mnos_status_t device_vector(mnos_cap_t devices, uint32_t index, mnos_cap_t *line)
{
    struct device_index record = {index};
    struct message msg;
    mnos_status_t status = request(devices, &msg, DEVICE_VECTOR, &record, sizeof record, 0, 1);

    return status != MNOS_OK ? status : take_cap(&msg, line);
}

mnos_status_t device_capability(mnos_cap_t devices, uint32_t id, uint32_t index, void *bytes,
                                size_t size, size_t *length)
{
    struct device_capability record = {id, index};
    struct message msg;
    mnos_status_t status = request(devices, &msg, DEVICE_CAPABILITY, &record, sizeof record, 0, 0);

    if (status == MNOS_OK)
        *length = message_get(&msg, bytes, size);
    return status;
}

mnos_status_t device_dma_use(mnos_cap_t devices, mnos_cap_t memory, struct device_dma *dma,
                             uint64_t *table, uint32_t max)
{
    uint8_t reply[MNOS_MESSAGE_MAX_BYTES];
    struct message msg;
    mnos_status_t status = request(devices, &msg, DEVICE_DMA_USE, NULL, 0, memory, 0);
    size_t length;

    if (status != MNOS_OK)
        return status;
    length = message_get(&msg, reply, sizeof reply);
    if (length < sizeof *dma)
        return MNOS_ERR_SIZE;
    memcpy(dma, reply, sizeof *dma);
    if (dma->block_count == 0 || dma->block_count > max || dma->block_bytes == 0 ||
        length != sizeof *dma + dma->block_count * sizeof *table)
        return MNOS_ERR_SIZE;
    memcpy(table, reply + sizeof *dma, dma->block_count * sizeof *table);
    return MNOS_OK;
}

mnos_status_t device_master(mnos_cap_t devices, bool on)
{
    struct device_switch record = {on};
    struct message msg;

    return request(devices, &msg, DEVICE_MASTER, &record, sizeof record, 0, 0);
}

mnos_status_t device_entry(mnos_cap_t devices, uint64_t index, struct device_entry *entry)
{
    struct device_index record = {index};
    struct message msg;
    mnos_status_t status = request(devices, &msg, DEVICE_LIST, &record, sizeof record, 0, 0);

    if (status != MNOS_OK)
        return status;
    return message_get(&msg, entry, sizeof *entry) == sizeof *entry ? MNOS_OK : MNOS_ERR_SIZE;
}
