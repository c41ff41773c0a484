// SPDX-License-Identifier: MIT
/*
 * message.h - how a message travels through the four IPC calls, and the IPC buffer.
 *
 * Registers, into the kernel:
 *
 *   call        RDI        RSI    RDX R10 R8 R9          R12        R13
 *   ipc_send    endpoint   info   message bytes 0-31     deadline   -
 *   ipc_call    endpoint   info   message bytes 0-31     deadline   -
 *   ipc_recv    endpoint   info   -                      deadline   -
 *   ipc_reply   reply id   info   message bytes 0-31     deadline   endpoint to receive from, or 0
 *   ... NOTIFY  endpoint   info   RDX: events            deadline   endpoint to receive from
 *
 * ipc_reply delivers the reply and, when R13 is not 0, waits for the next message in the same call;
 * with reply id 0 it only waits. Replying itself never waits. With MNOS_INFO_NOTIFY in the info word it
 * delivers a notification instead of a reply, as sys_ipc_notify would, and then waits.
 *
 * Registers, out of the kernel (RAX is the status as for every call; on an error the others are
 * undefined, and RBX RBP R13 R14 R15 are always preserved):
 *
 *   after       RDI     RSI    RDX R10 R8 R9          R12
 *   ipc_call    0       info   bytes 0-31 of reply    0
 *   ipc_recv    badge   info   message bytes 0-31     reply id, or 0 when the sender does not wait
 *   ipc_send    -       -      -                      -
 *
 * An IPC call, sys_thread_block on MNOS_SELF and sys_thread_yield are function calls as far as vector
 * registers go: XMM, YMM, ZMM and mask registers are lost (cleared), MXCSR and the x87 control word are
 * kept.
 *
 * Bytes beyond the first 32 travel in the thread's IPC buffer, byte 32 at its very start; the first 32
 * are never read from or written to the buffer.
 */
#pragma once

#include "abi/types.h"

#define MNOS_MESSAGE_REGISTER_BYTES 32
#define MNOS_MESSAGE_MAX_BYTES 4000
#define MNOS_BUFFER_DATA_BYTES 3976
#define MNOS_MESSAGE_MAX_CAPS 4

/*
 * The info word. Sending: label, length in bytes, number of capabilities (handles in send_caps).
 * `accept` is how many capabilities the caller takes in the message it will receive (in ipc_call:
 * in the reply). Receiving: label, length, number of capabilities received, and the kind.
 */
#define MNOS_INFO_LENGTH_SHIFT 0  /* 13 bits */
#define MNOS_INFO_CAPS_SHIFT 13   /* 3 bits */
#define MNOS_INFO_ACCEPT_SHIFT 16 /* 3 bits */
#define MNOS_INFO_KIND_SHIFT 19   /* 3 bits; 10 above them are 0 */
#define MNOS_INFO_LABEL_SHIFT 32  /* 32 bits */

#define MNOS_INFO(label, length)                                                                   \
    ((uint64_t)(uint32_t)(label) << MNOS_INFO_LABEL_SHIFT | (uint64_t)(length))
#define MNOS_INFO_CAPS(count) ((uint64_t)(count) << MNOS_INFO_CAPS_SHIFT)
#define MNOS_INFO_ACCEPT(count) ((uint64_t)(count) << MNOS_INFO_ACCEPT_SHIFT)
#define MNOS_INFO_GET_LABEL(info) ((uint32_t)((info) >> MNOS_INFO_LABEL_SHIFT))
#define MNOS_INFO_GET_LENGTH(info) ((unsigned)(info)&0x1FFF)
#define MNOS_INFO_GET_CAPS(info) ((unsigned)(((info) >> MNOS_INFO_CAPS_SHIFT) & 7))
#define MNOS_INFO_GET_ACCEPT(info) ((unsigned)(((info) >> MNOS_INFO_ACCEPT_SHIFT) & 7))
#define MNOS_INFO_GET_KIND(info) ((unsigned)(((info) >> MNOS_INFO_KIND_SHIFT) & 7))

/* In the info word of ipc_reply: there is no reply and will be none; the caller's sys_ipc_call returns
 * MNOS_ERR_PEER. The message is ignored. */
#define MNOS_INFO_DROP ((uint64_t)1 << MNOS_INFO_KIND_SHIFT)
/* In the info word of ipc_reply, with nothing else but how many capabilities are accepted: RDI is the endpoint
 * whose events RDX are set. */
#define MNOS_INFO_NOTIFY ((uint64_t)2 << MNOS_INFO_KIND_SHIFT)

enum mnos_message_kind {
    MNOS_KIND_MESSAGE = 0,
    /* RDX holds the events that were set since the last receive; badge is 0. */
    MNOS_KIND_EVENTS = 1,
    /* The last capability with this badge is gone: no message from this client can follow. With badge 0 more
     * went than the endpoint had room for: of each client that it knows the receiver asks whether it is still
     * there, by sys_cap_inspect(endpoint, MNOS_VIEW_BADGE, badge). */
    MNOS_KIND_CLIENT_GONE = 2,
    /* A thread has faulted: struct mnos_fault (fault.h). */
    MNOS_KIND_FAULT = 3,
};

/* Event bits: programs choose their meaning; none is reserved by the kernel. */
#define MNOS_EVENTS_ALL UINT64_MAX

enum mnos_received_cap {
    MNOS_RECEIVED_NONE = 0,
    MNOS_RECEIVED_HANDLE = 1, /* recv_caps[i] is a handle in the receiver's table */
    /* The capability was to the endpoint the message was received from; recv_caps[i] is its badge. */
    MNOS_RECEIVED_BADGE = 2,
};

/* One page per thread, allocated by the kernel, mapped read-write at an address that the creator of
 * the thread chose. System calls also read parameter records from it and write records to it; these
 * begin at data[0]. */
struct mnos_ipc_buffer {
    uint8_t data[MNOS_BUFFER_DATA_BYTES];
    /* An upcall (fault.h): where the thread was; the faulting address; RFLAGS, error code and vector. As
     * long as upcall_state is not 0 there is no other one. */
    uint64_t upcall_rip;
    uint64_t upcall_address;
    uint64_t upcall_state;
    mnos_cap_t send_caps[MNOS_MESSAGE_MAX_CAPS];
    uint64_t recv_caps[MNOS_MESSAGE_MAX_CAPS];
    uint8_t send_rights[MNOS_MESSAGE_MAX_CAPS]; /* rights the receiver gets; 0xFF: all of mine */
    uint8_t recv_kinds[MNOS_MESSAGE_MAX_CAPS];  /* enum mnos_received_cap */
    uint64_t reserved[3];
};
_Static_assert(sizeof(struct mnos_ipc_buffer) == MNOS_PAGE_BYTES, "the IPC buffer is one page");
