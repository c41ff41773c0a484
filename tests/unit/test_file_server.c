// SPDX-License-Identifier: MIT
/*
 * test_file_server - sessions, handles, lanes and exports, by the requests of protocols/file.def to
 * the service of files in memory, against a model of messages and windows.
 */
#include "tests/models/file_server.h"
#include "tests/models/file_client.h"
#include "tests/unit/file_parked.h"
#include "tests/unit/file_mounting.h"
#include "tests/unit/file_inside.h"
#include "tests/unit/file_locking.h"
#include "tests/unit/file_watching.h"
#include "tests/unit/file_viewing.h"
#include "tests/unit/file_fuzz.h"
#include "tests/unit/file_limiting.h"

TEST(file_server, bytes_go_through_the_message_and_the_window)
{
    struct file_io io;
    uint64_t handle;
    char *window;

    begin();
    open_session(ALICE);
    handle = open_file(ALICE, "file");
    CHECK_EQ(write_inline(ALICE, handle, "0123456789"), MNOS_OK);
    CHECK_EQ(message.words[0], 10);
    io = (struct file_io){handle, 2, FILE_INLINE, 100};
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_OK);
    CHECK_EQ(message.words[0], 8);
    CHECK(memcmp(message_bytes + sizeof(struct file_count), "23456789", 8) == 0);
    window = server.windows[session_of(server.loop.sessions, ALICE)->number - 1].memory.address;
    io = (struct file_io){handle, 5, 65536 - 100, 100};
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_OK);
    CHECK_EQ(message.words[0], 5);
    CHECK(memcmp(window + 65536 - 100, "56789", 5) == 0);
    io.length = 101;
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_ERR_ARGUMENT);
    io = (struct file_io){handle, 5, UINT64_MAX - 50, 100};
    CHECK_EQ(send(ALICE, FILE_WRITE, &io, sizeof io, NULL), MNOS_ERR_ARGUMENT);
    io = (struct file_io){handle, 0, 0, 3};
    CHECK_EQ(send(ALICE, FILE_WRITE, &io, sizeof io, "xx"), MNOS_ERR_SIZE);
    check_all();
}

TEST(file_server, a_repeated_request_gets_the_reply_that_was_recorded)
{
    uint64_t first, second;
    uint32_t label;

    begin();
    open_session(ALICE);
    label = once(FILE_OPEN);
    CHECK_EQ(open_with(ALICE, label, "file", FILE_CREATE | FILE_EXCLUSIVE, FILE_READ_RIGHT, &first),
             MNOS_OK);
    CHECK_EQ(
        open_with(ALICE, label, "file", FILE_CREATE | FILE_EXCLUSIVE, FILE_READ_RIGHT, &second),
        MNOS_OK);
    CHECK_EQ(first, second);
    CHECK_EQ(session_of(server.loop.sessions, ALICE)->handle_count, 1);
    label = once(FILE_UNLINK);
    CHECK_EQ(with_path(ALICE, label, "file"), MNOS_OK);
    CHECK_EQ(with_path(ALICE, label, "file"), MNOS_OK);
    label = once(FILE_UNLINK);
    CHECK_EQ(with_path(ALICE, label, "file"), MNOS_ERR_NOT_FOUND);
    /* Neither the lane's last nor its next; and 0, which is none. */
    CHECK_EQ(with_path(ALICE, label_make(FILE_MKDIR, 0, sequence + 5), "dir"), MNOS_ERR_ARGUMENT);
    CHECK_EQ(with_path(ALICE, label_make(FILE_MKDIR, 0, sequence - 2), "dir"), MNOS_ERR_ARGUMENT);
    CHECK_EQ(with_path(ALICE, label_make(FILE_MKDIR, 1, 0), "dir"), MNOS_ERR_ARGUMENT);
    /* Another lane has its own. */
    CHECK_EQ(with_path(ALICE, label_make(FILE_MKDIR, 7, LABEL_SEQUENCE_MAX), "dir"), MNOS_OK);
    CHECK_EQ(with_path(ALICE, label_make(FILE_RMDIR, 7, 1), "dir"), MNOS_OK);
    /* A path that leaves the session has had no effect, and is looked at again. */
    label = once(FILE_MKDIR);
    CHECK_EQ(with_path(ALICE, label, "../dir"), MNOS_ERR_REST);
    CHECK_EQ(with_path(ALICE, label, "dir"), MNOS_OK);
    check_all();
}

