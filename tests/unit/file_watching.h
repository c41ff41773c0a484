// SPDX-License-Identifier: MIT
/* file_watching.h - tests of WATCH: a part of test_file_server.c. */
#pragma once

static mnos_status_t watch_what(mnos_badge_t badge, uint64_t handle, uint64_t events, uint64_t what)
{
    struct file_watch record = {events, handle, what};
    mnos_status_t status;

    sent_badge = 1;
    status = send(badge, FILE_WATCH, &record, sizeof record, NULL);
    sent_badge = 0;
    return status;
}

static mnos_status_t watch_on(mnos_badge_t badge, uint64_t handle, uint64_t events)
{
    return watch_what(badge, handle, events, FILE_WATCH_CHANGES);
}

/* What was told since the last time. */
static uint64_t told(void)
{
    uint64_t events = told_events;

    told_events = 0;
    return events;
}

static mnos_status_t rename_to(mnos_badge_t badge, const char *from, const char *to)
{
    struct file_two record = {.first_bytes = (uint32_t)strlen(from)};
    char texts[64];

    strcpy(texts, from);
    strcat(texts, to);
    return send(badge, once(FILE_RENAME), &record, sizeof record, texts);
}

enum { EVENT_ROOT = 1, EVENT_DIR = 2, EVENT_FILE = 4 };

static void begin_watching(uint64_t handles[3])
{
    begin();
    open_session(BOB);
    CHECK_EQ(with_path(BOB, once(FILE_MKDIR), "dir"), MNOS_OK);
    handles[0] = open_directory(BOB, "");
    handles[1] = open_directory(BOB, "dir");
    handles[2] = open_file(BOB, "file");
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(watch_on(BOB, handles[i], 1u << i), MNOS_OK);
    open_session(ALICE);
    (void)told();
}

TEST(file_server, a_watch_tells_what_has_changed_and_nothing_else)
{
    struct file_truncate truncate;
    struct file_allocate allocate;
    uint64_t handles[3], file;

    begin_watching(handles);
    file = open_file(ALICE, "file"); /* it is there */
    CHECK_EQ(told(), 0);
    CHECK_EQ(write_inline(ALICE, file, "x"), MNOS_OK);
    CHECK_EQ(told(), EVENT_FILE);
    CHECK_EQ(with_path(ALICE, FILE_STAT, "file"), MNOS_OK);
    CHECK_EQ(told(), 0);
    truncate = (struct file_truncate){file, 100};
    CHECK_EQ(send(ALICE, FILE_TRUNCATE, &truncate, sizeof truncate, NULL), MNOS_OK);
    CHECK_EQ(told(), EVENT_FILE);
    allocate = (struct file_allocate){file, 0, 10, FILE_ALLOCATE_PUNCH};
    CHECK_EQ(send(ALICE, FILE_ALLOCATE, &allocate, sizeof allocate, NULL), MNOS_OK);
    CHECK_EQ(told(), EVENT_FILE);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "file", FILE_TRUNCATE_FIRST, 6, &file), MNOS_OK);
    CHECK_EQ(told(), EVENT_FILE);
    (void)open_file(ALICE, "dir/new");
    CHECK_EQ(told(), EVENT_DIR);
    CHECK_EQ(rename_to(ALICE, "dir/new", "moved"), MNOS_OK);
    CHECK_EQ(told(), EVENT_ROOT | EVENT_DIR);
    CHECK_EQ(rename_to(ALICE, "none", "moved"), MNOS_ERR_NOT_FOUND);
    CHECK_EQ(told(), 0);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "dir/sub"), MNOS_OK);
    CHECK_EQ(told(), EVENT_DIR);
    CHECK_EQ(with_path(ALICE, once(FILE_RMDIR), "dir/sub"), MNOS_OK);
    CHECK_EQ(told(), EVENT_DIR);
    CHECK_EQ(with_path(ALICE, once(FILE_UNLINK), "moved"), MNOS_OK);
    CHECK_EQ(told(), EVENT_ROOT);
    check_all();
}

