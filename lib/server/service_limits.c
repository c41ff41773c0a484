// SPDX-License-Identifier: MIT
/* service_limits - see service_limits.h. */
#include "lib/server/service_limits.h"

#include "lib/base/string.h"

bool service_limits_open(struct service_limits *limits, const void *bytes, uint64_t size,
                         uint64_t magic, uint32_t version, uint32_t record_bytes)
{
    const struct limits_header *header = bytes;

    *limits = (struct service_limits){.record_bytes = record_bytes};
    if (size < sizeof *header || header->magic != magic || header->version != version ||
        header->count > (size - sizeof *header) / record_bytes)
        return false;
    limits->records = header + 1;
    limits->count = header->count;
    return true;
}

const void *service_limits_at(const struct service_limits *limits, uint32_t index)
{
    return (const uint8_t *)limits->records + (uint64_t)index * limits->record_bytes;
}

const void *service_limits_of(const struct service_limits *limits, const char *service)
{
    size_t bytes = 0;

    while (bytes < MNOS_NAME_BYTES && service[bytes] != 0 && service[bytes] != '.')
        bytes++;
    for (uint32_t i = 0; i < limits->count; i++) {
        const char *name = service_limits_at(limits, i);

        if (strnlen(name, MNOS_NAME_BYTES) == bytes && memcmp(name, service, bytes) == 0)
            return name;
    }
    return NULL;
}
