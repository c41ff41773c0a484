// SPDX-License-Identifier: MIT
/*
 * stream_server.h - the clients of a service with a terminal (protocols/stream.def), whatever the terminal is: the driver of a
 * serial line has it at the other end of a wire, and the service of the screen is one.
 *
 * A request that cannot be answered yet is set aside and answered in order of arrival.
 *
 * V1  when a read is set aside, no received byte is ready, bytes are taken in, and its client is in front
 * V2  when a write is set aside, or a ring holds output, the device brings its owner to
 *     stream_server_progress() when it takes more bytes, or stream_server_deadline() is now
 * V3  `told` is true exactly when bytes are ready and the client in front has been told since
 *     there were none, or since it came in front
 *
 * A write is answered when the device has its last byte: of what happens to the service from then on, nothing can lose
 * what the device keeps. So it is with output in a ring, which stays there until the device has it.
 */
#pragma once

#include "abi/message.h"
#include "lib/server/stream_scan.h"
#include "lib/mnos/ipc.h"
#include "lib/server/front.h"
#include "lib/server/stream_client.h"
#include "protocols/stream.h"

#define STREAM_READS_MAX 8
#define STREAM_WRITES_MAX 8
/* Of these, how many may be of sessions, all together: the rest is for the holder and other clients of the manifest. */
#define STREAM_WRITES_OF_SESSIONS 6
#define STREAM_ASKS_MAX 8
#define STREAM_PATIENCE_NS 200000000ull /* with a terminal that is asked for its size */
/* The bytes of an answer come one right after the other; what looks like the beginning of one may be the Escape key. */
#define STREAM_SEQUENCE_NS 50000000ull
/* A HOLD with what is on its way: it comes at once, unless who brings it waits for a driver that never answers. */
#define STREAM_HOLD_NS 1000000000ull

/* In the badges of sessions, so that badges of several terminals are different, and say of which they are. */
#define STREAM_NUMBER_SHIFT 60u
#define STREAM_NUMBER_MAX 7u
/* Of a client of the manifest's that is not the holder: it only writes. In the place of a badge. */
#define STREAM_VISITOR UINT64_MAX

/* Where bytes go to and come from; `context` is what its functions get. */
struct stream_device {
    void *context;
    struct byte_queue *received; /* what has come in, in order; the device only puts */
    /* Takes as many as it can, and says how many. When it does not take all of them, its owner calls
     * stream_server_progress() once it can take more. More may have come in meanwhile. */
    size_t (*send)(void *context, const uint8_t *bytes, size_t count);
    /* Sends what goes out before anything of a client's; true: nothing of it is left. NULL: there is nothing. */
    bool (*send_own)(void *context);
    /* There is less in `received` than before. */
    void (*taken)(void *context);
    /* Whether what arrives stays where it comes from. */
    void (*hold)(void *context, bool hold);
    /* Whether something may be on its way into `received` that left where it comes from before hold() said that it is to stay.
     * Whoever brings it calls stream_server_progress() when it is there, or nothing comes. NULL: nothing ever is. */
    bool (*on_its_way)(void *context);
    /* A request that is not of stream.def: true, and `msg` is the reply; false: this device has none such. NULL: none. */
    bool (*request)(void *context, struct message *msg);
};

/* What outlives the process, plain data in a region. */
struct stream_server_state {
    struct front front;
    _Atomic mnos_badge_t holder_run; /* by which the holder asked last; 0: it has not */
    _Atomic uint64_t size;           /* of the terminal: stream_size.c; 0: it has not been asked */
};

struct pending_read {
    mnos_badge_t client;
    uint64_t reply_id;
    size_t max_bytes;
    uint64_t until_ns; /* of a HOLD, which waits only for what is on its way; 0: a READ */
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

struct stream_server {
    const struct stream_device *device;
    mnos_cap_t endpoint; /* that its clients send to */
    uint64_t holder;     /* the number of the service that is in front at first; 0: nobody is */
    /* 0, or of several terminals of one service which: 1 to STREAM_NUMBER_MAX. Such a one has no key of last resort. */
    uint32_t number;
    struct stream_server_state *state; /* outlives the process */
    uint64_t now_ns;                   /* the caller's to set before each call */
    bool told;
    mnos_badge_t held_by; /* the client that wants bytes to stay in the device; 0: none */
    unsigned read_count, write_count, ask_count; /* the first of each is the oldest */
    struct pending_read reads[STREAM_READS_MAX];
    struct pending_write writes[STREAM_WRITES_MAX];
    struct pending_ask asks[STREAM_ASKS_MAX];
    struct stream_clients clients;
    /* stream_input.c */
    struct scan scan;
    uint64_t sequence_until_ns; /* the beginning of an answer is kept back so long; 0: none is */
    bool interrupt_waits;       /* for this one to listen: a Ctrl-C that it was not told of */
    mnos_badge_t interrupted;
    /* stream_size.c */
    const char *question;    /* what of it is still to be sent; NULL: nothing */
    uint64_t asked_until_ns; /* the answer is waited for; 0: it is not */
    struct scan_answer answer;
    /* stream_output.c */
    unsigned ring;    /* the client whose output ring is being emptied */
    size_t ring_left; /* of what has been begun of it */
    bool more;        /* there is output that the device would take now */
};

/* With `device`, `endpoint`, `holder`, `number`, `state` and `now_ns` set: forgets the sessions that ended while no server ran. */
void stream_server_begin(struct stream_server *server, bool fresh, mnos_badge_t first_badge);

/* Capabilities that a message may bring, those of STREAM_ATTACH: message.accept. */
#define STREAM_SERVER_ACCEPTS 3u
/* Of a device that knows how large it is, so that it need not be asked. */
void stream_server_set_size(struct stream_server *server, unsigned columns, unsigned rows);
/* Which of the terminals of a service, whose holder is that of `server`, a request concerns: its number; 0 also for one that is
 * for none of them. */
uint32_t stream_server_number(const struct stream_server *server, const struct message *msg);
/* Handles a message from a client. `msg` becomes the reply, with reply_id 0 when there is none to
 * send now. */
void stream_server_handle(struct stream_server *server, struct message *msg);

/* The device may have got bytes or made room, a client may have changed its rings, or the deadline has passed:
 * answers whom it can. */
void stream_server_progress(struct stream_server *server);

/* When stream_server_progress() has to be called at the latest. */
uint64_t stream_server_deadline(const struct stream_server *server);
