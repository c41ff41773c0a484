// SPDX-License-Identifier: MIT
/*
 * clients.h - who writes to the terminals and reads what is typed at them: protocols/stream.def. Each terminal but that of the log
 * has a server of its own (lib/server/stream_server.h), all of them at one endpoint. The first is the holder's, in which it is
 * in front; the others are for programs, which the holder puts there.
 *
 * Of one for programs there is a server since the first program, or the run before has left sessions of it.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "services/terminal/terminals.h"

struct clients_source {
    mnos_cap_t endpoint;
    uint64_t holder; /* the number of a service; 0: there is none */
    /* Whether keys may come that have been asked for. */
    bool (*on_its_way)(void);
};

/* Goes on with what an earlier run has left in the region `terminal_state`; the first terminal is open. */
mnos_status_t clients_begin(const struct clients_source *source, uint64_t now_ns);

/* What time it is, before each call of those that follow. */
void clients_set_now(uint64_t now_ns);
/* Handles a message. `msg` becomes the reply, with reply_id 0 when there is none to send now. */
void clients_handle(struct message *msg);
/* Something may have been typed, or a client may have changed its rings, or the deadline has passed. */
void clients_progress(void);
uint64_t clients_deadline(void);

/* Whether somebody hears what is typed at a terminal. */
bool clients_hear(unsigned number);
/* Whether keys are to stay where they are: somebody is about to end this process. */
bool clients_hold_keys(void);
/* For the next run: keys have been asked for that would be lost with this one, or there are none any more. */
void clients_note_asked(void);
void clients_note_typed(void);
