// SPDX-License-Identifier: MIT
/*
 * file_server.h - messages, windows and clients for a host test of the service of files in memory:
 * the kernel's part is replaced, and each client sends requests of protocols/file.def. Included by
 * one test.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Other tests have models of these, and the kernel functions of the same name. */
#define message_add_cap file_message_add_cap
#define message_cap_badge file_message_cap_badge
#define message_refuse_caps file_message_refuse_caps
#define ipc_reply file_ipc_reply
#define ipc_reply_status file_ipc_reply_status
#define ipc_client_is_gone file_ipc_client_is_gone
#define bootstrap_table file_bootstrap_table
#define listener_accept file_listener_accept
#define listener_tell file_listener_tell
#define listener_forget file_listener_forget

#include "tests/models/messages.h"

#include "services/fs/tmpfs/methods.h"

#define BLOCK_PAGES 500u
#define ENDPOINT 77u

enum { ALICE = 0x10005, BOB = 0x10006 };

/* ---- Who mounts it ---- */

static unsigned listener_told;
static uint64_t told_events;    /* all that were set */
static unsigned listeners_held; /* capabilities that were taken over */

mnos_status_t listener_accept(struct listener *listener, const struct message *msg)
{
    if (msg->cap_count == 0)
        return MNOS_ERR_ARGUMENT;
    listeners_held += listener->endpoint == 0;
    *listener = (struct listener){1, msg->words[0]};
    return MNOS_OK;
}

void listener_tell(const struct listener *listener)
{
    listener_told += listener->endpoint != 0;
    told_events |= listener->events;
}

void listener_forget(struct listener *listener)
{
    listeners_held -= listener->endpoint != 0;
    *listener = (struct listener){0};
}

/* ---- Messages ---- */

static unsigned caps_sent, answers;
static mnos_badge_t sent_badge; /* the capability of a session that a request carries; 0: none */
static mnos_badge_t exported;   /* of the capability that was handed out last */
static mnos_status_t export_status;
static mnos_badge_t gone[2]; /* what the kernel knows when it is asked */
static struct {
    uint64_t reply_id;
    uint32_t label;
} last_answer;

void message_add_cap(struct message *msg, mnos_cap_t, mnos_rights_t)
{
    msg->cap_count++;
    caps_sent++;
}

mnos_badge_t message_cap_badge(const struct message *msg, unsigned index)
{
    return index < msg->cap_count ? sent_badge : 0;
}

void message_refuse_caps(const struct message *)
{
}

/* Nobody looks whether the service works. */
const struct mnos_bootstrap *bootstrap_table(void)
{
    return NULL;
}

mnos_status_t ipc_reply(const struct message *msg)
{
    last_answer.reply_id = msg->reply_id;
    last_answer.label = msg->label;
    answers++;
    return MNOS_OK;
}

void ipc_reply_status(uint64_t reply_id, mnos_status_t status)
{
    struct message msg = {.reply_id = reply_id, .label = status};

    if (reply_id != 0)
        (void)!ipc_reply(&msg);
}

/* What comes while a handler waits in its middle. */
static const struct message *arrives;

static mnos_status_t ipc_receive(mnos_cap_t, struct message *msg, uint64_t)
{
    if (arrives == NULL)
        return MNOS_ERR_REVOKED;
    *msg = *arrives;
    arrives = NULL;
    return MNOS_OK;
}

bool ipc_client_is_gone(mnos_cap_t, mnos_badge_t told, mnos_badge_t client)
{
    if (told != 0)
        return told == client;
    return client == gone[0] || client == gone[1];
}

mnos_status_t server_export(mnos_cap_t endpoint, struct message *, mnos_badge_t badge)
{
    CHECK_EQ(endpoint, ENDPOINT);
    exported = badge;
    return export_status;
}

/* ---- Windows ---- */

static unsigned windows_open;

mnos_status_t window_open(struct window *window, uint64_t bytes)
{
    window->memory.page_count = bytes / MNOS_PAGE_BYTES;
    window->memory.address = calloc(1, bytes);
    windows_open++;
    return MNOS_OK;
}

void window_close(struct window *window)
{
    if (window->memory.page_count == 0)
        return;
    free(window->memory.address);
    window->memory = (struct memory_block){0};
    windows_open--;
}

/* ---- A service and its clients ---- */

static struct file_server server;
static uint8_t seen[BLOCK_PAGES + 1];
static unsigned grown;

static void grow(struct tmpfs *)
{
    grown++;
}

static uint64_t no_time(void)
{
    return 0;
}

