// SPDX-License-Identifier: MIT
/* test_ns16550_front - the serial driver against a model of the device and of its clients: who is in front, who listens. */
#include "tests/models/ns16550.h"
#include "tests/unit/stream_fuzz.h"

/* The status of GIVE_FRONT; the session is in `exported`. */
static mnos_status_t give(mnos_badge_t client, uint32_t flags)
{
    struct stream_front record = {flags, 0};
    unsigned before = reply_count;
    struct message msg = request(client, 40, STREAM_GIVE_FRONT, &record, sizeof record);

    if (msg.reply_id != 0)
        return (mnos_status_t)msg.label;
    CHECK_EQ(replies[before].reply_id, 40);
    return (mnos_status_t)replies[before].label;
}

static mnos_badge_t give_new(mnos_badge_t client, uint32_t flags)
{
    CHECK_EQ(give(client, flags), MNOS_OK);
    CHECK((exported & FRONT_BADGE_MADE) != 0);
    return exported;
}

static mnos_status_t with_session(mnos_badge_t client, uint32_t label, mnos_badge_t session)
{
    struct stream_front record = {0, 0};

    sent_badge = session;
    return (mnos_status_t)request_caps(client, label, &record,
                                       label == STREAM_GIVE_FRONT ? sizeof record : 0, 1, 0)
        .label;
}

static mnos_status_t poll(mnos_badge_t client)
{
    struct stream_read read = {100};
    unsigned before = reply_count;
    struct message msg = request(client, 41, STREAM_POLL, &read, sizeof read);

    return (mnos_status_t)(msg.reply_id != 0 ? msg.label : replies[before].label);
}

TEST(ns16550_front, keys_go_to_the_session_in_front_only)
{
    mnos_badge_t child;

    scene(true);
    request_read(1, 100, 10);
    child = give_new(1, 0);
    CHECK_EQ(reply_count, 2);
    CHECK_EQ(replies[1].reply_id, 100); /* waits in vain */
    CHECK_EQ(replies[1].label, MNOS_ERR_AGAIN);
    request_read(child, 200, 10);
    wire_receive("abc", 3, 0);
    interrupts();
    CHECK_EQ(replies[2].reply_id, 200);
    CHECK_STR_EQ(replies[2].bytes, "abc");
    type_keys("for the child");
    CHECK_EQ(poll(1), MNOS_ERR_AGAIN);
    CHECK_EQ(request_read(1, 101, 10).label, MNOS_ERR_AGAIN);
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, child), MNOS_OK);
    CHECK_EQ(poll(1), MNOS_OK); /* typed ahead */
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "for the child");
    CHECK_EQ(poll(child), MNOS_ERR_LOST);
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, child), MNOS_OK); /* again: it has ended already */
}

TEST(ns16550_front, everybody_may_write_and_visitors_nothing_else)
{
    mnos_badge_t child;

    device.instant = true;
    scene(true);
    child = give_new(1, 0);
    request(1, 100, STREAM_WRITE, "a", 1);
    request(child, 101, STREAM_WRITE, "b", 1);
    request(VISITOR, 102, STREAM_WRITE, "c", 1);
    CHECK_STR_EQ(device.sent, "abc");
    CHECK_EQ(poll(VISITOR), MNOS_ERR_AGAIN);
    CHECK_EQ(give(VISITOR, 0), MNOS_ERR_DENIED);
    CHECK_EQ(give(VISITOR, STREAM_BEHIND), MNOS_ERR_DENIED);
    CHECK_EQ(request(VISITOR, 1, STREAM_TAKE_FRONT, NULL, 0).label, MNOS_ERR_AGAIN);
    CHECK_EQ(with_session(VISITOR, STREAM_TAKE_FRONT, child), MNOS_ERR_DENIED);
    CHECK_EQ(poll(FRONT_BADGE_MADE | 12345), MNOS_ERR_LOST);
    driver.holder = 0; /* the manifest names none: the badges of other services are no holder's */
    CHECK_EQ(poll(1), MNOS_ERR_AGAIN);
}

TEST(ns16550_front, a_session_behind_writes_until_it_is_put_in_front)
{
    mnos_badge_t child;

    scene(true);
    child = give_new(1, STREAM_BEHIND);
    CHECK_EQ(poll(child), MNOS_ERR_AGAIN);
    CHECK_EQ(poll(1), MNOS_OK);
    CHECK_EQ(give(child, 0), MNOS_ERR_AGAIN); /* who is not in front cannot give what it has not */
    give_new(child, STREAM_BEHIND);
    CHECK_EQ(with_session(1, STREAM_GIVE_FRONT, child), MNOS_OK);
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_EQ(request(1, 50, STREAM_TAKE_FRONT, NULL, 0).label, MNOS_OK);
    CHECK_EQ(poll(child), MNOS_ERR_AGAIN);
    CHECK_EQ(poll(1), MNOS_OK);
}

