// SPDX-License-Identifier: MIT
/* server - see server.h. Host tests compile this file with a model of the device and of IPC. */
#include "drivers/serial/ns16550/server.h"

#include "lib/base/string.h"
#include "protocols/serial.h"

static void remove_read(struct server *server, unsigned at)
{
    server->read_count--;
    for (unsigned i = at; i < server->read_count; i++)
        server->reads[i] = server->reads[i + 1];
}

static void remove_write(struct server *server, unsigned at)
{
    server->write_count--;
    for (unsigned i = at; i < server->write_count; i++)
        server->writes[i] = server->writes[i + 1];
}

static void answer_read(struct server *server, const struct pending_read *read)
{
    static uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
    struct message reply = {.reply_id = read->reply_id};
    size_t count;
    mnos_status_t status = uart_receive(server->uart, bytes, read->max_bytes, &count);

    message_put(&reply, status, bytes, count);
    /* A reader that died meanwhile got nothing: the bytes are for the next one. */
    if (ipc_reply(&reply) != MNOS_OK)
        uart_give_back(server->uart, status, count);
    uart_handed_out(server->uart);
}

static void answer_oldest_read(struct server *server)
{
    struct pending_read read = server->reads[0];

    remove_read(server, 0);
    answer_read(server, &read);
}

/* Whether the device has all of it; then it is answered. */
static bool finish_oldest_write(struct server *server)
{
    struct pending_write *write = &server->writes[0];

    write->sent += uart_send(server->uart, write->bytes + write->sent, write->length - write->sent);
    if (write->sent < write->length)
        return false;
    ipc_reply_status(write->reply_id, MNOS_OK);
    remove_write(server, 0);
    return true;
}

static void tell_listeners(struct server *server)
{
    bool any = byte_queue_used(&server->uart->received) != 0;

    for (unsigned i = 0; any && !server->told && i < SERVER_LISTENERS_MAX; i++)
        listener_tell(&server->listeners[i].listener);
    server->told = any;
}

void server_progress(struct server *server)
{
    while (backlog_send(&server->backlog, server->uart) && server->write_count != 0 &&
           finish_oldest_write(server))
        ;
    /* Sending may have received, so this comes last. */
    while (server->read_count != 0 && byte_queue_used(&server->uart->received) != 0)
        answer_oldest_read(server);
    tell_listeners(server);
}

static mnos_status_t parse_read(const struct message *msg, struct pending_read *read)
{
    struct serial_read request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (request.max_bytes == 0)
        return MNOS_ERR_ARGUMENT;
    if (request.max_bytes > MNOS_MESSAGE_MAX_BYTES)
        request.max_bytes = MNOS_MESSAGE_MAX_BYTES;
    *read = (struct pending_read){msg->badge, msg->reply_id, (size_t)request.max_bytes};
    return MNOS_OK;
}

/* MNOS_OK: answered, or set aside. */
static mnos_status_t handle_read(struct server *server, const struct message *msg)
{
    struct pending_read read;
    mnos_status_t status = parse_read(msg, &read);

    if (status != MNOS_OK)
        return status;
    server->held_by = msg->label == SERIAL_HOLD ? msg->badge : 0;
    uart_hold(server->uart, server->held_by != 0);
    if (msg->label != SERIAL_READ) {
        answer_read(server, &read);
        return MNOS_OK;
    }
    if (server->read_count == SERVER_READS_MAX)
        return MNOS_ERR_AGAIN;
    server->reads[server->read_count++] = read;
    return MNOS_OK;
}

/* MNOS_OK: set aside. */
static mnos_status_t queue_write(struct server *server, const struct message *msg)
{
    struct pending_write *write = &server->writes[server->write_count];

    if (msg->length == 0)
        return MNOS_ERR_ARGUMENT;
    if (server->write_count == SERVER_WRITES_MAX)
        return MNOS_ERR_AGAIN;
    write->client = msg->badge;
    write->reply_id = msg->reply_id;
    write->length = message_get(msg, write->bytes, sizeof write->bytes);
    write->sent = 0;
    server->write_count++;
    return MNOS_OK;
}

/* A client that listens already replaces its listener. */
static mnos_status_t handle_listen(struct server *server, const struct message *msg)
{
    struct server_listener *entry = NULL;
    mnos_status_t status = MNOS_ERR_AGAIN;

    for (unsigned i = SERVER_LISTENERS_MAX; i-- > 0;) {
        mnos_badge_t client = server->listeners[i].client;

        if (client == msg->badge || (client == 0 && (entry == NULL || entry->client == 0)))
            entry = &server->listeners[i];
    }
    if (entry != NULL)
        status = listener_accept(&entry->listener, msg);
    if (status != MNOS_OK) {
        message_refuse_caps(msg);
        return status;
    }
    entry->client = msg->badge;
    if (server->held_by == 0)
        uart_hold(server->uart, false); /* it was on hold because nobody was there */
    return MNOS_OK;
}

static void forget_listeners(struct server *server, mnos_badge_t gone)
{
    for (unsigned i = 0; i < SERVER_LISTENERS_MAX; i++) {
        if (!ipc_client_is_gone(server->endpoint, gone, server->listeners[i].client))
            continue;
        listener_forget(&server->listeners[i].listener);
        server->listeners[i].client = 0;
    }
}

/* A dead client's requests are not answered; of what it wrote, the rest is not sent. */
static void forget_clients(struct server *server, mnos_badge_t gone)
{
    for (unsigned i = server->read_count; i-- > 0;) {
        if (ipc_client_is_gone(server->endpoint, gone, server->reads[i].client))
            remove_read(server, i);
    }
    for (unsigned i = server->write_count; i-- > 0;) {
        if (ipc_client_is_gone(server->endpoint, gone, server->writes[i].client))
            remove_write(server, i);
    }
    forget_listeners(server, gone);
    if (ipc_client_is_gone(server->endpoint, gone, server->held_by)) {
        server->held_by = 0;
        uart_hold(server->uart, false);
    }
}

static void handle_request(struct server *server, struct message *msg)
{
    mnos_status_t status;

    if (msg->label != SERIAL_LISTEN)
        message_refuse_caps(msg);
    switch (msg->label) {
    case SERIAL_READ:
    case SERIAL_POLL:
    case SERIAL_HOLD: status = handle_read(server, msg); break;
    case SERIAL_WRITE: status = queue_write(server, msg); break;
    case SERIAL_STATISTICS:
        message_put(msg, MNOS_OK, &server->uart->statistics, sizeof server->uart->statistics);
        return;
    case SERIAL_LISTEN: message_put(msg, handle_listen(server, msg), NULL, 0); return;
    default: status = MNOS_ERR_LABEL; break;
    }
    if (status == MNOS_OK)
        msg->reply_id = 0; /* answered already, or by server_progress(), now or later */
    message_put(msg, status, NULL, 0);
}

void server_handle(struct server *server, struct message *msg)
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
    server_progress(server);
}
