// SPDX-License-Identifier: MIT
/*
 * file_server.h - the requests of protocols/file.def, answered from a file system (file_system.h): sessions,
 * handles, rights, paths, windows and the records of class N are the same for all file systems.
 *
 * A session's object and a handle's object are inodes; each holds its inode open.
 */
#pragma once

#include "abi/message.h"
#include "lib/base/string.h"
#include "lib/mnos/listener.h"
#include "lib/server/file_lock.h"
#include "lib/server/file_system.h"
#include "lib/server/file_views.h"
#include "lib/server/file_watch.h"
#include "lib/server/loop.h"
#include "lib/server/window.h"
#include "protocols/mount.h"

#define FILE_SERVER_SESSIONS 64u
#define FILE_SERVER_HANDLES 4096u
/* Of all windows of one client, which are charged to the service. */
#define FILE_SERVER_WINDOW_SHARE_BYTES FILE_WINDOW_BYTES_MAX

/* Of its sessions where they lie before something else, which then begins at a multiple of 64. */
static inline uint64_t file_server_session_bytes(void)
{
    return (sessions_bytes(FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES) + 63) / 64 * 64;
}

struct file_server {
    struct server_loop loop;
    struct file_system system;
    struct window windows[FILE_SERVER_SESSIONS]; /* by session */
    const struct window_memory *window_memory;   /* NULL: windows end with the process */
    uint64_t window_bytes[SESSION_ACCOUNTS];
    uint16_t client;          /* session_client() of the request about something open that runs */
    struct file_locks *locks; /* beside the sessions, and as long-lived; NULL: there are none */
    struct file_watches watches;
    struct file_views views;
    struct mount_status mount; /* file_mount.c */
    struct listener mount_listener;
    /* Where the session of a client of the service manager begins, by the number of its service, and what it allows; NULL: the
     * root, all of it. */
    mnos_status_t (*enter)(void *fs, uint32_t account, uint32_t *root, uint32_t *rights);
    struct file_walk walks[2];
    uint8_t request[MNOS_MESSAGE_MAX_BYTES];
    char reply[MNOS_MESSAGE_MAX_BYTES];
};

/* `sessions` lies in memory of the caller's, and so does `park`; NULL: the file system never waits. */
void file_server_init(struct file_server *server, const struct file_system *system,
                      struct sessions *sessions, mnos_cap_t endpoint, struct park *park);

/* Locks are served, from a table of the caller's: an empty one, or what the run left that left the sessions. */
static inline void file_server_locks(struct file_server *server, struct file_locks *locks)
{
    server->locks = locks;
}

/* What was begun by the methods `mount` or `unmount` has ended, or the file system has changed its state itself: from
 * now on `status` is what STATUS answers, and who mounts it is told. */
void file_server_mounted(struct file_server *server, const struct mount_status *status);
/* Whether the file system has what requests are about, and need not be asked (`ready`) before each. */
void file_server_is_ready(struct file_server *server, bool ready);
/* In a run that finds the sessions of one that died: their windows, and whose clients have gone meanwhile. Returns
 * what sessions_recover() does. A client whose window cannot be found is told ERR_LOST once, and gets another when it
 * begins anew. */
unsigned file_server_recover(struct file_server *server, const struct window_memory *memory,
                             bool ordered);

/* What the session has open has been lost: its requests, those that wait as well, get ERR_LOST until its client begins
 * anew. One that was exported and whose `root` has been lost ends. */
void file_server_lose(struct file_server *server, struct server_session *session, bool root);

/* The same for all sessions, whose roots are there. */
void file_server_lose_all(struct file_server *server);

/* ---- What the files of the server share ---- */

/* The requests of protocols/mount.def. */
mnos_status_t file_server_mount(void *context, struct server_request *request);
mnos_status_t file_server_unmount(void *context, struct server_request *request);
mnos_status_t file_server_status(void *context, struct server_request *request);
mnos_status_t file_server_listen(void *context, struct server_request *request);
/* Whether the service manager gave the session, with the right FILE_REVOKE. */
bool file_server_is_service(const struct server_request *request);

#define REQUEST(label, name, class, request, reply, text)                                          \
    mnos_status_t file_server_##name(void *context, struct server_request *request_);
#include "protocols/file.def"
#undef REQUEST

/* Where a request begins to write, in progress[1]; it waits until no other one is in the middle of it. `append`: at the
 * end of the file, and MNOS_ERR_AGAIN when it could not wait in its middle. *ends: what it has appended before is all. */
mnos_status_t file_server_begin_write(struct file_server *server, struct server_request *request,
                                      uint32_t inode, uint64_t offset, bool append, bool *ends);
/* Tells the watches of what a request has changed, and writes it into the cells. With operation 0 it failed or waits, and the
 * cells end. */
void file_server_done(void *context, uint32_t operation, const struct server_request *request);
/* An inode may have fewer locks than before: who waits for one looks again. */
void file_server_unlocked(struct file_server *server, uint32_t inode);
/* ---- Views (file_views.c) ---- */

/* Pages of the file will hold other bytes, or another file's: takes them back. */
void file_server_take_back(struct file_server *server, uint32_t inode);
/* The same of all files. */
void file_server_take_all_back(struct file_server *server);
/* A handle of the inode was closed: its views end. */
void file_server_end_views(struct file_server *server, uint32_t inode);
/* The attributes of the inode have changed. */
void file_server_write_cells(struct file_server *server, uint32_t inode);
/* They have changed, or will until a request that waits goes on, which may also end there: its views end, as a file system that
 * a request waits for cannot be asked. */
void file_server_end_cells(struct file_server *server, uint32_t inode);
/* The cells in a window that an earlier run has left tell of nothing. */
void file_server_clear_cells(const struct window *window);

/* `truncate` of the file system, behind the views. */
static inline mnos_status_t file_server_truncate(struct file_server *server, uint32_t inode,
                                                 uint64_t size)
{
    if (server->views.used != 0)
        file_server_take_back(server, inode);
    return server->system.methods->truncate(server->system.fs, inode, size);
}

/* The record of a request that has exactly `bytes`, at most 32. */
static inline mnos_status_t file_server_record(const struct server_request *request, void *record,
                                               size_t bytes)
{
    if (request->message->length != bytes)
        return MNOS_ERR_SIZE;
    memcpy(record, request->message->words, bytes);
    return MNOS_OK;
}

/* Makes `bytes` at `record` the reply; returns MNOS_OK. */
static inline mnos_status_t file_server_answer(struct server_request *request, const void *record,
                                               size_t bytes)
{
    message_put(request->message, MNOS_OK, record, bytes);
    return MNOS_OK;
}

/* The session's handle, when it has all of `rights`: MNOS_ERR_FILE, MNOS_ERR_DENIED. */
static inline mnos_status_t file_server_handle(struct file_server *server,
                                               const struct server_request *request,
                                               uint64_t number, uint32_t rights,
                                               struct server_handle **handle)
{
    *handle = handle_of(server->loop.sessions, request->session, number);
    server->client = request->session->client;
    if (*handle == NULL)
        return MNOS_ERR_FILE;
    return ((*handle)->rights & rights) == rights ? MNOS_OK : MNOS_ERR_DENIED;
}
