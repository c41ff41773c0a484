// SPDX-License-Identifier: MIT
/* volume - see volume.h. */
#include "lib/client/volume.h"

#include "lib/base/string.h"
#include "lib/client/service.h"

/* The reply is in `message`. */
static mnos_status_t request(mnos_cap_t volumes, struct message *message, uint32_t label,
                             const void *record, size_t bytes, unsigned accept)
{
    *message = (struct message){.accept = accept & 7};
    message_put(message, label, record, bytes);
    return label == VOLUME_VOLUME ? service_call_parking(volumes, message)
                                  : service_call(volumes, message);
}

static mnos_status_t record_of(const struct message *message, void *record, size_t bytes)
{
    return message_get(message, record, bytes) == bytes ? MNOS_OK : MNOS_ERR_FORMAT;
}

mnos_status_t volume_entry(mnos_cap_t volumes, uint64_t index, struct volume_entry *entry)
{
    struct volume_index record = {index};
    struct message message;
    mnos_status_t status = request(volumes, &message, VOLUME_LIST, &record, sizeof record, 0);

    return status == MNOS_OK ? record_of(&message, entry, sizeof *entry) : status;
}

mnos_status_t volume_status(mnos_cap_t volumes, struct volume_status *out)
{
    struct message message;
    mnos_status_t status = request(volumes, &message, VOLUME_STATUS, NULL, 0, 0);

    return status == MNOS_OK ? record_of(&message, out, sizeof *out) : status;
}

mnos_status_t volume_mine(mnos_cap_t volumes, mnos_cap_t *session)
{
    struct message message;
    mnos_status_t status = request(volumes, &message, VOLUME_VOLUME, NULL, 0, 1);

    if (status != MNOS_OK)
        return status;
    *session = message_cap(&message, 0);
    return *session != 0 ? MNOS_OK : MNOS_ERR_FORMAT;
}

mnos_status_t volume_assign(mnos_cap_t volumes, const uint8_t id[VOLUME_ID_BYTES],
                            const char *service)
{
    struct volume_assign record = {0};
    struct message message;

    if (id != NULL)
        memcpy(record.volume, id, sizeof record.volume);
    string_copy(record.service, service, sizeof record.service);
    return request(volumes, &message, VOLUME_ASSIGN, &record, sizeof record, 0);
}
