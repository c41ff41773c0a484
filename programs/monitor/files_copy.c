// SPDX-License-Identifier: MIT
/* files_copy - the commands that move bytes: cat, hexdump, write, cp, mv. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"

#define CHUNK_BYTES 32768u
#define SHOWN_BYTES 2048u /* between two looks for Ctrl-C */
/* A copy that takes longer shows how far it is, and how often that is drawn. */
#define PROGRESS_AFTER_NS 1000000000ull
#define PROGRESS_EACH_NS 200000000ull
#define PROGRESS_CELLS 30u

typedef unsigned long long ull;

static char chunk[CHUNK_BYTES];

/* Reads the next piece; false: the end, or a failure that was told. */
static bool next_piece(const struct file *file, const char *command, const char *path,
                       uint64_t offset, uint64_t *count)
{
    mnos_status_t status = file_read(file, offset, chunk, CHUNK_BYTES, count);

    if (status != MNOS_OK)
        files_failed(status, command, path);
    return status == MNOS_OK && *count != 0;
}

static bool open_to_read(const char *command, const char *typed, char path[FILES_PATH_BYTES],
                         struct file *file)
{
    struct file_session *session = files_session(command);
    mnos_status_t status;

    if (session == NULL || !files_path(command, typed, path))
        return false;
    status = file_open(session, NULL, path, 0, FILE_READ_RIGHT, file);
    if (status == MNOS_OK && file->type == FILE_TYPE_DIRECTORY) {
        (void)!file_close(file);
        status = MNOS_ERR_DIRECTORY;
    }
    if (status != MNOS_OK)
        files_failed(status, command, typed);
    return status == MNOS_OK;
}

/* Writes what was read; false: Ctrl-C. A line may be slow, so it is looked for more often than bytes are read. */
static bool show(uint64_t count)
{
    for (uint64_t at = 0; at < count; at += SHOWN_BYTES) {
        console_write(chunk + at, count - at < SHOWN_BYTES ? count - at : SHOWN_BYTES);
        if (files_stopped())
            return false;
    }
    return true;
}

void command_cat(const struct words *words)
{
    static char path[FILES_PATH_BYTES];
    uint64_t offset = 0, count;
    struct file file;

    if (!open_to_read("cat", words->word[1], path, &file))
        return;
    for (; next_piece(&file, "cat", words->word[1], offset, &count); offset += count) {
        if (!show(count))
            break;
    }
    (void)!file_close(&file);
}

/* ---- hexdump ---- */

static void print_line(uint64_t offset, const char *bytes, uint64_t count)
{
    char text[17];

    console_print("%08llx ", (ull)offset);
    for (unsigned i = 0; i < 16; i++) {
        if (i < count)
            console_print("%s%02x", i == 8 ? "  " : " ", (uint8_t)bytes[i]);
        else
            console_print("%s  ", i == 8 ? "  " : " ");
        text[i] = i < count && bytes[i] >= ' ' && bytes[i] < 0x7F ? bytes[i] : '.';
    }
    text[count] = 0;
    console_print("  |%s|\n", text);
}

/* A number as "4096" or "0x1000"; false: it is none. */
static bool parse(const char *word, uint64_t *value)
{
    unsigned base = 10;

    if (word[0] == '0' && word[1] == 'x') {
        base = 16;
        word += 2;
    }
    if (word[0] == 0)
        return false;
    for (*value = 0; *word != 0; word++) {
        unsigned digit = *word >= '0' && *word <= '9'   ? (unsigned)(*word - '0')
                         : *word >= 'a' && *word <= 'f' ? (unsigned)(*word - 'a') + 10
                                                        : 99;

        if (digit >= base || *value > (UINT64_MAX - digit) / base)
            return false;
        *value = *value * base + digit;
    }
    return true;
}

