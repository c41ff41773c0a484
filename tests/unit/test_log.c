/* SPDX-License-Identifier: MIT */
/* test_log.c - log lines, the ring as a reader sees it, and the sinks. */
#include "log/log.h"

#include <string.h>

#include "abi/log.h"
#include "boot/bootinfo.h"
#include "tests/unit/unit.h"

static char shown[4096];
static size_t shown_bytes;

static void sink(const char *text, size_t size_bytes)
{
    memcpy(shown + shown_bytes, text, size_bytes);
    shown_bytes += size_bytes;
}

static const struct mnos_log *ring(void)
{
    uint64_t count;

    boot_info.kernel_physical = 0; /* so that a "physical" address is the pointer */
    boot_info.kernel_virtual = 0;
    const struct mnos_log *log = (const struct mnos_log *)log_ring_frames(&count);
    CHECK_EQ((uintptr_t)log % MNOS_PAGE_BYTES, 0);
    CHECK(count * MNOS_PAGE_BYTES >= sizeof(*log) + log->capacity);
    return log;
}

/* The text behind "[sssss.uuuuuu] " of the only line. */
static const char *only_line(void)
{
    const char *end = memchr(shown, ']', shown_bytes);

    CHECK(shown[0] == '[' && end != NULL);
    CHECK(shown[shown_bytes - 1] == '\n' && memchr(shown, '\n', shown_bytes - 1) == NULL);
    shown[shown_bytes] = '\0';
    return end ? end + 2 : "";
}

TEST(log, a_line_has_time_level_and_text)
{
    log_add_sink(sink);
    log_warning("%s %u", "number", 7u);
    CHECK_STR_EQ(only_line(), "W number 7\n");
}

TEST(log, the_ring_has_what_the_sinks_showed)
{
    log_add_sink(sink);
    log_info("one");
    log_error("two");
    CHECK_EQ(ring()->magic, MNOS_LOG_MAGIC);
    CHECK_EQ(ring()->written, shown_bytes);
    CHECK(memcmp(ring()->data, shown, shown_bytes) == 0);
}

TEST(log, the_ring_wraps_and_keeps_the_newest)
{
    log_info("first");
    uint64_t capacity = ring()->capacity;
    while (ring()->written < capacity + 100)
        log_info("filling");
    log_add_sink(sink);
    log_info("the newest line");
    uint64_t start = ring()->written - shown_bytes;
    for (size_t i = 0; i < shown_bytes; i++)
        CHECK_EQ(ring()->data[(start + i) % capacity], shown[i]);
}

TEST(log, long_lines_are_cut)
{
    char text[1000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_add_sink(sink);
    log_info("%s", text);
    CHECK(shown_bytes > 200 && shown_bytes <= 256);
    CHECK_EQ(shown[shown_bytes - 1], '\n');
}

TEST(log, text_of_programs_cannot_forge_or_control)
{
    log_add_sink(sink);
    log_write_user("a\x1b[2J\r\x80", 7);
    CHECK_STR_EQ(only_line(), "I a?[2J??\n");
}

TEST(log, each_line_of_a_program_gets_a_prefix)
{
    log_add_sink(sink);
    log_write_user("one\ntwo\n", 8);
    unsigned lines = 0;
    for (size_t i = 0; i < shown_bytes; i++)
        lines += shown[i] == '\n';
    CHECK_EQ(lines, 2);
    CHECK(memchr(shown, 'w', shown_bytes) != NULL);
}

TEST(log, released_console_leaves_only_the_ring)
{
    log_add_sink(sink);
    log_release_console();
    log_info("not shown");
    CHECK_EQ(shown_bytes, 0);
    CHECK(ring()->written > 0);
}

TEST(log, tests_may_keep_the_first_sink)
{
    memcpy(boot_info.cmdline, "console=kernel", sizeof("console=kernel"));
    log_add_sink(sink);
    log_release_console();
    log_info("shown");
    CHECK(shown_bytes > 0);
}

TEST(log, a_panic_shows_lines_again)
{
    log_add_sink(sink);
    log_release_console();
    log_seize();
    log_error("shown");
    CHECK(shown_bytes > 0);
}
