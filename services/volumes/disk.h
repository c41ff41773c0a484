// SPDX-License-Identifier: MIT
/*
 * disk.h - one disk: its driver, what was found on it, and the sessions of its volumes. A thread of its own does what
 * its driver may keep waiting, so a driver that is silent holds nobody else; the rest of the service sees what is
 * guarded by the lock.
 *
 *   ABSENT --its driver answers--> READING --read--> READY
 *   any --its driver is stopped, or cannot be read--> ABSENT
 */
#pragma once

#include "lib/client/block.h"
#include "lib/mnos/lock.h"
#include "lib/mnos/thread.h"
#include "services/volumes/assign.h"
#include "services/volumes/scan.h"

#define DISKS_MAX ASSIGN_DISKS_MAX
#define DISK_WAITERS_MAX 8u

enum disk_state { DISK_ABSENT, DISK_READING, DISK_READY };

struct disk_waiter {
    uint64_t reply_id; /* 0: free */
    uint64_t first, sectors;
    uint64_t rights;
    uint64_t service; /* whose number names its sessions at the driver */
};

struct disk {
    /* Never change. */
    char service[MNOS_NAME_BYTES]; /* of the driver */
    uint32_t number;
    mnos_cap_t session, endpoint;
    mnos_cap_t notify; /* the service's endpoint, which hears of changes */
    uint64_t changed;  /* the event there */
    struct assignments *assignments;
    struct thread thread;

    /* The thread's alone. */
    struct block_client client;
    struct block_setup setup;
    bool open; /* it has been attached to */
    struct scan scan;

    struct mutex lock; /* guards all below */
    enum disk_state state;
    bool look; /* the driver may have been started */
    uint32_t count;
    struct volume_entry volumes[SCAN_VOLUMES_MAX];
    struct disk_waiter waiters[DISK_WAITERS_MAX];
};

/* Memory for a ring and for data, both of a `dma` region. */
struct disk_memory {
    mnos_cap_t ring, data;
    void *ring_address, *data_address;
};
#define DISK_DATA_PAGES (SCAN_BUFFER_BYTES / MNOS_PAGE_BYTES)

/* `service`, `number`, `session`, `notify`, `changed` and `assignments` are filled in; starts the thread. */
mnos_status_t disk_start(struct disk *disk, const struct disk_memory *memory);
/* Its driver may have been started: looks, soon. */
void disk_look(struct disk *disk);
/* Sessions of a service may have to be closed. */
void disk_close(struct disk *disk);
/* Answers a request with a session of [first, first + sectors), later. MNOS_ERR_AGAIN: too many wait. */
mnos_status_t disk_ask(struct disk *disk, const struct disk_waiter *waiter);
