// SPDX-License-Identifier: MIT
/* client.h - asking a store. When it dies, each of these waits for its next run. */
#pragma once

#include "lib/client/service.h"
#include "store.h"

/* `store`: an endpoint of one, to send to. */
static inline mnos_status_t store_set(mnos_cap_t store, const struct store_pair *pair)
{
    struct message msg = {0};

    message_put(&msg, STORE_SET, pair, sizeof *pair);
    return service_call(store, &msg);
}

/* The pair at an index; MNOS_ERR_END past the last. */
static inline mnos_status_t store_list(mnos_cap_t store, uint64_t index, struct store_pair *pair)
{
    struct store_index record = {index};
    struct message msg = {0};
    mnos_status_t status;

    message_put(&msg, STORE_LIST, &record, sizeof record);
    status = service_call(store, &msg);
    if (status == MNOS_OK && message_get(&msg, pair, sizeof *pair) != sizeof *pair)
        return MNOS_ERR_FORMAT;
    return status;
}