TEST(ns16550_front, only_the_giver_takes_back_what_it_gave)
{
    mnos_badge_t child, grandchild;

    scene(true);
    child = give_new(1, 0);
    CHECK_EQ(with_session(child, STREAM_TAKE_FRONT, child), MNOS_ERR_DENIED);
    grandchild = give_new(child, 0);
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, grandchild), MNOS_ERR_DENIED);
    CHECK_EQ(with_session(1, STREAM_GIVE_FRONT, grandchild), MNOS_ERR_DENIED);
    CHECK_EQ(request(grandchild, 50, STREAM_TAKE_FRONT, NULL, 0).label, MNOS_OK); /* has it */
    CHECK_EQ(poll(grandchild), MNOS_OK);
    CHECK_EQ(request(child, 50, STREAM_TAKE_FRONT, NULL, 0).label, MNOS_OK);
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_EQ(request(grandchild, 50, STREAM_TAKE_FRONT, NULL, 0).label, MNOS_ERR_AGAIN);
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, child), MNOS_OK);
    CHECK_EQ(poll(grandchild), MNOS_ERR_LOST); /* it was below */
}

TEST(ns16550_front, giving_again_replaces_what_was_in_front)
{
    mnos_badge_t first, second;

    scene(true);
    first = give_new(1, 0);
    second = give_new(1, 0); /* the same request, when the driver died before it answered */
    CHECK_EQ(poll(second), MNOS_OK);
    CHECK_EQ(poll(first), MNOS_ERR_AGAIN);
    client_gone(first);
    CHECK_EQ(poll(second), MNOS_OK);
    client_gone(second);
    CHECK_EQ(poll(1), MNOS_OK);
}

TEST(ns16550_front, the_end_of_the_session_in_front_gives_the_front_back)
{
    mnos_badge_t child;

    scene(true);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    child = give_new(1, 0);
    CHECK_EQ(request_listen(child, 2), MNOS_OK);
    request_read(child, 200, 10);
    events_told[1] = events_told[2] = 0;
    client_gone(child);
    CHECK_EQ(driver.read_count, 0);
    CHECK_EQ(events_told[1] & FRONT_EVENT, FRONT_EVENT);
    CHECK_EQ(events_told[2], 0); /* its endpoint was dropped with it */
    CHECK_EQ(caps_held, 1);
    type_keys("x");
    CHECK_EQ(events_told[1] & INPUT_EVENT, INPUT_EVENT);
    CHECK_EQ(poll(1), MNOS_OK);
}

TEST(ns16550_front, of_more_dead_sessions_than_were_reported_all_end)
{
    mnos_badge_t one, two, three;

    scene(true);
    one = give_new(1, STREAM_BEHIND);
    two = give_new(1, STREAM_BEHIND);
    three = give_new(1, 0);
    gone_clients[0] = one;
    gone_clients[1] = three;
    client_gone(0);
    CHECK_EQ(poll(one), MNOS_ERR_LOST);
    CHECK_EQ(poll(two), MNOS_ERR_AGAIN);
    CHECK_EQ(poll(1), MNOS_OK);
}

TEST(ns16550_front, a_new_run_of_the_holder_is_in_front)
{
    mnos_badge_t child;

    scene(true);
    child = give_new(1, 0);
    client_gone(1);
    CHECK_EQ(poll(2), MNOS_OK);
    CHECK_EQ(poll(child), MNOS_ERR_AGAIN); /* it goes on behind */
    CHECK_EQ(with_session(2, STREAM_GIVE_FRONT, child), MNOS_OK);
    CHECK_EQ(poll(3), MNOS_OK); /* a run whose predecessor's end has not been reported yet */
}

