// SPDX-License-Identifier: MIT
/*
 * listener.h - events from a server to a client: the client hands over a capability to an endpoint
 * of its own, the server sets events there, and so the client has one place to wait for many
 * servers.
 *
 * The capability has a badge. When the server's process ends, its copy goes, and the client
 * receives MNOS_KIND_CLIENT_GONE with that badge: it has to ask again, and its request waits for
 * the server's next run. Telling never waits, whatever the client does with its endpoint.
 */
#pragma once

#include "abi/types.h"
#include "lib/mnos/ipc.h"

/* What a request to listen carries, beside one capability. */
struct listen_request {
    uint64_t events;
};

/* ---- The server ---- */

struct listener {
    mnos_cap_t endpoint; /* 0: nobody listens here */
    uint64_t events;
};

/* Takes the listener of a received request over and tells it at once, so that it looks at what
 * there is already, and so that an unusable capability is refused now: MNOS_ERR_ARGUMENT. On an
 * error `listener` is as it was; else the one before is forgotten. */
mnos_status_t listener_accept(struct listener *listener, const struct message *msg);

void listener_tell(const struct listener *listener);
void listener_forget(struct listener *listener);

/* ---- The client ---- */

/* Asks `server` by the request `label` to set `events` at `endpoint`, through a capability with
 * `badge`. Waits until a run of the server has taken it; an error is one that trying again does
 * not help. */
mnos_status_t listen_to(mnos_cap_t server, uint32_t label, mnos_cap_t endpoint, mnos_badge_t badge,
                        uint64_t events);
