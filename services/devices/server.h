// SPDX-License-Identifier: MIT
/*
 * server.h - protocols/device.def: claims by badge, and what a driver is given of its device.
 *
 * A CLAIM that cannot be answered yet is put aside; what ends its wait is a device that becomes
 * FREE, or FAILED, or the client's death. A service has one at a time: a later one takes the place
 * of the earlier, whose sender is gone or about to be.
 */
#pragma once

#include "services/devices/names.h"
#include "services/devices/system.h"
#include "services/devices/table.h"

#define WAITING_MAX 64u

struct waiting {
    mnos_badge_t badge;
    uint64_t reply_id;
    char service[MNOS_NAME_BYTES];
};

struct devices {
    struct table *table;
    mnos_cap_t endpoint;
    struct message_lines lines;
    struct names names;
    unsigned waiting_count;
    struct waiting waiting[WAITING_MAX];
};

/* Of the table that another run left: drivers that have gone meanwhile are seen to. */
void devices_resume(struct devices *devices);

/* One message; it becomes the reply, with reply_id 0 when there is none to send now. */
void devices_handle(struct devices *devices, struct message *message);

/* Makes the steps that are due, and answers whom it can. Returns when to call again at the
 * latest. */
uint64_t devices_progress(struct devices *devices);
