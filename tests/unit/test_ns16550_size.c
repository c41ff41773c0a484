// SPDX-License-Identifier: MIT
/* test_ns16550_size - the serial driver against a model of the device and of its clients: how large the terminal is. */
#include "tests/models/ns16550.h"

#define PATIENCE STREAM_PATIENCE_NS
#define QUESTION "\0337\033[18t\033[999;999H\033[6n\0338"

/* WINSIZE; reply_id 0: it waits. */
static struct stream_size size;
static bool ask(mnos_badge_t client, uint32_t flags)
{
    struct stream_ask record = {flags, 0};
    unsigned before = reply_count;

    CHECK_EQ(request(client, 60, STREAM_WINSIZE, &record, sizeof record).reply_id, 0);
    if (reply_count == before)
        return false;
    CHECK_EQ(replies[before].length, sizeof size);
    memcpy(&size, replies[before].bytes, sizeof size);
    return true;
}

static void last_reply(void)
{
    CHECK(reply_count != 0);
    memcpy(&size, replies[reply_count - 1].bytes, sizeof size);
}

static void begin(void)
{
    device.instant = true;
    scene(true);
    CHECK_EQ(request_listen(1, 1), MNOS_OK);
    events_told[1] = 0;
    reply_count = 0;
}

TEST(ns16550_size, the_terminal_is_asked_once_and_the_place_of_the_cursor_counts)
{
    begin();
    CHECK(!ask(1, 0));
    CHECK_STR_EQ(device.sent, QUESTION);
    type_keys("ab\033[8;24;80t"); /* tmux 3.3 swaps them */
    CHECK_EQ(reply_count, 0);
    type_keys("\033[50;132Rcd");
    CHECK_EQ(reply_count, 1);
    last_reply();
    CHECK(size.columns == 132 && size.rows == 50);
    CHECK_EQ(size.flags, STREAM_TOLD | STREAM_IN_FRONT);
    CHECK_EQ(events_told[1] & SIZE_EVENT, SIZE_EVENT);
    CHECK_STR_EQ(got(STREAM_POLL, 100), "abcd"); /* the answers are no input */
    CHECK(ask(1, 0));
    CHECK_STR_EQ(device.sent, QUESTION);
}

TEST(ns16550_size, one_that_does_not_answer_has_80_columns_after_200_ms)
{
    begin();
    CHECK(!ask(1, 0));
    CHECK_EQ(stream_server_deadline(&driver), 1000 + PATIENCE);
    pass_time(PATIENCE - 1);
    CHECK_EQ(reply_count, 0);
    pass_time(1);
    last_reply();
    CHECK(size.columns == STREAM_COLUMNS && size.rows == STREAM_ROWS);
    CHECK_EQ(size.flags, STREAM_IN_FRONT);
    CHECK_EQ(stream_server_deadline(&driver), MNOS_DEADLINE_NEVER);
    type_keys("\033[30;100R"); /* late, over a slow line */
    CHECK(ask(VISITOR, 0));
    CHECK(size.columns == 100 && size.rows == 30);
    CHECK_EQ(size.flags, STREAM_TOLD);
    CHECK_STR_EQ(got(STREAM_POLL, 100), "");
}

TEST(ns16550_size, one_that_only_tells_its_size_is_believed)
{
    begin();
    CHECK(!ask(1, 0));
    type_keys("\033[8;40;120t");
    pass_time(PATIENCE);
    last_reply();
    CHECK(size.columns == 120 && size.rows == 40);
}

TEST(ns16550_size, a_change_is_an_event_and_nobody_waits)
{
    begin();
    CHECK(ask(1, STREAM_ASK));
    CHECK_EQ(size.flags, STREAM_IN_FRONT); /* not known yet */
    type_keys("\033[24;90R");
    CHECK_EQ(events_told[1], SIZE_EVENT);
    CHECK(ask(1, STREAM_ASK));
    CHECK_EQ(size.columns, 90);
    events_told[1] = 0;
    type_keys("\033[24;90R");
    CHECK_EQ(events_told[1], 0); /* as before */
    CHECK(ask(1, STREAM_ASK));
    type_keys("\033[24;4000R");
    CHECK_EQ(events_told[1], SIZE_EVENT);
    CHECK(ask(1, STREAM_NOW));
    CHECK_EQ(size.columns, 1000);
    CHECK(ask(1, STREAM_ASK));
    pass_time(PATIENCE); /* slow this time */
    CHECK(ask(1, 0));
    CHECK_EQ(size.columns, 1000);
}

