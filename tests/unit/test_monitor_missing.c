// SPDX-License-Identifier: MIT
/* test_monitor_missing - which option of `run` would have given a program of Linux what it was refused. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "programs/monitor/missing.c"
#include "programs/monitor/path.c"

enum { READ = FILE_LOOKUP | FILE_READ_RIGHT };

static const char *const files[] = {"/disk",
                                    "/disk/work",
                                    "/disk/work/text",
                                    "/disk/linux/bin",
                                    "/disk/linux/etc",
                                    "/disk/linux/etc/group",
                                    "/disk/a b",
                                    "/",
                                    "/disk/work/",
                                    "/disk/./work",
                                    "//disk/work",
                                    "/disk/work/../work",
                                    "/disk/work/../disk/work/text"};

static bool exists(const char *path)
{
    for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(files[i], path) == 0)
            return true;
    }
    return false;
}

static const struct missing_place places[] = {{"/disk/linux", "/", READ},
                                              {"/disk/work", "/work", READ}};
static const struct missing_world world = {places, 2, exists};

static struct lxhost_denied path_of(const char *path, uint32_t rights, int32_t error)
{
    struct lxhost_denied denied = {
        .kind = LXHOST_DENIED_PATH, .rights = FILE_LOOKUP | rights, .error = error};

    (void)snprintf(denied.text, sizeof denied.text, "%s", path);
    return denied;
}

/* "" when there is none. */
static const char *option_for(const struct lxhost_denied *denied)
{
    static struct missing_option option;
    static char text[MISSING_TEXT_BYTES];

    return missing_find(&world, denied, &option) ? missing_text(&option, text) : "";
}

static void check_path(const char *path, uint32_t rights, int32_t error, const char *wanted)
{
    struct lxhost_denied denied = path_of(path, rights, error);

    CHECK_STR_EQ(option_for(&denied), wanted);
}

TEST(monitor_missing, what_is_not_there_is_given_where_it_is)
{
    check_path("/disk/work/text", FILE_READ_RIGHT, LINUX_ENOENT, "--grant /disk/work/text:r");
    check_path("/disk/work", FILE_READ_RIGHT, LINUX_ENOENT, "--grant /disk/work:r");
    check_path("/disk/none", FILE_READ_RIGHT, LINUX_ENOENT, "");
    /* Opened to be made: its directory is what is needed; one that is there needs less. */
    check_path("/disk/work/new", FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, LINUX_ENOENT,
               "--grant /disk/work:wc");
    check_path("/disk/work/text", FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, LINUX_ENOENT,
               "--grant /disk/work/text:w");
    check_path("/disk/none/new", FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, LINUX_ENOENT, "");
}

TEST(monitor_missing, a_right_is_added_to_what_was_given)
{
    check_path("/work/text", FILE_WRITE_RIGHT, LINUX_EROFS,
               "--grant /disk/work/text:rw:/work/text");
    check_path("/work/made", FILE_CREATE_RIGHT, LINUX_EROFS, "--grant /disk/work:rc:/work");
    check_path("/bin/new", FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, LINUX_EROFS,
               "--grant /disk/linux/bin:rwc:/bin");
    check_path("/etc/group", FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, LINUX_EROFS,
               "--grant /disk/linux/etc/group:rw:/etc/group");
    check_path("/new", FILE_CREATE_RIGHT, LINUX_EROFS, ""); /* of a directory that is not there */
}

TEST(monitor_missing, what_cannot_be_typed_is_no_option)
{
    struct lxhost_denied cut = path_of("/disk/work", FILE_READ_RIGHT, LINUX_ENOENT);

    check_path("/disk/a b", FILE_READ_RIGHT, LINUX_ENOENT, "");
    check_path("disk/work", FILE_READ_RIGHT, LINUX_ENOENT, "");
    check_path("", FILE_READ_RIGHT, LINUX_ENOENT, "");
    cut.cut = 1;
    CHECK_STR_EQ(option_for(&cut), "");
    cut = (struct lxhost_denied){.kind = 99};
    CHECK_STR_EQ(option_for(&cut), "");
}

