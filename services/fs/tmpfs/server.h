// SPDX-License-Identifier: MIT
/*
 * server.h - the requests of protocols/file.def, answered from a file system in memory.
 *
 * A session's object and a handle's object are inodes; each holds its inode open.
 */
#pragma once

#include "abi/message.h"
#include "lib/server/loop.h"
#include "lib/server/window.h"
#include "services/fs/tmpfs/names.h"

#define SERVER_SESSIONS 64u
#define SERVER_HANDLES 4096u
/* Of all windows of one client, which are charged to this service. */
#define SERVER_WINDOW_SHARE_BYTES FILE_WINDOW_BYTES_MAX

struct tmpfs_server {
    struct server_loop loop;
    struct tmpfs *fs;
    /* Asked before a request that may need memory, when little is left: makes the block larger, or
     * not. */
    void (*grow)(struct tmpfs_server *server);
    struct window windows[SERVER_SESSIONS]; /* by session */
    uint64_t window_bytes[SESSION_ACCOUNTS];
    struct tmpfs_walk walks[2];
    char request[MNOS_MESSAGE_MAX_BYTES];
    char reply[MNOS_MESSAGE_MAX_BYTES];
};

/* `fs` and `sessions` lie in memory of the caller's. */
void tmpfs_server_init(struct tmpfs_server *server, struct tmpfs *fs, struct sessions *sessions,
                       mnos_cap_t endpoint, void (*grow)(struct tmpfs_server *server));

/* ---- What the files of the server share ---- */

/* Pages that one request can need at most: a whole window, with its tree. */
#define SERVER_PAGES_KEPT 300u

#define REQUEST(label, name, class, request, reply, text)                                          \
    mnos_status_t tmpfs_handle_##name(void *context, struct server_request *request_);
#include "protocols/file.def"
#undef REQUEST

/* The record of a request that has exactly `bytes`, at most 32. */
mnos_status_t tmpfs_record(const struct server_request *request, void *record, size_t bytes);
/* Makes `bytes` at `record` the reply; returns MNOS_OK. */
mnos_status_t tmpfs_answer(struct server_request *request, const void *record, size_t bytes);
/* Before what may need memory. */
void tmpfs_make_room(struct tmpfs_server *server);
/* The session's handle, when it has all of `rights`: MNOS_ERR_FILE, MNOS_ERR_DENIED. */
mnos_status_t tmpfs_handle(struct tmpfs_server *server, const struct server_request *request,
                           uint64_t number, uint32_t rights, struct server_handle **handle);
