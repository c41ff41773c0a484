// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: tries to reach what is outside of a directory that it was given as a session of its own. Its
 * argument is where it may work, such as /tmp. There it makes
 *
 *   escape/secret, escape/outside/secret        what must not be reached
 *   escape/root/in/deep/file                    `root` becomes the session
 *
 * and then, while a second thread moves `in` out of the session and back by the way that the program has to the whole,
 * walks with `..` from directories that it holds open, and along paths as long as they may be. Then links to outside stand at each
 * place of a path, and links to what is mounted. Whatever was reached has to be one of the inodes in the session.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/thread.h"
#include "lib/mnos/time.h"

#define EACH_LEAST                                                                                 \
    40u /* walks that succeeded, and that were refused, so both were tried often enough */
#define STACK_PAGES 8
#define PRIORITY 15
#define INSIDE_MAX 8u

static struct file_mounts mounts;
static struct file_session session;
static char at[64];
static uint64_t inside[INSIDE_MAX];
static uint32_t inside_count, reached, escaped, refused, denied, moved;
static _Atomic bool over;

static const char *below(const char *name)
{
    static char path[FILE_PATH_BYTES_MAX + 1];

    mnos_snprintf(path, sizeof path, "%s/escape/%s", at, name);
    return path;
}

static bool worked(mnos_status_t status, const char *what)
{
    if (status != MNOS_OK)
        log_error(status, what);
    return status == MNOS_OK;
}

/* ---- The scene ---- */

static mnos_status_t make_directory(const char *name)
{
    mnos_status_t status = file_make_directory(&mounts.root, below(name));

    return status == MNOS_ERR_EXISTS ? MNOS_OK : status;
}

static mnos_status_t make_file(const char *name)
{
    struct file file;
    uint64_t count;
    mnos_status_t status =
        file_open(&mounts.root, NULL, below(name), FILE_CREATE, FILE_WRITE_RIGHT, &file);

    if (status == MNOS_OK)
        status = file_write(&file, 0, "secret", 6, &count);
    return status == MNOS_OK ? file_close(&file) : status;
}

static bool make_scene(void)
{
    static const char *const directories[] = {"", "outside", "root", "root/in", "root/in/deep"};
    static const char *const files[] = {"secret", "outside/secret", "root/in/deep/file"};
    mnos_status_t status = MNOS_OK;
    struct file root;
    mnos_cap_t cap = 0;

    for (unsigned i = 0; status == MNOS_OK && i < sizeof directories / sizeof directories[0]; i++)
        status = make_directory(directories[i]);
    for (unsigned i = 0; status == MNOS_OK && i < sizeof files / sizeof files[0]; i++)
        status = make_file(files[i]);
    if (status == MNOS_OK)
        status =
            file_open(&mounts.root, NULL, below("root"), FILE_ONLY_DIRECTORY,
                      FILE_LOOKUP | FILE_READ_RIGHT | FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, &root);
    if (status == MNOS_OK)
        status = file_export(
            &root, FILE_LOOKUP | FILE_READ_RIGHT | FILE_WRITE_RIGHT | FILE_CREATE_RIGHT, &cap);
    if (status == MNOS_OK)
        status = file_session_open(&session, cap, 0);
    return worked(status, "make the scene");
}

static bool know_inside(void)
{
    static const char *const names[] = {"root", "root/in", "root/in/deep", "root/in/deep/file"};
    struct file_attr attr;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!worked(file_stat(&mounts.root, below(names[i]), 0, &attr), "look at what is inside"))
            return false;
        inside[inside_count++] = attr.inode;
    }
    return true;
}

/* ---- Attempts ---- */

static void judge(mnos_status_t status, const struct file_attr *attr, const char *path)
{
    refused += status != MNOS_OK;
    denied += status == MNOS_ERR_DENIED; /* it was outside just then */
    if (status != MNOS_OK)
        return;
    reached++;
    for (uint32_t i = 0; i < inside_count; i++) {
        if (inside[i] == attr->inode)
            return;
    }
    if (escaped++ == 0)
        log_line("%.40s reaches inode %llu, which is outside", path,
                 (unsigned long long)attr->inode);
}

/* By opening, as FILE_LOOKUP is what a session always has. */
static void try_path(const struct file *from, const char *path, uint32_t flags)
{
    struct file_attr attr = {0};
    struct file file;
    mnos_status_t status = file_open(&session, from, path, flags, FILE_LOOKUP, &file);

    if (status == MNOS_OK) {
        status = file_attributes(&file, &attr);
        (void)!file_close(&file);
    }
    judge(status, &attr, path);
}

static void move_in_and_out(void *)
{
    char in[128], out[128];

    mnos_snprintf(in, sizeof in, "%s/escape/root/in", at);
    mnos_snprintf(out, sizeof out, "%s/escape/outside/in", at);
    while (!over) {
        if (file_rename(&mounts.root, in, out) == MNOS_OK)
            moved++;
        for (uint32_t pause = moved % 4; pause != 0; pause--) /* or the other thread has no turn */
            sleep_until(deadline_after_ns(50000));
        (void)!file_rename(&mounts.root, out, in);
    }
}

