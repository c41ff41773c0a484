// SPDX-License-Identifier: MIT
/*
 * messages.h - lib/server's part of a service of files on this machine: there is no IPC buffer and no system call, what
 * a message carries is in message_bytes. Included by one file of a test, before any other header of lib/server: these
 * have functions in place that put messages together. That file says what ipc_receive() gets.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "lib/mnos/ipc.h"

#define message_put model_message_put
#define message_get model_message_get
#define ipc_reply_receive model_ipc_reply_receive
#define ipc_receive model_ipc_receive

static uint8_t message_bytes[MNOS_MESSAGE_MAX_BYTES];

static void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    if (length > MNOS_MESSAGE_MAX_BYTES)
        abort();
    msg->label = label;
    msg->length = (uint32_t)length;
    msg->cap_count = 0;
    memset(msg->words, 0, sizeof msg->words);
    if (length == 0)
        return;
    memcpy(msg->words, bytes, length < sizeof msg->words ? length : sizeof msg->words);
    memcpy(message_bytes, bytes, length);
}

static size_t message_get(const struct message *msg, void *out, size_t size)
{
    size_t length = msg->length < size ? msg->length : size;

    memcpy(out, message_bytes, length);
    return length;
}

static mnos_status_t ipc_reply_receive(mnos_cap_t, struct message *, uint64_t)
{
    return MNOS_ERR_REVOKED;
}

static mnos_status_t ipc_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns);

#include "lib/server/loop.c"
#include "lib/server/loop_aside.c"
#include "lib/server/file_advise.c"
#include "lib/server/file_bytes.c"
#include "lib/server/file_mount.c"
#include "lib/server/file_paths.c"
#include "lib/server/file_server.c"
#include "lib/server/file_space.c"
#include "lib/server/file_watch.c"
