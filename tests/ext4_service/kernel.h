// SPDX-License-Identifier: MIT
/* kernel.h - what the kernel does for a service of files on this machine: a reply goes to the client by its number, and no
 * capability goes anywhere. A part of host.c, of ext4 and of FAT. */
#pragma once

#include "tests/models/messages.h"

#include "lib/mnos/listener.h"
#include "tests/ext4_service/host.h"

const struct mnos_bootstrap *bootstrap_table(void)
{
    return NULL;
}

void message_add_cap(struct message *msg, mnos_cap_t, mnos_rights_t)
{
    msg->cap_count++;
}

mnos_badge_t message_cap_badge(const struct message *, unsigned)
{
    return 0;
}

void message_refuse_caps(const struct message *)
{
}

static void deliver(const struct message *msg)
{
    struct host_reply *reply;

    if (msg->reply_id == 0)
        return;
    reply = &host_replies[msg->reply_id - 1];
    if (reply->arrived)
        host_fail("a request was answered twice");
    reply->arrived = true;
    reply->status = msg->label;
    reply->length = msg->length;
    memcpy(reply->bytes, message_bytes, msg->length);
}

mnos_status_t ipc_reply(const struct message *msg)
{
    deliver(msg);
    return MNOS_OK;
}

void ipc_reply_status(uint64_t reply_id, mnos_status_t status)
{
    deliver(&(struct message){.reply_id = reply_id, .label = status});
}

bool ipc_client_is_gone(mnos_cap_t, mnos_badge_t told, mnos_badge_t client)
{
    return told == client;
}

mnos_status_t listener_accept(struct listener *, const struct message *)
{
    return MNOS_ERR_ARGUMENT; /* nobody listens */
}

void listener_tell(const struct listener *)
{
}

void listener_forget(struct listener *)
{
}

mnos_status_t server_export(mnos_cap_t, struct message *, mnos_badge_t)
{
    return MNOS_ERR_QUOTA;
}
