// SPDX-License-Identifier: MIT
/* file_locking.h - tests of LOCK: a part of test_file_server.c. */
#pragma once

#define LOCK_BYTES 24u /* of the model */

static mnos_status_t lock_in(mnos_badge_t badge, uint32_t label, uint64_t handle, uint64_t owner,
                             uint32_t kind, uint64_t first, uint64_t bytes, uint32_t flags)
{
    struct file_lock record = {.handle = handle,
                               .owner = owner,
                               .first = first,
                               .bytes = bytes,
                               .kind = kind,
                               .flags = flags};

    return send(badge, label, &record, sizeof record, NULL);
}

static mnos_status_t lock(mnos_badge_t badge, uint64_t handle, uint64_t owner, uint32_t kind,
                          uint64_t first, uint64_t bytes)
{
    static uint32_t number;

    number = label_next(number);
    /* A lane that begins anew takes any number; each test begins with new sessions. */
    session_of(server.loop.sessions, badge)->lanes[9].state = LANE_EMPTY;
    return lock_in(badge, label_make(FILE_LOCK, 9, number), handle, owner, kind, first, bytes, 0);
}

static void begin_locking(uint64_t handles[2])
{
    static struct park waiting;

    begin();
    waiting = (struct park){0};
    server.loop.park = &waiting;
    open_session(BOB);
    CHECK_EQ(open_with(BOB, once(FILE_OPEN), "file", FILE_CREATE, 6, &handles[1]), MNOS_OK);
    open_session(ALICE);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "file", 0, 6, &handles[0]), MNOS_OK);
}

TEST(file_server, locks_exclude_other_owners_as_their_kinds_say)
{
    uint64_t handles[2], reader;

    begin_locking(handles);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_SHARED, 0, 10), MNOS_OK);
    CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_SHARED, 5, 10), MNOS_OK);
    CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_EXCLUSIVE, 9, 1), MNOS_ERR_AGAIN);
    CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_EXCLUSIVE, 10, 1), MNOS_OK);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_SHARED, 10, 1), MNOS_ERR_AGAIN);
    CHECK_EQ(lock(ALICE, handles[0], 2, FILE_LOCK_EXCLUSIVE, 0, 1), MNOS_ERR_AGAIN); /* its own */
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 1), MNOS_OK);
    CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_NONE, 0, 0), MNOS_OK);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 0),
             MNOS_OK); /* to the end of all */
    CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_SHARED, UINT64_MAX, 1), MNOS_ERR_AGAIN);
    CHECK_EQ(locks.used, 1);
    /* What cannot be, and rights. */
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_SHARED, UINT64_MAX, 2), MNOS_ERR_ARGUMENT);
    CHECK_EQ(lock(ALICE, handles[0], 1, 3, 0, 1), MNOS_ERR_ARGUMENT);
    CHECK_EQ(lock(ALICE, handles[1], 1, FILE_LOCK_SHARED, 0, 1), MNOS_ERR_FILE);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "file", 0, FILE_READ_RIGHT, &reader), MNOS_OK);
    CHECK_EQ(lock(ALICE, reader, 1, FILE_LOCK_EXCLUSIVE, 0, 1), MNOS_ERR_DENIED);
    CHECK_EQ(lock(ALICE, open_directory(ALICE, ""), 1, FILE_LOCK_NONE, 0, 1), MNOS_ERR_DIRECTORY);
    check_all();
}

TEST(file_server, locks_go_with_their_handle_and_their_session)
{
    struct file_handle record;
    uint64_t handles[2];

    begin_locking(handles);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 10), MNOS_OK);
    record.handle = handles[0];
    CHECK_EQ(send(ALICE, once(FILE_CLOSE), &record, sizeof record, NULL), MNOS_OK);
    CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_EXCLUSIVE, 0, 10), MNOS_OK);
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "file", 0, 6, &handles[0]), MNOS_OK);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 10), MNOS_ERR_AGAIN);
    client_gone(BOB);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 10), MNOS_OK);
    check_all();
    CHECK_EQ(locks.used, 1);
    open_session(ALICE); /* begins anew */
    CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "file", 0, 6, &handles[0]), MNOS_OK);
    CHECK_EQ(lock(ALICE, handles[0], 2, FILE_LOCK_EXCLUSIVE, 0, 10), MNOS_OK);
    check_all();
}

