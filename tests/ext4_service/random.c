// SPDX-License-Identifier: MIT
/*
 * random - several clients at once, each in a directory of its own, whose files are known here byte for byte: see
 * commands.h. Each has one request under way, so requests of different clients wait for the disk at the same time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ext4_service/commands.h"
#include "tests/ext4_service/host.h"

#define CLIENTS 6u
#define FILES 6u
#define BYTES 300000u
#define LENGTH_MAX 70000u

struct model_file {
    bool exists;
    uint64_t size;
    uint8_t bytes[BYTES];
};

enum what {
    IDLE,
    OPENING,
    READING,
    WRITING,
    APPENDING,
    CUTTING,
    REMOVING,
    LISTING,
    SYNCING,
    RENAMING,
    PUNCHING,
    SETTING_ASIDE,
    VIEWING
};

struct client {
    enum what what;
    unsigned file, other;
    uint64_t handle; /* of `open`; 0: none */
    unsigned open;
    uint64_t offset, length;
    uint8_t *written;
    struct model_file files[FILES];
};

static struct client *clients;
static uint64_t state;
static bool has_space; /* the file system knows of holes */

static uint64_t pick(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 20) % below;
}

static void send_path(unsigned number, uint32_t operation, const void *record, size_t bytes,
                      unsigned file)
{
    char path[64];

    snprintf(path, sizeof path, "client-%u/file-%u", number, file);
    host_send(number, operation, record, bytes, path, strlen(path));
}

static void begin_io(unsigned number, struct client *client, enum what what)
{
    struct file_io io = {client->handle, pick(BYTES - LENGTH_MAX), 0, pick(LENGTH_MAX) + 1};

    if (pick(3) == 0)
        io.length = pick(4096) + 1;
    if (what == APPENDING && client->files[client->open].size + io.length > BYTES)
        what = READING;
    client->what = what;
    client->offset = what == APPENDING ? client->files[client->open].size : io.offset;
    client->length = io.length;
    if (what != READING) {
        for (uint64_t i = 0; i < io.length; i++)
            client->written[i] = host_window(number)[i] = (uint8_t)pick(256);
    } else {
        memset(host_window(number), 0xEE, io.length);
    }
    host_send(number,
              what == READING   ? FILE_READ
              : what == WRITING ? FILE_WRITE
                                : FILE_APPEND,
              &io, sizeof io, NULL, 0);
}

static void begin_open(unsigned number, struct client *client)
{
    struct file_open record = {.flags = FILE_CREATE, .rights = FILE_READ_RIGHT | FILE_WRITE_RIGHT};
    struct file_handle handle = {client->handle};

    if (client->handle != 0 &&
        host_do(number, FILE_CLOSE, &handle, sizeof handle, NULL, 0) != MNOS_OK)
        host_fail("closing failed");
    client->handle = 0;
    client->what = OPENING;
    client->file = (unsigned)pick(FILES);
    send_path(number, FILE_OPEN, &record, sizeof record, client->file);
}

static void begin_rename(unsigned number, struct client *client)
{
    char both[128];
    struct file_two record;
    int first;

    client->file = (unsigned)pick(FILES);
    client->other = (unsigned)pick(FILES);
    first = snprintf(both, sizeof both, "client-%u/file-%u", number, client->file);
    snprintf(both + first, sizeof both - (size_t)first, "client-%u/file-%u", number, client->other);
    record = (struct file_two){.first_bytes = (uint32_t)first};
    client->what = RENAMING;
    host_send(number, FILE_RENAME, &record, sizeof record, both, strlen(both));
}

static void begin_space(unsigned number, struct client *client)
{
    struct file_allocate record = {client->handle, pick(BYTES - LENGTH_MAX), pick(LENGTH_MAX) + 1,
                                   0};

    client->what = pick(3) != 0 ? PUNCHING : SETTING_ASIDE;
    if (client->what == PUNCHING)
        record.flags = FILE_ALLOCATE_PUNCH;
    else if (pick(2) == 0)
        record.flags = FILE_ALLOCATE_KEEP_SIZE;
    if (pick(2) == 0)
        record.offset -= record.offset % 4096;
    client->offset = record.offset;
    client->length = record.flags == FILE_ALLOCATE_KEEP_SIZE ? 0 : record.bytes;
    host_send(number, FILE_ALLOCATE, &record, sizeof record, NULL, 0);
}

static void begin(unsigned number, struct client *client)
{
    unsigned what = (unsigned)pick(has_space ? 27 : 20);
    struct file_view_request view = {client->handle, pick(BYTES), 0, pick(17)};
    struct file_truncate cut = {client->handle, pick(BYTES)};
    struct file_path path = {0};

    if (client->handle == 0 || what == 0) {
        begin_open(number, client);
    } else if (what < 7) {
        begin_io(number, client, READING);
    } else if (what < 14) {
        begin_io(number, client, what < 12 ? WRITING : APPENDING);
    } else if (what < 16) {
        client->what = CUTTING;
        client->length = cut.size;
        host_send(number, FILE_TRUNCATE, &cut, sizeof cut, NULL, 0);
    } else if (what == 16) {
        client->what = REMOVING;
        client->file = (unsigned)pick(FILES);
        if (client->file == client->open)
            client->file = (client->file + 1) % FILES;
        send_path(number, FILE_UNLINK, &path, sizeof path, client->file);
    } else if (what == 17) {
        client->what = SYNCING;
        if (pick(4) == 0)
            host_send(number, FILE_SYNC, NULL, 0, NULL, 0);
        else
            host_send(number, FILE_FSYNC, &cut.handle, 8, NULL, 0);
    } else if (what < 20) {
        begin_rename(number, client);
    } else if (what < 24) {
        begin_space(number, client);
    } else {
        client->what = VIEWING;
        host_send(number, FILE_VIEW, &view, sizeof view, NULL, 0);
    }
}

