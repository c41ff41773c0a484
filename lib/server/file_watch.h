// SPDX-License-Identifier: MIT
/*
 * file_watch.h - who is told when an open file or directory has changed: behind WATCH of protocols/file.def.
 *
 * A watch is of a handle and no longer than that. As with locks (file_lock.h) nobody reports that a handle was closed: a
 * watch whose handle is not there is told nothing, and its capability is given back when the table is looked at. Watches
 * end with the process, which their clients learn as of every listener (lib/mnos/listener.h).
 */
#pragma once

#include "lib/mnos/listener.h"
#include "lib/server/session.h"
#include "protocols/file.h"

#define FILE_WATCHES_MAX 256u
#define FILE_WATCHES_SHARE 4u /* of one account: 1/4 */

struct file_watches {
    uint32_t used;
    struct {
        mnos_badge_t badge;
        uint64_t handle; /* 0: free */
        uint32_t object, account;
        uint32_t what; /* enum file_watch_what */
        struct listener listener;
    } entries[FILE_WATCHES_MAX];
};

/* Whom a message's capability and first word name is told of `what` of the handle's object from now on, and once at once;
 * in the place of who was before. MNOS_ERR_QUOTA; MNOS_ERR_ARGUMENT: listener_accept() refuses it. */
mnos_status_t file_watches_add(struct file_watches *watches, struct sessions *sessions,
                               const struct server_session *session, uint64_t handle,
                               enum file_watch_what what, const struct message *message);
/* The object has changed, or something in it was opened; 0: nothing. Whose badge is `but` is not told. */
void file_watches_tell(struct file_watches *watches, struct sessions *sessions, uint32_t object,
                       enum file_watch_what what, mnos_badge_t but);
