// SPDX-License-Identifier: MIT
/* file_internal.h - one request to a file system: what the files of the client share. */
#pragma once

#include "abi/message.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/file_copy.h"
#include "lib/client/service.h"
#include "lib/mnos/ipc.h"

/* Not a request of class N. */
#define FILE_NO_LANE UINT32_MAX

/* A request, which is put together in the message that is sent: up to 32 bytes of it are in `message`, the rest is in
 * the IPC buffer, which nothing else may use until it is sent. */
struct file_call {
    uint32_t operation;
    uint32_t lane; /* that it holds until it is answered, or FILE_NO_LANE */
    uint32_t bytes;
    struct message message; /* then the reply */
};

/* Whether the session is no more: the service does not know it, or its capability ended with who had minted it. */
static inline bool file_is_lost(mnos_status_t status)
{
    return status == MNOS_ERR_LOST || status == MNOS_ERR_HANDLE || status == MNOS_ERR_REVOKED;
}

/* Sends OPEN_SESSION. It may be called where a request has failed, so it has no large message of its own. */
mnos_status_t file_session_ask(mnos_cap_t service, const struct file_open_session *wanted,
                               struct file_session_begun *begun);
/* The session, which has no window, gets what has begun: the window is mapped. An error: nothing has changed. */
mnos_status_t file_session_take(struct file_session *session,
                                const struct file_session_begun *begun);
/* The service answered a request, that was sent in run `run` of the session, that it knows nothing of it: begins anew.
 * MNOS_ERR_LOST. */
mnos_status_t file_session_lost(struct file_session *session, uint32_t run);
/* A request was answered by an error, in run `run` of the session: gives its lane back, and is what the caller gets. Begins
 * the session anew where the service does not know it, or not what the lane has come to. */
mnos_status_t file_call_failed(struct file_session *session, uint32_t run, uint32_t lane,
                               mnos_status_t status);

/* ---- One request, in order: begin, add more to it, send. What was begun with a lane is sent. In place, since each
 * request takes them. ---- */

/* A lane that no other thread uses, when the first is used; when all are, waits for one. */
uint32_t file_take_other_lane(struct file_session *session);
/* For a request of class N, whose sequence is the lane's then: takes a lane, and waits for one when other threads have all. That
 * uses the IPC buffer. */
static inline uint32_t file_take_lane(struct file_session *session)
{
    uint32_t lane = mutex_try_lock(&session->lane_locks[0]) ? 0 : file_take_other_lane(session);

    session->sequences[lane] = label_next(session->sequences[lane]);
    return lane;
}
static inline void file_give_lane(struct file_session *session, uint32_t lane)
{
    if (lane != FILE_NO_LANE)
        mutex_unlock(&session->lane_locks[lane]);
}
/* Of a request of class N, or with FILE_NO_LANE of class I. */
static inline uint32_t file_label(const struct file_session *session, uint32_t operation,
                                  uint32_t lane)
{
    return lane == FILE_NO_LANE ? operation : label_make(operation, lane, session->sequences[lane]);
}
/* Begins it with a record of at most 32 bytes. */
static inline void file_call_begin(struct file_call *call, uint32_t operation, const void *record,
                                   size_t bytes)
{
    call->operation = operation;
    call->lane = FILE_NO_LANE;
    call->bytes = (uint32_t)bytes;
    call->message.info = 0;
    if (bytes != sizeof call->message.words)
        memset(call->message.words, 0, sizeof call->message.words);
    if (bytes != 0)
        memcpy(call->message.words, record, bytes);
}
/* One of class N. */
static inline void file_call_begin_once(struct file_call *call, struct file_session *session,
                                        uint32_t operation, const void *record, size_t bytes)
{
    uint32_t lane = file_take_lane(session); /* first, as it uses the IPC buffer */

    file_call_begin(call, operation, record, bytes);
    call->lane = lane;
}
/* What does not fit the registers. */
void file_call_add_long(struct file_call *call, const void *bytes, size_t count);
/* Puts more behind it. The caller has seen that all fits MNOS_MESSAGE_MAX_BYTES. */
static inline void file_call_add(struct file_call *call, const void *bytes, size_t count)
{
    uint8_t *to = (uint8_t *)call->message.words + call->bytes;

    if (call->bytes + count > sizeof call->message.words) {
        file_call_add_long(call, bytes, count);
        return;
    }
    call->bytes += (uint32_t)count;
    if (count >= 8 && count <= 16) { /* by two that overlap */
        memcpy(to + count - 8, (const uint8_t *)bytes + count - 8, 8);
        memcpy(to, bytes, 8);
    } else {
        memcpy(to, bytes, count);
    }
}
/* Sends it, again when the service dies, and waits for the reply. */
static inline __attribute__((always_inline)) mnos_status_t file_call_send(
    struct file_session *session, struct file_call *call)
{
    uint32_t run = session->runs, lane = call->lane;
    mnos_status_t status;

