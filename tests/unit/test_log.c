/* SPDX-License-Identifier: MIT */
/* test_log.c - log lines, the ring as a reader sees it, and the sinks. */
#define _GNU_SOURCE /* memmem() */
#include "base/log.h"

#include <string.h>

#include "abi/log.h"
#include "boot/bootinfo.h"
#include "tests/unit/host/host.h"
#include "tests/unit/unit.h"

enum { PORT = 0x3F8, FRAME = 0xE0000 };

/* Two devices: they take as many bytes in a step as they are let, and what they got is here. */
static struct model {
    char shown[70000];
    size_t shown_bytes;
    size_t room;    /* 0: it cannot take anything */
    unsigned asked; /* how often */
    unsigned resets;
    unsigned moves_after; /* asked so often in vain it moves again; 0: never */
} line_model, screen_model;

static bool take(struct model *model, const char *text, size_t size_bytes, size_t *taken)
{
    model->asked++;
    host_time_pass(1000000);
    if (model->room == 0 && model->moves_after != 0 && model->asked > model->moves_after)
        model->room = 16;
    *taken = size_bytes < model->room ? size_bytes : model->room;
    memcpy(model->shown + model->shown_bytes, text, *taken);
    model->shown_bytes += *taken;
    return *taken != 0;
}

static bool line_show(const char *text, size_t size_bytes, size_t *taken)
{
    return take(&line_model, text, size_bytes, taken);
}

static bool screen_show(const char *text, size_t size_bytes, size_t *taken)
{
    return take(&screen_model, text, size_bytes, taken);
}

static void line_reset(void)
{
    line_model.resets++;
}

static void screen_reset(void)
{
    screen_model.resets++;
}

static void add_line(void)
{
    line_model.room = 16;
    log_add_device(&(struct log_device){line_show, line_reset, LOG_PORTS, PORT, 8});
}

static void add_screen(void)
{
    screen_model.room = 7;
    log_add_device(&(struct log_device){screen_show, screen_reset, LOG_FRAMES, FRAME, 100});
}

/* Everything that is to be shown in steps. */
static void show(void)
{
    for (unsigned i = 0; i < 10000 && log_retry_ns != UINT64_MAX; i++) {
        (void)log_show_step();
        host_time_pass(1000000);
    }
}

static bool has(const struct model *model, const char *text)
{
    return memmem(model->shown, model->shown_bytes, text, strlen(text)) != NULL;
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
    const char *end = memchr(line_model.shown, ']', line_model.shown_bytes);

    CHECK(line_model.shown[0] == '[' && end != NULL);
    CHECK(line_model.shown[line_model.shown_bytes - 1] == '\n' &&
          memchr(line_model.shown, '\n', line_model.shown_bytes - 1) == NULL);
    line_model.shown[line_model.shown_bytes] = '\0';
    return end ? end + 2 : "";
}

TEST(log, a_line_has_time_level_and_text)
{
    add_line();
    log_warning("%s %u", "number", 7u);
    CHECK_STR_EQ(only_line(), "W number 7\n");
}

TEST(log, the_ring_has_what_the_sinks_showed)
{
    add_line();
    log_info("one");
    log_error("two");
    CHECK_EQ(ring()->magic, MNOS_LOG_MAGIC);
    CHECK_EQ(ring()->written, line_model.shown_bytes);
    CHECK(memcmp(ring()->data, line_model.shown, line_model.shown_bytes) == 0);
}

TEST(log, the_ring_wraps_and_keeps_the_newest)
{
    log_info("first");
    uint64_t capacity = ring()->capacity;
    while (ring()->written < capacity + 100)
        log_info("filling");
    add_line();
    log_info("the newest line");
    CHECK(has(&line_model, "bytes of the log are not shown here]\n"));
    const char *text = memchr(line_model.shown, '\n', line_model.shown_bytes);
    size_t bytes = line_model.shown_bytes - (size_t)(text + 1 - line_model.shown);
    CHECK(bytes > 900 && bytes <= 1024 + 100);
    uint64_t start = ring()->written - bytes;
    for (size_t i = 0; i < bytes; i++)
        CHECK_EQ(ring()->data[(start + i) % capacity], text[1 + i]);
}

