// SPDX-License-Identifier: MIT
/* test_lx_path - paths of a program of Linux, and what a terminal makes of what is typed. */
#include "tests/unit/unit.h"

#include <string.h>

#include "personality/linux/lxhost/line_discipline.c"
#include "personality/linux/lx/path.c"

/* ---- Paths ---- */

static const char *joined(const char *base, const char *path, bool *directory)
{
    static char out[4096];

    CHECK_EQ(path_join(base, path, out, sizeof out, directory), 0);
    return out;
}

TEST(lx_path, a_path_is_seen_from_a_directory)
{
    bool directory;

    CHECK_STR_EQ(joined("/work", "a/./b//c", &directory), "/work/a/b/c");
    CHECK(!directory);
    CHECK_STR_EQ(joined("/work", "/x/", &directory), "/x");
    CHECK(directory);
    CHECK_STR_EQ(joined("/", ".", &directory), "/");
    CHECK(directory);
    CHECK_STR_EQ(joined("/work", "../y", &directory), "/work/../y");
    CHECK(path_has_parent("/work/../y") && !path_has_parent("/work/..y/.../z"));
}

TEST(lx_path, what_does_not_fit_is_too_long)
{
    char out[8];
    bool directory;

    CHECK_EQ(path_join("/", "123456", out, sizeof out, &directory), 0);
    CHECK_EQ((uint64_t)path_join("/", "1234567", out, sizeof out, &directory),
             (uint64_t)-LX_ENAMETOOLONG);
}

TEST(lx_path, below_a_directory_is_only_what_has_all_of_its_name)
{
    CHECK_STR_EQ(path_below("/tmp/x", "/tmp"), "x");
    CHECK_STR_EQ(path_below("/tmp", "/tmp"), "");
    CHECK_STR_EQ(path_below("/tmp", "/"), "tmp");
    CHECK(path_below("/tmpx", "/tmp") == NULL);
}

/* A small world: a directory d with a file f, and links. */
static int64_t look(const char *path, char *text, size_t size)
{
    static const struct {
        const char *path;
        int64_t kind;
        const char *text;
    } names[] = {
        {"/d", PATH_DIRECTORY, NULL}, {"/d/f", PATH_OTHER, NULL},  {"/d/up", PATH_LINK, "../e"},
        {"/e", PATH_DIRECTORY, NULL}, {"/abs", PATH_LINK, "/d/f"}, {"/loop", PATH_LINK, "loop"},
        {"/dl", PATH_LINK, "d"},      {"/bad", -LX_EIO, NULL},
    };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].path, path) == 0) {
            if (names[i].text != NULL)
                string_copy(text, names[i].text, size);
            return names[i].kind;
        }
    }
    return PATH_NOTHING;
}

static const struct path_world world = {look};

static void walks(const char *path, bool follow, int64_t result, const char *wanted)
{
    char out[4096];

    CHECK_EQ((uint64_t)path_walk(&world, path, follow, out, sizeof out), (uint64_t)result);
    if (result == 0)
        CHECK_STR_EQ(out, wanted);
}

TEST(lx_path, links_and_parents_are_followed_as_linux_does)
{
    walks("/", true, 0, "/");
    walks("/d/f", true, 0, "/d/f");
    walks("/dl/f", true, 0, "/d/f");
    walks("/dl", false, 0, "/dl");
    walks("/dl", true, 0, "/d");
    walks("/d/up/x", true, 0, "/e/x");
    walks("/d/up/..", true, 0, "/");
    walks("/../../d", true, 0, "/d");
    walks("/abs", true, 0, "/d/f");
    walks("/d/f/..", true, -LX_ENOTDIR, NULL);
    walks("/d/f/x", true, -LX_ENOTDIR, NULL);
    walks("/none/..", true, -LX_ENOENT, NULL);
    walks("/none/x", true, -LX_ENOENT, NULL);
    walks("/none", true, 0, "/none");
    walks("/loop", true, -LX_ELOOP, NULL);
    walks("/loop", false, 0, "/loop");
    walks("/bad/x", true, -LX_EIO, NULL);
}

TEST(lx_path, a_name_above_255_bytes_is_too_long)
{
    char path[300] = "/";

    memset(path + 1, 'x', 256);
    walks(path, true, -LX_ENAMETOOLONG, NULL);
    path[256] = 0;
    walks(path, true, 0, path);
}

/* ---- The terminal ---- */

static char shown[256];
static size_t shown_count;

