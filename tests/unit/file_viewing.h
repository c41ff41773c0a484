// SPDX-License-Identifier: MIT
/* file_viewing.h - tests of VIEW: a part of test_file_server.c, with file systems that need memory which is lent, that
 * fail in their middle, and that wait there. */
#pragma once

static struct file_methods viewed_methods;

static void begin_viewing(void)
{
    begin();
    viewed_methods = tmpfs_methods;
    server.system.methods = &viewed_methods;
    open_session(BOB);
    open_session(ALICE);
}

static mnos_status_t view_of(mnos_badge_t badge, uint64_t handle, uint64_t pages)
{
    struct file_view_request record = {.handle = handle, .pages = pages};

    return send(badge, FILE_VIEW, &record, sizeof record, NULL);
}

/* Cells of a client that have a number. */
static unsigned cells_in_use(mnos_badge_t badge)
{
    const struct file_cell *cells =
        cells_of(&server.windows[session_of(server.loop.sessions, badge)->number - 1]);
    unsigned count = 0;

    for (uint32_t i = 0; i < FILE_CELLS; i++)
        count += cells[i].number != 0;
    return count;
}

static uint32_t taken_by_attr;

static mnos_status_t attr_in_lent_memory(void *fs, uint32_t inode, struct file_attr *attr)
{
    if (taken_by_attr != 0)
        file_server_take_back(&server, taken_by_attr);
    return tmpfs_methods.attr(fs, inode, attr);
}

TEST(file_server, a_cell_has_no_number_after_its_pages_went_for_what_was_to_be_written_there)
{
    uint64_t file;

    begin_viewing();
    viewed_methods.attr = attr_in_lent_memory;
    file = open_file(ALICE, "file");
    CHECK_EQ(write_inline(ALICE, file, "x"), MNOS_OK);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(view_of(ALICE, file, i), MNOS_OK);
    CHECK_EQ(cells_in_use(ALICE), 4);
    taken_by_attr = server.views.entries[0].object;
    CHECK_EQ(write_inline(ALICE, file, "xx"), MNOS_OK);
    CHECK_EQ(cells_in_use(ALICE), 1); /* the one without pages */
    CHECK_EQ(server.views.used, 1);
    check_all();
    CHECK_EQ(view_of(ALICE, file, 1), MNOS_OK);
    CHECK_EQ(cells_in_use(ALICE), 2);
    CHECK_EQ(server.views.used, 2);
    taken_by_attr = 0;
    check_all();
}

static mnos_status_t truncate_and_fail(void *fs, uint32_t inode, uint64_t size)
{
    (void)tmpfs_methods.truncate(fs, inode, size);
    return MNOS_ERR_DEVICE;
}

TEST(file_server, a_request_that_fails_in_its_middle_ends_cells_and_tells_watches)
{
    struct file_truncate truncate = {.size = 100};
    uint64_t seen_by_bob, denied;

    begin_viewing();
    truncate.handle = open_file(ALICE, "file");
    sequence = 1;
    CHECK_EQ(open_with(BOB, once(FILE_OPEN), "file", 0, FILE_READ_RIGHT, &seen_by_bob), MNOS_OK);
    CHECK_EQ(view_of(BOB, seen_by_bob, 0), MNOS_OK);
    CHECK_EQ(watch_on(BOB, seen_by_bob, 1), MNOS_OK);
    (void)told();
    viewed_methods.truncate = truncate_and_fail;
    CHECK_EQ(send(ALICE, FILE_TRUNCATE, &truncate, sizeof truncate, NULL), MNOS_ERR_DEVICE);
    CHECK_EQ(told(), 1);
    CHECK_EQ(cells_in_use(BOB), 0);
    check_all();
    truncate = (struct file_truncate){seen_by_bob, 7};
    CHECK_EQ(send(BOB, FILE_TRUNCATE, &truncate, sizeof truncate, NULL), MNOS_ERR_DENIED);
    CHECK_EQ(open_with(BOB, once(FILE_OPEN), "none", 0, FILE_READ_RIGHT, &denied),
             MNOS_ERR_NOT_FOUND);
    CHECK_EQ(told(), 0);
    check_all();
}

