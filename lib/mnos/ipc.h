// SPDX-License-Identifier: MIT
/*
 * ipc.h - messages and the four IPC calls. The register convention is abi/message.h.
 *
 * A struct message holds what travels in registers: label, length and the first 32 bytes. Longer
 * messages continue in the IPC buffer, from which the next system call that uses it may take them:
 * message_get() copies all of it out, and has to come first. A reply's label is its status.
 *
 * A client's call and a server's loop are inline: what the compiler knows of a message (its label, its
 * length, that nobody looks at its badge) costs nothing then. What is rare is in ipc.c.
 *
 * Not kept here: which labels exist (protocols/).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/message.h"
#include "abi/types.h"
#include "lib/mnos/ipc_stub.h"
#include "lib/mnos/syscall.h"
#include "lib/base/string.h"

struct message {
    uint64_t words[MNOS_MESSAGE_REGISTER_BYTES / 8]; /* the first bytes */
    /* The info word of abi/message.h, as it goes into the register and comes out of it. */
    union {
        uint64_t info;
        struct {
            uint32_t length : MNOS_INFO_CAPS_SHIFT; /* bytes */
            /* Sending: handles already placed with message_add_cap(). Received: their number. */
            uint32_t cap_count : 3;
            uint32_t accept : 3; /* capabilities taken in the message to come */
            uint32_t kind : 3;   /* received: enum mnos_message_kind */
            uint32_t : 10;
            uint32_t label;
        };
    };
    mnos_badge_t badge; /* received: of the capability the sender used */
    uint64_t reply_id;  /* received: 0 when the sender does not wait; ipc_reply: whom to answer */
};

#define MESSAGE_ACCEPT_MASK MNOS_INFO_ACCEPT(7)
#define MESSAGE_KIND_MASK ((uint64_t)7 << MNOS_INFO_KIND_SHIFT)

/* ---- what the stubs take out of a message and put into it ---- */

/* The kind is the kernel's to say, and what a received event has there would mean something else in a
 * message that is sent. */
static inline struct ipc_registers message_registers(const struct message *msg, uint64_t rdi,
                                                     uint64_t deadline_ns)
{
    return (struct ipc_registers){.rdi = rdi,
                                  .rsi = msg->info & ~MESSAGE_KIND_MASK,
                                  .rdx = msg->words[0],
                                  .r10 = msg->words[1],
                                  .r8 = msg->words[2],
                                  .r9 = msg->words[3],
                                  .r12 = deadline_ns};
}

/* `accept` is the receiver's own, and stays. */
static inline void message_fill(struct message *msg, const struct ipc_registers *regs)
{
    msg->words[0] = regs->rdx;
    msg->words[1] = regs->r10;
    msg->words[2] = regs->r8;
    msg->words[3] = regs->r9;
    msg->info = regs->rsi | (msg->info & MESSAGE_ACCEPT_MASK);
    msg->badge = regs->rdi;
    msg->reply_id = regs->r12;
}

/* ---- messages ---- */

/* Starts a message of `length` bytes (at most MNOS_MESSAGE_MAX_BYTES) without capabilities; keeps
 * reply_id and accept. */
static inline void message_put(struct message *msg, uint32_t label, const void *bytes,
                               size_t length)
{
    size_t in_registers = length < sizeof msg->words ? length : sizeof msg->words;

    msg->info = MNOS_INFO(label, length) | (msg->info & MESSAGE_ACCEPT_MASK);
    if (in_registers != sizeof msg->words)
        memset(msg->words, 0, sizeof msg->words);
    if (length != 0)
        memcpy(msg->words, bytes, in_registers);
    if (length > in_registers)
        memcpy(ipc_buffer()->data, (const uint8_t *)bytes + in_registers, length - in_registers);
}

/* message_get() when the message is longer or shorter than what is asked for. */
size_t message_get_part(const struct message *msg, void *out, size_t size);

/* Copies at most `size` bytes of a received message out and zeroes the rest of `out`; returns how
 * many there were. */
static inline size_t message_get(const struct message *msg, void *out, size_t size)
{
    size_t in_registers = size < sizeof msg->words ? size : sizeof msg->words;

    if (__builtin_expect(msg->length != size, 0))
        return message_get_part(msg, out, size);
    memcpy(out, msg->words, in_registers);
    if (size > in_registers)
        memcpy((uint8_t *)out + in_registers, ipc_buffer()->data, size - in_registers);
    return size;
}

/* Adds a capability to a message to send; the receiver gets at most `rights`. */
void message_add_cap(struct message *msg, mnos_cap_t cap, mnos_rights_t rights);

/* The handle of received capability `index`, or 0 when it is none. */
mnos_cap_t message_cap(const struct message *msg, unsigned index);

/* The badge of received capability `index` when it is to the endpoint that the message came from, or 0. */
mnos_badge_t message_cap_badge(const struct message *msg, unsigned index);

/* Deletes the capabilities that came with a message: a server that takes one must not keep those
 * that it did not ask for, or a client could fill its table. */
