// SPDX-License-Identifier: MIT
/*
 * stream_client.h - whom a service with a terminal tells of what, and the rings through which bytes go to and from
 * its clients: LISTEN and ATTACH of protocols/stream.def. All of it ends with the process; clients give it again.
 *
 * Rings are memory of clients, who may write anything there or take it away (lib/server/guard.h): one that breaks
 * the rules is not looked at any more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/mnos/ipc.h"
#include "lib/mnos/ring.h"
#include "lib/server/guard.h"
#include "protocols/stream.h"

/* Every session may listen (front.h), and some of the manifest's clients. */
#define STREAM_CLIENTS_MAX 168u

struct stream_client {
    mnos_badge_t badge; /* 0: a free entry */
    mnos_cap_t endpoint;
    struct stream_events events;
    uint64_t output_events;
    /* The rings; `attached` is false for one that only listens, and when it has broken the rules. */
    bool attached;
    bool output_told; /* that all of its output has been sent */
    mnos_cap_t input_memory, output_memory;
    struct guard input_guard, output_guard;
    struct ring input, output;
};

struct stream_clients {
    unsigned used; /* entries from this one on have never been in use */
    struct stream_client entries[STREAM_CLIENTS_MAX];
};

/* NULL: it does not listen. */
struct stream_client *stream_client_find(struct stream_clients *clients, mnos_badge_t badge);

/* LISTEN and ATTACH, whose capabilities become the entry's, or are dropped on an error. Of the `first` events those
 * that the client has named are set at once. */
mnos_status_t stream_client_listen(struct stream_clients *clients, const struct message *msg,
                                   struct stream_client **entry);
mnos_status_t stream_client_attach(struct stream_clients *clients, const struct message *msg,
                                   struct stream_client **entry);
void stream_client_forget(struct stream_client *client);

/* Never waits. No client, or no events: nothing happens. */
void stream_client_tell(const struct stream_client *client, uint64_t events);

/* Into the input ring: as many as there is room for. */
size_t stream_client_put(struct stream_client *client, const void *bytes, size_t count);
/* Bytes are missing here. False: the client has to take what is before first. */
bool stream_client_lost(struct stream_client *client);
/* Out of the output ring, in two steps. */
size_t stream_client_peek(struct stream_client *client, void *bytes, size_t count);
void stream_client_drop(struct stream_client *client, size_t count);
