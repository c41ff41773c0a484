// SPDX-License-Identifier: MIT
/*
 * block_server.h - clients, messages and capabilities for host tests of a disk's driver: the kernel's part is
 * replaced, and each client has a ring and data of its own. The server is the real one (lib/server/block.c); the
 * test adds the device.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "lib/client/block_ring.h"
#include "lib/server/block.h"
#include "tests/unit/unit.h"

#define ENDPOINT 77u
#define CLIENTS 3u
#define DATA_PAGES 300u
/* Capabilities of client c: CAP(c, ...). */
#define CAP(client, what) (1000u * ((client) + 1) + (what))
enum { RING_CAP = 1, DATA_CAP = 2, ENDPOINT_CAP = 3, MORE_CAP = 4 };

/* ---- Clients ---- */

struct test_client {
    mnos_badge_t badge;
    struct block_ring *memory;
    struct block_ring_client ring;
    uint8_t *data, *more;
    unsigned told; /* events that it got */
    unsigned held; /* of its capabilities, by the driver */
};
extern struct test_client clients[CLIENTS];

/* ---- What the kernel would know ---- */

extern uint64_t clock_ns;
extern mnos_badge_t gone_badge; /* of a client that is gone, when the server asks */
extern mnos_badge_t exported;   /* of the session that was handed out last */
extern mnos_cap_t sent_caps[3]; /* that the next request carries, or */
extern mnos_cap_t weak_cap;     /* a capability that lacks */
extern mnos_rights_t missing_rights;
extern mnos_badge_t sent_badge; /* the badge of a session that it carries */
extern struct block_answer {
    uint64_t reply_id;
    uint32_t label;
    unsigned count;
} last_answer; /* of requests that were put aside */

/* ---- The server, and what clients ask ---- */

extern struct block_server model_server;
extern struct block_sessions model_sessions;
extern struct message reply; /* the reply */
extern uint8_t message_bytes[MNOS_MESSAGE_MAX_BYTES];

void clients_begin(void);
mnos_status_t ask_server(mnos_badge_t badge, uint32_t label, const void *record, size_t bytes,
                         unsigned caps);
/* The reply of one that was put aside is in last_answer. */
mnos_status_t attach_with(unsigned number, uint64_t pages, uint64_t epoch);
void attach_client(unsigned number);
void client_is_gone(mnos_badge_t badge);
void submit_entry(unsigned number, struct block_submission entry);
void submit_op(unsigned number, uint8_t op, uint64_t sector, uint32_t page, uint32_t bytes);
/* The status of the next result; MNOS_ERR_END: there is none. */
mnos_status_t take_result(unsigned number);

/* The driver's time is the model's. */
#define kinfo_time_ns block_time_ns
#define sleep_until block_sleep_until
#define deadline_after_ns block_deadline_after_ns
