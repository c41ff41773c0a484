// SPDX-License-Identifier: MIT
/*
 * files_run - the commands about files: each is a run of programs/files, which gets sessions of what the line names, with
 * the rights that the command needs, and nothing else.
 *
 * Paths are looked up here, through all that is mounted: a link may lead where the program could not go. What it gets
 * is a session of the file or directory itself, or of the directory in which a name is, and that name.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"
#include "programs/monitor/launch.h"
#include "protocols/launcher.h"

#define PROGRAM "files" /* the launcher has it, so that no file system is needed to start it */
#define FRAMES 512u
#define READ_FILE FILE_READ_RIGHT
#define CHANGE_NAMES FILE_CREATE_RIGHT
#define MAKE_FILE (FILE_WRITE_RIGHT | FILE_CREATE_RIGHT)

/* One that the program is to get. */
struct target {
    const char *cap;             /* its name there */
    uint32_t rights;             /* beside FILE_LOOKUP */
    char path[FILES_PATH_BYTES]; /* of what is exported */
    char name[FILES_PATH_BYTES]; /* in it, or empty */
};

static struct target from, to;
static char arguments[LAUNCHER_ARGUMENTS_MAX];
static size_t argument_bytes;

/* False: no room, which was told. */
static bool add_argument(const char *word)
{
    size_t bytes = strlen(word) + 1;

    if (bytes > sizeof arguments - argument_bytes) {
        console_print("%s: the arguments are longer than %u bytes\n", arguments,
                      LAUNCHER_ARGUMENTS_MAX);
        return false;
    }
    memcpy(arguments + argument_bytes, word, bytes);
    argument_bytes += bytes;
    return true;
}

static bool begin(const struct words *words)
{
    argument_bytes = 0;
    return files_session(words->word[0]) != NULL && add_argument(words->word[0]);
}

static bool add_path(const char *typed, const struct target *target)
{
    return add_argument(typed) && add_argument(target->name);
}

/* ---- What a path names ---- */

/* `path` as a session of its own: what it names is there. */
static void take_itself(struct target *target, const char *cap, uint32_t rights)
{
    target->cap = cap;
    target->rights = rights;
    target->name[0] = 0;
}

/* As a name in its directory, whatever is there under it. */
static void take_name(struct target *target, const char *cap, uint32_t rights)
{
    char *path = target->path;
    size_t end = strlen(path), start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    target->cap = cap;
    target->rights = rights;
    memcpy(target->name, path + start, end - start);
    target->name[end - start] = 0;
    path[start > 1 ? start - 1 : 1] = 0; /* the directory's path, or "/" */
}

static mnos_status_t look_at(const struct target *target, uint32_t flags, struct file_attr *attr)
{
    return file_stat(&files_mounts()->root, target->path, flags, attr);
}

/* A directory itself; any other name, also that of a link which leads nowhere, in its directory. False: nothing has the
 * name, which was told, with what is not mounted there. */
static bool take_directory_or_name(const struct words *words, uint32_t flags)
{
    struct file_attr attr;
    mnos_status_t status = look_at(&from, flags, &attr);

    if (status == MNOS_OK && attr.type == FILE_TYPE_DIRECTORY) {
        take_itself(&from, "path", 0);
        return true;
    }
    if (status != MNOS_OK)
        status = look_at(&from, FILE_NO_FOLLOW, &attr);
    if (status == MNOS_OK)
        take_name(&from, "path", 0);
    else
        files_failed(status, words->word[0], from.path);
    return status == MNOS_OK;
}

/* ---- Running ---- */

/* Where nothing may be changed the program gets what there is, and the file system tells it so. */
static uint32_t rights_there(const struct target *target)
{
    uint32_t plain = target->rights & FILE_READ_RIGHT;
    struct file opened;
    mnos_status_t status = file_open(&files_mounts()->root, NULL, target->path, FILE_ONLY_DIRECTORY,
                                     FILE_LOOKUP | target->rights, &opened);

    if (status == MNOS_OK)
        (void)!file_close(&opened);
    return status == MNOS_ERR_DENIED ? plain : target->rights;
}

static bool give(const struct target *target)
{
    return launch_give_path(target->cap, target->path, rights_there(target), false);
}

static void run(const struct words *words, const struct target *first, const struct target *second)
{
    struct launch_plan plan = {
        .command = words->word[0],
        .file = PROGRAM,
        .name = words->word[0],
        .frames = FRAMES,
        .arguments = arguments,
        .argument_bytes = argument_bytes,
        .quiet = true,
    };

    if (launch_begin(&plan) && give(first) && (second == NULL || give(second)))
        launch_go(words->background ? LAUNCH_BACKGROUND : LAUNCH_BEHIND);
}