TEST(file_server, what_a_client_wrote_that_ended_while_it_waited_is_told)
{
    struct file_io io = {0, 0, FILE_INLINE, 8};
    uint64_t seen_by_bob;

    begin_waiting();
    open_session(BOB);
    open_session(ALICE);
    io.handle = open_file(ALICE, "file");
    sequence = 1;
    CHECK_EQ(open_with(BOB, once(FILE_OPEN), "file", 0, FILE_READ_RIGHT, &seen_by_bob), MNOS_OK);
    CHECK_EQ(view_of(BOB, seen_by_bob, 0), MNOS_OK);
    CHECK_EQ(watch_on(BOB, seen_by_bob, 1), MNOS_OK);
    (void)told();
    (void)send(ALICE, label_make(FILE_APPEND, 1, 1), &io, sizeof io, "aaaaaaaa");
    CHECK_EQ(park.count, 1); /* three of them are written */
    CHECK_EQ(told(), 1);
    CHECK_EQ(cells_in_use(BOB), 0);
    CHECK_EQ(view_of(BOB, seen_by_bob, 1), MNOS_OK);
    check_all();
    /* It has nothing to tell while it waits for the file. */
    (void)send(ALICE, label_make(FILE_APPEND, 2, 1), &io, sizeof io, "bbbbbbbb");
    CHECK_EQ(park.count, 2);
    CHECK_EQ(told(), 0);
    CHECK_EQ(cells_in_use(BOB), 1);
    client_gone(ALICE);
    CHECK_EQ(park.count, 0);
    check_all();
}

TEST(file_server, a_time_is_set_by_who_may_write_and_is_in_the_cell)
{
    struct file_set_time time = {.modified_ns = -1};
    struct file_handle seen_by_bob;
    struct file_attr attr;

    begin_viewing();
    time.handle = open_file(ALICE, "file");
    sequence = 1;
    CHECK_EQ(open_with(BOB, once(FILE_OPEN), "file", 0, FILE_READ_RIGHT, &seen_by_bob.handle),
             MNOS_OK);
    CHECK_EQ(view_of(BOB, seen_by_bob.handle, 0), MNOS_OK);
    CHECK_EQ(send(ALICE, FILE_SET_TIME, &time, sizeof time, NULL), MNOS_OK);
    CHECK_EQ(cells_of(&server.windows[session_of(server.loop.sessions, BOB)->number - 1])
                 ->attr.modified_ns,
             -1);
    CHECK_EQ(send(BOB, FILE_ATTR, &seen_by_bob, sizeof seen_by_bob, NULL), MNOS_OK);
    (void)message_get(&message, &attr, sizeof attr);
    CHECK_EQ(attr.modified_ns, -1);
    CHECK(attr.changed_ns >= 0);
    time.flags = FILE_TIME_NOW;
    CHECK_EQ(send(ALICE, FILE_SET_TIME, &time, sizeof time, NULL), MNOS_OK);
    CHECK_EQ(send(BOB, FILE_ATTR, &seen_by_bob, sizeof seen_by_bob, NULL), MNOS_OK);
    (void)message_get(&message, &attr, sizeof attr);
    CHECK_EQ(attr.modified_ns, attr.changed_ns);
    time.flags = 2;
    CHECK_EQ(send(ALICE, FILE_SET_TIME, &time, sizeof time, NULL), MNOS_ERR_ARGUMENT);
    CHECK_EQ(send(ALICE, FILE_SET_TIME, &time, sizeof time - 1, NULL), MNOS_ERR_SIZE);
    time = (struct file_set_time){.handle = seen_by_bob.handle};
    CHECK_EQ(send(BOB, FILE_SET_TIME, &time, sizeof time, NULL), MNOS_ERR_DENIED);
    viewed_methods.set_time = NULL;
    CHECK_EQ(send(ALICE, FILE_SET_TIME, &time, sizeof time, NULL), MNOS_ERR_LABEL);
    check_all();
}
