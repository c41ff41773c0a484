// SPDX-License-Identifier: MIT
/* server.h - the requests of clock.def, whatever the time comes from: what the clock shows, and who waits for another. */
#pragma once

#include "clock.h"
#include "lib/mnos/ipc.h"

#define WAITING_MAX 8u

struct clock_server {
    struct clock_time shown;
    uint32_t waiting_count;
    struct {
        mnos_badge_t client;
        uint64_t reply_id;
    } waiting[WAITING_MAX];
};

/* A request is put aside: the message, which becomes the reply, has nobody to go to for now. */
static inline void clock_server_wait(struct clock_server *server, struct message *msg)
{
    uint32_t place = 0;

    while (place < server->waiting_count && server->waiting[place].client != msg->badge)
        place++;
    if (place == WAITING_MAX) {
        message_put(msg, MNOS_ERR_AGAIN, NULL, 0);
        return;
    }
    if (place < server->waiting_count)
        ipc_reply_status(server->waiting[place].reply_id, MNOS_ERR_AGAIN);
    else
        server->waiting_count++;
    server->waiting[place].client = msg->badge;
    server->waiting[place].reply_id = msg->reply_id;
    *msg = (struct message){0};
}

/* A request becomes the reply to it. */
static inline void clock_server_handle(struct clock_server *server, struct message *msg)
{
    struct clock_time known;

    switch (msg->label) {
    case CLOCK_TIME: message_put(msg, MNOS_OK, &server->shown, sizeof server->shown); break;
    case CLOCK_NEXT:
        if (message_get(msg, &known, sizeof known) != sizeof known)
            message_put(msg, MNOS_ERR_SIZE, NULL, 0);
        else if (memcmp(&known, &server->shown, sizeof known) != 0)
            message_put(msg, MNOS_OK, &server->shown, sizeof server->shown);
        else
            clock_server_wait(server, msg);
        break;
    default: message_put(msg, MNOS_ERR_LABEL, NULL, 0); break;
    }
}

/* The clock shows another time: whoever waits for that is answered. */
static inline void clock_server_show(struct clock_server *server, const struct clock_time *time)
{
    struct message msg;

    server->shown = *time;
    for (uint32_t i = 0; i < server->waiting_count; i++) {
        msg = (struct message){.reply_id = server->waiting[i].reply_id};
        message_put(&msg, MNOS_OK, time, sizeof *time);
        (void)!ipc_reply(&msg); /* a client that is gone needs no answer */
    }
    server->waiting_count = 0;
}