TEST(file_server, a_lane_that_is_busy_is_joined_or_taken_over)
{
    struct server_lane lane = {0};
    uint64_t words[4] = {42}, stale;

    CHECK_EQ(lane_begin(&lane, 9, 100, &stale), LANE_RUN);
    CHECK_EQ(lane_begin(&lane, 9, 101, &stale), LANE_JOINED); /* sent again while it runs */
    CHECK_EQ(stale, 100);
    CHECK_EQ(lane.reply_id, 101);
    CHECK_EQ(lane_begin(&lane, 11, 102, &stale), LANE_REFUSED);
    CHECK_EQ(lane_begin(&lane, 10, 103, &stale),
             LANE_RUN); /* the next: the old one gets no answer */
    CHECK_EQ(stale, 101);
    lane_done(&lane, MNOS_ERR_EXISTS, words, 8);
    CHECK_EQ(lane_begin(&lane, 10, 104, &stale), LANE_REPLAY);
    CHECK_EQ(lane.status, MNOS_ERR_EXISTS);
    CHECK_EQ(lane_begin(&lane, 9, 105, &stale), LANE_REFUSED);
    CHECK_EQ(stale, 0);
}

TEST(file_server, handles_are_of_use_to_the_session_that_opened_them)
{
    struct file_handle record;
    uint64_t handle;

    begin();
    open_session(BOB);
    open_session(ALICE);
    handle = open_file(ALICE, "file");
    CHECK_EQ(write_inline(BOB, handle, "x"), MNOS_ERR_FILE);
    for (unsigned bit = 0; bit < 64; bit++)
        CHECK_EQ(write_inline(ALICE, handle ^ 1ull << bit, "x"), MNOS_ERR_FILE);
    CHECK_EQ(write_inline(ALICE, 0, "x"), MNOS_ERR_FILE);
    record.handle = handle;
    CHECK_EQ(send(ALICE, once(FILE_CLOSE), &record, sizeof record, NULL), MNOS_OK);
    CHECK_EQ(write_inline(ALICE, handle, "x"), MNOS_ERR_FILE);
    CHECK(open_file(ALICE, "file") != handle); /* the same place, another generation */
    /* Whoever never opened a session, or has no badge. */
    CHECK_EQ(with_path(0x10007, FILE_STAT, "file"), MNOS_ERR_LOST);
    CHECK_EQ(send(0, FILE_OPEN_SESSION, &(struct file_open_session){0},
                  sizeof(struct file_open_session), NULL),
             MNOS_ERR_DENIED);
    CHECK_EQ(send(ALICE, 11, NULL, 0, NULL), MNOS_ERR_LABEL);
    check_all();
}

static uint16_t client_of(mnos_badge_t badge)
{
    return session_of(server.loop.sessions, badge)->client;
}

TEST(file_server, a_session_that_a_service_exports_is_a_program_and_what_that_exports_is_its_own)
{
    mnos_badge_t one, other, below;
    uint64_t handle;

    begin();
    open_session(ALICE);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "dir"), MNOS_OK);
    handle = open_directory(ALICE, "dir");
    one = export_directory(ALICE, handle, FILE_LOOKUP | FILE_READ_RIGHT | FILE_CREATE_RIGHT);
    other = export_directory(ALICE, handle, FILE_LOOKUP | FILE_READ_RIGHT | FILE_CREATE_RIGHT);
    CHECK_EQ(session_program(client_of(ALICE)), 0);
    CHECK(session_program(client_of(one)) != 0);
    CHECK(client_of(one) != client_of(other));
    CHECK_EQ(client_of(one) % SESSION_ACCOUNTS, client_of(ALICE));
    open_session(one);
    below = export_directory(one, open_directory(one, "."), FILE_LOOKUP);
    CHECK_EQ(client_of(below), client_of(one));
    check_all();
}

