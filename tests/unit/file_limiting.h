// SPDX-License-Identifier: MIT
/* file_limiting.h - tests of services that are given a directory: a part of test_file_server.c. */
#pragma once

#include "services/fs/tmpfs/limits.h"

/* The service with ALICE's number is given a directory to read. */
static struct {
    const struct file_limits_record *record;
    uint32_t account;
} given;

static mnos_status_t enter(void *fs, uint32_t account, uint32_t *root, uint32_t *rights)
{
    if (account != given.account)
        return MNOS_OK;
    *rights = given.record->rights;
    return tmpfs_limits_directory(fs, given.record, account, root);
}

TEST(file_server, a_service_that_is_given_a_directory_has_nothing_else)
{
    static const struct file_limits_record record = {
        .service = "alice", .directory = "given", .rights = FILE_LOOKUP | FILE_READ_RIGHT};
    struct file_export wanted;
    uint64_t handle;

    begin();
    given.record = &record;
    given.account = ALICE & 0xFFFF;
    server.enter = enter;
    open_session(BOB);
    (void)open_file(BOB, "file");
    open_session(ALICE); /* it is made */
    CHECK_EQ(open_with(BOB, label_make(FILE_OPEN, 3, 1), "given/page", FILE_CREATE,
                       FILE_WRITE_RIGHT, &handle),
             MNOS_OK);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "page", 0, FILE_READ_RIGHT, &handle), MNOS_OK);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "page", 0, FILE_WRITE_RIGHT, &handle),
             MNOS_ERR_DENIED);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "new", FILE_CREATE, FILE_READ_RIGHT, &handle),
             MNOS_ERR_DENIED);
    CHECK_EQ(with_path(ALICE, once(FILE_UNLINK), "page"), MNOS_ERR_DENIED);
    CHECK_EQ(with_path(ALICE, FILE_STAT, "../file"), MNOS_ERR_REST);
    CHECK_EQ(with_path(ALICE, FILE_STAT, "/file"), MNOS_ERR_REST);
    CHECK_EQ(with_path(ALICE, FILE_STAT, "file"), MNOS_ERR_NOT_FOUND);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), ".", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &handle),
             MNOS_OK);
    wanted = (struct file_export){.handle = handle, .rights = FILE_LOOKUP, .account = 1};
    CHECK_EQ(send(ALICE, FILE_EXPORT, &wanted, sizeof wanted, NULL), MNOS_ERR_DENIED);
    check_all();
    client_gone(ALICE);
    open_session(0x20005); /* its next run: it is there */
    CHECK_EQ(open_with(0x20005, once(FILE_OPEN), "page", 0, FILE_READ_RIGHT, &handle), MNOS_OK);
    /* What has its name and is no directory is not given. */
    given.account = 7;
    given.record = &(struct file_limits_record){.directory = "file", .rights = FILE_LOOKUP};
    CHECK_EQ(send(0x10007, FILE_OPEN_SESSION, &(struct file_open_session){0},
                  sizeof(struct file_open_session), NULL),
             MNOS_ERR_NOT_DIRECTORY);
    check_all();
}

TEST(file_server, which_service_is_given_which_directory_is_checked_and_found)
{
    struct {
        struct limits_header header;
        struct file_limits_record records[2];
    } file = {{FILE_LIMITS_MAGIC, FILE_LIMITS_VERSION, 2, 0},
              {{.service = "a", .directory = "x", .rights = FILE_LOOKUP},
               {.service = "web", .directory = "tour", .rights = FILE_LOOKUP}}};
    struct service_limits limits;

    CHECK(tmpfs_limits_open(&limits, &file, sizeof file));
    CHECK_PTR_EQ(service_limits_of(&limits, "web"), &file.records[1]);
    CHECK_PTR_EQ(service_limits_of(&limits, "web.3"), &file.records[1]);
    CHECK_PTR_EQ(service_limits_of(&limits, "webs"), NULL);
    CHECK_PTR_EQ(service_limits_of(&limits, "we"), NULL);
    CHECK(!tmpfs_limits_open(&limits, &file, sizeof file - 1));
    CHECK_PTR_EQ(service_limits_of(&limits, "web"), NULL);
    file.records[0].rights = FILE_REVOKE;
    CHECK(!tmpfs_limits_open(&limits, &file, sizeof file));
    file.records[0].rights = FILE_LOOKUP;
    memset(file.records[0].directory, 'x', sizeof file.records[0].directory);
    CHECK(!tmpfs_limits_open(&limits, &file, sizeof file));
}