TEST(log, long_lines_are_cut)
{
    char text[1000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    add_line();
    log_info("%s", text);
    CHECK(line_model.shown_bytes > 200 && line_model.shown_bytes <= 256);
    CHECK_EQ(line_model.shown[line_model.shown_bytes - 1], '\n');
}

TEST(log, text_of_programs_cannot_forge_or_control)
{
    add_line();
    CHECK_EQ(log_write_user(LOG_INFO, "a\x1b[2J\r\x80", 7), 7);
    CHECK_STR_EQ(only_line(), "I a?[2J??\n");
}

TEST(log, each_line_of_a_program_gets_a_prefix)
{
    add_line();
    CHECK_EQ(log_write_user(LOG_INFO, "one\ntwo\n", 8), 4);
    CHECK_EQ(log_write_user(LOG_INFO, "two\n", 4), 4);
    unsigned lines = 0;
    for (size_t i = 0; i < line_model.shown_bytes; i++)
        lines += line_model.shown[i] == '\n';
    CHECK_EQ(lines, 2);
    CHECK(memchr(line_model.shown, 'w', line_model.shown_bytes) != NULL);
}

TEST(log, before_user_space_runs_a_line_is_out_at_once)
{
    add_line();
    add_screen();
    log_info("hello");
    CHECK(has(&line_model, "I hello\n") && has(&screen_model, "I hello\n"));
}

TEST(log, once_user_space_runs_it_is_out_step_by_step)
{
    add_line();
    add_screen();
    log_user_space_runs();
    CHECK_EQ(log_retry_ns, UINT64_MAX);
    log_info("hello");
    CHECK_EQ(line_model.shown_bytes + screen_model.shown_bytes, 0);
    CHECK(log_retry_ns <= arch_time_ns() + 50000);
    CHECK(log_show_step());
    CHECK_EQ(line_model.shown_bytes, 16);
    CHECK_EQ(screen_model.shown_bytes, 7);
    show();
    CHECK(has(&line_model, "I hello\n") && has(&screen_model, "I hello\n"));
    CHECK(!log_show_step());
}

TEST(log, what_a_program_has_claimed_it_keeps_and_loses_nothing_of_it)
{
    add_line();
    add_screen();
    log_user_space_runs();
    uint32_t line = log_claim(LOG_PORTS, PORT + 7, 1), screen = log_claim(LOG_FRAMES, 0, FRAME + 1);
    CHECK(line == 1 && screen == 2);
    log_info("hello");
    show();
    CHECK_EQ(line_model.shown_bytes + screen_model.shown_bytes, 0);
    log_release(screen);
    show();
    CHECK(line_model.shown_bytes == 0 && has(&screen_model, "I hello\n"));
    CHECK(line_model.resets == 0 && screen_model.resets == 1);
}

TEST(log, only_what_overlaps_a_device_claims_it)
{
    add_line();
    add_screen();
    CHECK_EQ(log_claim(LOG_PORTS, 0, PORT), 0);
    CHECK_EQ(log_claim(LOG_PORTS, PORT + 8, 100), 0);
    CHECK_EQ(log_claim(LOG_FRAMES, PORT, 8), 0);
    CHECK_EQ(log_claim(LOG_FRAMES, FRAME + 100, 1), 0);
    CHECK_EQ(log_claim(LOG_FRAMES, FRAME + 99, 1), 2);
    CHECK_EQ(log_claim(LOG_PORTS, 0, 65536), 1);
}

TEST(log, the_last_owner_gives_a_device_back)
{
    add_line();
    log_user_space_runs();
    uint32_t line = log_claim(LOG_PORTS, PORT, 8);
    log_claim_again(line);
    log_info("why");
    log_release(line);
    show();
    CHECK_EQ(line_model.shown_bytes, 0);
    log_release(line);
    show();
    CHECK(has(&line_model, "I why\n"));
}

TEST(log, a_device_that_comes_back_shows_the_last_it_has_missed_and_says_what_it_leaves_out)
{
    add_line();
    log_user_space_runs();
    uint32_t line = log_claim(LOG_PORTS, PORT, 8);
    for (unsigned i = 0; i < 100; i++)
        log_info("line number %u", i);
    log_release(line);
    show();
    CHECK(has(&line_model, "number 99\n") && !has(&line_model, "number 50\n"));
    CHECK(line_model.shown[0] == '[' &&
          has(&line_model, "bytes of the log are not shown here]\n["));
}

TEST(log, text_goes_out_before_a_program_gets_the_device)
{
    add_line();
    log_user_space_runs();
    log_info("hello");
    uint64_t until = 0;
    CHECK(!log_hand_over_step(LOG_PORTS, 0x64, 1, &until));
    while (log_hand_over_step(LOG_PORTS, PORT, 8, &until))
        ;
    CHECK(has(&line_model, "I hello\n"));
    CHECK_EQ(ring()->line_shown, ring()->written);
    CHECK_EQ(ring()->line_port, PORT);
}

TEST(log, who_is_logged_all_the_time_keeps_no_program_from_the_device)
{
    uint64_t until = 0;
    unsigned steps = 0;

    add_line();
    log_user_space_runs();
    log_info("hello");
    while (log_hand_over_step(LOG_PORTS, PORT, 8, &until) && steps++ < 1000)
        log_info("a line takes more than one step"); /* so the device never catches up */
    CHECK(steps < 1000);
    CHECK(has(&line_model, "I hello\n"));
}

TEST(log, a_line_that_does_not_move_delays_the_boot_by_a_second_once)
{
    add_line();
    add_screen();
    line_model.room = 0;
    uint64_t begin = arch_time_ns();
    for (unsigned i = 0; i < 50; i++)
        log_info("line number %u", i);
    CHECK(arch_time_ns() - begin > 1000000000 && arch_time_ns() - begin < 2000000000);
    CHECK(has(&screen_model, "number 49\n"));
    line_model.room = 16; /* somebody reads it at last */
    log_info("more");
    CHECK(has(&line_model, "number 0\n") && has(&line_model, "number 49\n"));
}

TEST(log, a_line_that_is_slow_loses_nothing)
{
    add_line();
    line_model.room = 0;
    line_model.moves_after = 900;
    for (unsigned i = 0; i < 50; i++)
        log_info("line number %u", i);
    CHECK_EQ(line_model.shown_bytes, ring()->written);
    CHECK(memcmp(line_model.shown, ring()->data, line_model.shown_bytes) == 0);
}

TEST(log, what_a_stuck_line_has_missed_is_left_for_the_program_that_takes_it)
{
    add_line();
    log_info("shown");
    uint64_t shown_to = ring()->written;
    line_model.room = 0;
    log_info("stuck");
    log_user_space_runs();
    uint64_t until = 0;
    while (log_hand_over_step(LOG_PORTS, PORT, 8, &until))
        ;
    CHECK_EQ(log_claim(LOG_PORTS, PORT, 8), 1);
    log_info("the program's business");
    CHECK_EQ(ring()->line_shown, shown_to);
    CHECK(memcmp(ring()->data + ring()->line_claimed - 6, "stuck\n", 6) == 0);
    CHECK_EQ(log_retry_ns, UINT64_MAX);
}

TEST(log, a_stuck_line_without_an_owner_is_looked_at_now_and_then)
{
    add_line();
    log_user_space_runs();
    line_model.room = 0;
    log_info("hello");
    host_time_pass(5000000000);
    (void)log_show_step();
    CHECK(log_retry_ns >= arch_time_ns() + 90000000 && log_retry_ns != UINT64_MAX);
    line_model.room = 16;
    host_time_pass(100000000);
    show();
    CHECK(has(&line_model, "I hello\n"));
}

TEST(log, what_is_overwritten_before_it_was_shown_is_counted)
{
    add_line();
    log_user_space_runs();
    line_model.room = 0;
    log_info("the first makes the ring");
    while (ring()->written < 3 * ring()->capacity)
        log_info("filling");
    line_model.room = 4000;
    show();
    CHECK(has(&line_model, "bytes of the log are not shown here]\n"));
    CHECK_EQ(ring()->line_shown, ring()->written);
    const char *text = memchr(line_model.shown, '\n', line_model.shown_bytes);
    CHECK(text[1] == '[');
}

TEST(log, tests_may_keep_the_line)
{
    memcpy(boot_info.cmdline, "console=kernel", sizeof("console=kernel"));
    add_line();
    add_screen();
    log_user_space_runs();
    CHECK_EQ(log_claim(LOG_PORTS, PORT, 8), 1);
    log_info("shown");
    CHECK(has(&line_model, "I shown\n"));
}

TEST(log, a_panic_takes_every_device_back_and_shows_what_it_has_missed)
{
    add_line();
    add_screen();
    log_user_space_runs();
    (void)log_claim(LOG_PORTS, PORT, 8);
    (void)log_claim(LOG_FRAMES, FRAME, 1);
    log_info("why");
    log_seize();
    CHECK(has(&line_model, "I why\n") && has(&screen_model, "I why\n"));
    CHECK(line_model.resets == 1 && screen_model.resets == 1);
    log_error("shown");
    CHECK(has(&line_model, "E shown\n") && has(&screen_model, "E shown\n"));
}

TEST(log, a_panic_is_told_whole_however_late_the_line_moves)
{
    add_line();
    add_screen();
    log_user_space_runs();
    log_seize();
    line_model.room = 0;
    line_model.moves_after = 30000;
    for (unsigned i = 0; i < 50; i++)
        log_error("line number %u", i);
    CHECK(has(&screen_model, "number 49\n"));
    CHECK_EQ(line_model.shown_bytes, 0);
    log_finish(60000000000);
    CHECK_EQ(line_model.shown_bytes, ring()->written);
}

TEST(log, a_panic_ends_when_the_line_never_moves)
{
    add_line();
    log_seize();
    line_model.room = 0;
    log_error("lost");
    log_finish(60000000000);
    CHECK(arch_time_ns() > 60000000000);
}
