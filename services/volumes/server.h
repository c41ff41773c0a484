// SPDX-License-Identifier: MIT
/* server.h - the requests of protocols/volume.def, answered from what the disks' threads have found. */
#pragma once

#include "lib/mnos/listener.h"
#include "services/volumes/assign.h"
#include "services/volumes/disk.h"

#define LISTENERS_MAX 8u

struct volume_server {
    mnos_cap_t endpoint;
    uint64_t assigner; /* the number of the service that may ASSIGN; 0: nobody */
    /* The number of a service of this name; 0: there is none. */
    uint64_t (*service_number)(const char *name);
    struct assignments *assignments;
    uint32_t disk_count;
    struct disk *disks;
    struct {
        mnos_badge_t badge; /* 0: free */
        struct listener listener;
    } listeners[LISTENERS_MAX];
};

/* A message or a client that is gone; it becomes the reply, with reply_id 0 when there is none to send now. */
void volume_server_handle(struct volume_server *server, struct message *message);
/* The list has changed. */
void volume_server_tell(struct volume_server *server);
