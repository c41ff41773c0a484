// SPDX-License-Identifier: MIT
/* files_list - the commands that look at directories: ls, stat, find; and paths for the Tab key. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"

#define NS_PER_S 1000000000ull
/* Directories within directories that find looks into. */
#define FIND_DEPTH_MAX 32u

typedef unsigned long long ull;

/* ---- ls, stat ---- */

static void print_entry(struct file_session *session, const char *name, const char *path)
{
    char size[FILES_SIZE_BYTES];
    struct file_attr attr;
    mnos_status_t status = file_stat(session, path, FILE_NO_FOLLOW, &attr);

    if (status != MNOS_OK) {
        files_failed(status, "ls", path); /* it may have been removed meanwhile */
        return;
    }
    console_print("%-9s %10s  %s", files_type(attr.type), files_size(size, attr.size), name);
    if (attr.type == FILE_TYPE_SYMLINK)
        files_print_target(session, path);
    console_print("\n");
}

/* A path and a name behind it. False: it is too long, which was told. */
static bool join(char out[FILES_PATH_BYTES], const char *path, const char *name)
{
    bool slash = path[0] != 0 && path[strlen(path) - 1] == '/';
    int length = mnos_snprintf(out, FILES_PATH_BYTES, "%s%s%s", path, slash ? "" : "/", name);

    if (length < (int)FILES_PATH_BYTES)
        return true;
    console_print("%s: a path with it is longer than %u bytes\n", name, FILE_PATH_BYTES_MAX);
    return false;
}

/* What is mounted at a mount point may not be there yet, and then the directory of all is not to wait for it. */
static void print_mount_point(const char *name)
{
    console_print("%-9s %10s  %s\n", "mount", "", name);
}

static void print_directory(struct file_session *session, const struct file *directory,
                            const char *path)
{
    static struct file_listing listing;
    static char entry[FILES_PATH_BYTES];
    bool is_root = directory->session == &files_mounts()->root;
    mnos_status_t status = MNOS_OK;

    listing = (struct file_listing){0};
    while (status == MNOS_OK && !files_stopped()) {
        status = file_next_name(directory, &listing);
        if (status == MNOS_OK && is_root)
            print_mount_point(listing.name);
        else if (status == MNOS_OK && join(entry, path, listing.name))
            print_entry(session, listing.name, entry);
    }
    if (status != MNOS_ERR_END && status != MNOS_OK)
        files_failed(status, "ls", path);
}

void command_ls(const struct words *words)
{
    struct file_session *session = files_session("ls");
    static char path[FILES_PATH_BYTES];
    struct file directory;
    mnos_status_t status;

    if (session == NULL || !files_path("ls", words->word[1], path))
        return;
    status = file_open(session, NULL, path, FILE_ONLY_DIRECTORY, FILE_LOOKUP, &directory);
    /* A link that leads nowhere is there itself. */
    if (status == MNOS_ERR_NOT_DIRECTORY || status == MNOS_ERR_NOT_FOUND ||
        status == MNOS_ERR_LINKS) {
        print_entry(session, words->word[1], path);
    } else if (status != MNOS_OK) {
        files_failed(status, "ls", path);
    } else {
        print_directory(session, &directory, path);
        (void)!file_close(&directory);
    }
}

static void print_age(const char *what, uint64_t at_ns)
{
    uint64_t now = kinfo_time_ns(), age = now > at_ns ? now - at_ns : 0;

    console_print("%-10s %llu.%03llu s ago\n", what, (ull)(age / NS_PER_S),
                  (ull)(age / 1000000 % 1000));
}

void command_stat(const struct words *words)
{
    struct file_session *session = files_session("stat");
    static char path[FILES_PATH_BYTES];
    char size[FILES_SIZE_BYTES], allocated[FILES_SIZE_BYTES];
    struct file_attr attr;
    mnos_status_t status;

    if (session == NULL || !files_path("stat", words->word[1], path))
        return;
    status = file_stat(session, path, FILE_NO_FOLLOW, &attr);
    if (status != MNOS_OK) {
        files_failed(status, "stat", path);
        return;
    }
    console_print("%-10s %s", "type", files_type(attr.type));
    if (attr.type == FILE_TYPE_SYMLINK)
        files_print_target(session, path);
    console_print("\n%-10s %llu bytes (%s), %s allocated\n", "size", (ull)attr.size,
                  files_size(size, attr.size), files_size(allocated, attr.allocated_bytes));
    console_print("%-10s %u\n%-10s %llu, generation %llu\n", "names", attr.links, "inode",
                  (ull)attr.inode, (ull)attr.generation);
    print_age("made", attr.created_ns);
    print_age("modified", attr.modified_ns);
    print_age("changed", attr.changed_ns);
}

/* ---- find ---- */

/* The directories from the beginning of the search to where it is. A directory is opened again when the search comes
 * back to it, and goes on at the place in its names where it was: so few are open at once. */
struct level {
    uint64_t cookie; /* of the message of names */
    uint32_t skip;   /* names of that message that are done */
    size_t path_bytes;
};

struct search {
    struct file_session *session;
    const char *text; /* in the name; empty: all */
    unsigned depth;
    struct level levels[FIND_DEPTH_MAX];
    char path[FILES_PATH_BYTES];
    struct file_listing listing;
};

