// SPDX-License-Identifier: MIT
/*
 * server.h - the requests of protocols/launcher.def, and what becomes of programs that end. Nothing in a request is
 * trusted, and no request waits, but KILL for the end of what it ends.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "services/launcher/programs.h"

/* At the endpoint: some program has ended; the state of some service has changed. */
#define SERVER_EVENT_ENDED 1ull
#define SERVER_EVENT_SERVICES 2ull

struct server {
    mnos_cap_t endpoint;
    struct loader loader;
    struct programs programs;
};

/* A request, which becomes the reply. */
void server_handle(struct server *server, struct message *message);
/* The client of that badge is gone; 0: several are. */
void server_client_gone(struct server *server, mnos_badge_t badge);
/* Finds the programs that have ended. */
void server_collect(struct server *server);
/* Passes on to those that wait for it that services have been started. */
void server_tell_restarts(struct server *server);