TEST(file_server, a_watch_tells_what_others_open_in_a_directory)
{
    uint64_t handles[3], file;

    begin_watching(handles);
    (void)open_file(ALICE, "dir/file");
    CHECK_EQ(watch_what(BOB, handles[1], EVENT_DIR, FILE_WATCH_OPENS), MNOS_OK);
    CHECK_EQ(watch_what(BOB, handles[2], EVENT_FILE, FILE_WATCH_OPENS), MNOS_ERR_NOT_DIRECTORY);
    CHECK_EQ(watch_what(BOB, handles[1], EVENT_DIR, FILE_WATCH_OPENS + 1), MNOS_ERR_ARGUMENT);
    (void)told();
    /* By whom it is watched. */
    CHECK_EQ(open_with(BOB, label_make(FILE_OPEN, 3, 1), "dir/file", 0, FILE_WRITE_RIGHT, &file),
             MNOS_OK);
    CHECK_EQ(write_inline(BOB, file, "x"), MNOS_OK);
    CHECK_EQ(with_path(ALICE, FILE_STAT, "dir/file"), MNOS_OK);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "dir/none", 0, FILE_READ_RIGHT, &file),
             MNOS_ERR_NOT_FOUND);
    (void)open_directory(ALICE, "dir"); /* the name is in the root */
    (void)open_file(ALICE, "file");
    CHECK_EQ(told(), 0);
    (void)open_file(ALICE, "dir/file");
    CHECK_EQ(told(), EVENT_DIR);
    (void)open_file(ALICE, "dir/new");
    CHECK_EQ(told(), EVENT_DIR);
    CHECK_EQ(with_path(ALICE, once(FILE_UNLINK), "dir/new"),
             MNOS_OK); /* it is no change that is watched */
    CHECK_EQ(told(), 0);
    check_all();
}

TEST(file_server, a_watch_goes_with_its_handle)
{
    struct file_handle record;
    uint64_t handles[3], file, reader;

    begin_watching(handles);
    file = open_file(ALICE, "file");
    record.handle = handles[2];
    CHECK_EQ(watch_on(BOB, handles[2], 8), MNOS_OK); /* in the place of the other */
    (void)told();
    CHECK_EQ(write_inline(ALICE, file, "x"), MNOS_OK);
    CHECK_EQ(told(), 8);
    CHECK_EQ(server.watches.used, 3);
    CHECK_EQ(send(BOB, label_make(FILE_CLOSE, 5, 1), &record, sizeof record, NULL), MNOS_OK);
    CHECK_EQ(write_inline(ALICE, file, "x"), MNOS_OK);
    CHECK_EQ(told(), 0);
    CHECK_EQ(server.watches.used, 2);
    client_gone(BOB);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "new"), MNOS_OK);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "dir/new"), MNOS_OK);
    CHECK_EQ(told(), 0);
    CHECK_EQ(server.watches.used, 0);
    CHECK_PTR_EQ(server.loop.done, NULL); /* and costs nothing any more */
    /* Who may not read may not know. */
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "file", 0, FILE_WRITE_RIGHT, &reader), MNOS_OK);
    CHECK_EQ(watch_on(ALICE, reader, 1), MNOS_ERR_DENIED);
    CHECK_EQ(watch_on(ALICE, handles[0], 1), MNOS_ERR_FILE);
    check_all();
}

TEST(file_server, a_client_has_its_share_of_watches)
{
    uint64_t handle;
    unsigned count = 0, held = listeners_held;

    begin();
    open_session(BOB);
    open_session(ALICE);
    while (watch_on(ALICE, handle = open_file(ALICE, "file"), 1) == MNOS_OK)
        count++;
    CHECK_EQ(message.label, MNOS_ERR_QUOTA);
    CHECK_EQ(count, FILE_WATCHES_MAX / FILE_WATCHES_SHARE);
    CHECK_EQ(listeners_held - held, count);
    sequence = 1;
    CHECK_EQ(open_with(BOB, once(FILE_OPEN), "file", 0, 6, &handle), MNOS_OK);
    CHECK_EQ(watch_on(BOB, handle, 1), MNOS_OK);
    client_gone(ALICE);
    CHECK_EQ(watch_on(BOB, handle, 1), MNOS_OK);
    CHECK_EQ(server.watches.used, 1);
    CHECK_EQ(listeners_held - held, 1);
    check_all();
}