static bool contains(const char *name, const char *text)
{
    size_t bytes = strlen(text);

    for (; strlen(name) >= bytes; name++) {
        if (strncmp(name, text, bytes) == 0)
            return true;
    }
    return false;
}

/* The search goes down into the directory whose path is `path` now. */
static void go_down(struct search *search)
{
    if (search->depth == FIND_DEPTH_MAX) {
        console_print("%s: not looked into; it is %u directories deep\n", search->path,
                      FIND_DEPTH_MAX);
        return;
    }
    search->levels[search->depth++] = (struct level){.path_bytes = strlen(search->path)};
}

/* One name of the directory; true: it is a directory too, and is next. */
static bool found(struct search *search, const struct level *level)
{
    const char *name = search->listing.name;
    bool below = search->listing.type == FILE_TYPE_DIRECTORY;
    struct file_attr attr;

    search->path[level->path_bytes] = 0;
    if (level->path_bytes + strlen(name) + 2 > sizeof search->path) {
        console_print("%s/%s: the path is too long\n", search->path, name);
        return false;
    }
    mnos_snprintf(search->path + level->path_bytes, sizeof search->path - level->path_bytes, "%s%s",
                  level->path_bytes != 0 && search->path[level->path_bytes - 1] == '/' ? "" : "/",
                  name);
    if (contains(name, search->text))
        console_print("%s\n", search->path);
    if (search->listing.type == FILE_TYPE_NONE)
        below = file_stat(search->session, search->path, FILE_NO_FOLLOW, &attr) == MNOS_OK &&
                attr.type == FILE_TYPE_DIRECTORY;
    return below;
}

/* Names of the innermost directory, until it ends or there is one to go down into. */
static mnos_status_t look(struct search *search)
{
    struct level *level = &search->levels[search->depth - 1];
    struct file directory;
    uint32_t done = 0;
    mnos_status_t status;

    search->path[level->path_bytes] = 0;
    search->listing = (struct file_listing){.cookie = level->cookie};
    status = file_open(search->session, NULL, search->path, FILE_ONLY_DIRECTORY, FILE_LOOKUP,
                       &directory);
    if (status != MNOS_OK)
        return status;
    while (status == MNOS_OK) {
        uint64_t before = search->listing.cookie;
        bool fresh = search->listing.count == 0;

        status = file_next_name(&directory, &search->listing);
        if (status == MNOS_OK && fresh && before != level->cookie) {
            level->cookie = before;
            level->skip = done = 0;
        }
        if (status == MNOS_OK && ++done > level->skip) {
            level->skip = done;
            if (found(search, level)) {
                go_down(search);
                break;
            }
        }
    }
    (void)!file_close(&directory);
    return status;
}

void command_find(const struct words *words)
{
    static struct search search;

    search = (struct search){.session = files_session("find"), .text = words->word[2]};
    if (search.session == NULL || !files_path("find", words->word[1], search.path))
        return;
    go_down(&search);
    while (search.depth != 0 && !files_stopped()) {
        mnos_status_t status = look(&search);

        if (status == MNOS_OK)
            continue;
        if (status != MNOS_ERR_END)
            files_failed(status, "find", search.path);
        search.depth--;
    }
}

/* ---- The Tab key ---- */

/* The names of the directory that was listed last, to go on in. */
static struct {
    bool open;
    unsigned next; /* index of the name that file_next_name() gives */
    struct file directory;
    struct file_listing listing;
} names;

static bool begin_names(struct file_session *session, const char *word, size_t bytes)
{
    static char typed[FILES_PATH_BYTES], path[FILES_PATH_BYTES];

    if (names.open)
        (void)!file_close(&names.directory);
    names.open = false;
    if (bytes >= sizeof typed)
        return false;
    memcpy(typed, word, bytes);
    typed[bytes] = 0;
    names.next = 0;
    names.listing = (struct file_listing){0};
    names.open = files_path("", typed, path) && file_open(session, NULL, path, FILE_ONLY_DIRECTORY,
                                                          FILE_LOOKUP, &names.directory) == MNOS_OK;
    return names.open;
}

bool files_candidate(const char *word, size_t bytes, unsigned index, char *candidate, size_t size)
{
    struct file_session *session = files_session("");
    size_t directory = bytes;

    while (directory > 0 && word[directory - 1] != '/')
        directory--;
    if (session == NULL)
        return false;
    if ((index == 0 || !names.open || index < names.next) && !begin_names(session, word, directory))
        return false;
    do {
        if (file_next_name(&names.directory, &names.listing) != MNOS_OK) {
            (void)!file_close(&names.directory);
            names.open = false;
            return false;
        }
    } while (names.next++ < index);
    /* One that does not fit is no candidate, and ends nothing. */
    if (directory + strlen(names.listing.name) + 2 > size) {
        candidate[0] = 0;
        return true;
    }
    memcpy(candidate, word, directory);
    mnos_snprintf(candidate + directory, size - directory, "%s%s", names.listing.name,
                  names.listing.type == FILE_TYPE_DIRECTORY ? "/" : "");
    return true;
}
