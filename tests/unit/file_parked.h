// SPDX-License-Identifier: MIT
/* file_parked.h - tests of requests that wait: a part of test_file_server.c, with a file system that says now and
 * then that it has to. */
#pragma once

#include "lib/server/park.h"

static struct park park;
static unsigned waits_left; /* how often a method still says that it has to wait */
static uint64_t room;       /* bytes that are read and written without waiting */

#define WAIT_FIRST()                                                                               \
    do {                                                                                           \
        if (waits_left != 0) {                                                                     \
            waits_left--;                                                                          \
            server.system.waits_for = 7;                                                           \
            return SERVER_PARKED;                                                                  \
        }                                                                                          \
    } while (0)

static mnos_status_t look_later(void *fs, struct file_place *place)
{
    WAIT_FIRST();
    return tmpfs_methods.look(fs, place);
}

static mnos_status_t create_later(void *fs, const struct file_place *place, enum file_type type,
                                  uint32_t account, uint32_t *inode)
{
    WAIT_FIRST();
    return tmpfs_methods.create(fs, place, type, account, inode);
}

static mnos_status_t write_in_parts(void *fs, uint32_t inode, uint64_t offset, const void *from,
                                    uint64_t length, uint64_t *count)
{
    if (room == 0) {
        room = 3;
        server.system.waits_for = 7;
        return SERVER_PARKED;
    }
    length = length < room ? length : room;
    room -= length;
    return tmpfs_methods.write(fs, inode, offset, from, length, count);
}

static void begin_waiting(void)
{
    static struct file_methods methods;

    begin();
    methods = tmpfs_methods;
    methods.look = look_later;
    methods.create = create_later;
    methods.write = write_in_parts;
    server.system.methods = &methods;
    park = (struct park){0};
    server.loop.park = &park;
    room = 3;
}

static void go_on(void)
{
    park_wake(&park, 7);
    server_loop_go_on(&server.loop);
    CHECK(park_check(&park) == NULL);
}

TEST(file_server, a_request_that_waits_is_run_again_and_has_its_effect_once)
{
    uint64_t handle;
    uint32_t label;

    begin_waiting();
    open_session(ALICE);
    waits_left = 2; /* at the name, and before the file is made */
    label = once(FILE_OPEN);
    (void)open_with(ALICE, label, "file", FILE_CREATE | FILE_EXCLUSIVE, 6, &handle);
    CHECK_EQ(message.reply_id, 0);
    CHECK_EQ(park.count, 1);
    /* Sent again it waits with the first, under its own number. */
    (void)open_with(ALICE, label, "file", FILE_CREATE | FILE_EXCLUSIVE, 6, &handle);
    CHECK_EQ(message.reply_id, 0);
    CHECK_EQ(park.count, 1);
    park_wake(&park, 8); /* something else */
    CHECK_EQ(park.ready_count, 0);
    answers = 0;
    go_on();
    CHECK_EQ(answers, 0);
    go_on();
    CHECK_EQ(answers, 1);
    CHECK_EQ(last_answer.label, MNOS_OK);
    CHECK_EQ(last_answer.reply_id, next_reply_id - 1);
    CHECK_EQ(park.count, 0);
    CHECK_EQ(open_with(ALICE, label, "file", FILE_CREATE | FILE_EXCLUSIVE, 6, &handle), MNOS_OK);
    CHECK_EQ(session_of(server.loop.sessions, ALICE)->handle_count, 1);
    check_all();
}

TEST(file_server, bytes_that_are_appended_stay_together_though_they_wait)
{
    struct file_io io;
    uint64_t handle;

    begin_waiting();
    open_session(ALICE);
    handle = open_file(ALICE, "file");
    io = (struct file_io){handle, 0, FILE_INLINE, 8};
    (void)send(ALICE, label_make(FILE_APPEND, 1, 1), &io, sizeof io, "aaaaaaaa");
    (void)send(ALICE, label_make(FILE_APPEND, 2, 1), &io, sizeof io, "bbbbbbbb");
    CHECK_EQ(park.count, 2);
    answers = 0;
    for (unsigned i = 0; i < 8 && park.count != 0; i++)
        go_on();
    CHECK_EQ(answers, 2);
    io.length = 100;
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_OK);
    CHECK_EQ(message.words[0], 16);
    CHECK(memcmp(message_bytes + sizeof(struct file_count), "aaaaaaaabbbbbbbb", 16) == 0);
    check_all();
}

TEST(file_server, an_append_that_could_not_wait_in_its_middle_does_not_begin)
{
    struct file_io io;
    uint32_t label = label_make(FILE_APPEND, 1, 1);

    begin_waiting();
    open_session(ALICE);
    io = (struct file_io){open_file(ALICE, "file"), 0, FILE_INLINE, 8};
    waits_left = 1000;
    do {
        (void)with_path(ALICE, FILE_STAT, "file");
    } while (message.reply_id == 0);
    waits_left = 0;
    CHECK_EQ(send(ALICE, label, &io, sizeof io, "aaaaaaaa"), MNOS_ERR_AGAIN);
    go_on();
    CHECK_EQ(park.count, 0);
    /* The same sequence: nothing had happened. */
    (void)send(ALICE, label, &io, sizeof io, "aaaaaaaa");
    for (unsigned i = 0; i < 8 && park.count != 0; i++)
        go_on();
    CHECK_EQ(last_answer.label, MNOS_OK);
    io.length = 100;
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_OK);
    CHECK_EQ(message.words[0], 8);
    check_all();
}