/* Words from `index` on as they are. */
static bool add_rest(const struct words *words, unsigned index)
{
    for (; index < words->count; index++) {
        if (!add_argument(words->word[index]))
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
    if (take_directory_or_name(words, 0) && add_path(words->word[1], &from) &&
        (!is_root || add_argument("mounts")))
        run(words, &from, NULL);
}

void command_stat(const struct words *words)
{
    if (take_path(words) && take_directory_or_name(words, FILE_NO_FOLLOW) &&
        add_path(words->word[1], &from))
        run(words, &from, NULL);
}

/* cat, hexdump, find: what the path leads to, and further words as they are. */
void command_read(const struct words *words)
{
    bool finds = strcmp(words->word[0], "find") == 0;

    if (!take_path(words))
        return;
    take_itself(&from, "path", finds ? 0 : READ_FILE);
    if (add_path(finds ? from.path : words->word[1], &from) && add_rest(words, 2))
        run(words, &from, NULL);
}

/* rm, mkdir, rmdir */
void command_name(const struct words *words)
{
    if (!take_path(words))
        return;
    take_name(&from, "path", CHANGE_NAMES);
    if (add_path(words->word[1], &from))
        run(words, &from, NULL);
}

/* A file that is there, itself; else the name that it is to get. */
static void take_to_write(struct target *target, const char *cap)
{
    struct file_attr attr;

    if (look_at(target, 0, &attr) == MNOS_OK)
        take_itself(target, cap, FILE_WRITE_RIGHT);
    else
        take_name(target, cap, MAKE_FILE);
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
    take_to_write(&from, "path");
    if (add_path(words->word[1], &from) && add_argument(text))
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

/* `to` is in a directory that is there: under the name of `from`, then. */
static bool enter_directory(const char *command, const char *typed)
{
    struct file_attr attr;
    size_t bytes = strlen(to.path);

    if (look_at(&to, 0, &attr) != MNOS_OK || attr.type != FILE_TYPE_DIRECTORY)
        return true;
    if ((size_t)mnos_snprintf(to.path + bytes, FILES_PATH_BYTES - bytes, "/%s", base_of(typed)) <
        FILES_PATH_BYTES - bytes)
        return true;
    console_print("%s: the path is longer than %u bytes\n", command, FILE_PATH_BYTES_MAX);
    return false;
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

void command_cp(const struct words *words)
{
    const char *name = words->word[0];

    if (!take_two_paths(words) || !enter_directory(name, words->word[1]))
        return;
    if (is_same_file()) {
        console_print("%s: %s and %s are the same file\n", name, words->word[1], words->word[2]);
        return;
    }
    take_itself(&from, "from", READ_FILE);
    take_to_write(&to, "to");
    if (add_path(words->word[1], &from) && add_path(words->word[2], &to))
        run(words, &from, &to);
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
    files_make_plain(one);
    files_make_plain(other);
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

    if (!take_two_paths(words) || !enter_directory(name, words->word[1]))
        return;
    status = look_at(&from, FILE_NO_FOLLOW, &attr);
    if (status != MNOS_OK) {
        files_failed(status, name, words->word[1]);
        return;
    }
    take_name(&from, "from", CHANGE_NAMES);
    take_name(&to, "to", CHANGE_NAMES);
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
        to.rights = MAKE_FILE;
    }
    if (add_path(words->word[1], &from) && add_path(words->word[2], &to))
        run(words, &from, here == there ? NULL : &to);
}

/* One more name of a file: what is named first is there already. */
static void link_file(const struct words *words)
{
    const char *name = words->word[0];
    struct file_session *here, *there;

    if (!take_two_paths(words))
        return;
    take_name(&from, "path", CHANGE_NAMES);
    take_name(&to, "path", CHANGE_NAMES);
    here = place_of(name, from.path);
    there = here == NULL ? NULL : place_of(name, to.path);
    if (there == NULL)
        return;
    if (here != there || !join_directories(here))
        files_failed(MNOS_ERR_VOLUME, name, words->word[2]);
    else if (add_path(words->word[1], &from) && add_argument(to.name))
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
        take_name(&from, "path", CHANGE_NAMES);
        if (add_path(words->word[3], &from) && add_argument(words->word[2]) && add_argument("-s"))
            run(words, &from, NULL);
    }
}