TEST(ns16550_front, the_key_of_last_resort_puts_the_holder_in_front)
{
    mnos_badge_t child, grandchild;

    scene(true);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    type_keys("\x1d\x1d"); /* at the holder: keys like others */
    CHECK_EQ(poll(1), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "\x1d\x1d");
    child = give_new(1, 0);
    grandchild = give_new(child, 0);
    type_keys("\x1dx\x1d"); /* not one after the other */
    CHECK_EQ(poll(grandchild), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "\x1dx\x1d");
    request_read(grandchild, 200, 10);
    type_keys("x");
    request_read(grandchild, 201, 10);
    events_told[1] = 0;
    type_keys("\x1d"); /* the reader has the first; x was in between */
    type_keys("dropped");
    type_keys("\x1d\x1d"
              "kept");
    CHECK_EQ(events_told[1] & (FRONT_EVENT | INPUT_EVENT), FRONT_EVENT | INPUT_EVENT);
    CHECK_EQ(poll(1), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "kept");
    CHECK_EQ(poll(grandchild), MNOS_ERR_AGAIN);
    CHECK_EQ(poll(child), MNOS_ERR_AGAIN);
}

TEST(ns16550_front, ctrl_c_is_the_givers_when_it_wants_it)
{
    mnos_badge_t child;

    scene(true);
    child = give_new(1, STREAM_INTERRUPTS);
    type_keys("dropped\x03"
              "kept"); /* the giver does not listen yet */
    CHECK_EQ(events_told[1], 0);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "kept");
    events_told[1] = 0;
    type_keys("\x03");
    CHECK_EQ(events_told[1], INTERRUPT_EVENT);
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, child), MNOS_OK);
    child = give_new(1, 0);
    type_keys("\x03");
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "\x03");
}

/* While a program is started its keys are the giver's, who does not read them any more. */
TEST(ns16550_front, keys_typed_before_the_session_was_in_front_mean_the_same)
{
    mnos_badge_t child, grandchild;

    scene(true);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    type_keys("early\x03"
              "kept");
    events_told[1] = 0;
    child = give_new(1, STREAM_INTERRUPTS);
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "kept");
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, child), MNOS_OK);
    type_keys("early\x1d\x1d"
              "late");
    events_told[1] = 0;
    child = give_new(1, 0);
    CHECK_EQ(events_told[1] & FRONT_EVENT, FRONT_EVENT);
    CHECK_EQ(poll(child), MNOS_ERR_AGAIN);
    CHECK_EQ(poll(1), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "late");
    CHECK_EQ(with_session(1, STREAM_GIVE_FRONT, child), MNOS_OK);
    type_keys("\x03");
    events_told[1] = 0;
    /* Its giver does not listen, and is told when it does. */
    grandchild = give_new(child, STREAM_INTERRUPTS);
    CHECK_EQ(poll(grandchild), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, 0);
    CHECK_EQ(request_listen(child, 1), MNOS_OK);
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
}

/* It puts another of its sessions in front after each key, and reads what has come. */
TEST(ns16550_front, a_session_cannot_part_the_key_of_last_resort_by_another_in_front)
{
    mnos_badge_t child, grandchild;

    scene(true);
    child = give_new(1, 0);
    type_keys("\x1d");
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "\x1d");
    grandchild = give_new(child, 0);
    type_keys("\x1d");
    CHECK_EQ(poll(grandchild), MNOS_ERR_AGAIN);
    CHECK_EQ(poll(1), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "");
    type_keys("\x1d"); /* one that the holder has read is no half of it */
    CHECK_EQ(poll(1), MNOS_OK);
    CHECK_EQ(with_session(1, STREAM_GIVE_FRONT, child), MNOS_OK);
    type_keys("\x1d");
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "\x1d");
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, child), MNOS_OK);
    child = give_new(1, 0); /* nor is one that another program has read */
    type_keys("\x1d");
    CHECK_EQ(poll(child), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "\x1d");
}

TEST(ns16550_front, a_session_cannot_keep_the_keys_of_its_giver_in_the_device)
{
    struct stream_read read = {100};
    mnos_badge_t child;

    scene(true);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    child = give_new(1, STREAM_INTERRUPTS);
    CHECK_EQ(request(child, 41, STREAM_HOLD, &read, sizeof read).label, MNOS_ERR_DENIED);
    events_told[1] = 0;
    type_keys("\x03");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
    type_keys("\x1d\x1d");
    CHECK_EQ(poll(1), MNOS_OK);
}