TEST(file_server, what_waits_ends_with_its_client_and_a_client_waits_within_its_share)
{
    unsigned put = 0;

    begin_waiting();
    open_session(ALICE);
    open_session(BOB);
    waits_left = 1000;
    answers = 0;
    do {
        (void)with_path(ALICE, FILE_STAT, "file");
        put += message.reply_id == 0;
    } while (message.reply_id == 0);
    CHECK_EQ(put, PARK_ENTRIES / PARK_SHARE);
    CHECK_EQ(message.label, MNOS_ERR_AGAIN);
    (void)with_path(BOB, FILE_STAT, "file");
    CHECK_EQ(message.reply_id, 0);
    client_gone(ALICE);
    CHECK_EQ(park.count, 1);
    waits_left = 0;
    go_on();
    CHECK_EQ(answers, 1);
    CHECK_EQ(last_answer.label, MNOS_ERR_NOT_FOUND);
    check_all();
}

TEST(file_server, what_waits_in_a_session_that_begins_anew_or_is_closed_is_told)
{
    uint64_t handle;
    mnos_badge_t child;
    uint32_t label;

    begin_waiting();
    open_session(ALICE);
    waits_left = 1;
    (void)with_path(ALICE, FILE_STAT, "file");
    answers = 0;
    open_session(ALICE);
    CHECK_EQ(park.count, 0);
    CHECK_EQ(answers, 1);
    CHECK_EQ(last_answer.label, MNOS_ERR_LOST);
    /* Under the number that it asked with last. */
    waits_left = 1;
    label = once(FILE_OPEN);
    (void)open_with(ALICE, label, "file", FILE_CREATE, 6, &handle);
    (void)open_with(ALICE, label, "file", FILE_CREATE, 6, &handle);
    answers = 0;
    handle = next_reply_id - 1;
    open_session(ALICE);
    CHECK_EQ(park.count, 0);
    CHECK_EQ(answers, 1);
    CHECK_EQ(last_answer.label, MNOS_ERR_LOST);
    CHECK_EQ(last_answer.reply_id, handle);
    waits_left = 0;
    child = export_directory(ALICE, open_directory(ALICE, ""), FILE_LOOKUP);
    open_session(child);
    waits_left = 1;
    (void)with_path(child, FILE_STAT, "file");
    CHECK_EQ(park.count, 1);
    sent_badge = child;
    CHECK_EQ(send(ALICE, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_OK);
    sent_badge = 0;
    answers = 0;
    go_on();
    CHECK_EQ(park.count, 0);
    CHECK_EQ(answers, 1);
    CHECK_EQ(last_answer.label, MNOS_ERR_LOST);
    check_all();
}

/* The service dies while requests wait: the next run knows of them only what their lanes hold. */
static void next_run(void)
{
    park = (struct park){0};
    room = 3;
    for (unsigned i = 0; i < LABEL_LANES; i++) {
        struct server_lane *lane = &session_of(server.loop.sessions, ALICE)->lanes[i];

        if (lane->state == LANE_RUNNING)
            lane->state = LANE_AGAIN; /* as sessions_recover() does */
    }
}

static void append(uint32_t lane, uint64_t handle, const char *text)
{
    struct file_io io = {handle, 0, FILE_INLINE, 8};

    (void)send(ALICE, label_make(FILE_APPEND, lane, 1), &io, sizeof io, text);
}

/* Appends eight bytes to a file, which waits when three of them are written; the handle. */
static uint64_t begin_appending(void)
{
    uint64_t handle;

    begin_waiting();
    open_session(ALICE);
    handle = open_file(ALICE, "file");
    append(1, handle, "aaaaaaaa");
    return handle;
}

TEST(file_server, an_append_goes_on_after_a_death_where_it_was)
{
    struct file_io io;
    uint64_t handle = begin_appending();

    CHECK_EQ(park.count, 1); /* three of them are written */
    next_run();
    append(1, handle, "aaaaaaaa");
    while (park.count != 0)
        go_on();
    io = (struct file_io){handle, 0, FILE_INLINE, 100};
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_OK);
    CHECK_EQ(message.words[0], 8);
    check_all();
}

TEST(file_server, an_append_ends_behind_a_death_where_another_one_has_come)
{
    uint64_t handle = begin_appending();

    next_run();
    append(2, handle, "bbbbbbbb");
    while (park.count != 0)
        go_on();
    append(1, handle, "aaaaaaaa");
    CHECK_EQ(message.label, MNOS_OK); /* three of eight, at 0 */
    CHECK_EQ(message.words[0], 3);
    CHECK_EQ(message.words[1], 0);
    check_all();
}

TEST(file_server, an_append_that_cannot_wait_after_a_death_says_how_much_is_there)
{
    struct file_io io;
    uint64_t handle = begin_appending();

    next_run();
    append(2, handle, "bbbbbbbb"); /* holds the file */
    waits_left = 1000;
    do {
        (void)with_path(ALICE, FILE_STAT, "file");
    } while (message.reply_id == 0);
    waits_left = 0;
    append(1, handle, "aaaaaaaa");
    CHECK_EQ(message.label, MNOS_OK); /* three of eight, at 0 */
    CHECK_EQ(message.words[0], 3);
    CHECK_EQ(message.words[1], 0);
    append(1, handle, "aaaaaaaa"); /* the same sequence: the same answer */
    CHECK_EQ(message.words[0], 3);
    park_wake_all(&park);
    while (park.count != 0)
        go_on();
    io = (struct file_io){handle, 0, FILE_INLINE, 100};
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_OK);
    CHECK_EQ(message.words[0], 11);
    check_all();
}
