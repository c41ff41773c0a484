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
#define ipc_reply_receive_accepting model_ipc_reply_receive_accepting
#define ipc_receive model_ipc_receive
#define ipc_notify_receive model_ipc_notify_receive
#define sys_ipc_notify model_ipc_notify

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

static mnos_status_t ipc_reply_receive_accepting(mnos_cap_t, struct message *, unsigned, uint64_t)
{
    return MNOS_ERR_REVOKED;
}

static mnos_status_t sys_ipc_notify(mnos_cap_t, uint64_t)
{
    return MNOS_ERR_REVOKED;
}

static mnos_status_t ipc_notify_receive(mnos_cap_t, uint64_t, mnos_cap_t, struct message *,
                                        uint64_t)
{
    return MNOS_ERR_REVOKED;
}

static mnos_status_t ipc_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns);

/* What is lent, in the place of each number, until it is taken back. */
#define LENT_MAX 256u
static unsigned pages_lent;
static struct {
    uint64_t first_page, page_count; /* 0: free */
} lent_pages[LENT_MAX];

#define lend_begin model_lend_begin
#define lend_end model_lend_end
#define lend_number model_lend_number
#include "lib/server/lend.h"

mnos_status_t lend_begin(mnos_cap_t memory, uint64_t first_page, uint64_t page_count,
                         mnos_cap_t *cap)
{
    for (*cap = 1; *cap < LENT_MAX && lent_pages[*cap].page_count != 0;)
        ++*cap;
    if (memory == 0 || page_count == 0 || *cap == LENT_MAX)
        abort();
    lent_pages[*cap].first_page = first_page;
    lent_pages[*cap].page_count = page_count;
    pages_lent++;
    return MNOS_OK;
}

void lend_end(mnos_cap_t cap)
{
    if (cap == 0 || cap >= LENT_MAX || lent_pages[cap].page_count == 0)
        abort();
    lent_pages[cap].page_count = 0;
    pages_lent--;
}

uint64_t lend_number(void)
{
    static uint64_t last;

    return ++last;
}

#include "lib/server/loop.c"
#include "lib/server/loop_aside.c"
#include "lib/server/loop_tell.c"
#include "lib/server/file_advise.c"
#include "lib/server/file_bytes.c"
#include "lib/server/file_mount.c"
#include "lib/server/file_paths.c"
#include "lib/server/file_server.c"
#include "lib/server/file_space.c"
#include "lib/server/file_views.c"
#include "lib/server/file_watch.c"
