// SPDX-License-Identifier: MIT
/* stream_server - see stream_server.h. Host tests compile this file with a model of a device and of IPC. */
#include "lib/server/stream_server.h"

#include "lib/server/stream_server_internal.h"

void stream_server_progress(struct stream_server *server)
{
    stream_server_output(server);
    /* Sending may have received, so this comes after it; and an answer may be waited for no longer. */
    stream_server_input(server);
    stream_server_check_patience(server);
}

uint64_t stream_server_deadline(const struct stream_server *server)
{
    uint64_t deadline = MNOS_DEADLINE_NEVER;

    if (server->more)
        return 0;
    if (server->asked_until_ns != 0)
        deadline = server->asked_until_ns;
    if (server->sequence_until_ns != 0 && server->sequence_until_ns < deadline)
        deadline = server->sequence_until_ns;
    for (unsigned i = 0; i < server->read_count; i++) {
        uint64_t until_ns = server->reads[i].until_ns;

        if (until_ns != 0 && until_ns < deadline)
            deadline = until_ns;
    }
    return deadline;
}

static bool takes_caps(uint32_t label)
{
    return label == STREAM_LISTEN || label == STREAM_ATTACH || label == STREAM_GIVE_FRONT ||
           label == STREAM_TAKE_FRONT;
}

/* MNOS_OK: answered, or set aside, but for those that have nothing to say. */
static mnos_status_t handle_label(struct stream_server *server, struct message *msg)
{
    mnos_status_t status;

    switch (msg->label) {
    case STREAM_READ:
    case STREAM_POLL:
    case STREAM_HOLD: return stream_server_read(server, msg);
    case STREAM_WRITE: return stream_server_write(server, msg);
    case STREAM_WINSIZE: return stream_server_size(server, msg);
    case STREAM_GIVE_FRONT: return stream_server_give_front(server, msg);
    case STREAM_TAKE_FRONT: status = stream_server_take_front(server, msg); break;
    case STREAM_LISTEN:
    case STREAM_ATTACH: status = stream_server_listen(server, msg); break;
    default: return MNOS_ERR_LABEL;
    }
    if (status == MNOS_OK)
        ipc_reply_status(msg->reply_id, status);
    return status;
}

static void handle_request(struct stream_server *server, struct message *msg)
{
    const struct stream_device *terminal = server->device;
    mnos_status_t status;

    if (!takes_caps(msg->label))
        message_refuse_caps(msg);
    if (terminal->request != NULL && terminal->request(terminal->context, msg))
        return;
    if ((msg->badge & FRONT_BADGE_MADE) != 0 && !front_knows(&server->state->front, msg->badge)) {
        if (takes_caps(msg->label))
            message_refuse_caps(msg);
        status = MNOS_ERR_LOST;
    } else {
        stream_server_holder_asks(server, msg->badge);
        status = handle_label(server, msg);
    }
    if (status == MNOS_OK)
        msg->reply_id = 0; /* answered already, or by stream_server_progress(), now or later */
    message_put(msg, status, NULL, 0);
}

/* A dead client's requests are not answered. */
static void forget_clients(struct stream_server *server, mnos_badge_t gone)
{
    stream_server_forget_reads(server, gone);
    stream_server_forget_writes(server, gone);
    stream_server_forget_asks(server, gone);
    stream_server_forget_sessions(server, gone);
}

void stream_server_handle(struct stream_server *server, struct message *msg)
{
    if (msg->kind == MNOS_KIND_CLIENT_GONE) {
        forget_clients(server, msg->badge);
        msg->reply_id = 0;
    } else if (msg->reply_id != 0) {
        handle_request(server, msg);
        if (msg->reply_id != 0)
            return; /* progress would use the IPC buffer that the reply may lie in */
    } else {
        message_refuse_caps(
            msg); /* sent by ipc_send: it could not be answered, so it is no request */
    }
    stream_server_progress(server);
}