TEST(ns16550_size, keys_that_look_like_an_answer_are_keys)
{
    static const char keys[] =
        "\033[1;2R\033[R\033[30;19R\033[100R\033[3;1;100R\033[?1;100R\033[9;5;6t"
        "\033\033[A\033[24;99999999R\033[24;100S";

    begin();
    type_keys("\033[24;100R"); /* nobody has asked */
    CHECK_STR_EQ(got(STREAM_POLL, 100), "\033[24;100R");
    CHECK(ask(1, STREAM_ASK));
    type_keys(keys);
    CHECK_STR_EQ(got(STREAM_POLL, 200), keys);
    type_keys("\033[8;1;1t"); /* an answer, of no use */
    CHECK_STR_EQ(got(STREAM_POLL, 200), "");
    pass_time(PATIENCE);
    CHECK(ask(1, 0));
    CHECK_EQ(size.columns, STREAM_COLUMNS);
}

TEST(ns16550_size, a_sequence_that_does_not_go_on_is_let_go)
{
    begin();
    CHECK(ask(1, STREAM_ASK));
    pass_time(PATIENCE);
    type_keys("x\033");
    CHECK_STR_EQ(got(STREAM_POLL, 100), "x");
    CHECK(stream_server_deadline(&driver) < driver.now_ns + PATIENCE);
    pass_time(STREAM_SEQUENCE_NS);
    CHECK_STR_EQ(got(STREAM_POLL, 100), "\033"); /* the Escape key */
    type_keys("\033[2");
    CHECK_STR_EQ(got(STREAM_HOLD, 100), "\033[2"); /* who empties the driver gets that too */
}

TEST(ns16550_size, the_question_waits_for_the_end_of_a_write)
{
    static char text[100];

    scene(true);
    memset(text, '.', sizeof text);
    request(1, 100, STREAM_WRITE, text, sizeof text);
    CHECK(ask(1, STREAM_ASK));
    send_everything();
    CHECK(memcmp(device.sent, text, sizeof text) == 0);
    CHECK_STR_EQ(device.sent + sizeof text, QUESTION);
    request(1, 101, STREAM_WRITE, "after", 5);
    send_everything();
    CHECK_STR_EQ(device.sent + sizeof text + strlen(QUESTION), "after");
}

TEST(ns16550_size, a_line_that_does_not_move_keeps_nobody_waiting)
{
    static char text[100];

    scene(true);
    request(1, 100, STREAM_WRITE, text, sizeof text);
    CHECK(!ask(2, 0));
    pass_time(PATIENCE);
    CHECK_EQ(reply_count, 1);
    last_reply();
    CHECK_EQ(size.columns, STREAM_COLUMNS);
}

TEST(ns16550_size, it_outlives_the_driver)
{
    begin();
    CHECK(ask(1, STREAM_ASK));
    type_keys("\033[24;90R");
    new_driver();
    CHECK(ask(1, 0));
    CHECK_EQ(size.columns, 90);
}

TEST(ns16550_size, malformed_and_too_many_requests_are_refused)
{
    struct stream_ask record = {4, 0};

    scene(true);
    CHECK_EQ(request(1, 1, STREAM_WINSIZE, &record, sizeof record).label, MNOS_ERR_ARGUMENT);
    CHECK_EQ(request(1, 1, STREAM_WINSIZE, "abc", 3).label, MNOS_ERR_SIZE);
    record = (struct stream_ask){0, 1};
    CHECK_EQ(request(1, 1, STREAM_WINSIZE, &record, sizeof record).label, MNOS_ERR_ARGUMENT);
    record.reserved = 0;
    for (unsigned i = 0; i < STREAM_ASKS_MAX; i++)
        CHECK(!ask(1 + i, 0));
    CHECK_EQ(request(1, 1, STREAM_WINSIZE, &record, sizeof record).label, MNOS_ERR_AGAIN);
    client_gone(2);
    pass_time(PATIENCE);
    CHECK_EQ(reply_count, STREAM_ASKS_MAX - 1);
}