/* `in/deep/../..` again and again, as long as a path may be, and then one step too far. */
static const char *long_way(const char *end)
{
    static char path[FILE_PATH_BYTES_MAX + 1];
    static const char step[] = "in/deep/../../";
    size_t bytes = 0;

    while (bytes + sizeof step + strlen(end) < FILE_PATH_BYTES_MAX) {
        memcpy(path + bytes, step, sizeof step - 1);
        bytes += sizeof step - 1;
    }
    string_copy(path + bytes, end, sizeof path - bytes);
    return path;
}

static void walk_while_moved(void)
{
    static const char *const up[] = {"..",
                                     "../..",
                                     "../../secret",
                                     "../../../secret",
                                     "../secret",
                                     "../../outside/secret",
                                     "../deep/../../.."};
    struct file deep;
    struct thread mover;

    if (!worked(file_open(&session, NULL, "in/deep", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &deep),
                "open a directory") ||
        !worked(thread_create(&mover, "mover", move_in_and_out, NULL, STACK_PAGES, PRIORITY,
                              MNOS_AFFINITY_ANY),
                "begin to move"))
        return;
    for (uint32_t i = 0;
         escaped == 0 && (reached < EACH_LEAST || denied < EACH_LEAST || moved < EACH_LEAST); i++) {
        const char *path = up[i % (sizeof up / sizeof up[0])];

        try_path(&deep, path, FILE_BENEATH);
        try_path(&deep, path, 0);
        try_path(NULL, "in/deep/../..", FILE_BENEATH);
        if (i % 16 == 0) {
            try_path(NULL, long_way("../secret"), FILE_BENEATH);
            try_path(NULL, long_way("in/deep/file"), FILE_BENEATH);
            try_path(&deep, long_way(".."), 0);
        }
    }
    over = true;
    (void)!thread_join(&mover, MNOS_DEADLINE_NEVER);
    (void)!file_close(&deep);
}

/* ---- Links ---- */

static const char *const targets[] = {"/",
                                      "..",
                                      "../..",
                                      "../outside",
                                      "../../escape/outside",
                                      "/tmp",
                                      "/boot",
                                      "/disk",
                                      "in/../..",
                                      "in/deep/../../../outside",
                                      "/tmp/escape/outside"};

/* A path of three names, one of which is a link that leads somewhere else. */
static void try_link(const char *target, unsigned place)
{
    static const char *const link_at[] = {"link", "in/link", "in/deep/link"};
    static const char *const ends[] = {"",       "/secret",        "/../secret",
                                       "/hello", "/escape/secret", "/link"};
    char path[128];

    if (!worked(file_symlink(&session, target, link_at[place]), "make a link"))
        return;
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        mnos_snprintf(path, sizeof path, "%s%s", link_at[place], ends[i]);
        try_path(NULL, path, FILE_BENEATH);
        try_path(NULL, path, 0);
    }
    (void)worked(file_unlink(&session, link_at[place]), "remove a link");
}

/* What makes a name outside, rather than finding one: each has to be refused, and is looked for from above. */
static void try_to_change(void)
{
    static const char *const names[] = {"../planted", "in/../../planted",
                                        "in/deep/../../../planted"};
    struct file_attr attr;
    struct file file;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (file_open(&session, NULL, names[i], FILE_CREATE | FILE_BENEATH, FILE_WRITE_RIGHT,
                      &file) == MNOS_OK)
            (void)!file_close(&file);
        (void)!file_link(&session, "in/deep/file", names[i]);
        (void)!file_rename(&session, "../secret", "in/stolen");
        (void)!file_link(&session, "../secret", "in/stolen");
        (void)!file_unlink(&session, "../secret");
    }
    /* The library begins again at the session's root, so there may be such names there, and only there. */
    if (file_stat(&mounts.root, below("planted"), 0, &attr) == MNOS_OK ||
        file_stat(&mounts.root, below("secret"), 0, &attr) != MNOS_OK ||
        file_stat(&session, "in/stolen", 0, &attr) == MNOS_OK) {
        escaped++;
        log_line("something outside was changed");
    }
}

int main(void)
{
    unsigned of_links;

    string_copy(at, bootstrap_arguments(), sizeof at);
    if (!worked(file_mounts_open(&mounts, bootstrap_cap("files"), 0), "open a session") ||
        !make_scene() || !know_inside())
        return 1;
    walk_while_moved();
    log_line("%u walks while `in` was moved: %u inside, %u refused, %u outside", reached + refused,
             reached, refused, escaped);
    of_links = reached + refused;
    for (unsigned place = 0; place < 3; place++) {
        for (unsigned i = 0; i < sizeof targets / sizeof targets[0]; i++)
            try_link(targets[i], place);
    }
    try_to_change();
    log_line("%u walks by links; in all %u inside, %u outside", reached + refused - of_links,
             reached, escaped);
    return escaped != 0;
}
