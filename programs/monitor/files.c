// SPDX-License-Identifier: MIT
/*
 * files - the commands about files: ls, cat, cp, mv, rm, mkdir, rmdir, ln, write, stat, df. All of
 * them go through one session, the capability "files", whose root is "/".
 */
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"

#define CHUNK_BYTES 16384u
#define NS_PER_S 1000000000ull

typedef unsigned long long ull;

static struct file_session session;
static bool is_open;

/* What a command did not do, and why. */
static void failed(mnos_status_t status, const char *command, const char *path)
{
    char what[96];

    mnos_snprintf(what, sizeof what, "%s%s%s", command, path[0] != 0 ? " " : "", path);
    console_error(status, what);
    if (status == MNOS_ERR_LOST)
        console_print("The service of these files was started again, and knows nothing of what it "
                      "held before.\n");
}

/* The session, which begins with the first command that needs it. */
static struct file_session *files(const char *command)
{
    mnos_cap_t service = bootstrap_cap("files");
    mnos_status_t status;

    if (service == 0) {
        console_print("%s: this monitor has no capability \"files\"\n", command);
        return NULL;
    }
    if (is_open)
        return &session;
    status = file_session_open(&session, service, 4ull * CHUNK_BYTES);
    if (status != MNOS_OK) {
        failed(status, command, "");
        return NULL;
    }
    is_open = true;
    return &session;
}

static const char *type_text(uint32_t type)
{
    static const char *const texts[] = {"?", "file", "directory", "link"};

    return type < sizeof texts / sizeof texts[0] ? texts[type] : "?";
}

/* A link's text, as " -> TEXT". */
static void print_target(const char *path)
{
    char text[128];
    uint64_t bytes;

    if (file_read_link(&session, path, text, sizeof text, &bytes) != MNOS_OK)
        return;
    console_print(" -> %.*s%s", (int)(bytes < sizeof text ? bytes : sizeof text), text,
                  bytes > sizeof text ? "..." : "");
}

static void print_entry(const char *name, const char *path)
{
    struct file_attr attr;
    mnos_status_t status = file_stat(&session, path, FILE_NO_FOLLOW, &attr);

    if (status != MNOS_OK) {
        failed(status, "ls", path); /* it may have been removed meanwhile */
        return;
    }
    console_print("%-9s %10llu  %s", type_text(attr.type), (ull)attr.size, name);
    if (attr.type == FILE_TYPE_SYMLINK)
        print_target(path);
    console_print("\n");
}

void command_ls(const struct words *words)
{
    static struct file_listing listing;
    static char path[FILE_PATH_BYTES_MAX];
    struct file directory;
    mnos_status_t status;

    if (files("ls") == NULL)
        return;
    status =
        file_open(&session, NULL, words->word[1], FILE_ONLY_DIRECTORY, FILE_LOOKUP, &directory);
    /* A link that leads nowhere is there itself. */
    if (status == MNOS_ERR_NOT_DIRECTORY || status == MNOS_ERR_NOT_FOUND ||
        status == MNOS_ERR_LINKS) {
        print_entry(words->word[1], words->word[1]);
        return;
    }
    if (status != MNOS_OK) {
        failed(status, "ls", words->word[1]);
        return;
    }
    listing = (struct file_listing){0};
    while (status == MNOS_OK && !console_interrupted()) {
        status = file_next_name(&directory, &listing);
        if (status != MNOS_OK)
            break;
        mnos_snprintf(path, sizeof path, "%s/%s", words->word[1], listing.name);
        print_entry(listing.name, path);
    }
    if (status != MNOS_ERR_END && status != MNOS_OK)
        failed(status, "ls", words->word[1]);
    (void)!file_close(&directory);
}

/* Reads the next piece; false: the end, or a failure that was told. */
static bool next_piece(const struct file *file, const char *command, const char *path,
                       uint64_t offset, void *bytes, uint64_t *count)
{
    mnos_status_t status = file_read(file, offset, bytes, CHUNK_BYTES, count);

    if (status != MNOS_OK)
        failed(status, command, path);
    return status == MNOS_OK && *count != 0 && !console_interrupted();
}

void command_cat(const struct words *words)
{
    static char bytes[CHUNK_BYTES];
    const char *path = words->word[1];
    struct file file;
    uint64_t offset = 0, count;
    mnos_status_t status;

    if (files("cat") == NULL)
        return;
    status = file_open(&session, NULL, path, 0, FILE_READ_RIGHT, &file);
    if (status != MNOS_OK) {
        failed(status, "cat", path);
        return;
    }
    for (; next_piece(&file, "cat", path, offset, bytes, &count); offset += count)
        console_write(bytes, count);
    (void)!file_close(&file);
}

/* False: it failed, which was told. */
static bool copy(const struct file *from, const struct file *to, const char *from_path,
                 const char *to_path)
{
    static char bytes[CHUNK_BYTES];
    uint64_t offset = 0, count, written;

    for (; next_piece(from, "cp", from_path, offset, bytes, &count); offset += count) {
        mnos_status_t status = file_write(to, offset, bytes, count, &written);

        if (status == MNOS_OK && written != count)
            status = MNOS_ERR_FULL;
        if (status != MNOS_OK) {
            failed(status, "cp: write", to_path);
            return false;
        }
    }
    return true;
}