    call->message.info |= MNOS_INFO(file_label(session, call->operation, lane), call->bytes);
    status = service_call(session->service, &call->message);
    if (__builtin_expect(status != MNOS_OK, 0))
        return file_call_failed(session, run, lane, status);
    file_give_lane(session, lane);
    return status;
}

/* ---- A request of at most 32 bytes: in registers, and no message of it is in memory until one is needed ---- */

/* Whether it was answered by MNOS_OK; then the registers are the reply. Else they and *rax are what the call has ended with,
 * for file_quick_on(). */
static inline __attribute__((always_inline)) bool file_quick_call(
    const struct file_session *session, uint32_t label, uint32_t bytes, struct ipc_registers *regs,
    uint64_t *rax)
{
    regs->rdi = session->service;
    regs->rsi = MNOS_INFO(label, bytes);
    regs->r12 = service_deadline();
    *rax = ipc_stub_call(regs);
    return __builtin_expect((uint32_t)*rax == MNOS_OK && regs->rsi >> 32 == MNOS_OK, 1);
}

static inline uint32_t file_quick_length(const struct ipc_registers *regs)
{
    return (uint32_t)regs->rsi & ((1u << MNOS_INFO_CAPS_SHIFT) - 1);
}

/* Goes on where a call did not end with MNOS_OK, until there is an answer. `message` is the request, and becomes the reply. */
mnos_status_t file_quick_on(const struct file_session *session, struct message *message,
                            const struct ipc_registers *regs, uint64_t rax);

/* The same session of a service, by another capability: what was open is not. */
mnos_status_t file_session_replace(struct file_session *session, mnos_cap_t service);
/* What is known to be mounted at a name of the root; NULL: the table has to be asked. */
struct file_session *file_mounts_known(struct file_mounts *mounts, const char *name, size_t bytes);
/* The mount point with that inode, whose session is known, has this name. */
void file_mounts_name(struct file_mounts *mounts, uint64_t inode, const char *name);

/* A request of class I about an open file, whose record fits the registers. `message` becomes the reply. MNOS_ERR_LOST when
 * the file is from before the session began anew. */
static inline __attribute__((always_inline)) mnos_status_t file_ask(const struct file *file,
                                                                    uint32_t operation,
                                                                    const void *record,
                                                                    size_t bytes,
                                                                    struct message *message)
{
    struct file_session *session = file->session;
    struct ipc_registers regs;
    uint64_t words[4] = {0}, rax;

    if (file->run != session->runs)
        return MNOS_ERR_LOST;
    memcpy(words, record, bytes);
    regs = (struct ipc_registers){.rdx = words[0], .r10 = words[1], .r8 = words[2], .r9 = words[3]};
    if (__builtin_expect(!file_quick_call(session, operation, (uint32_t)bytes, &regs, &rax), 0)) {
        struct ipc_registers ended = regs;
        struct message other = {.words = {words[0], words[1], words[2], words[3]},
                                .info = MNOS_INFO(operation, bytes)};
        mnos_status_t status = file_quick_on(session, &other, &ended, rax);

        *message = other;
        return file_is_lost(status) ? file_session_lost(session, file->run) : status;
    }
    message->words[0] = regs.rdx;
    message->words[1] = regs.r10;
    message->words[2] = regs.r8;
    message->words[3] = regs.r9;
    message->info = regs.rsi;
    message->badge = 0;
    message->reply_id = 0;
    return MNOS_OK;
}
