// SPDX-License-Identifier: MIT
/*
 * block.h - what every driver of a disk has in common: the requests of protocols/block.def, the rings of
 * its clients, fairness between them, and repeating. A driver adds the device:
 *
 *   static const struct block_device_operations operations = {submit, kick, attach_data, detach_data};
 *
 *   block_server_open(&server, &(struct block_device){...}, ...);
 *   for (;;) {
 *       receive; for a message or a client that is gone: block_server_handle();
 *       for BLOCK_EVENT_SUBMITTED: nothing; for the device's interrupt: block_server_done() for each request;
 *       block_server_pump();
 *   }
 *
 * An attachment is one client's ring and data:
 *
 *   FREE --ATTACH--> ACTIVE --ATTACH anew, CLIENT_GONE, CLOSE_TREE, ring lost--> DRAINING
 *   DRAINING --nothing of it is in flight--> FREE, or ACTIVE by the ATTACH that waited
 *
 * A1  what is in flight of an attachment that drains is reported to nobody
 * A2  data of an attachment is given back to the device only when nothing of it is in flight
 * A3  an ATTACH waits only while its attachment drains
 * A4  a client that starts anew, with a new session, takes over what drains of the run before in the same
 *     memory: nothing of that is in flight when its own requests are carried out
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "lib/server/block_queue.h"
#include "lib/server/block_session.h"
#include "lib/server/guard.h"

#define BLOCK_ATTACHMENTS_MAX 16u

/* A piece of a client's data. The device fills in how it reaches it. */
struct block_piece {
    mnos_cap_t memory;
    uint32_t first_page, pages;
    uint64_t bus;       /* for a device that reads and writes by itself */
    struct guard guard; /* for one whose driver copies */
};

/* One request that the driver works at. */
struct block_flight {
    uint8_t state; /* enum block_flight_state */
    uint8_t op, flags;
    uint8_t then_flush; /* the write is there; for BLOCK_FUA a flush follows */
    uint16_t offset;
    uint16_t attachment; /* its number */
    uint32_t id, page, bytes;
    uint64_t sector; /* of the disk */
    uint64_t since_ns;
};

enum block_flight_state { BLOCK_FLIGHT_FREE, BLOCK_FLIGHT_WAITS, BLOCK_FLIGHT_ISSUED };

/* A run of bytes of a request. */
struct block_segment {
    void *address;
    uint64_t bus;
    uint32_t bytes;
};

enum block_attachment_state { BLOCK_FREE, BLOCK_ACTIVE, BLOCK_DRAINING };

/* An ATTACH that waits (A3), or one that is carried out. */
struct block_attach_call {
    uint64_t reply_id; /* 0: there is none */
    mnos_cap_t ring, data, endpoint;
    struct block_attach record;
};

struct block_attachment {
    uint8_t state; /* enum block_attachment_state */
    bool news;     /* the client has not been told of a completion yet */
    mnos_badge_t badge;
    struct block_attach_call call; /* ACTIVE: the capabilities that are held */
    struct block_attach_call next; /* DRAINING: the one that waits */
    struct guard ring_guard;
    struct block_queue queue;
    struct block_limits limits;
    uint32_t flying;
    uint32_t piece_count;
    bool copies; /* the driver reaches a piece by itself, so it may lose it */
    struct block_piece pieces[BLOCK_PIECES_MAX];
    struct block_flight flights[BLOCK_FLIGHTS_MAX];
};

struct block_device_operations {
    /* Begins a request, or does it: block_server_done() now or later. MNOS_ERR_AGAIN: the device has no
     * room; it is submitted again by a later pump. */
    mnos_status_t (*submit)(void *context, struct block_flight *flight);
    /* After a batch. */
    void (*kick)(void *context);
    /* Whether and how the device reaches a piece. On an error nothing is kept. */
    mnos_status_t (*attach_data)(void *context, struct block_piece *piece);
    void (*detach_data)(void *context, struct block_piece *piece);
};

struct block_device {
    const struct block_device_operations *operations;
    void *context;
    struct block_info info; /* of the whole disk */
};

struct block_server {
    mnos_cap_t endpoint;
    const struct block_device *device;
    struct block_sessions *sessions;
    uint64_t epoch;
    uint32_t turn;    /* the attachment that is looked at first */
    uint32_t used;    /* attachments from here on have been FREE all the time */
    uint32_t waiting; /* flights in BLOCK_FLIGHT_WAITS */
    uint32_t issued;
    uint64_t
        oldest_ns; /* no request that the device has is older; of no meaning while it has none */
    bool full;     /* the device took no more in this pump */
    struct block_attachment attachments[BLOCK_ATTACHMENTS_MAX];
};

/* `epoch`: not 0, and another one for each run. Sessions whose badge has gone meanwhile are removed. */
void block_server_open(struct block_server *server, const struct block_device *device,
                       struct block_sessions *sessions, mnos_cap_t endpoint, uint64_t epoch);
/* Capabilities that a message may bring: message.accept. */
#define BLOCK_SERVER_ACCEPTS 3u
/* A message, or a client that is gone; it becomes the reply, with reply_id 0 when there is none to send
 * now. One that carries a capability is sent already. */
void block_server_handle(struct block_server *server, struct message *message);
/* Takes what clients have submitted, as much as the device takes, and tells clients what is done. */
void block_server_pump(struct block_server *server);
/* The device is done with a request, which is not looked at afterwards. */
void block_server_done(struct block_server *server, struct block_flight *flight,
                       mnos_status_t status, uint64_t bad_sector);
/* The device has forgotten everything: what it was given is submitted again by the next pump. */
void block_server_repeat(struct block_server *server);
/* The device will not answer any more: everything that it was given fails. */
void block_server_fail(struct block_server *server);
/* Before this the device was given none of the requests that it has; never: it has none. Cheap. */
uint64_t block_server_issued_after(const struct block_server *server);
/* When the request that the device has had for longest was given to it; never: it has none. Looks at all. */
uint64_t block_server_oldest(struct block_server *server);

/* A number of the request below BLOCK_FLIGHT_NUMBERS, and the request of a number that the device
 * returned; NULL: the device has none of that number. */
#define BLOCK_FLIGHT_NUMBERS (BLOCK_ATTACHMENTS_MAX * BLOCK_FLIGHTS_MAX)
uint32_t block_flight_number(const struct block_server *server, const struct block_flight *flight);
struct block_flight *block_flight_of(struct block_server *server, uint32_t number);
/* The runs of its data, in order: their number, at most `max`, which is enough for every request when it
 * is BLOCK_SEGMENTS_MAX. */
#define BLOCK_SEGMENTS_MAX (BLOCK_PIECES_MAX + 1)
uint32_t block_segments(const struct block_server *server, const struct block_flight *flight,
                        struct block_segment *segments, uint32_t max);

/* ---- What the files of the server share ---- */

/* The attachment of a badge, or NULL. */
struct block_attachment *block_attachment_of(struct block_server *server, mnos_badge_t badge);
/* ACTIVE becomes DRAINING, and FREE as soon as nothing is in flight. */
void block_attachment_drop(struct block_server *server, struct block_attachment *attachment);
/* DRAINING with nothing in flight: FREE, and then what waited. */
void block_attachment_drained(struct block_server *server, struct block_attachment *attachment);
/* The requests ATTACH and EXTEND: MNOS_ERR_AGAIN stands for "answered later". */
mnos_status_t block_attach(struct block_server *server, struct block_session *session,
                           struct message *message);
mnos_status_t block_extend_data(struct block_server *server, struct message *message);
