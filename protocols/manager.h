// SPDX-License-Identifier: MIT
/* manager.h - labels and records of the service manager; what they mean is in manager.def. */
#pragma once

#include <stdint.h>

#include "abi/fault.h"
#include "abi/types.h"

enum manager_request {
#define REQUEST(label, name, class, request, reply, text) MANAGER_##name = (label),
#include "protocols/manager.def"
#undef REQUEST
};

/* Events that the manager alone sets, at the endpoints of services. */
#define MANAGER_EVENT_PEER_RESTARTED (1ull << 62) /* a service that this one uses was started */
#define MANAGER_EVENT_ALIVE                                                                        \
    (1ull << 63) /* whoever receives here shows that it does: alive_show() */
#define MANAGER_EVENTS (MANAGER_EVENT_PEER_RESTARTED | MANAGER_EVENT_ALIVE)

enum manager_state {
    MANAGER_STOPPED = 0,
    MANAGER_RUNNING = 1,
    MANAGER_WAITING = 2, /* ended; will be started again at restart_at_ns */
    MANAGER_FAILED = 3,  /* ended too often; START or RESTART begins anew */
};

/* A badge that the manager minted for a service to an endpoint: which entry of LIST that service is. Badges that
 * a service minted for its own endpoint say nothing of the kind. */
static inline uint64_t manager_index_of(uint64_t badge)
{
    return badge & 0xFFFF;
}

struct manager_index {
    uint64_t index;
};

struct manager_name {
    char name[MNOS_NAME_BYTES];
};

struct manager_service {
    char name[MNOS_NAME_BYTES];
    char file[MNOS_NAME_BYTES];
    uint32_t state;  /* enum manager_state */
    uint32_t policy; /* enum manifest_restart, manifest_format.h */
    uint32_t starts;
    uint32_t failures; /* starts that did not succeed */
    uint64_t started_at_ns;
    uint64_t restart_at_ns;
    char last_end[64];  /* why it ended the last time, for people; empty: it never did */
    char first_end[64]; /* why it ended the first time of `tries` */
    uint32_t tries;     /* ends in a row that nobody ordered */
    uint32_t reserved;
    uint64_t away_ns; /* from its last end until it ran again; 0: it did not yet */
};
_Static_assert(sizeof(struct manager_service) == 224, "shared between programs");

struct manager_fault {
    char build[16];   /* of its program: the first digits of the build ID */
    uint64_t time_ns; /* when it faulted; 0: no fault is kept, and nothing below means anything */
    uint64_t start;   /* which of its starts that was, from 1 */
    char place[64];   /* the function, and how far into it: "read_block+0x1c"; or the address */
    struct mnos_fault what; /* abi/fault.h */
};
_Static_assert(sizeof(struct manager_fault) == 288, "shared between programs");

/* Devices that a service drives, as its `match` says. */
struct manager_match {
    char name[MNOS_NAME_BYTES]; /* of the service; of instances, without dot and number */
    uint32_t instances;         /* NAME.0 and so on; 0: the service has none, and NAME is all */
    uint32_t vendor, device;    /* UINT32_MAX: any */
    uint32_t class_code, class_mask;
    uint32_t reserved;
};
_Static_assert(sizeof(struct manager_match) == 48, "shared between programs");