TEST(ns16550_front, who_does_not_get_ctrl_c_cannot_hand_it_on)
{
    mnos_badge_t child, grandchild;

    scene(true);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    child = give_new(1, STREAM_INTERRUPTS);
    CHECK_EQ(request_listen(child, 2), MNOS_OK);
    events_told[1] = events_told[2] = 0;
    grandchild = give_new(child, 0);
    type_keys("\x03");
    CHECK_EQ(poll(grandchild), MNOS_OK);
    CHECK_STR_EQ(replies[reply_count - 1].bytes, "");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
    CHECK_EQ(events_told[2] & INTERRUPT_EVENT, 0);
    CHECK_EQ(with_session(child, STREAM_TAKE_FRONT, grandchild), MNOS_OK);
    events_told[1] = 0;
    give_new(child, STREAM_INTERRUPTS); /* nor have it for itself so */
    type_keys("\x03");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
    CHECK_EQ(events_told[2] & INTERRUPT_EVENT, 0);
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, child), MNOS_OK);
    child = give_new(1, 0);
    CHECK_EQ(request_listen(child, 2), MNOS_OK);
    give_new(child, STREAM_INTERRUPTS); /* who gets it may */
    events_told[1] = 0;
    type_keys("\x03");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, 0);
    CHECK_EQ(events_told[2] & INTERRUPT_EVENT, INTERRUPT_EVENT);
}

TEST(ns16550_front, sessions_outlive_the_driver)
{
    mnos_badge_t child, dead;

    scene(true);
    dead = give_new(1, STREAM_BEHIND);
    child = give_new(1, STREAM_INTERRUPTS);
    gone_clients[0] = dead; /* while no driver runs */
    new_driver();
    CHECK_EQ(poll(dead), MNOS_ERR_LOST);
    CHECK_EQ(poll(1), MNOS_ERR_AGAIN);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    request_read(child, 200, 10);
    type_keys("k");
    CHECK_EQ(replies[reply_count - 1].reply_id, 200);
    type_keys("\x03");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
    CHECK(give_new(1, 0) > child); /* no badge is used twice */
    gone_clients[0] = badge_of(1);
    new_driver();
    CHECK_EQ(poll(2), MNOS_OK);
}

TEST(ns16550_front, malformed_requests_are_refused)
{
    struct stream_front record = {4, 0};
    mnos_badge_t child;

    scene(true);
    CHECK_EQ(give(1, 4), MNOS_ERR_ARGUMENT);
    CHECK_EQ(request(1, 1, STREAM_GIVE_FRONT, "abc", 3).label, MNOS_ERR_SIZE);
    CHECK_EQ(request(1, 1, STREAM_TAKE_FRONT, "abc", 3).label, MNOS_ERR_SIZE);
    record = (struct stream_front){0, 1};
    CHECK_EQ(request(1, 1, STREAM_GIVE_FRONT, &record, sizeof record).label, MNOS_ERR_ARGUMENT);
    record.terminal = 0;
    CHECK_EQ(request_caps(1, STREAM_GIVE_FRONT, &record, sizeof record, 1, 1).label,
             MNOS_ERR_ARGUMENT); /* a capability of something else */
    CHECK_EQ(request_caps(1, STREAM_TAKE_FRONT, NULL, 0, 2, 1).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(with_session(1, STREAM_TAKE_FRONT, badge_of(2)), MNOS_ERR_ARGUMENT); /* no session */
    CHECK_EQ(caps_held, 0);
    child = give_new(1, STREAM_BEHIND);
    record.flags = STREAM_BEHIND;
    sent_badge = child;
    CHECK_EQ(request_caps(1, STREAM_GIVE_FRONT, &record, sizeof record, 1, 0).label,
             MNOS_ERR_ARGUMENT);
    export_fails = true;
    CHECK_EQ(give(1, 0), MNOS_ERR_QUOTA);
    CHECK_EQ(poll(1), MNOS_OK);
    export_fails = false;
    event_mask = INPUT_EVENT;
    CHECK_EQ(request_listen(1, 1), MNOS_ERR_ARGUMENT);
    CHECK_EQ(caps_held, 0);
}

TEST(ns16550_front, too_many_sessions_are_refused)
{
    scene(true);
    for (unsigned i = 0; i < FRONT_SESSIONS_FIRST; i++)
        give_new(1, STREAM_BEHIND);
    CHECK_EQ(give(1, 0), MNOS_ERR_QUOTA);
    CHECK_EQ(poll(1), MNOS_OK);
}

TEST(ns16550_front, survives_clients_that_do_anything)
{
    static uint8_t steps[4000];
    unsigned seed = 3;

    for (unsigned round = 0; round < 150; round++) {
        for (size_t i = 0; i < sizeof steps; i++) {
            seed = seed * 1103515245 + 12345;
            steps[i] = (uint8_t)(seed >> 16);
        }
        stream_fuzz(steps, sizeof steps - round % 2);
    }
}
