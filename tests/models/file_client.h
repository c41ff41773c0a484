// SPDX-License-Identifier: MIT
/* file_client.h - the requests that tests of files send most, as a client that means well. Included behind file_server.h by one
 * file of a test. */
#pragma once

static uint32_t sequence = 1;

/* The next request of class N in lane 0 of whoever; tests with several clients begin each anew. */
static uint32_t once(uint32_t operation)
{
    return label_make(operation, 0, sequence++);
}

static void open_session(mnos_badge_t badge)
{
    struct file_open_session wanted = {.window_bytes = 65536};

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