/* Lines of the first `count` bytes that were read; false: Ctrl-C. */
static bool show_lines(uint64_t offset, uint64_t count)
{
    for (uint64_t at = 0; at < count; at += 16) {
        print_line(offset + at, chunk + at, count - at < 16 ? count - at : 16);
        if (at % (SHOWN_BYTES / 4) == 0 && files_stopped())
            return false;
    }
    return true;
}

void command_hexdump(const struct words *words)
{
    static char path[FILES_PATH_BYTES];
    uint64_t offset = 0, left = UINT64_MAX, count;
    struct file file;

    if ((words->count > 2 && !parse(words->word[2], &offset)) ||
        (words->count > 3 && !parse(words->word[3], &left))) {
        console_print("hexdump: OFFSET and BYTES are numbers, as 512 or 0x200\n");
        return;
    }
    if (!open_to_read("hexdump", words->word[1], path, &file))
        return;
    while (left != 0 && next_piece(&file, "hexdump", words->word[1], offset, &count)) {
        if (count > left)
            count = left;
        if (!show_lines(offset, count))
            break;
        offset += count;
        left -= count;
    }
    (void)!file_close(&file);
}

/* ---- write ---- */

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
    struct file_session *session = files_session("write");
    static char path[FILES_PATH_BYTES];
    char line[512];
    struct file file;
    uint64_t offset;
    size_t bytes;
    mnos_status_t status;

    if (session == NULL || !files_path("write", words->word[1], path))
        return;
    if (!join(words, line, sizeof line, &bytes)) {
        console_print("write: the text is longer than %u bytes\n", (unsigned)sizeof line - 1);
        return;
    }
    status = file_open(session, NULL, path, FILE_CREATE, FILE_WRITE_RIGHT, &file);
    if (status == MNOS_OK) {
        status = file_append(&file, line, bytes, &offset);
        (void)!file_close(&file);
    }
    if (status != MNOS_OK)
        files_failed(status, "write", words->word[1]);
}

/* ---- cp ---- */

struct progress {
    uint64_t began_ns, drawn_ns, total;
    bool shown;
};

static void show_progress(struct progress *progress, uint64_t done)
{
    char bar[PROGRESS_CELLS + 1], at[FILES_SIZE_BYTES], of[FILES_SIZE_BYTES];
    uint64_t now = kinfo_time_ns(), total = progress->total > done ? progress->total : done;
    unsigned cells;

    if (now - progress->began_ns < PROGRESS_AFTER_NS ||
        now - progress->drawn_ns < PROGRESS_EACH_NS || total == 0)
        return;
    progress->drawn_ns = now;
    progress->shown = true;
    /* In 1/1024: a file may be so large that a product with its size does not fit. */
    cells = (unsigned)(total < 1024 ? done * PROGRESS_CELLS / total
                                    : done / (total / 1024) * PROGRESS_CELLS / 1024);
    for (unsigned i = 0; i < PROGRESS_CELLS; i++)
        bar[i] = i < cells ? '#' : '.';
    bar[PROGRESS_CELLS] = 0;
    console_print("\r[%s] %s of %s\x1b[K", bar, files_size(at, done), files_size(of, total));
    console_flush();
}

static void end_progress(const struct progress *progress)
{
    if (progress->shown)
        console_print("\r\x1b[K");
}

/* False: it failed or was stopped, which was told. */
static bool copy(const struct file *from, const struct file *to, const struct words *words)
{
    struct progress progress = {.began_ns = kinfo_time_ns(), .total = from->size};
    uint64_t offset = 0, count = 0, written;
    mnos_status_t status = MNOS_OK;

    for (;; offset += count) {
        status = file_read(from, offset, chunk, CHUNK_BYTES, &count);
        if (status != MNOS_OK || count == 0)
            break;
        status = file_write(to, offset, chunk, count, &written);
        if (status == MNOS_OK && written != count)
            status = MNOS_ERR_FULL;
        if (status != MNOS_OK)
            break;
        show_progress(&progress, offset + count);
        if (console_interrupted()) {
            status = MNOS_ERR_CANCELLED;
            break;
        }
    }
    end_progress(&progress);
    if (status == MNOS_ERR_CANCELLED)
        console_print("^C\n%s: stopped after %llu bytes; %s has what was copied\n", words->word[0],
                      (ull)(offset + count), words->word[2]);
    else if (status != MNOS_OK)
        files_failed(status, words->word[0], words->word[2]);
    return status == MNOS_OK;
}