void message_refuse_caps(const struct message *msg);

/* ---- calls ---- */

/* Sends `msg` and waits for the reply, which replaces it. An error is the kernel's; what the server
 * answered is msg->label. */
static inline mnos_status_t ipc_call(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns)
{
    struct ipc_registers regs = message_registers(msg, endpoint, deadline_ns);
    uint64_t rax = ipc_stub_call(&regs);

    if (__builtin_expect((uint32_t)rax != MNOS_OK, 0))
        return error_record(MNOS_SYS_ipc_call, rax);
    message_fill(msg, &regs);
    return MNOS_OK;
}

/* As ipc_call() with no time limit, and what the server answered is the result too. */
static inline mnos_status_t ipc_request(mnos_cap_t endpoint, struct message *msg)
{
    mnos_status_t status = ipc_call(endpoint, msg, MNOS_DEADLINE_NEVER);

    if (__builtin_expect(status != MNOS_OK, 0))
        return status;
    /* The server's status must not be explained with the details of an earlier system call's. */
    if (__builtin_expect(msg->label != MNOS_OK, 0))
        error_forget();
    return (mnos_status_t)msg->label;
}

mnos_status_t ipc_send(mnos_cap_t endpoint, const struct message *msg, uint64_t deadline_ns);

/* Waits for the next message or event; fills in `msg`. Uses msg->accept. */
mnos_status_t ipc_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns);

/* Answers msg->reply_id; never waits. */
mnos_status_t ipc_reply(const struct message *msg);

/* Answers msg->reply_id, when it is not 0, and waits for the next message, in one system call. When
 * the caller that is answered is gone it waits all the same. */
static inline mnos_status_t ipc_reply_receive(mnos_cap_t endpoint, struct message *msg,
                                              uint64_t deadline_ns)
{
    struct ipc_registers regs = message_registers(msg, msg->reply_id, deadline_ns);
    uint64_t rax;

    regs.r13 = endpoint;
    rax = ipc_stub_reply(&regs);
    if (__builtin_expect((uint32_t)rax != MNOS_OK, 0)) {
        /* The client died while it was served: nothing to do for it. */
        if ((uint32_t)rax == MNOS_ERR_REPLY)
            return ipc_receive(endpoint, msg, deadline_ns);
        return error_record(MNOS_SYS_ipc_reply, rax);
    }
    message_fill(msg, &regs);
    return MNOS_OK;
}

/* The same for the loop of a server, where `accept` capabilities are taken in each message: msg->accept is not looked at, and
 * is 0 behind a message that came. */
static inline mnos_status_t ipc_reply_receive_accepting(mnos_cap_t endpoint, struct message *msg,
                                                        unsigned accept, uint64_t deadline_ns)
{
    struct ipc_registers regs = message_registers(msg, msg->reply_id, deadline_ns);
    uint64_t rax;

    regs.rsi = (regs.rsi & ~MESSAGE_ACCEPT_MASK) | MNOS_INFO_ACCEPT(accept);
    regs.r13 = endpoint;
    rax = ipc_stub_reply(&regs);
    if (__builtin_expect((uint32_t)rax != MNOS_OK, 0)) {
        if ((uint32_t)rax != MNOS_ERR_REPLY)
            return error_record(MNOS_SYS_ipc_reply, rax);
        msg->accept = accept & 7; /* as many as the field holds */
        return ipc_receive(endpoint, msg, deadline_ns);
    }
    msg->info = 0;
    message_fill(msg, &regs);
    return MNOS_OK;
}

/* Sets `events` on `target` and waits on `endpoint` for the next message, in one system call: for two that wake one
 * another in turn, as at the ends of a ring. The events are set also when the wait ends with an error. */
static inline mnos_status_t ipc_notify_receive(mnos_cap_t target, uint64_t events,
                                               mnos_cap_t endpoint, struct message *msg,
                                               uint64_t deadline_ns)
{
    struct ipc_registers regs = {.rdi = target,
                                 .rsi = (msg->info & MESSAGE_ACCEPT_MASK) | MNOS_INFO_NOTIFY,
                                 .rdx = events,
                                 .r12 = deadline_ns,
                                 .r13 = endpoint};
    uint64_t rax = ipc_stub_reply(&regs);

    if (__builtin_expect((uint32_t)rax != MNOS_OK, 0))
        return error_record(MNOS_SYS_ipc_reply, rax);
    message_fill(msg, &regs);
    return MNOS_OK;
}

/* Whether the message of kind MNOS_KIND_CLIENT_GONE that came from `endpoint` with badge `gone` says that
 * `client` has gone. Badge 0 stands for several: then the kernel is asked. A server calls it for each client
 * that it has something of. */
bool ipc_client_is_gone(mnos_cap_t endpoint, mnos_badge_t gone, mnos_badge_t client);

/* Answers with a status and no data. Nothing can be done when the client is gone, so no result. */
void ipc_reply_status(uint64_t reply_id, mnos_status_t status);