TEST(monitor_missing, the_network_is_given_by_what_was_asked_for)
{
    struct lxhost_denied denied = {.kind = LXHOST_DENIED_CONNECT, .text = "10.0.2.2:53/udp"};

    CHECK_STR_EQ(option_for(&denied), "--connect 10.0.2.2:53/udp");
    denied.kind = LXHOST_DENIED_LISTEN;
    CHECK_STR_EQ(option_for(&denied), "--listen 10.0.2.2:53/udp");
    denied = (struct lxhost_denied){.kind = LXHOST_DENIED_RESOLVE, .text = "example.org"};
    CHECK_STR_EQ(option_for(&denied), "--resolve example.org");
    denied.kind = LXHOST_DENIED_SOCKET;
    CHECK_STR_EQ(option_for(&denied), "");
}

static void check_network(uint32_t kind, const char *text, const char *wanted)
{
    struct lxhost_denied denied = {.kind = kind};

    (void)snprintf(denied.text, sizeof denied.text, "%s", text);
    CHECK_STR_EQ(option_for(&denied), wanted);
}

/* What a program says that lies, for a person to type. */
TEST(monitor_missing, an_option_is_one_and_says_what_is_read)
{
    check_network(LXHOST_DENIED_RESOLVE, "a.org --grant /disk:rwc", "");
    check_network(LXHOST_DENIED_RESOLVE, "a.org,connect=*:*", "");
    check_network(LXHOST_DENIED_RESOLVE, "*", "");
    check_network(LXHOST_DENIED_RESOLVE, "", "");
    check_network(LXHOST_DENIED_CONNECT, "10.0.2.2:80 --grant /disk:rwc", "");
    check_network(LXHOST_DENIED_CONNECT, "10.0.2.2:80,resolve=*", "");
    check_network(LXHOST_DENIED_CONNECT, "10.0.0.0/8:80", "");
    check_network(LXHOST_DENIED_CONNECT, "10.0.2.2:1-65535", "");
    check_network(LXHOST_DENIED_CONNECT, "*:80", "");
    check_network(LXHOST_DENIED_CONNECT, "10.0.2.2:*", "");
    check_network(LXHOST_DENIED_CONNECT, "10.0.2.2", "");
    check_network(LXHOST_DENIED_CONNECT, "10.0.2.2:99999", "");
    check_network(LXHOST_DENIED_LISTEN, "0.0.0.0:80", "--listen 0.0.0.0:80");
    check_network(LXHOST_DENIED_LISTEN, "self:80", "");
    check_path("/work/../disk/work/text", FILE_WRITE_RIGHT, LINUX_EROFS, "");
    check_path("/disk/work/../work", FILE_READ_RIGHT, LINUX_ENOENT, "");
    check_path("/disk/./work", FILE_READ_RIGHT, LINUX_ENOENT, "");
    check_path("//disk/work", FILE_READ_RIGHT, LINUX_ENOENT, "");
    check_path("/disk/work/", FILE_READ_RIGHT, LINUX_ENOENT, "");
}

static struct missing_list list;

static void learn(const char *path, uint32_t rights)
{
    struct lxhost_denied denied = path_of(path, rights, LINUX_ENOENT);
    static struct missing_option option;

    CHECK(missing_find(&world, &denied, &option));
    CHECK(missing_add(&list, &option));
}

TEST(monitor_missing, options_about_the_same_are_one)
{
    char text[MISSING_TEXT_BYTES];

    list.count = 0;
    learn("/disk/work/text", FILE_READ_RIGHT);
    learn("/disk/work/text", FILE_WRITE_RIGHT);
    learn("/disk/work/text", FILE_READ_RIGHT);
    CHECK_EQ(list.count, 1);
    CHECK_STR_EQ(missing_text(&list.options[0], text), "--grant /disk/work/text:rw");
    learn("/disk/work", FILE_READ_RIGHT); /* gives less than was found for the file */
    CHECK_EQ(list.count, 2);
    learn("/disk/work/new", FILE_WRITE_RIGHT | FILE_CREATE_RIGHT);
    CHECK_EQ(list.count, 1);
    CHECK_STR_EQ(missing_text(&list.options[0], text), "--grant /disk/work:rwc");
}