TEST(file_server, who_waits_for_a_lock_gets_it_when_it_is_given_up)
{
    uint32_t label = label_make(FILE_LOCK, 3, 1);
    struct file_handle record;
    uint64_t handles[2];

    begin_locking(handles);
    for (unsigned how = 0; how < 5; how++) {
        CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 0), MNOS_OK);
        label = label_make(FILE_LOCK, 3, label_sequence(label) + 1);
        session_of(server.loop.sessions, BOB)->lanes[3].state = LANE_EMPTY;
        answers = 0;
        (void)lock_in(BOB, label, handles[1], 1, FILE_LOCK_SHARED, 5, 1, FILE_LOCK_WAIT);
        CHECK_EQ(message.reply_id, 0);
        server_loop_go_on(&server.loop);
        CHECK_EQ(answers, 0);
        record.handle = handles[0];
        if (how == 0)
            CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_NONE, 5, 1), MNOS_OK);
        else if (how == 1)
            CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_SHARED, 0, 0), MNOS_OK);
        else if (how == 2)
            CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_NONE, 0, 0), MNOS_OK);
        else if (how == 3)
            CHECK_EQ(send(ALICE, once(FILE_CLOSE), &record, sizeof record, NULL), MNOS_OK);
        else
            client_gone(ALICE);
        server_loop_go_on(&server.loop);
        CHECK_EQ(answers, 1);
        CHECK_EQ(last_answer.label, MNOS_OK);
        CHECK_EQ(server.loop.park->count, 0);
        /* The lane's record: it was carried out once. */
        CHECK_EQ(lock_in(BOB, label, handles[1], 1, FILE_LOCK_SHARED, 5, 1, FILE_LOCK_WAIT),
                 MNOS_OK);
        CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_NONE, 0, 0), MNOS_OK);
        if (how == 3)
            CHECK_EQ(open_with(ALICE, once(FILE_OPEN), "file", 0, 6, &handles[0]), MNOS_OK);
        check_all();
    }
}

TEST(file_server, the_next_request_of_a_lane_ends_the_wait_for_a_lock)
{
    uint64_t handles[2];

    begin_locking(handles);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 0), MNOS_OK);
    answers = 0;
    (void)lock_in(BOB, label_make(FILE_LOCK, 3, 1), handles[1], 1, FILE_LOCK_SHARED, 0, 0,
                  FILE_LOCK_WAIT);
    CHECK_EQ(server.loop.park->count, 1);
    CHECK_EQ(lock_in(BOB, label_make(FILE_LOCK, 3, 2), handles[1], 1, FILE_LOCK_NONE, 0, 0, 0),
             MNOS_OK);
    CHECK_EQ(answers, 1);
    CHECK_EQ(last_answer.label, MNOS_ERR_CANCELLED);
    CHECK_EQ(server.loop.park->count, 0); /* and does not take a place until the lock is given up */
    check_all();
}

TEST(file_server, a_client_has_its_share_of_locks)
{
    uint64_t handles[2];
    unsigned count = 0;

    begin_locking(handles);
    while (lock(ALICE, handles[0], 1, FILE_LOCK_SHARED, 2 * count, 1) == MNOS_OK)
        count++;
    CHECK_EQ(message.label, MNOS_ERR_QUOTA);
    CHECK_EQ(count, FILE_LOCKS_MAX / FILE_LOCKS_SHARE);
    CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_SHARED, 0, 0), MNOS_OK);
    check_all();
    /* Taking away always works, and one that takes the place of all of them needs one more for a moment. */
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_NONE, 4, 1), MNOS_OK);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_SHARED, 0, 0), MNOS_OK);
    CHECK_EQ(locks.used, 2);
    check_all();
    /* Those of sessions that are gone make room. */
    for (count = 1; lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 0) == MNOS_OK;)
        CHECK_EQ(lock(BOB, handles[1], 1, FILE_LOCK_NONE, 0, 0), MNOS_OK);
    client_gone(BOB);
    CHECK_EQ(lock(ALICE, handles[0], 1, FILE_LOCK_EXCLUSIVE, 0, 0), MNOS_OK);
    CHECK_EQ(locks.used, 1);
    check_all();
}

/* Against a model that knows the kind of each byte for each owner. */
TEST(file_server, random_locks_are_those_of_a_model)
{
    static const mnos_badge_t badges[3] = {ALICE, ALICE, BOB};
    uint8_t model[3][LOCK_BYTES] = {0};
    uint64_t handles[2], random = 88172645463325252ull;

    begin_locking(handles);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t who, kind, first, bytes;
        bool free_of_others = true;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        who = random % 3, kind = random / 3 % 3, first = random / 9 % LOCK_BYTES;
        bytes = 1 + random / 1000 % (LOCK_BYTES - first);
        for (uint32_t other = 0; other < 3; other++)
            for (uint32_t at = first; other != who && at < first + bytes; at++)
                free_of_others &=
                    model[other][at] == FILE_LOCK_NONE || kind == FILE_LOCK_NONE ||
                    (model[other][at] == FILE_LOCK_SHARED && kind == FILE_LOCK_SHARED);
        CHECK_EQ(lock(badges[who], handles[who == 2], who, kind, first, bytes),
                 free_of_others ? MNOS_OK : MNOS_ERR_AGAIN);
        if (free_of_others)
            memset(&model[who][first], (int)kind, bytes);
        CHECK(locks.used <= 3 * LOCK_BYTES);
    }
    check_all();
}
