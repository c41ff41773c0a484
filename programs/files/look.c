// SPDX-License-Identifier: MIT
/* look - the commands that look at files and directories: ls, stat. */
#include "lib/base/printf.h"
#include "lib/client/out.h"
#include "lib/format/date.h"
#include "lib/mnos/size_text.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "programs/files/files.h"

typedef unsigned long long ull;

static const char *type_text(uint32_t type)
{
    static const char *const texts[] = {"?", "file", "directory", "link"};

    return type < sizeof texts / sizeof texts[0] ? texts[type] : "?";
}

/* " -> TEXT" of a symbolic link. */
static void print_target(struct file_session *session, const char *name)
{
    char text[128 + 1];
    uint64_t bytes;

    if (file_read_link(session, name, text, sizeof text - 1, &bytes) != MNOS_OK)
        return;
    text[bytes < sizeof text ? bytes : sizeof text - 1] = 0;
    out_print(" -> ");
    out_name(text);
    if (bytes >= sizeof text)
        out_print("...");
}

/* ---- ls ---- */

static bool print_entry(struct file_session *session, const char *name, const char *shown)
{
    char size[SIZE_TEXT_BYTES];
    struct file_attr attr;
    mnos_status_t status = file_stat(session, name, FILE_NO_FOLLOW, &attr);

    if (status != MNOS_OK) {
        out_failed(status, shown); /* it may have been removed meanwhile */
        return false;
    }
    out_print("%-9s %10s  ", type_text(attr.type), size_text(size, attr.size));
    out_name(shown);
    if (attr.type == FILE_TYPE_SYMLINK)
        print_target(session, name);
    out_print("\n");
    return true;
}

/* `mounts`: the names are mount points. What is mounted there may not be there yet, and then this is not to wait for
 * it. */
static bool print_directory(const struct files_path *path, const struct file *directory,
                            bool mounts)
{
    static struct file_listing listing;
    mnos_status_t status = MNOS_OK;
    bool good = true;

    while (status == MNOS_OK) {
        status = file_next_name(directory, &listing);
        if (status == MNOS_OK && mounts)
            out_print("%-9s %10s  %s\n", "mount", "", listing.name);
        else if (status == MNOS_OK)
            good &= print_entry(path->session, listing.name, listing.name);
    }
    return status == MNOS_ERR_END ? good : files_good(status, path);
}

/* ls TEXT NAME, and "path", which is a directory to be listed when NAME is empty; with a further word "mounts" it is the
 * root of all. */
bool files_ls(void)
{
    struct files_path path;
    struct file directory;

    if (!files_path(BOOTSTRAP_OPTIONAL("path"), 1, 0, &path))
        return false;
    if (path.name[0] != 0)
        return print_entry(path.session, path.name, path.text);
    return files_good(
               file_open(path.session, NULL, "", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &directory),
               &path) &&
           print_directory(&path, &directory, bootstrap_argument(3) != NULL);
}

/* ---- stat ---- */

static void print_date(const char *what, int64_t at_ns)
{
    char text[DATE_WORDS_BYTES];

    out_print("%-10s %s\n", what, date_words(text, at_ns));
}

/* stat TEXT NAME, and "path". */
bool files_stat(void)
{
    char size[SIZE_TEXT_BYTES], allocated[SIZE_TEXT_BYTES];
    struct files_path path;
    struct file_attr attr;

    if (!files_path(BOOTSTRAP_OPTIONAL("path"), 1, 0, &path) ||
        !files_good(file_stat(path.session, path.name, FILE_NO_FOLLOW, &attr), &path))
        return false;
    out_print("%-10s %s", "type", type_text(attr.type));
    if (attr.type == FILE_TYPE_SYMLINK)
        print_target(path.session, path.name);
    out_print("\n%-10s %llu bytes (%s), %s allocated\n", "size", (ull)attr.size,
              size_text(size, attr.size), size_text(allocated, attr.allocated_bytes));
    out_print("%-10s %u\n%-10s %llu, generation %llu\n", "names", attr.links, "inode",
              (ull)attr.inode, (ull)attr.generation);
    print_date("made", attr.created_ns);
    print_date("modified", attr.modified_ns);
    print_date("changed", attr.changed_ns);
    return true;
}
