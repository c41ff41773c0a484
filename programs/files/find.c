// SPDX-License-Identifier: MIT
/* find - the command that goes through all that lies below a directory. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"
#include "programs/files/files.h"

/* Directories within directories that it looks into. */
#define FIND_DEPTH_MAX 32u

/* The directories from the beginning of the search to where it is. A directory is opened again when the search comes
 * back to it, and goes on at the place in its names where it was: so few are open at once. */
struct level {
    uint64_t cookie; /* of the message of names */
    uint32_t skip;   /* names of that message that are done */
    size_t path_bytes;
};

struct search {
    struct file_session *session;
    const char *text;  /* in the name; empty: all */
    const char *shown; /* what the path begins with, as it was typed */
    unsigned depth;
    struct level levels[FIND_DEPTH_MAX];
    char path[FILES_PATH_BYTES];
    struct file_listing listing;
};

/* The path from where the search began, behind what was typed. */
static void print_path(const struct search *search, const char *more)
{
    const char *shown = search->shown, *path = search->path;
    size_t bytes = strlen(shown);

    if (path[0] == '/' && bytes != 0 && shown[bytes - 1] == '/')
        path++;
    out_name(shown);
    out_name(path);
    out_write(more, strlen(more));
}

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
        print_path(search, ": not looked into; it is too many directories deep\n");
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
        print_path(search, "/... : the path is too long\n");
        return false;
    }
    mnos_snprintf(search->path + level->path_bytes, sizeof search->path - level->path_bytes, "/%s",
                  name);
    if (contains(name, search->text))
        print_path(search, "\n");
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

/* find TEXT NAME PATTERN, and "path", the directory where it begins; PATTERN is in the names, empty: all of them. */
bool files_find(void)
{
    static struct search search;
    struct files_path path;
    bool good = true;

    if (!files_path(BOOTSTRAP_OPTIONAL("path"), 1, 0, &path))
        return false;
    search.session = path.session;
    search.text = bootstrap_argument(3) != NULL ? bootstrap_argument(3) : "";
    search.shown = path.text;
    go_down(&search);
    while (search.depth != 0) {
        mnos_status_t status = look(&search);

        if (status == MNOS_OK)
            continue;
        if (status != MNOS_ERR_END) {
            good = false;
            out_failed(status, search.path[0] != 0 ? search.path : path.text);
        }
        search.depth--;
    }
    return good;
}