TEST(file_server, rights_of_sessions_and_handles_only_shrink)
{
    struct file_export record;
    mnos_badge_t child;
    uint64_t handle;

    begin();
    open_session(ALICE);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "dir"), MNOS_OK);
    (void)open_file(ALICE, "dir/file");
    handle = open_directory(ALICE, "dir");
    child = export_directory(ALICE, handle, FILE_LOOKUP | FILE_READ_RIGHT);
    CHECK((child & SESSION_EXPORTED) != 0);
    record = (struct file_export){.handle = handle, .rights = FILE_WRITE_RIGHT};
    CHECK_EQ(send(ALICE, FILE_EXPORT, &record, sizeof record, NULL),
             MNOS_ERR_DENIED); /* the handle has it not */
    open_session(child);
    CHECK_EQ(open_with(child, once(FILE_OPEN), "file", 0, FILE_READ_RIGHT, &handle), MNOS_OK);
    CHECK_EQ(write_inline(child, handle, "x"), MNOS_ERR_DENIED);
    CHECK_EQ(open_with(child, once(FILE_OPEN), "file", 0, FILE_WRITE_RIGHT, &handle),
             MNOS_ERR_DENIED);
    CHECK_EQ(open_with(child, once(FILE_OPEN), "new", FILE_CREATE, FILE_READ_RIGHT, &handle),
             MNOS_ERR_DENIED);
    CHECK_EQ(
        open_with(child, once(FILE_OPEN), "file", FILE_TRUNCATE_FIRST, FILE_READ_RIGHT, &handle),
        MNOS_ERR_DENIED);
    CHECK_EQ(with_path(child, once(FILE_UNLINK), "file"), MNOS_ERR_DENIED);
    CHECK_EQ(with_path(child, FILE_STAT, "../dir/file"), MNOS_ERR_REST);
    CHECK_EQ(with_path(child, FILE_STAT, "/dir/file"), MNOS_ERR_REST);
    CHECK_EQ(with_path(child, FILE_STAT, "file"), MNOS_OK);
    sent_badge = ALICE;
    CHECK_EQ(send(child, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_ERR_DENIED);
    sent_badge = 0;
    check_all();
}

