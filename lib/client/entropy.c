// SPDX-License-Identifier: MIT
/* entropy - see entropy.h. */
#include "lib/client/entropy.h"

#include "lib/client/service.h"

mnos_status_t entropy_get(mnos_cap_t entropy, struct entropy_bytes *bytes)
{
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, ENTROPY_GET, NULL, 0);
    status = service_call_parking(entropy, &message);
    if (status == MNOS_OK && message_get(&message, bytes, sizeof *bytes) != sizeof *bytes)
        status = MNOS_ERR_FORMAT;
    return status;
}
