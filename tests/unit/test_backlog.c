/* SPDX-License-Identifier: MIT */
/* test_backlog.c - what the kernel could not get rid of on a line, sent by the driver; the file under test is
 * included below, with a device that takes what it is let. */
#include <string.h>

#include "tests/unit/unit.h"

/* The tests of the driver have them, too. */
#define uart_send model_uart_send
#define backlog_begin tested_backlog_begin
#define backlog_send tested_backlog_send
#include "drivers/serial/ns16550/backlog.c" /* NOLINT */

enum { CAPACITY = 1024, PORT = 0x3F8 };

static union {
    struct mnos_log log;
    char bytes[sizeof(struct mnos_log) + CAPACITY];
} memory;

static char sent[8192];
static size_t sent_count, room;
static struct backlog backlog;

size_t uart_send(struct uart *uart, const uint8_t *bytes, size_t count)
{
    (void)uart;
    if (count > room)
        count = room;
    memcpy(sent + sent_count, bytes, count);
    sent_count += count;
    return count;
}

static void say(const char *text)
{
    for (; *text != '\0'; text++)
        memory.log.data[memory.log.written++ % CAPACITY] = *text;
}

static void scene(const char *shown, const char *left)
{
    memory.log =
        (struct mnos_log){.magic = MNOS_LOG_MAGIC, .capacity = CAPACITY, .line_port = PORT};
    say(shown);
    memory.log.line_shown = memory.log.written;
    say(left);
    memory.log.line_claimed = memory.log.written;
    say("not for the line\n");
}

static const char *send_all(size_t at_once)
{
    room = at_once;
    for (unsigned i = 0; i < 10000 && !backlog_send(&backlog, NULL); i++)
        ;
    CHECK(backlog_send(&backlog, NULL));
    sent[sent_count] = '\0';
    return sent;
}

TEST(backlog, what_is_left_is_sent_as_a_terminal_wants_it)
{
    scene("one\n", "two\nthree\n");
    backlog_begin(&backlog, &memory.log, PORT);
    CHECK_STR_EQ(send_all(3), "two\r\nthree\r\n");
}

TEST(backlog, a_line_that_does_not_move_keeps_its_place)
{
    scene("", "a text\n");
    backlog_begin(&backlog, &memory.log, PORT);
    room = 0;
    CHECK(!backlog_send(&backlog, NULL) && !backlog_send(&backlog, NULL));
    CHECK_STR_EQ(send_all(1), "a text\r\n");
}

TEST(backlog, nothing_is_left_when_the_line_moved_or_is_another)
{
    scene("one\n", "");
    backlog_begin(&backlog, &memory.log, PORT);
    CHECK_STR_EQ(send_all(100), "");
    scene("one\n", "two\n");
    backlog_begin(&backlog, &memory.log, 0x2F8);
    CHECK_STR_EQ(send_all(100), "");
    memory.log.magic = 0;
    backlog_begin(&backlog, &memory.log, PORT);
    CHECK_STR_EQ(send_all(100), "");
}

TEST(backlog, what_was_overwritten_is_counted)
{
    scene("", "first line\n");
    for (unsigned i = 0; i < 100; i++)
        say("another line\n");
    memory.log.line_claimed = memory.log.written;
    backlog_begin(&backlog, &memory.log, PORT);
    const char *text = send_all(50);
    CHECK(strncmp(text, "[", 1) == 0 &&
          strstr(text, " bytes of the log were lost on this line]\r\n") != NULL);
    CHECK(strncmp(strchr(text, '\n') + 1, "another line\r\n", 14) == 0);
    CHECK(strstr(text, "first") == NULL);
}

TEST(backlog, what_is_overwritten_meanwhile_is_counted)
{
    scene("", "first line\nsecond line\n");
    backlog_begin(&backlog, &memory.log, PORT);
    room = 0;
    CHECK(!backlog_send(&backlog, NULL));
    backlog.chunk_size = 0; /* what is on its way is nothing */
    backlog.chunk_at = 0;
    backlog.at = 0;
    for (unsigned i = 0; i < 100; i++)
        say("another line\n");
    CHECK_STR_EQ(send_all(50), "[23 bytes of the log were lost on this line]\r\n");
}
