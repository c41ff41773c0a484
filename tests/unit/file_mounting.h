// SPDX-License-Identifier: MIT
/* file_mounting.h - tests of the requests of protocols/mount.def, and of sessions that vfs hands on. Part of
 * test_file_server.c. */
#pragma once

static struct {
    unsigned mounts, unmounts;
    mnos_status_t status;
} mounting;

static mnos_status_t begin_mount(void *, const uint8_t *, uint32_t)
{
    mounting.mounts++;
    return mounting.status;
}

static mnos_status_t begin_unmount(void *)
{
    mounting.unmounts++;
    return MNOS_OK;
}

static mnos_status_t mount_request(mnos_badge_t badge, uint32_t label, uint8_t volume)
{
    struct mount_request record = {.volume = {volume}};

    return label == MOUNT_MOUNT ? send(badge, label, &record, sizeof record, NULL)
                                : send(badge, label, NULL, 0, NULL);
}

static uint32_t mount_state_after(mnos_badge_t badge, uint32_t label, uint8_t volume)
{
    CHECK_EQ(mount_request(badge, label, volume), MNOS_OK);
    CHECK_EQ(message.length, sizeof(struct mount_status));
    return (uint32_t)message.words[0];
}

static mnos_status_t listen_as(mnos_badge_t badge)
{
    struct listen_request record = {4};
    mnos_status_t status;

    sent_badge = 1; /* a capability comes with it */
    status = send(badge, MOUNT_LISTEN, &record, sizeof record, NULL);
    sent_badge = 0;
    return status;
}

TEST(file_server, a_file_system_without_a_volume_is_always_mounted)
{
    begin();
    open_session(ALICE);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_STATUS, 0), MOUNT_STATE_MOUNTED);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 0), MOUNT_STATE_MOUNTED);
    CHECK_EQ(mount_request(ALICE, MOUNT_MOUNT, 1), MNOS_ERR_STATE);
    CHECK_EQ(mount_request(ALICE, MOUNT_UNMOUNT, 0), MNOS_ERR_STATE);
    CHECK_EQ(send(ALICE, MOUNT_MOUNT, NULL, 0, NULL), MNOS_ERR_SIZE);
    CHECK_EQ(mount_request(0x10007, MOUNT_STATUS, 0), MNOS_ERR_LOST);
    check_all();
}

TEST(file_server, mounting_is_begun_and_told_by_an_event)
{
    struct file_methods methods = tmpfs_methods;
    struct mount_status done = {.state = MOUNT_STATE_MOUNTED, .volume = {5}};
    mnos_badge_t child;
    uint64_t handle;

    begin();
    memset(&mounting, 0, sizeof mounting);
    listener_told = 0;
    methods.mount = begin_mount;
    methods.unmount = begin_unmount;
    server.system.methods = &methods;
    server.mount = (struct mount_status){0};
    open_session(ALICE);
    CHECK_EQ(listen_as(ALICE), MNOS_OK);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_UNMOUNT, 0), MOUNT_STATE_NONE);
    mounting.status = MNOS_ERR_DEVICE;
    CHECK_EQ(mount_request(ALICE, MOUNT_MOUNT, 5), MNOS_ERR_DEVICE);
    mounting.status = MNOS_OK;
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 5), MOUNT_STATE_MOUNTING);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 5), MOUNT_STATE_MOUNTING); /* again */
    CHECK_EQ(mount_request(ALICE, MOUNT_MOUNT, 6), MNOS_ERR_STATE);
    CHECK_EQ(mount_request(ALICE, MOUNT_UNMOUNT, 0), MNOS_ERR_STATE);
    CHECK_EQ(mounting.mounts, 2);
    file_server_mounted(&server, &done);
    CHECK_EQ(listener_told, 1);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 5), MOUNT_STATE_MOUNTED);
    /* Unmounting ends the sessions that were handed on. */
    handle = open_directory(ALICE, "");
    child = export_directory(ALICE, handle, FILE_LOOKUP);
    open_session(child);
    CHECK_EQ(mount_request(child, MOUNT_UNMOUNT, 0), MNOS_ERR_DENIED);
    CHECK_EQ(mount_request(child, MOUNT_MOUNT, 5), MNOS_ERR_DENIED);
    CHECK_EQ(mount_request(child, MOUNT_STATUS, 0), MNOS_ERR_DENIED);
    CHECK_EQ(listen_as(child), MNOS_ERR_DENIED);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_UNMOUNT, 0), MOUNT_STATE_UNMOUNTING);
    CHECK_EQ(with_path(child, FILE_STAT, ""), MNOS_ERR_LOST);
    CHECK_EQ(write_inline(ALICE, handle, "x"), MNOS_ERR_FILE);
    CHECK_EQ(mount_request(ALICE, MOUNT_MOUNT, 5), MNOS_ERR_STATE);
    CHECK_EQ(mounting.unmounts, 1);
    server.system.methods = &tmpfs_methods;
    check_all();
}

TEST(file_server, why_mounting_failed_is_told_before_it_is_tried_again)
{
    struct file_methods methods = tmpfs_methods;
    struct mount_status failed = {
        .state = MOUNT_STATE_FAILED, .status = MNOS_ERR_FORMAT, .volume = {5}};

    begin();
    memset(&mounting, 0, sizeof mounting);
    methods.mount = begin_mount;
    server.system.methods = &methods;
    server.mount = (struct mount_status){0};
    open_session(ALICE);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 5), MOUNT_STATE_MOUNTING);
    file_server_mounted(&server, &failed);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_STATUS, 0), MOUNT_STATE_FAILED);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 5), MOUNT_STATE_FAILED);
    CHECK_EQ(mounting.mounts, 1);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 5), MOUNT_STATE_MOUNTING);
    /* Another volume has nothing to do with it. */
    file_server_mounted(&server, &failed);
    CHECK_EQ(mount_state_after(ALICE, MOUNT_MOUNT, 6), MOUNT_STATE_MOUNTING);
    CHECK_EQ(mounting.mounts, 3);
    server.system.methods = &tmpfs_methods;
    check_all();
}

TEST(file_server, who_mounts_charges_what_it_hands_on_to_who_gets_it)
{
    struct file_export record = {.rights = FILE_LOOKUP | FILE_WRITE_RIGHT | FILE_REVOKE};
    mnos_badge_t child;

    begin();
    open_session(ALICE);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "", FILE_ONLY_DIRECTORY,
                       FILE_LOOKUP | FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, &record.handle),
             MNOS_OK);
    record.account = SESSION_ACCOUNTS;
    CHECK_EQ(send(ALICE, FILE_EXPORT, &record, sizeof record, NULL), MNOS_ERR_QUOTA);
    record.account = 9;
    (void)send(ALICE, FILE_EXPORT, &record, sizeof record, NULL);
    CHECK_EQ(message.reply_id, 0); /* answered with the capability */
    child = exported;
    open_session(child);
    CHECK_EQ(session_of(server.loop.sessions, child)->account, 9);
    /* Whoever got it hands on at its own cost only. */
    CHECK_EQ(
        open_with(child, once(FILE_OPEN), "", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &record.handle),
        MNOS_OK);
    record.rights = FILE_LOOKUP;
    record.account = 10;
    CHECK_EQ(send(child, FILE_EXPORT, &record, sizeof record, NULL), MNOS_ERR_DENIED);
    record.account = 0;
    (void)send(child, FILE_EXPORT, &record, sizeof record, NULL);
    CHECK_EQ(message.reply_id, 0);
    CHECK_EQ(session_of(server.loop.sessions, exported)->account, 9);
    check_all();
}
