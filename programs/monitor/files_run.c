// SPDX-License-Identifier: MIT
/*
 * files_run - the commands about files: each is a run of programs/files, which gets sessions of what the line names
 * (target.h), with the rights that the command needs, and nothing else.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"
#include "programs/monitor/launch.h"
#include "programs/monitor/path.h"
#include "programs/monitor/target.h"
#include "protocols/launcher.h"

#define PROGRAM "files"
#define READ_FILE FILE_READ_RIGHT
#define CHANGE_NAMES FILE_CREATE_RIGHT

static struct target from, to;

static bool begin(const struct words *words)
{
    return files_session(words->word[0]) != NULL && argument_begin(words->word[0]);
}

/* A directory itself; any other name, also that of a link which leads nowhere, in its directory. False: nothing has the
 * name, which was told, with what is not mounted there. */
static bool take_directory_or_name(const struct words *words, uint32_t flags)
{
    struct file_attr attr;
    mnos_status_t status = target_look(&from, flags, &attr);

    if (status == MNOS_OK && attr.type == FILE_TYPE_DIRECTORY) {
        target_itself(&from, "path", 0);
        return true;
    }
    if (status != MNOS_OK)
        status = target_look(&from, FILE_NO_FOLLOW, &attr);
    if (status == MNOS_OK)
        target_name(&from, "path", 0);
    else
        files_failed(status, words->word[0], from.path);
    return status == MNOS_OK;
}

/* ---- Running ---- */

static void run(const struct words *words, const struct target *first, const struct target *second)
{
    if (argument_launch(PROGRAM) && target_give(first) && (second == NULL || target_give(second)))
        launch_go(words->background ? LAUNCH_BACKGROUND : LAUNCH_BEHIND);
}

/* Words from `index` on as they are. */
static bool add_rest(const struct words *words, unsigned index)
{
    for (; index < words->count; index++) {
        if (!argument_add(words->word[index]))
            return false;
    }
    return true;
}

/* The path in word 1; without one the current directory. */
static bool take_path(const struct words *words)
{
    return begin(words) && files_path(words->word[0], words->word[1], from.path);
}

/* ---- Commands with one path ---- */

void command_ls(const struct words *words)
{
    struct file opened;
    bool is_root;

    if (!take_path(words))
        return;
    is_root = file_open(&files_mounts()->root, NULL, from.path, FILE_ONLY_DIRECTORY, FILE_LOOKUP,
                        &opened) == MNOS_OK;
    if (is_root) {
        is_root = opened.session == &files_mounts()->root;
        (void)!file_close(&opened);
    }
    if (take_directory_or_name(words, 0) && argument_add_path(words->word[1], &from) &&
        (!is_root || argument_add("mounts")))
        run(words, &from, NULL);
}

void command_stat(const struct words *words)
{
    if (take_path(words) && take_directory_or_name(words, FILE_NO_FOLLOW) &&
        argument_add_path(words->word[1], &from))
        run(words, &from, NULL);
}

/* cat, hexdump, find: what the path leads to, and further words as they are. */
void command_read(const struct words *words)
{
    bool finds = strcmp(words->word[0], "find") == 0;

    if (!take_path(words))
        return;
    target_itself(&from, "path", finds ? 0 : READ_FILE);
    if (argument_add_path(finds ? from.path : words->word[1], &from) && add_rest(words, 2))
        run(words, &from, NULL);
}

/* rm, mkdir, rmdir */
void command_name(const struct words *words)
{
    if (!take_path(words))
        return;
    target_name(&from, "path", CHANGE_NAMES);
    if (argument_add_path(words->word[1], &from))
        run(words, &from, NULL);
}

void command_write(const struct words *words)
{
    static char text[LAUNCHER_ARGUMENTS_MAX];
    size_t bytes = 0;

    for (unsigned i = 2; i < words->count; i++)
        bytes += (size_t)mnos_snprintf(text + bytes, sizeof text - bytes, "%s%s", i == 2 ? "" : " ",
                                       words->word[i]); /* a line has less than there is room */
    if (!take_path(words))
        return;
    target_to_write(&from, "path");
    if (argument_add_path(words->word[1], &from) && argument_add(text))
        run(words, &from, NULL);
}

/* ---- Commands with two ---- */

/* The last name of a path as it was typed, for a copy in a directory. */
static const char *base_of(const char *path)
{
    const char *base = path;

    for (const char *at = path; *at != 0; at++) {
        if (at[0] == '/' && at[1] != 0 && at[1] != '/')
            base = at + 1;
    }
    return base;
}

static bool is_same_file(void)
{
    struct file_session *files = &files_mounts()->root;
    struct file_attr one, other;
    struct file a, b;
    bool same = false;

    if (file_open(files, NULL, from.path, 0, 0, &a) != MNOS_OK)
        return false;
    if (file_open(files, NULL, to.path, 0, 0, &b) == MNOS_OK) {
        same = a.session == b.session && file_attributes(&a, &one) == MNOS_OK &&
               file_attributes(&b, &other) == MNOS_OK && one.inode == other.inode;
        (void)!file_close(&b);
    }
    (void)!file_close(&a);
    return same;
}

static bool take_two_paths(const struct words *words)
{
    return begin(words) && files_path(words->word[0], words->word[1], from.path) &&
           files_path(words->word[0], words->word[2], to.path);
}

