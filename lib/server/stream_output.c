// SPDX-License-Identifier: MIT
/*
 * stream_output - what is to be sent: what the device has of its own, the question for the terminal's size, requests to write, and
 * the rings of clients, in turn. Host tests compile this file.
 */
#include "lib/server/stream_server_internal.h"

#include "lib/base/string.h"

#define RING_PART 256u /* bytes of a ring that are sent in one piece */
/* A device that takes everything at once, as in a virtual machine, must not keep the driver from all else while a
 * client fills its ring. */
#define PARTS_MAX 64u

static size_t send(struct stream_server *server, const uint8_t *bytes, size_t count)
{
    return server->device->send(server->device->context, bytes, count);
}

static void remove_write(struct stream_server *server, unsigned at)
{
    server->write_count--;
    for (unsigned i = at; i < server->write_count; i++)
        server->writes[i] = server->writes[i + 1];
}

/* Whether the device has all of it; then it is answered. */
static bool finish_oldest_write(struct stream_server *server)
{
    struct pending_write *write = &server->writes[0];

    write->sent += send(server, write->bytes + write->sent, write->length - write->sent);
    if (write->sent < write->length)
        return false;
    ipc_reply_status(write->reply_id, MNOS_OK);
    remove_write(server, 0);
    return true;
}

static bool finish_question(struct stream_server *server)
{
    size_t length;

    if (server->question == NULL)
        return true;
    length = strlen(server->question);
    server->question += send(server, (const uint8_t *)server->question, length);
    if (*server->question != 0)
        return false;
    server->question = NULL;
    return true;
}

/* Whether the device has all of the part that was begun. */
static bool finish_ring_part(struct stream_server *server)
{
    struct stream_client *client = &server->clients.entries[server->ring];
    uint8_t bytes[RING_PART];
    size_t count = stream_client_peek(client, bytes, server->ring_left), sent;

    if (count == 0) {
        server->ring_left = 0; /* the client is gone, or has broken the rules */
        return true;
    }
    sent = send(server, bytes, count);
    stream_client_drop(client, sent);
    server->ring_left -= sent;
    return sent == count;
}

/* The next ring in turn that has something; one that has become empty is told. */
static bool begin_ring_part(struct stream_server *server)
{
    uint8_t bytes[RING_PART];

    for (unsigned i = 1; i <= server->clients.used; i++) {
        unsigned at = (server->ring + i) % server->clients.used;
        struct stream_client *client = &server->clients.entries[at];
        size_t count = stream_client_peek(client, bytes, sizeof bytes);

        if (count != 0) {
            server->ring = at;
            server->ring_left = count;
            client->output_told = false;
            return true;
        }
        if (client->attached && !client->output_told) {
            client->output_told = true;
            stream_client_tell(client, client->output_events);
        }
    }
    return false;
}

void stream_server_output(struct stream_server *server)
{
    const struct stream_device *terminal = server->device;

    server->more = false;
    if (terminal->send_own != NULL && !terminal->send_own(terminal->context))
        return;
    for (unsigned parts = 0; parts < PARTS_MAX; parts++) {
        if (server->ring_left != 0 && !finish_ring_part(server))
            return;
        /* A write that has been begun goes before the question: it is one piece. */
        if ((server->write_count == 0 || server->writes[0].sent == 0) && !finish_question(server))
            return;
        if (server->write_count != 0 && !finish_oldest_write(server))
            return;
        if (!begin_ring_part(server) && server->write_count == 0 && server->question == NULL)
            return;
    }
    server->more = true;
}

static bool is_session(mnos_badge_t badge)
{
    return (badge & FRONT_BADGE_MADE) != 0;
}

/* Programs with a session may write again and again, from several threads, and whoever is to end them must be heard. */
static bool has_room_for(const struct stream_server *server, mnos_badge_t badge)
{
    unsigned of_sessions = 0;

    for (unsigned i = 0; i < server->write_count; i++)
        of_sessions += is_session(server->writes[i].client);
    return server->write_count < STREAM_WRITES_MAX &&
           (!is_session(badge) || of_sessions < STREAM_WRITES_OF_SESSIONS);
}

mnos_status_t stream_server_write(struct stream_server *server, const struct message *msg)
{
    struct pending_write *write = &server->writes[server->write_count];

    if (msg->length == 0)
        return MNOS_ERR_ARGUMENT;
    if (!has_room_for(server, msg->badge))
        return MNOS_ERR_AGAIN;
    write->client = msg->badge;
    write->reply_id = msg->reply_id;
    write->length = message_get(msg, write->bytes, sizeof write->bytes);
    write->sent = 0;
    server->write_count++;
    return MNOS_OK;
}

/* Of what a dead client wrote, the rest is not sent. */
void stream_server_forget_writes(struct stream_server *server, mnos_badge_t gone)
{
    for (unsigned i = server->write_count; i-- > 0;) {
        if (ipc_client_is_gone(server->endpoint, gone, server->writes[i].client))
            remove_write(server, i);
    }
}
