// SPDX-License-Identifier: MIT
/*
 * stream_input - what has been received, for who is in front: requests to read, its ring, and the keys that are not for
 * it. Host tests compile this file.
 */
#include "lib/server/stream_server_internal.h"

#define RING_PART 256u

static void taken(const struct stream_server *server)
{
    server->device->taken(server->device->context);
}

static void hold(const struct stream_server *server, bool held)
{
    server->device->hold(server->device->context, held);
}

/* What is ready is nobody's any more. */
static void drop_ready(const struct stream_server *server)
{
    byte_queue_drop_ready(server->device->received);
    taken(server);
}

static void remove_read(struct stream_server *server, unsigned at)
{
    server->read_count--;
    for (unsigned i = at; i < server->read_count; i++)
        server->reads[i] = server->reads[i + 1];
}

static void answer_read(struct stream_server *server, const struct pending_read *read)
{
    static uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
    struct message reply = {.reply_id = read->reply_id};
    size_t count;
    mnos_status_t status =
        byte_queue_receive(server->device->received, bytes, read->max_bytes, &count);

    message_put(&reply, status, bytes, count);
    /* A reader that died meanwhile got nothing: the bytes are for the next one. */
    if (ipc_reply(&reply) != MNOS_OK)
        byte_queue_give_back(server->device->received, status, count);
    taken(server);
}

static void answer_oldest_read(struct stream_server *server)
{
    struct pending_read read = server->reads[0];

    remove_read(server, 0);
    answer_read(server, &read);
}

static bool is_on_its_way(const struct stream_server *server)
{
    const struct stream_device *terminal = server->device;

    return terminal->on_its_way != NULL && terminal->on_its_way(terminal->context);
}

/* What was on its way when they asked is here, or did not come in time. */
static void answer_holds(struct stream_server *server)
{
    for (unsigned i = 0; i < server->read_count;) {
        struct pending_read read = server->reads[i];

        if (read.until_ns == 0 || (is_on_its_way(server) && server->now_ns < read.until_ns)) {
            i++;
            continue;
        }
        scan_let_go(&server->scan, server->device->received); /* as when it was asked */
        remove_read(server, i);
        answer_read(server, &read);
    }
}

static mnos_status_t parse_read(const struct message *msg, uint64_t now_ns,
                                struct pending_read *read)
{
    struct stream_read request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (request.max_bytes == 0)
        return MNOS_ERR_ARGUMENT;
    if (request.max_bytes > MNOS_MESSAGE_MAX_BYTES)
        request.max_bytes = MNOS_MESSAGE_MAX_BYTES;
    *read = (struct pending_read){msg->badge, msg->reply_id, (size_t)request.max_bytes,
                                  msg->label == STREAM_HOLD ? now_ns + STREAM_HOLD_NS : 0};
    return MNOS_OK;
}

mnos_status_t stream_server_read(struct stream_server *server, const struct message *msg)
{
    const struct stream_client *client = stream_client_find(&server->clients, msg->badge);
    struct pending_read read;
    mnos_status_t status = parse_read(msg, server->now_ns, &read);

    if (status != MNOS_OK)
        return status;
    if (!stream_server_in_front(server, msg->badge))
        return MNOS_ERR_AGAIN;
    if (client != NULL && client->attached)
        return MNOS_ERR_STATE;
    /* What stays in the device is looked at for no key: a session could keep those that are its giver's there. */
    if (msg->label == STREAM_HOLD && stream_server_who(server, msg->badge) != FRONT_HOLDER)
        return MNOS_ERR_DENIED;
    server->held_by = msg->label == STREAM_HOLD ? msg->badge : 0;
    hold(server, server->held_by != 0);
    if (msg->label == STREAM_HOLD)
        scan_let_go(&server->scan, server->device->received);
    /* "None" would say that the driver is empty, and it is about to be ended: what is still on its way would be lost. */
    if (msg->label == STREAM_POLL ||
        (read.until_ns != 0 &&
         (byte_queue_ready(server->device->received) != 0 || !is_on_its_way(server)))) {
        answer_read(server, &read);
        return MNOS_OK;
    }
    if (server->read_count == STREAM_READS_MAX)
        return MNOS_ERR_AGAIN;
    server->reads[server->read_count++] = read;
    return MNOS_OK;
}

void stream_server_end_reads(struct stream_server *server)
{
    for (unsigned i = 0; i < server->read_count;) {
        const struct pending_read *read = &server->reads[i];
        mnos_badge_t who = stream_server_who(server, read->client);

        if (stream_server_in_front(server, read->client)) {
            i++;
            continue;
        }
        ipc_reply_status(read->reply_id,
                         front_knows(&server->state->front, who) ? MNOS_ERR_AGAIN : MNOS_ERR_LOST);
        remove_read(server, i);
    }
}