/* ---- What it should have done ---- */

static void expect(bool ok, const char *what, unsigned number)
{
    if (ok)
        return;
    fprintf(stderr, "client %u, status %u\n", number, host_replies[number].status);
    host_fail(what);
}

static void change(struct model_file *file, const struct client *client)
{
    uint64_t end = client->offset + client->length;

    if (end > file->size)
        file->size = end;
    memcpy(file->bytes + client->offset, client->written, client->length);
}

static void cut_model(struct model_file *file, uint64_t size)
{
    if (size < file->size)
        memset(file->bytes + size, 0, file->size - size);
    file->size = size;
}

/* So many bytes were done. */
static void finish_space(unsigned number, const struct client *client, struct model_file *file)
{
    uint64_t done, end;

    memcpy(&done, host_replies[number].bytes, sizeof done);
    expect(done != 0, "nothing was set aside or taken out", number);
    if (done > client->length)
        done = client->length; /* the size is kept */
    end = client->offset + done;
    if (client->what == SETTING_ASIDE && done != 0 && end > file->size)
        file->size = end;
    if (client->what == PUNCHING && client->offset < file->size)
        memset(file->bytes + client->offset, 0,
               (end < file->size ? end : file->size) - client->offset);
}

static void finish_read(unsigned number, const struct client *client)
{
    const struct model_file *file = &client->files[client->open];
    uint64_t count, expected = client->offset < file->size ? file->size - client->offset : 0;

    if (expected > client->length)
        expected = client->length;
    memcpy(&count, host_replies[number].bytes, sizeof count);
    expect(count == expected, "reading returned another number of bytes", number);
    expect(memcmp(host_window(number), file->bytes + client->offset, count) == 0,
           "reading returned other bytes", number);
}

static void finish_rename(unsigned number, struct client *client, mnos_status_t status)
{
    struct model_file *from = &client->files[client->file], *to = &client->files[client->other];

    expect(status == (from->exists ? MNOS_OK : MNOS_ERR_NOT_FOUND), "renaming", number);
    if (!from->exists || from == to)
        return;
    if (client->open == client->other) { /* what is open has no name any more: it is not followed */
        struct file_handle handle = {client->handle};

        expect(host_do(number, FILE_CLOSE, &handle, sizeof handle, NULL, 0) == MNOS_OK, "closing",
               number);
        client->handle = 0;
    } else if (client->open == client->file) {
        client->open = client->other;
    }
    *to = *from;
    *from = (struct model_file){0};
}

static void finish(unsigned number, struct client *client)
{
    mnos_status_t status = (mnos_status_t)host_replies[number].status;
    struct model_file *open = &client->files[client->open], *file = &client->files[client->file];
    enum what what = client->what;

    if (what == PUNCHING || what == SETTING_ASIDE) {
        expect(status == MNOS_OK, "room was not set aside or taken out", number);
        finish_space(number, client, open);
    }
    client->what = IDLE;
    switch (what) {
    case OPENING:
        expect(status == MNOS_OK, "opening failed", number);
        memcpy(&client->handle, host_replies[number].bytes, sizeof client->handle);
        client->open = client->file;
        file->exists = true;
        break;
    case READING:
        expect(status == MNOS_OK, "reading failed", number);
        finish_read(number, client);
        break;
    case WRITING:
    case APPENDING:
        expect(status == MNOS_OK, "writing failed", number);
        change(open, client);
        break;
    case CUTTING:
        expect(status == MNOS_OK, "truncating failed", number);
        cut_model(open, client->length);
        break;
    case REMOVING:
        expect(status == (file->exists ? MNOS_OK : MNOS_ERR_NOT_FOUND), "removing", number);
        *file = (struct model_file){0};
        break;
    case RENAMING: finish_rename(number, client, status); break;
    default: expect(status == MNOS_OK, "a request failed", number); break;
    }
}

bool random_run(uint64_t seed, unsigned count)
{
    struct file_allocate nothing = {0};
    unsigned busy = 0;

    has_space = host_do(0, FILE_ALLOCATE, &nothing, sizeof nothing, NULL, 0) != MNOS_ERR_LABEL;
    state = seed * 0x9E3779B97F4A7C15ull + 88172645463325252ull;
    clients = calloc(CLIENTS, sizeof *clients);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct file_path path = {0};
        char name[32];

        clients[i].written = malloc(LENGTH_MAX);
        snprintf(name, sizeof name, "client-%u", i);
        if (host_do(i, FILE_MKDIR, &path, sizeof path, name, strlen(name)) != MNOS_OK)
            host_fail("a directory cannot be made");
    }
    while (count != 0 || busy != 0) {
        unsigned number = (unsigned)pick(CLIENTS);
        struct client *client = &clients[number];

        if (client->what != IDLE && host_replies[number].arrived) {
            finish(number, client);
            busy--;
        } else if (client->what == IDLE && count != 0) {
            count--;
            busy++;
            begin(number, client);
        } else {
            host_step();
        }
        if (pick(64) == 0)
            host_check();
    }
    return true;
}