static void show_it(const uint8_t *bytes, size_t count)
{
    memcpy(shown + shown_count, bytes, count);
    shown_count += count;
    shown[shown_count] = 0;
}

static struct discipline typed_line;

static enum discipline_signal type(const char *text)
{
    enum discipline_signal signal = LINE_NONE;

    for (; *text != 0; text++)
        signal = discipline_type(&typed_line, (uint8_t)*text);
    return signal;
}

static void begin(void)
{
    shown_count = 0;
    shown[0] = 0;
    discipline_start(&typed_line, show_it);
}

static const char *read_some(size_t size)
{
    static char out[256];

    out[discipline_read(&typed_line, (uint8_t *)out, size)] = 0;
    return out;
}

TEST(lx_terminal, a_line_can_be_read_when_it_has_ended)
{
    begin();
    type("ab");
    CHECK(!discipline_can_read(&typed_line));
    type("c\rnext\r");
    CHECK(discipline_can_read(&typed_line));
    CHECK_STR_EQ(shown, "abc\r\nnext\r\n");
    CHECK_STR_EQ(read_some(2), "ab");
    CHECK_STR_EQ(read_some(100), "c\n");
    CHECK_STR_EQ(read_some(100), "next\n");
    CHECK(!discipline_can_read(&typed_line));
}

TEST(lx_terminal, characters_words_and_lines_are_erased_whole)
{
    begin();
    type("a\xC3\xA4\x7F"
         "b\r");
    CHECK_STR_EQ(read_some(100), "ab\n");
    type("one two \x17"
         "x\r");
    CHECK_STR_EQ(read_some(100), "one x\n");
    type("gone\x15"
         "here\r");
    CHECK_STR_EQ(read_some(100), "here\n");
    type("\x7F\x7F\r");
    CHECK_STR_EQ(read_some(100), "\n");
}

TEST(lx_terminal, the_end_of_the_file_is_read_once)
{
    begin();
    type("\x04");
    CHECK(discipline_can_read(&typed_line));
    CHECK_STR_EQ(read_some(100), "");
    CHECK(!discipline_can_read(&typed_line));
    type("ab\x04");
    CHECK_STR_EQ(read_some(100), "ab");
}

TEST(lx_terminal, keys_that_signal_drop_what_was_typed)
{
    begin();
    CHECK_EQ(type("ab\x03"), LINE_INTERRUPT);
    CHECK_STR_EQ(shown, "ab^C");
    CHECK_EQ(type("\x1A"), LINE_SUSPEND);
    type("c\r");
    CHECK_STR_EQ(read_some(100), "c\n");
    typed_line.termios.local &= ~LINUX_ISIG;
    CHECK_EQ(type("\x03"), LINE_NONE);
}

TEST(lx_terminal, without_lines_each_byte_can_be_read)
{
    struct linux_termios raw;

    begin();
    type("ab");
    raw = typed_line.termios;
    raw.local &= ~(LINUX_ICANON | LINUX_ECHO);
    raw.input &= ~LINUX_ICRNL;
    discipline_set(&typed_line, &raw, false);
    CHECK_STR_EQ(read_some(100), "ab");
    shown_count = 0;
    shown[0] = 0;
    type("\r\x7F");
    CHECK_STR_EQ(read_some(100), "\r\x7F");
    CHECK_STR_EQ(shown, "");
}

TEST(lx_terminal, a_line_longer_than_there_is_room_keeps_its_end)
{
    begin();
    typed_line.termios.local &= ~LINUX_ECHO;
    for (unsigned i = 0; i < 2 * LINE_BYTES; i++)
        discipline_type(&typed_line, 'x');
    type("\r");
    CHECK_EQ(typed_line.ready_count, LINE_BYTES);
    CHECK_EQ(typed_line.ready[LINE_BYTES - 1], '\n');
    for (unsigned i = 0; i < 100; i++)
        type("y\r"); /* nobody reads: lost */
    CHECK_EQ(typed_line.ready_count, LINE_BYTES);
}

TEST(lx_terminal, printed_lines_end_as_terminals_want_it)
{
    uint8_t out[16];

    begin();
    CHECK_EQ(discipline_print(&typed_line, (const uint8_t *)"a\nb", 3, out), 4);
    CHECK(memcmp(out, "a\r\nb", 4) == 0);
    typed_line.termios.output = 0;
    CHECK_EQ(discipline_print(&typed_line, (const uint8_t *)"a\nb", 3, out), 3);
}
