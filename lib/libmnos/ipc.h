// SPDX-License-Identifier: MIT
/*
 * ipc.h - messages and the four IPC calls. The register convention is abi/message.h.
 *
 * A struct message holds what travels in registers: label, length and the first 32 bytes. Longer
 * messages continue in the IPC buffer, from which the next system call that uses it may take them:
 * message_get() copies all of it out, and has to come first. A reply's label is its status.
 *
 * Not kept here: which labels exist (protocols/).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/message.h"
#include "abi/types.h"

struct message {
    uint64_t words[MNOS_MESSAGE_REGISTER_BYTES / 8]; /* the first bytes */
    uint32_t label;
    uint32_t length; /* bytes */
    /* Sending: handles already placed with message_add_cap(). Received: their number. */
    uint32_t cap_count;
    uint32_t accept;    /* capabilities taken in the message to come */
    uint32_t kind;      /* received: enum mnos_message_kind */
    mnos_badge_t badge; /* received: of the capability the sender used */
    uint64_t reply_id;  /* received: 0 when the sender does not wait; ipc_reply: whom to answer */
};

/* Starts a message of `length` bytes (at most MNOS_MESSAGE_MAX_BYTES) without capabilities; keeps
 * reply_id and accept. */
void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length);

/* Copies at most `size` bytes of a received message out and zeroes the rest of `out`; returns how
 * many there were. */
size_t message_get(const struct message *msg, void *out, size_t size);

/* Adds a capability to a message to send; the receiver gets at most `rights`. */
void message_add_cap(struct message *msg, mnos_cap_t cap, mnos_rights_t rights);

/* The handle of received capability `index`, or 0 when it is none. */
mnos_cap_t message_cap(const struct message *msg, unsigned index);

/* The badge of received capability `index` when it is to the endpoint that the message came from, or 0. */
mnos_badge_t message_cap_badge(const struct message *msg, unsigned index);

/* Deletes the capabilities that came with a message: a server that takes one must not keep those
 * that it did not ask for, or a client could fill its table. */
void message_refuse_caps(const struct message *msg);

/* Sends `msg` and waits for the reply, which replaces it. An error is the kernel's; what the server
 * answered is msg->label. */
mnos_status_t ipc_call(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns);

/* As ipc_call() with no time limit, and what the server answered is the result too. */
mnos_status_t ipc_request(mnos_cap_t endpoint, struct message *msg);

mnos_status_t ipc_send(mnos_cap_t endpoint, const struct message *msg, uint64_t deadline_ns);

/* Waits for the next message or event; fills in `msg`. Uses msg->accept. */
mnos_status_t ipc_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns);

/* Answers msg->reply_id; never waits. */
mnos_status_t ipc_reply(const struct message *msg);

/* Answers msg->reply_id, when it is not 0, and waits for the next message, in one system call. When
 * the caller that is answered is gone it waits all the same. */
mnos_status_t ipc_reply_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns);

/* Whether the message of kind MNOS_KIND_CLIENT_GONE that came from `endpoint` with badge `gone` says that
 * `client` has gone. Badge 0 stands for several: then the kernel is asked. A server calls it for each client
 * that it has something of. */
bool ipc_client_is_gone(mnos_cap_t endpoint, mnos_badge_t gone, mnos_badge_t client);

/* Answers with a status and no data. Nothing can be done when the client is gone, so no result. */
void ipc_reply_status(uint64_t reply_id, mnos_status_t status);
