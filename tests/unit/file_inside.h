// SPDX-License-Identifier: MIT
/* file_inside.h - tests of handlers that wait in their middle, and what comes meanwhile. Part of test_file_server.c. */
#pragma once

static struct message met; /* comes in the middle of the next write; label 0: nothing does */
static char met_bytes[MNOS_MESSAGE_MAX_BYTES];

static void will_meet(mnos_badge_t badge, uint32_t label, const void *record, size_t bytes,
                      const char *text)
{
    message_put(&met, label, record, bytes);
    memcpy(met_bytes, record, bytes);
    memcpy(met_bytes + bytes, text, strlen(text));
    met.length += (uint32_t)strlen(text);
    met.badge = badge;
    met.kind = MNOS_KIND_MESSAGE;
    met.reply_id = next_reply_id++;
}

/* Three bytes, and waits in the middle of the first ones. */
static mnos_status_t write_meeting(void *fs, uint32_t inode, uint64_t offset, const void *from,
                                   uint64_t length, uint64_t *count)
{
    WAIT_FIRST();
    if (met.label != 0) {
        struct message come = met;

        met.label = 0;
        memcpy(message_bytes, met_bytes, sizeof met_bytes);
        arrives = &come;
        CHECK_EQ(server_loop_meanwhile(&server.loop, 0), MNOS_OK);
    }
    return tmpfs_methods.write(fs, inode, offset, from, length < 3 ? length : 3, count);
}

static void begin_inside(void)
{
    static struct file_methods methods;

    begin();
    methods = tmpfs_methods;
    methods.write = write_meeting;
    methods.mount = begin_mount;
    methods.unmount = begin_unmount;
    server.system.methods = &methods;
    server.mount.state = MOUNT_STATE_MOUNTED;
    mounting.unmounts = 0;
    park = (struct park){0};
    server.loop.park = &park;
    server.loop.waits_inside = true;
    waits_left = 0;
    met.label = 0;
}

static void turn(void)
{
    do_what_is_due(&server.loop);
    server_loop_go_on(&server.loop);
    CHECK(park_check(&park) == NULL);
}

TEST(file_server, a_client_that_goes_on_in_its_lane_leaves_the_request_that_is_in_its_middle_whole)
{
    struct file_io io;
    uint64_t handle;

    begin_inside();
    open_session(ALICE);
    handle = open_file(ALICE, "file");
    io = (struct file_io){handle, 0, FILE_INLINE, 8};
    waits_left = 1;
    (void)send(ALICE, label_make(FILE_APPEND, 1, 1), &io, sizeof io, "aaaaaaaa");
    CHECK_EQ(park.count, 1);
    will_meet(ALICE, label_make(FILE_APPEND, 1, 2), &io, sizeof io, "bbbbbbbb");
    answers = 0;
    go_on();
    CHECK_EQ(answers, 1); /* the first is told that the lane went on */
    CHECK_EQ(last_answer.label, MNOS_ERR_CANCELLED);
    CHECK_EQ(park.count, 1);
    turn();
    CHECK_EQ(answers, 2);
    CHECK_EQ(last_answer.label, MNOS_OK);
    CHECK_EQ(park.count, 0);
    io.length = 100;
    CHECK_EQ(send(ALICE, FILE_READ, &io, sizeof io, NULL), MNOS_OK);
    CHECK_EQ(message.words[0], 16);
    CHECK(memcmp(message_bytes + sizeof(struct file_count), "aaaaaaaabbbbbbbb", 16) == 0);
    check_all();
}

TEST(file_server, unmounting_that_had_to_wait_for_a_handler_does_not_end_itself)
{
    struct file_io io;

    begin_inside();
    open_session(ALICE);
    open_session(BOB);
    io = (struct file_io){open_file(BOB, "file"), 0, FILE_INLINE, 8};
    will_meet(ALICE, MOUNT_UNMOUNT, "", 0, "");
    CHECK_EQ(send(BOB, label_make(FILE_APPEND, 1, 1), &io, sizeof io, "aaaaaaaa"), MNOS_OK);
    CHECK_EQ(park.count, 1);
    answers = 0;
    turn();
    CHECK_EQ(answers, 1);
    CHECK_EQ(last_answer.label, MNOS_OK);
    CHECK_EQ(mounting.unmounts, 1);
    CHECK_EQ(park.count, 0);
    check_all();
}
