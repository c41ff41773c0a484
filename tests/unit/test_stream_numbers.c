// SPDX-License-Identifier: MIT
/* test_stream_numbers - one of several terminals of a service (stream_server.h, `number`), against the model of a serial device. */
#include "tests/models/ns16550.h"

#define NUMBER 3u

/* As each terminal begins, all at the same moment. */
static void scene_at(uint32_t number)
{
    memset(&driver, 0, sizeof driver);
    memset(&server_state, 0, sizeof server_state);
    driver.number = number;
    scene(true);
}

/* A new session of `client`'s, or 0 with the status in *status. */
static mnos_badge_t give(mnos_badge_t client, uint32_t flags, uint32_t terminal,
                         mnos_status_t *status)
{
    struct stream_front record = {flags, terminal};
    unsigned before = reply_count;
    struct message msg = request(client, 40, STREAM_GIVE_FRONT, &record, sizeof record);

    *status = (mnos_status_t)(msg.reply_id != 0 ? msg.label : replies[before].label);
    return *status == MNOS_OK ? exported : 0;
}

static mnos_badge_t give_new(mnos_badge_t client, uint32_t flags)
{
    mnos_status_t status;
    mnos_badge_t made = give(client, flags, 0, &status);

    CHECK_EQ(status, MNOS_OK);
    return made;
}

static const char *typed_for(mnos_badge_t client)
{
    struct stream_read read = {100};

    (void)request(client, 41, STREAM_POLL, &read, sizeof read);
    CHECK_EQ(replies[reply_count - 1].label, MNOS_OK);
    return replies[reply_count - 1].bytes;
}

static uint32_t number_of(mnos_badge_t badge, uint32_t label, uint32_t terminal, mnos_badge_t with)
{
    struct stream_front record = {0, terminal};
    struct message msg = {.label = label,
                          .badge = badge,
                          .length = label == STREAM_GIVE_FRONT ? sizeof record : 0,
                          .cap_count = with != 0};
    uint32_t number;

    memcpy(message_bytes, &record, sizeof record);
    sent_badge = with;
    number = stream_server_number(&driver, &msg);
    sent_badge = 0;
    return number;
}

TEST(stream_numbers, the_holder_names_a_terminal_and_others_have_theirs)
{
    mnos_badge_t holder = badge_of(1), third, first;

    scene_at(NUMBER);
    third = give_new(1, 0);
    scene_at(0);
    first = give_new(1, 0);
    CHECK_EQ(number_of(holder, STREAM_GIVE_FRONT, 4, 0), 4);
    CHECK_EQ(number_of(holder, STREAM_GIVE_FRONT, 0, 0), 0);
    CHECK_EQ(number_of(holder, STREAM_GIVE_FRONT, 0, third), NUMBER);
    CHECK_EQ(number_of(holder, STREAM_TAKE_FRONT, 0, third), NUMBER);
    CHECK_EQ(number_of(holder, STREAM_TAKE_FRONT, 0, first), 0);
    CHECK_EQ(number_of(holder, STREAM_TAKE_FRONT, 0, 77), 0); /* a capability of no session */
    CHECK_EQ(number_of(holder, STREAM_LISTEN, 0, third), 0); /* what comes with it is no terminal */
    CHECK_EQ(number_of(holder, STREAM_READ, 4, 0), 0);
    CHECK_EQ(number_of(third, STREAM_READ, 0, 0), NUMBER);
    CHECK_EQ(number_of(third, STREAM_GIVE_FRONT, 4, 0), NUMBER); /* it cannot get at another one */
    CHECK_EQ(number_of(first, STREAM_GIVE_FRONT, 4, 0), 0);
    CHECK_EQ(number_of(first, STREAM_TAKE_FRONT, 0, third), 0);
    CHECK_EQ(number_of(VISITOR, STREAM_GIVE_FRONT, 4, 0), 0);
}

TEST(stream_numbers, a_number_that_is_not_its_own_is_refused)
{
    mnos_status_t status;

    scene_at(0); /* a serial line, which has no others */
    (void)give(1, 0, 3, &status);
    CHECK_EQ(status, MNOS_ERR_ARGUMENT);
    scene_at(NUMBER);
    (void)give(1, 0, 4, &status);
    CHECK_EQ(status, MNOS_ERR_ARGUMENT);
    CHECK(give(1, 0, NUMBER, &status) != 0);
    (void)give(VISITOR, 0, NUMBER, &status);
    CHECK_EQ(status, MNOS_ERR_DENIED);
}

TEST(stream_numbers, badges_of_different_terminals_are_different)
{
    mnos_badge_t of_first, of_third;

    scene_at(0);
    of_first = give_new(1, 0);
    scene_at(NUMBER);
    of_third = give_new(1, 0);
    CHECK(of_first != of_third);
    CHECK_EQ(of_first & ~(7ull << STREAM_NUMBER_SHIFT), of_third & ~(7ull << STREAM_NUMBER_SHIFT));
}

/* There is no key of last resort: the terminal of the holder is to be had by a key of the screen's. */
TEST(stream_numbers, of_its_keys_ctrl_c_alone_is_not_the_programs)
{
    mnos_badge_t seat, program;

    scene_at(NUMBER);
    seat = give_new(1, 0);
    CHECK_EQ(request_listen(seat, 1), MNOS_OK);
    program = give_new(seat, STREAM_INTERRUPTS);
    events_told[1] = 0;
    type_keys("a\x1d\x1d"
              "b");
    CHECK_STR_EQ(typed_for(program), "a\x1d\x1d"
                                     "b");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, 0);
    type_keys("dropped\x03");
    CHECK_EQ(events_told[1] & INTERRUPT_EVENT, INTERRUPT_EVENT);
    CHECK_STR_EQ(typed_for(program), "");
}

/* Programs of Linux do not have it asked: STREAM_NOW. */
TEST(stream_numbers, the_size_is_known_without_a_question)
{
    struct stream_ask ask = {STREAM_NOW, 0};
    mnos_badge_t seat;
    struct stream_size size;

    scene_at(NUMBER);
    stream_server_set_size(&driver, 137, 38);
    seat = give_new(1, 0);
    (void)request(seat, 42, STREAM_WINSIZE, &ask, sizeof ask);
    memcpy(&size, replies[reply_count - 1].bytes, sizeof size);
    CHECK_EQ(size.columns, 137);
    CHECK_EQ(size.rows, 38);
    CHECK_EQ(size.flags, STREAM_TOLD | STREAM_IN_FRONT);
}

TEST(stream_numbers, nobody_is_in_front_when_the_seat_has_ended)
{
    mnos_badge_t seat, program;
    mnos_status_t status;

    scene_at(NUMBER);
    seat = give_new(1, 0);
    program = give_new(seat, 0);
    CHECK_EQ(front_now(&server_state.front), program);
    client_gone(program);
    CHECK_EQ(front_now(&server_state.front), seat);
    client_gone(seat);
    CHECK_EQ(front_now(&server_state.front), FRONT_HOLDER);
    CHECK(give(1, 0, NUMBER, &status) > seat);
}
