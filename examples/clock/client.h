// SPDX-License-Identifier: MIT
/* client.h - asking a clock. When its service dies, both wait for its next run. */
#pragma once

#include "clock.h"
#include "lib/client/service.h"

/* Takes the time out of a reply, if there is one. */
static inline mnos_status_t clock_take(mnos_status_t status, const struct message *msg,
                                       struct clock_time *time)
{
    if (status == MNOS_OK && message_get(msg, time, sizeof *time) != sizeof *time)
        return MNOS_ERR_FORMAT;
    return status;
}

/* `clock`: an endpoint of one, to send to. */
static inline mnos_status_t clock_read(mnos_cap_t clock, struct clock_time *time)
{
    struct message msg = {0};

    message_put(&msg, CLOCK_TIME, NULL, 0);
    return clock_take(service_call(clock, &msg), &msg, time);
}

/* Returns when the clock does not show *time any more, which becomes what it shows. */
static inline mnos_status_t clock_next(mnos_cap_t clock, struct clock_time *time)
{
    struct message msg = {0};

    message_put(&msg, CLOCK_NEXT, time, sizeof *time);
    return clock_take(service_call_parking(clock, &msg), &msg, time);
}