/* `option` is a further word for the program; NULL: there is none. */
static void copy(const struct words *words, const char *option)
{
    const char *name = words->word[0];

    if (!take_two_paths(words) || !target_enter(name, &to, base_of(words->word[1])))
        return;
    if (is_same_file()) {
        console_print("%s: %s and %s are the same file\n", name, words->word[1], words->word[2]);
        return;
    }
    target_itself(&from, "from", READ_FILE);
    target_to_write(&to, "to");
    if (argument_add_path(words->word[1], &from) && argument_add_path(words->word[2], &to) &&
        (option == NULL || argument_add(option)))
        run(words, &from, &to);
}

void command_cp(const struct words *words)
{
    struct words paths = *words;

    if (words->count == 3) {
        copy(words, NULL);
    } else if (strcmp(words->word[1], "-p") != 0) {
        console_print("usage: cp [-p] FROM TO\n");
    } else {
        paths.count = 3;
        paths.word[1] = words->word[2];
        paths.word[2] = words->word[3];
        copy(&paths, "-p");
    }
}

/* The session of the file system where a directory is; NULL: there is none, which was told. */
static struct file_session *place_of(const char *command, const char *path)
{
    struct file_session *session = NULL;
    struct file directory;
    mnos_status_t status =
        file_open(&files_mounts()->root, NULL, path, FILE_ONLY_DIRECTORY, FILE_LOOKUP, &directory);

    if (status != MNOS_OK) {
        files_failed(status, command, path);
        return NULL;
    }
    session = directory.session;
    (void)!file_close(&directory);
    return session;
}

/*
 * Both are names in directories of one file system: makes them names in the directory that both paths have in common,
 * which is the least of which one session can have both. False: they have none in that file system.
 */
static bool join_directories(struct file_session *place)
{
    static char one[FILES_PATH_BYTES], other[FILES_PATH_BYTES];
    struct file common;
    size_t bytes = 0;
    bool found;

    mnos_snprintf(one, sizeof one, "%s/%s", from.path, from.name);
    mnos_snprintf(other, sizeof other, "%s/%s", to.path, to.name);
    path_make_plain(one);
    path_make_plain(other);
    for (size_t i = 0; one[i] == other[i] && one[i] != 0; i++) {
        if (one[i] == '/')
            bytes = i;
    }
    memcpy(from.path, one, bytes);
    from.path[bytes] = 0;
    if (bytes == 0)
        string_copy(from.path, "/", sizeof from.path);
    found = file_open(&files_mounts()->root, NULL, from.path, FILE_ONLY_DIRECTORY, FILE_LOOKUP,
                      &common) == MNOS_OK;
    if (found) {
        found = common.session == place;
        (void)!file_close(&common);
    }
    if (!found || strlen(one + bytes + 1) >= sizeof from.name ||
        strlen(other + bytes + 1) >= sizeof to.name)
        return false;
    string_copy(from.name, one + bytes + 1, sizeof from.name);
    string_copy(to.name, other + bytes + 1, sizeof to.name);
    return true;
}

void command_mv(const struct words *words)
{
    const char *name = words->word[0];
    struct file_session *here, *there;
    struct file_attr attr;
    mnos_status_t status;

    if (!take_two_paths(words) || !target_enter(name, &to, base_of(words->word[1])))
        return;
    status = target_look(&from, FILE_NO_FOLLOW, &attr);
    if (status != MNOS_OK) {
        files_failed(status, name, words->word[1]);
        return;
    }
    target_name(&from, "from", CHANGE_NAMES);
    target_name(&to, "to", CHANGE_NAMES);
    here = place_of(name, from.path);
    there = here == NULL ? NULL : place_of(name, to.path);
    if (there == NULL)
        return;
    if (here == there && !join_directories(here)) {
        files_failed(MNOS_ERR_NOT_FOUND, name, words->word[2]);
        return;
    }
    if (here != there) { /* another file system gets a copy, and then the name here goes */
        from.rights |= READ_FILE;
        to.rights = FILE_WRITE_RIGHT | FILE_CREATE_RIGHT;
    }
    if (argument_add_path(words->word[1], &from) && argument_add_path(words->word[2], &to))
        run(words, &from, here == there ? NULL : &to);
}

/* One more name of a file: what is named first is there already. */
static void link_file(const struct words *words)
{
    const char *name = words->word[0];
    struct file_session *here, *there;

    if (!take_two_paths(words))
        return;
    target_name(&from, "path", CHANGE_NAMES);
    target_name(&to, "path", CHANGE_NAMES);
    here = place_of(name, from.path);
    there = here == NULL ? NULL : place_of(name, to.path);
    if (there == NULL)
        return;
    if (here != there || !join_directories(here))
        files_failed(MNOS_ERR_VOLUME, name, words->word[2]);
    else if (argument_add_path(words->word[1], &from) && argument_add(to.name))
        run(words, &from, NULL);
}

void command_ln(const struct words *words)
{
    bool symbolic = strcmp(words->word[1], "-s") == 0;

    if (symbolic != (words->count == 4)) {
        console_print("usage: ln [-s] TO PATH\n");
    } else if (!symbolic) {
        link_file(words);
    } else if (begin(words) && files_path(words->word[0], words->word[3], from.path)) {
        target_name(&from, "path", CHANGE_NAMES);
        if (argument_add_path(words->word[3], &from) && argument_add(words->word[2]) &&
            argument_add("-s"))
            run(words, &from, NULL);
    }
}
