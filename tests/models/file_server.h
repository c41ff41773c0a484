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

#define FILES_MEMORY 55u

/* The number of a page in the block is the one in the capability, too. */
static mnos_cap_t memory_behind(const void *address, uint64_t *page, uint64_t *page_count);

static struct tmpfs_files files = {.grow = grow, .now_ns = no_time, .memory = memory_behind};

static mnos_cap_t memory_behind(const void *address, uint64_t *page, uint64_t *page_count)
{
    *page = (uint64_t)((const uint8_t *)address - (uint8_t *)tmpfs_page(files.fs, 1)) /
                TMPFS_PAGE_BYTES +
            1;
    *page_count = files.fs->page_count - *page + 1;
    return FILES_MEMORY;
}
static struct file_locks locks;

static void begin(void)
{
    static void *table, *memory; /* of the scene before, in a process that has several */
    uint64_t bytes = TMPFS_HEADER_BYTES + (uint64_t)BLOCK_PAGES * TMPFS_PAGE_BYTES;
    struct sessions *sessions;

    free(table);
    free(memory);
    table = malloc(sessions_bytes(FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES));
    memory = aligned_alloc(TMPFS_PAGE_BYTES, bytes);
    sessions = sessions_format(table, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, 1000);
    files.fs = tmpfs_format(memory, bytes, BLOCK_PAGES * 8, 0x123456789ABCDEFull);
    server.views.used = pages_lent = 0;
    server.enter = NULL;
    memset(lent_pages, 0, sizeof lent_pages);
    file_server_init(&server, &(struct file_system){&tmpfs_methods, &files, TMPFS_ROOT, 0},
                     sessions, ENDPOINT, NULL);
    file_locks_format(&locks);
    file_server_locks(&server, &locks);
}

/* V1: whether a page is one of the file's. */
static bool is_of_file(uint32_t inode, uint64_t page)
{
    for (uint64_t index = 0; index < 64; index++)
        if (tmpfs_tree_find(files.fs, tmpfs_inode(files.fs, inode), index) == page)
            return true;
    return false;
}

/* V1 to V4. */
static void check_views(void)
{
    unsigned lent = 0;

    for (uint32_t i = 0; i < server.views.used; i++) {
        uint32_t inode = server.views.entries[i].object;
        mnos_cap_t cap = server.views.entries[i].lent;
        const struct file_cell *cell = cell_of(&server, i);
        struct file_attr attr;

        CHECK(handle_is_open(server.loop.sessions, server.views.entries[i].badge,
                             server.views.entries[i].handle));
        tmpfs_attr(files.fs, inode, &attr);
        CHECK_EQ(cell->number, server.views.entries[i].number);
        CHECK(cell->changes % 2 == 0 && memcmp(&cell->attr, &attr, sizeof attr) == 0);
        lent += cap != 0;
        for (uint64_t page = 0; cap != 0 && page < lent_pages[cap].page_count; page++)
            CHECK(is_of_file(inode, lent_pages[cap].first_page + page));
    }
    CHECK_EQ(lent, pages_lent);
}

static void check_all(void)
{
    const char *wrong = tmpfs_check(files.fs, seen);

    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
    wrong = sessions_check(server.loop.sessions);
    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
    wrong = file_locks_check(&locks);
    CHECK_STR_EQ(wrong == NULL ? "" : wrong, "");
    check_views();
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

static void client_gone(mnos_badge_t badge)
{
    message = (struct message){.kind = MNOS_KIND_CLIENT_GONE, .badge = badge};
    server_loop_handle(&server.loop, &message);
}