TEST(file_server, who_exported_a_session_may_close_it)
{
    mnos_badge_t child, grandchild, other;

    begin();
    open_session(ALICE);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "dir"), MNOS_OK);
    child = export_directory(ALICE, open_directory(ALICE, "dir"),
                             FILE_LOOKUP | FILE_CREATE_RIGHT | FILE_READ_RIGHT);
    other = export_directory(ALICE, open_directory(ALICE, "dir"), FILE_LOOKUP);
    open_session(child);
    open_session(other);
    grandchild = export_directory(child, open_directory(child, ""), FILE_LOOKUP);
    open_session(grandchild);
    sent_badge = child; /* itself, and one that is above or beside it */
    CHECK_EQ(send(child, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_ERR_DENIED);
    CHECK_EQ(send(grandchild, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_ERR_DENIED);
    CHECK_EQ(send(other, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_ERR_DENIED);
    sent_badge = grandchild;
    CHECK_EQ(send(other, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_ERR_DENIED);
    CHECK_EQ(send(child, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_OK);
    CHECK_EQ(send(child, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_ERR_NOT_FOUND);
    sent_badge = 0;
    check_all();
    CHECK_EQ(with_path(grandchild, FILE_STAT, ""), MNOS_ERR_LOST);
    CHECK_EQ(with_path(child, FILE_STAT, ""), MNOS_OK);
}

TEST(file_server, closing_a_session_closes_all_that_came_from_it)
{
    mnos_badge_t child, grandchild;
    uint64_t handle;

    begin();
    open_session(ALICE);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "dir"), MNOS_OK);
    CHECK_EQ(with_path(ALICE, once(FILE_MKDIR), "dir/sub"), MNOS_OK);
    child = export_directory(ALICE, open_directory(ALICE, "dir"),
                             FILE_LOOKUP | FILE_CREATE_RIGHT | FILE_READ_RIGHT);
    open_session(child);
    grandchild = export_directory(child, open_directory(child, "sub"), FILE_LOOKUP);
    open_session(grandchild);
    CHECK_EQ(windows_open, 3);
    CHECK_EQ(session_count_below(server.loop.sessions, session_of(server.loop.sessions, ALICE)), 2);
    /* The one in between may exit: what it handed on is still below Alice. */
    client_gone(child);
    check_all();
    CHECK_EQ(with_path(child, FILE_STAT, ""), MNOS_ERR_LOST);
    CHECK_EQ(with_path(grandchild, FILE_STAT, ""), MNOS_OK);
    CHECK_EQ(session_count_below(server.loop.sessions, session_of(server.loop.sessions, ALICE)), 2);
    sent_badge = ALICE;
    CHECK_EQ(send(ALICE, FILE_CLOSE_TREE, NULL, 0, NULL), MNOS_OK);
    sent_badge = 0;
    check_all();
    CHECK_EQ(windows_open, 0);
    CHECK_EQ(with_path(grandchild, FILE_STAT, ""), MNOS_ERR_LOST);
    CHECK_EQ(send(grandchild, FILE_OPEN_SESSION, &(struct file_open_session){0},
                  sizeof(struct file_open_session), NULL),
             MNOS_ERR_LOST);
    open_session(ALICE); /* what the service manager gave, it takes away by the capability */
    handle = open_file(ALICE, "file");
    CHECK(handle != 0);
    client_gone(grandchild); /* known no more */
    gone[0] = ALICE;
    client_gone(0);
    check_all();
    CHECK_EQ(windows_open, 0);
    for (unsigned i = 0; i < SESSION_ACCOUNTS; i++)
        CHECK_EQ(server.loop.sessions->accounts[i].sessions, 0);
}

TEST(file_server, a_client_at_its_share_of_handles_and_sessions_does_not_disturb_others)
{
    struct file_export record;
    uint64_t handle = 0, directory;
    mnos_badge_t child;
    unsigned count = 0;

    begin();
    open_session(ALICE);
    directory = open_directory(ALICE, "");
    record = (struct file_export){.handle = directory, .rights = FILE_LOOKUP};
    (void)open_file(ALICE, "file");
    for (unsigned i = 0; i < FILE_SERVER_SESSIONS / SESSION_SHARE - 1; i++)
        child = export_directory(ALICE, directory, FILE_LOOKUP);
    CHECK_EQ(send(ALICE, FILE_EXPORT, &record, sizeof record, NULL), MNOS_ERR_QUOTA);
    while (open_with(ALICE, once(FILE_OPEN), "file", 0, FILE_READ_RIGHT, &handle) == MNOS_OK)
        count++;
    CHECK_EQ(message.label, MNOS_ERR_QUOTA);
    CHECK_EQ(count, FILE_SERVER_HANDLES / SESSION_SHARE - 2);
    CHECK_EQ(open_with(child, label_make(FILE_OPEN, 0, 1), "file", 0, FILE_LOOKUP, &handle),
             MNOS_ERR_QUOTA);
    open_session(BOB);
    CHECK(open_file(BOB, "file") != 0);
    open_session(ALICE); /* closes all that it had */
    CHECK_EQ(session_of(server.loop.sessions, ALICE)->handle_count, 0);
    check_all();
}

TEST(file_server, a_session_inherits_nothing_of_none)
{
    uint64_t handles[3] = {0};

    begin();
    open_session(ALICE);
    open_session(BOB);
    handles[0] = open_file(ALICE, "file");
    CHECK_EQ(send(BOB, FILE_INHERIT, handles, sizeof handles, NULL), MNOS_ERR_ARGUMENT);
    CHECK_EQ(send(BOB, FILE_INHERIT, handles, sizeof handles - 1, NULL), MNOS_ERR_SIZE);
    CHECK_EQ(session_of(server.loop.sessions, BOB)->handle_count, 0);
    check_all();
}

TEST(file_server, a_capability_that_could_not_be_handed_out_leaves_nothing)
{
    struct file_export record;

    begin();
    open_session(ALICE);
    record = (struct file_export){.handle = open_directory(ALICE, ""), .rights = FILE_LOOKUP};
    export_status = MNOS_ERR_ACCEPT;
    CHECK_EQ(send(ALICE, FILE_EXPORT, &record, sizeof record, NULL), MNOS_ERR_ACCEPT);
    CHECK(message.reply_id != 0);
    CHECK_EQ(server.loop.sessions->accounts[5].sessions, 1);
    check_all();
}

TEST(file_server, random_requests_break_no_invariant)
{
    static uint8_t bytes[1200000];
    uint64_t state = 88172645463325252ull;

    for (size_t i = 0; i < sizeof bytes; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)(state >> 20);
    }
    file_fuzz(bytes, sizeof bytes);
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++)
        CHECK(operations[i].class == SERVER_CLASS_NONE || fuzz_done[i] != 0 ||
              i == MOUNT_UNMOUNT); /* each was carried out, too; there is no volume to let go */
}