void command_cp(const struct words *words)
{
    struct file from, to;
    struct file_attr attr;
    mnos_status_t status;

    if (files("cp") == NULL)
        return;
    status = file_open(&session, NULL, words->word[1], 0, FILE_READ_RIGHT, &from);
    if (status != MNOS_OK) {
        failed(status, "cp", words->word[1]);
        return;
    }
    /* A file that is copied onto itself would be emptied first. */
    if (file_stat(&session, words->word[2], 0, &attr) == MNOS_OK) {
        struct file_attr own;

        if (file_attributes(&from, &own) == MNOS_OK && own.inode == attr.inode) {
            console_print("cp: %s and %s are the same file\n", words->word[1], words->word[2]);
            (void)!file_close(&from);
            return;
        }
    }
    status = file_open(&session, NULL, words->word[2], FILE_CREATE | FILE_TRUNCATE_FIRST,
                       FILE_WRITE_RIGHT, &to);
    if (status != MNOS_OK) {
        failed(status, "cp", words->word[2]);
    } else {
        (void)copy(&from, &to, words->word[1], words->word[2]);
        (void)!file_close(&to);
    }
    (void)!file_close(&from);
}

void command_mv(const struct words *words)
{
    mnos_status_t status;

    if (files("mv") == NULL)
        return;
    status = file_rename(&session, words->word[1], words->word[2]);
    if (status != MNOS_OK)
        failed(status, "mv", words->word[1]);
}

static void with_path(const struct words *words,
                      mnos_status_t (*operation)(struct file_session *session, const char *path))
{
    mnos_status_t status;

    if (files(words->word[0]) == NULL)
        return;
    status = operation(&session, words->word[1]);
    if (status != MNOS_OK)
        failed(status, words->word[0], words->word[1]);
}

void command_rm(const struct words *words)
{
    with_path(words, file_unlink);
}

void command_mkdir(const struct words *words)
{
    with_path(words, file_make_directory);
}

void command_rmdir(const struct words *words)
{
    with_path(words, file_remove_directory);
}

void command_ln(const struct words *words)
{
    bool symbolic = strcmp(words->word[1], "-s") == 0;
    mnos_status_t status;

    if (symbolic != (words->count == 4)) {
        console_print("usage: ln [-s] TO PATH\n");
        return;
    }
    if (files("ln") == NULL)
        return;
    if (symbolic)
        status = file_symlink(&session, words->word[2], words->word[3]);
    else
        status = file_link(&session, words->word[1], words->word[2]);
    if (status != MNOS_OK)
        failed(status, "ln", words->word[words->count - 1]);
}

/* The words of the text with one blank between them, and a newline; false: too long. */
static bool join(const struct words *words, char *line, size_t size, size_t *bytes)
{
    *bytes = 0;
    for (unsigned i = 2; i < words->count; i++) {
        size_t length = strlen(words->word[i]);

        if (*bytes + length + 1 > size)
            return false;
        memcpy(line + *bytes, words->word[i], length);
        *bytes += length;
        line[(*bytes)++] = i + 1 == words->count ? '\n' : ' ';
    }
    return true;
}

void command_write(const struct words *words)
{
    char line[512];
    struct file file;
    uint64_t offset;
    size_t bytes;
    mnos_status_t status;

    if (files("write") == NULL)
        return;
    if (!join(words, line, sizeof line, &bytes)) {
        console_print("write: the text is longer than %u bytes\n", (unsigned)sizeof line - 1);
        return;
    }
    status = file_open(&session, NULL, words->word[1], FILE_CREATE, FILE_WRITE_RIGHT, &file);
    if (status == MNOS_OK) {
        status = file_append(&file, line, bytes, &offset);
        (void)!file_close(&file);
    }
    if (status != MNOS_OK)
        failed(status, "write", words->word[1]);
}

static void print_age(const char *what, uint64_t at_ns)
{
    uint64_t now = kinfo_time_ns(), age = now > at_ns ? now - at_ns : 0;

    console_print("%-10s %llu.%03llu s ago\n", what, (ull)(age / NS_PER_S),
                  (ull)(age / 1000000 % 1000));
}

void command_stat(const struct words *words)
{
    struct file_attr attr;
    mnos_status_t status;

    if (files("stat") == NULL)
        return;
    status = file_stat(&session, words->word[1], FILE_NO_FOLLOW, &attr);
    if (status != MNOS_OK) {
        failed(status, "stat", words->word[1]);
        return;
    }
    console_print("%-10s %s", "type", type_text(attr.type));
    if (attr.type == FILE_TYPE_SYMLINK)
        print_target(words->word[1]);
    console_print("\n%-10s %llu bytes, %llu in memory\n", "size", (ull)attr.size,
                  (ull)attr.allocated_bytes);
    console_print("%-10s %u\n%-10s %llu, generation %llu\n", "names", attr.links, "inode",
                  (ull)attr.inode, (ull)attr.generation);
    print_age("made", attr.created_ns);
    print_age("modified", attr.modified_ns);
    print_age("changed", attr.changed_ns);
}

void command_df(const struct words *)
{
    struct file_space space;
    mnos_status_t status;

    if (files("df") == NULL)
        return;
    status = file_space(&session, &space);
    if (status != MNOS_OK) {
        failed(status, "df", "");
        return;
    }
    console_print("%-8s %10s %10s %10s %10s %10s\n", "TYPE", "KiB", "FREE KiB", "OWN KiB",
                  "OWN LIMIT", "FREE FILES");
    console_print("%-8.16s %10llu %10llu %10llu %10llu %10llu\n", space.type,
                  (ull)(space.total_bytes / 1024), (ull)(space.free_bytes / 1024),
                  (ull)(space.own_bytes / 1024), (ull)(space.own_limit / 1024),
                  (ull)space.free_inodes);
}
