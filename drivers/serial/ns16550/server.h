// SPDX-License-Identifier: MIT
/*
 * server.h - the clients of the serial driver: protocols/stream.def and serial.def.
 *
 * A request that cannot be answered yet is set aside and answered in order of arrival.
 *
 * V1  when a read is set aside, no received byte is ready, bytes are taken in, and its client is in front
 * V2  when a write is set aside, or a ring holds output, the device will interrupt when it takes more bytes, or
 *     server_deadline() is now
 * V3  `told` is true exactly when bytes are ready and the client in front has been told since
 *     there were none, or since it came in front
 *
 * A write is answered when the device has its last byte: from then on nothing that happens to this
 * driver can lose it. So it is with output in a ring, which stays there until the device has it.
 */
#pragma once

#include "abi/message.h"
#include "drivers/serial/ns16550/backlog.h"
#include "drivers/serial/ns16550/scan.h"
#include "drivers/serial/ns16550/uart.h"
#include "lib/mnos/ipc.h"
#include "lib/server/front.h"
#include "lib/server/stream_client.h"
#include "protocols/stream.h"

#define SERVER_READS_MAX 8
#define SERVER_WRITES_MAX 8
/* Of these, how many may be of sessions, all together: the rest is for the holder and other clients of the manifest. */
#define SERVER_WRITES_OF_SESSIONS 6
#define SERVER_ASKS_MAX 8
#define SERVER_PATIENCE_NS 200000000ull /* with a terminal that is asked for its size */
/* The bytes of an answer come one right after the other; what looks like the beginning of one may be the Escape key. */
#define SERVER_SEQUENCE_NS 50000000ull

/* Of a client of the manifest's that is not the holder: it only writes. In the place of a badge. */
#define SERVER_VISITOR UINT64_MAX

/* What outlives the driver, plain data in a region. */
struct server_state {
    struct front front;
    _Atomic mnos_badge_t holder_run; /* by which the holder asked last; 0: it has not */
    _Atomic uint64_t size;           /* of the terminal: size.c; 0: it has not been asked */
};

struct pending_read {
    mnos_badge_t client;
    uint64_t reply_id;
    size_t max_bytes;
};

struct pending_write {
    mnos_badge_t client;
    uint64_t reply_id;
    size_t length;
    size_t sent; /* bytes of it that the device has */
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
};

/* WINSIZE before the size is known. */
struct pending_ask {
    mnos_badge_t client;
    uint64_t reply_id;
};

struct server {
    struct uart *uart;
    mnos_cap_t endpoint; /* that its clients send to */
    uint64_t holder;     /* the number of the service that is in front at first; 0: nobody is */
    struct server_state *state; /* outlives the driver */
    uint64_t now_ns;            /* the caller's to set before each call */
    struct backlog backlog;     /* goes out before any write */
    bool told;
    mnos_badge_t held_by; /* the client that wants bytes to stay in the device; 0: none */
    unsigned read_count, write_count, ask_count; /* the first of each is the oldest */
    struct pending_read reads[SERVER_READS_MAX];
    struct pending_write writes[SERVER_WRITES_MAX];
    struct pending_ask asks[SERVER_ASKS_MAX];
    struct stream_clients clients;
    /* input.c */
    struct scan scan;
    uint64_t sequence_until_ns; /* the beginning of an answer is kept back so long; 0: none is */
    bool interrupt_waits;       /* for this one to listen: a Ctrl-C that it was not told of */
    mnos_badge_t interrupted;
    /* size.c */
    const char *question;    /* what of it is still to be sent; NULL: nothing */
    uint64_t asked_until_ns; /* the answer is waited for; 0: it is not */
    struct scan_answer answer;
    /* output.c */
    unsigned ring;    /* the client whose output ring is being emptied */
    size_t ring_left; /* of what has been begun of it */
    bool more;        /* there is output that no interrupt will come for */
};

/* With `uart`, `endpoint`, `holder`, `state` and `now_ns` set: forgets the sessions that ended while no driver ran. */
void server_begin(struct server *server, bool fresh, mnos_badge_t first_badge);

/* Handles a message from a client. `msg` becomes the reply, with reply_id 0 when there is none to
 * send now. */
void server_handle(struct server *server, struct message *msg);

/* The device may have received bytes or made room, a client may have changed its rings, or the deadline has passed:
 * answers whom it can. */
void server_progress(struct server *server);

/* When server_progress() has to be called at the latest. */
uint64_t server_deadline(const struct server *server);
