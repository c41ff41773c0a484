// SPDX-License-Identifier: MIT
/*
 * server.h - the clients of the serial driver: protocols/serial.def.
 *
 * A request that cannot be answered yet is set aside and answered in order of arrival.
 *
 * V1  when a read is set aside, the receive queue is empty and bytes are taken in
 * V2  when a write is set aside, the device will interrupt when it takes more bytes
 * V3  `told` is true exactly when the queue holds something and the listeners have been told since
 *     it was empty last
 *
 * A write is answered when the device has its last byte: from then on nothing that happens to this
 * driver can lose it.
 */
#pragma once

#include "abi/message.h"
#include "drivers/serial/ns16550/backlog.h"
#include "drivers/serial/ns16550/uart.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/listener.h"

#define SERVER_READS_MAX 8
#define SERVER_WRITES_MAX 8
#define SERVER_LISTENERS_MAX 8

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

struct server_listener {
    mnos_badge_t client; /* 0: a free entry */
    struct listener listener;
};

struct server {
    struct uart *uart;
    mnos_cap_t endpoint;    /* that its clients send to */
    struct backlog backlog; /* goes out before any write */
    bool told;
    mnos_badge_t held_by; /* the client that wants bytes to stay in the device; 0: none */
    unsigned read_count, write_count; /* the first of each is the oldest */
    struct server_listener listeners[SERVER_LISTENERS_MAX];
    struct pending_read reads[SERVER_READS_MAX];
    struct pending_write writes[SERVER_WRITES_MAX];
};

/* Handles a message from a client. `msg` becomes the reply, with reply_id 0 when there is none to
 * send now. */
void server_handle(struct server *server, struct message *msg);

/* The device may have received bytes or made room: answers whom it can. */
void server_progress(struct server *server);