static struct tmpfs_files files = {.grow = grow, .now_ns = no_time};
static struct file_locks locks;

static void begin(void)
{
    uint64_t bytes = TMPFS_HEADER_BYTES + (uint64_t)BLOCK_PAGES * TMPFS_PAGE_BYTES;
    struct sessions *sessions =
        sessions_format(malloc(sessions_bytes(FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES)),
                        FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, 1000);

    files.fs = tmpfs_format(aligned_alloc(TMPFS_PAGE_BYTES, bytes), bytes, BLOCK_PAGES * 8,
                            0x123456789ABCDEFull);
    file_server_init(&server, &(struct file_system){&tmpfs_methods, &files, TMPFS_ROOT, 0},
                     sessions, ENDPOINT, NULL);
    file_locks_format(&locks);
    file_server_locks(&server, &locks);
}

static void check_all(void)
{
    const char *wrong = tmpfs_check(files.fs, seen);

    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
    wrong = sessions_check(server.loop.sessions);
    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
    wrong = file_locks_check(&locks);
    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
}

static struct message message;
static uint64_t next_reply_id = 1;

/* Sends `label` with a record and a text; the reply is in `message`. */
static mnos_status_t send(mnos_badge_t badge, uint32_t label, const void *record, size_t bytes,
                          const char *text)
{
    uint8_t request[MNOS_MESSAGE_MAX_BYTES];
    size_t text_bytes = text == NULL ? 0 : strlen(text);

    if (bytes != 0)
        memcpy(request, record, bytes);
    if (text_bytes != 0)
        memcpy(request + bytes, text, text_bytes);
    message_put(&message, label, request, bytes + text_bytes);
    message.badge = badge;
    message.kind = MNOS_KIND_MESSAGE;
    message.cap_count = sent_badge != 0;
    message.reply_id = next_reply_id++;
    server_loop_handle(&server.loop, &message);
    return message.label;
}

static uint32_t sequence = 1;

/* The next request of class N in lane 0 of whoever; tests with several clients begin each anew. */
static uint32_t once(uint32_t operation)
{
    return label_make(operation, 0, sequence++);
}

static void open_session(mnos_badge_t badge)
{
    struct file_open_session wanted = {65536};

    CHECK_EQ(send(badge, FILE_OPEN_SESSION, &wanted, sizeof wanted, NULL), MNOS_OK);
    CHECK_EQ(message.cap_count, 1);
    sequence = 1;
}

static mnos_status_t open_with(mnos_badge_t badge, uint32_t label, const char *path, uint32_t flags,
                               uint32_t rights, uint64_t *handle)
{
    struct file_open record = {.flags = flags, .rights = rights};
    mnos_status_t status = send(badge, label, &record, sizeof record, path);

    *handle = status == MNOS_OK ? message.words[0] : 0;
    return status;
}

static uint64_t open_file(mnos_badge_t badge, const char *path)
{
    uint64_t handle;

    CHECK_EQ(open_with(badge, once(FILE_OPEN), path, FILE_CREATE,
                       FILE_READ_RIGHT | FILE_WRITE_RIGHT, &handle),
             MNOS_OK);
    return handle;
}

static mnos_status_t write_inline(mnos_badge_t badge, uint64_t handle, const char *text)
{
    struct file_io io = {handle, 0, FILE_INLINE, strlen(text)};

    return send(badge, FILE_WRITE, &io, sizeof io, text);
}

static mnos_status_t with_path(mnos_badge_t badge, uint32_t label, const char *path)
{
    struct file_path record = {0};

    return send(badge, label, &record, sizeof record, path);
}

static uint64_t open_directory(mnos_badge_t badge, const char *path)
{
    uint64_t handle;

    CHECK_EQ(open_with(badge, once(FILE_OPEN), path, FILE_ONLY_DIRECTORY,
                       FILE_LOOKUP | FILE_READ_RIGHT | FILE_CREATE_RIGHT, &handle),
             MNOS_OK);
    return handle;
}

static mnos_badge_t export_directory(mnos_badge_t badge, uint64_t handle, uint32_t rights)
{
    struct file_export record = {.handle = handle, .rights = rights};

    (void)send(badge, FILE_EXPORT, &record, sizeof record, NULL);
    CHECK_EQ(message.reply_id, 0); /* answered with the capability */
    return exported;
}

static void client_gone(mnos_badge_t badge)
{
    message = (struct message){.kind = MNOS_KIND_CLIENT_GONE, .badge = badge};
    server_loop_handle(&server.loop, &message);
}