static bool is_same(const struct file *a, const struct file *b)
{
    struct file_attr one, other;

    return a->session == b->session && file_attributes(a, &one) == MNOS_OK &&
           file_attributes(b, &other) == MNOS_OK && one.inode == other.inode;
}

/* The file that `to` names, or the one in the directory that it names, which gets the name of `from`. */
static mnos_status_t open_target(const char *from, char to[FILES_PATH_BYTES], struct file *file)
{
    struct file_session *session = &files_mounts()->root;
    mnos_status_t status = file_open(session, NULL, to, FILE_CREATE, FILE_WRITE_RIGHT, file);
    size_t length = strlen(to);

    if (status != MNOS_ERR_DIRECTORY)
        return status;
    if ((size_t)mnos_snprintf(to + length, FILES_PATH_BYTES - length, "/%s", files_base(from)) >=
        FILES_PATH_BYTES - length)
        return MNOS_ERR_SIZE;
    return file_open(session, NULL, to, FILE_CREATE, FILE_WRITE_RIGHT, file);
}

/* Copies what word 1 names to what word 2 names; false: it did not, which was told. */
static bool copy_paths(const struct words *words)
{
    static char from_path[FILES_PATH_BYTES], to_path[FILES_PATH_BYTES];
    const char *command = words->word[0];
    struct file from, to;
    mnos_status_t status;
    bool done = false;

    if (!open_to_read(command, words->word[1], from_path, &from))
        return false;
    status = files_path(command, words->word[2], to_path) ? open_target(from_path, to_path, &to)
                                                          : MNOS_ERR_SIZE;
    if (status == MNOS_OK) {
        if (is_same(&from, &to)) {
            console_print("%s: %s and %s are the same file\n", command, words->word[1],
                          words->word[2]);
        } else {
            status = file_truncate(&to, 0);
            done = status == MNOS_OK && copy(&from, &to, words);
        }
        (void)!file_close(&to);
    }
    if (status != MNOS_OK)
        files_failed(status, command, words->word[2]);
    (void)!file_close(&from);
    return done;
}

void command_cp(const struct words *words)
{
    (void)copy_paths(words);
}

/* ---- mv ---- */

/* Into a directory that is there already, under the same name. */
static mnos_status_t move_into(struct file_session *session, const char *from,
                               char to[FILES_PATH_BYTES])
{
    size_t length = strlen(to);

    if ((size_t)mnos_snprintf(to + length, FILES_PATH_BYTES - length, "/%s", files_base(from)) >=
        FILES_PATH_BYTES - length)
        return MNOS_ERR_SIZE;
    return file_rename(session, from, to);
}

void command_mv(const struct words *words)
{
    struct file_session *session = files_session("mv");
    static char from[FILES_PATH_BYTES], to[FILES_PATH_BYTES];
    struct file_attr attr;
    mnos_status_t status;

    if (session == NULL || !files_path("mv", words->word[1], from) ||
        !files_path("mv", words->word[2], to))
        return;
    if (file_stat(session, to, 0, &attr) == MNOS_OK && attr.type == FILE_TYPE_DIRECTORY)
        status = move_into(session, from, to);
    else
        status = file_rename(session, from, to);
    /* Another file system gets a copy, and then the name here goes. */
    if (status == MNOS_ERR_VOLUME && copy_paths(words))
        status = file_unlink(session, from);
    else if (status == MNOS_ERR_VOLUME)
        return; /* why not was told */
    if (status != MNOS_OK)
        files_failed(status, "mv", words->word[1]);
}