void stream_server_forget_reads(struct stream_server *server, mnos_badge_t gone)
{
    for (unsigned i = server->read_count; i-- > 0;) {
        if (ipc_client_is_gone(server->endpoint, gone, server->reads[i].client))
            remove_read(server, i);
    }
    if (ipc_client_is_gone(server->endpoint, gone, server->held_by)) {
        server->held_by = 0;
        hold(server, false);
    }
}

/* What the session in front has not read was for it. */
static void last_resort(struct stream_server *server)
{
    mnos_badge_t before = front_now(&server->state->front);

    drop_ready(server);
    front_put(&server->state->front, FRONT_HOLDER);
    stream_server_front_changed(server, before);
}

static void interrupt(struct stream_server *server)
{
    const struct front *front = &server->state->front;

    drop_ready(server);
    server->interrupted =
        front_giver(front, front_with_flag(front, front_now(front), STREAM_INTERRUPTS));
    server->interrupt_waits = !stream_server_tell(server, server->interrupted, NEWS_INTERRUPT);
}

static struct scan_keys keys_now(const struct stream_server *server)
{
    const struct front *front = &server->state->front;
    mnos_badge_t now = front_now(front);

    return (struct scan_keys){server->number == 0 && now != FRONT_HOLDER,
                              front_with_flag(front, now, STREAM_INTERRUPTS) != 0};
}

static void look_at_keys(struct stream_server *server)
{
    struct byte_queue *queue = server->device->received;
    struct scan_answer answer;
    enum scan_found found;

    do {
        found = scan_next(&server->scan, queue, keys_now(server), &answer);
        if (found == SCAN_LAST_RESORT)
            last_resort(server);
        else if (found == SCAN_INTERRUPT)
            interrupt(server);
        else if (found != SCAN_NOTHING)
            stream_server_answered(server, found, answer);
        if (found != SCAN_NOTHING)
            taken(server);
    } while (found != SCAN_NOTHING);
    if (!scan_keeps(&server->scan, queue)) {
        server->sequence_until_ns = 0;
    } else if (server->sequence_until_ns == 0) {
        server->sequence_until_ns = server->now_ns + STREAM_SEQUENCE_NS;
    } else if (server->now_ns >= server->sequence_until_ns) {
        scan_let_go(&server->scan, queue);
        server->sequence_until_ns = 0;
    }
}

/* Ctrl-C that was typed while a program was being started is for its giver, and the key of last resort for the holder, as when
 * they are typed later. The key of last resort makes the front change once more, to the holder, to whom no key means
 * anything: it goes no deeper. */
void stream_server_look_again(struct stream_server *server)
{
    scan_again(&server->scan, server->device->received, keys_now(server));
    look_at_keys(server);
}

/* What is ready, up to the next mark, into the ring of the client in front. */
static void fill_ring(struct stream_server *server, struct stream_client *client)
{
    struct byte_queue *queue = server->device->received;
    uint8_t bytes[RING_PART];
    size_t count, put;

    while (client->attached && byte_queue_ready(queue) != 0) {
        mnos_status_t status = byte_queue_receive(queue, bytes, sizeof bytes, &count);

        put = 0;
        if (status == MNOS_ERR_LOST && !stream_client_lost(client)) {
            byte_queue_give_back(queue, status, 1);
            return;
        }
        if (status == MNOS_OK)
            put = stream_client_put(client, bytes, count);
        if (status == MNOS_OK && put < count)
            byte_queue_give_back(queue, MNOS_OK, count - put);
        taken(server);
        if (status == MNOS_ERR_LOST || put != 0)
            stream_client_tell(client, client->events.input);
        if (status == MNOS_OK && put < count)
            return;
    }
}

void stream_server_input(struct stream_server *server)
{
    const struct byte_queue *queue = server->device->received;
    struct stream_client *client;
    bool any;

    look_at_keys(server);
    while (server->read_count != 0 && byte_queue_ready(queue) != 0)
        answer_oldest_read(server);
    answer_holds(server);
    client = stream_server_front_client(server);
    if (client != NULL && client->attached) {
        fill_ring(server, client);
        return;
    }
    any = byte_queue_ready(queue) != 0;
    if (any && !server->told && client != NULL)
        stream_client_tell(client, client->events.input);
    server->told = any && client != NULL;
}
