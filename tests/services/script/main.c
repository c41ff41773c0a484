// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: carries out a file of commands about names and files, one a line, as tests/ext4_service/commands.c
 * does on the host, and writes what each of them answers into another file. Its arguments: the two files.
 *
 *   ls PATH  cat PATH  append PATH TEXT  truncate PATH SIZE  stat PATH  mkdir PATH  rmdir PATH  rm PATH  mv PATH PATH
 *   ln PATH PATH  symlink TEXT PATH  readlink PATH  fill PATH BYTES SEED  write PATH OFFSET BYTES SEED  echo TEXT
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

#define PART_BYTES 65536u
#define LINE_BYTES 8192u
#define WORDS 5u

static struct file_mounts mounts;
static struct file_session *const files = &mounts.root;

static const char *const status_names[] = {
#define STATUS(code, name, text) [code] = #name,
#include "abi/status.def"
#undef STATUS
};

/* ---- What is answered ---- */

static struct file answers;
static uint8_t said[PART_BYTES];
static uint64_t said_bytes, said_at;
static mnos_status_t failure;

static void flush(void)
{
    uint64_t count = 0;

    if (failure == MNOS_OK)
        failure = file_write(&answers, said_at, said, said_bytes, &count);
    if (failure == MNOS_OK && count != said_bytes)
        failure = MNOS_ERR_FULL;
    said_at += said_bytes;
    said_bytes = 0;
}

static void say_bytes(const void *bytes, uint64_t length)
{
    for (uint64_t at = 0; at < length;) {
        uint64_t part =
            PART_BYTES - said_bytes < length - at ? PART_BYTES - said_bytes : length - at;

        memcpy(said + said_bytes, (const uint8_t *)bytes + at, part);
        said_bytes += part;
        at += part;
        if (said_bytes == PART_BYTES)
            flush();
    }
}

static void say(const char *text)
{
    say_bytes(text, strlen(text));
}

/* ---- Commands ---- */

static mnos_status_t close_after(mnos_status_t status, struct file *file)
{
    mnos_status_t closed = file_close(file);

    return status != MNOS_OK ? status : closed;
}

static mnos_status_t show_bytes(const char *path)
{
    static uint8_t part[PART_BYTES];
    struct file file;
    uint64_t at = 0, count = 0;
    mnos_status_t status = file_open(files, NULL, path, 0, FILE_READ_RIGHT, &file);

    if (status != MNOS_OK)
        return status;
    do {
        status = file_read(&file, at, part, PART_BYTES, &count);
        say_bytes(part, count);
        at += count;
    } while (status == MNOS_OK && count != 0);
    return close_after(status, &file);
}

/* Bytes that the host makes as well. */
static mnos_status_t fill(const char *path, uint32_t flags, uint64_t at, uint64_t bytes,
                          uint64_t seed)
{
    static uint8_t part[PART_BYTES];
    struct file file;
    uint64_t end = at + bytes;
    mnos_status_t status = file_open(files, NULL, path, flags, FILE_WRITE_RIGHT, &file);

    if (status != MNOS_OK)
        return status;
    while (status == MNOS_OK && at < end) {
        uint64_t length = end - at < PART_BYTES ? end - at : PART_BYTES, count = 0;

        for (uint64_t i = 0; i < length; i++)
            part[i] = (uint8_t)((at + i) * 31 + seed + ((at + i) >> 12));
        status = file_write(&file, at, part, length, &count);
        if (status == MNOS_OK && count != length)
            status = MNOS_ERR_FULL;
        at += length;
    }
    return close_after(status, &file);
}

static mnos_status_t append(const char *path, const char *text)
{
    struct file file;
    uint64_t offset;
    mnos_status_t status = file_open(files, NULL, path, FILE_CREATE, FILE_WRITE_RIGHT, &file);

    if (status != MNOS_OK)
        return status;
    return close_after(file_append(&file, text, strlen(text), &offset), &file);
}

static mnos_status_t cut(const char *path, uint64_t size)
{
    struct file file;
    mnos_status_t status = file_open(files, NULL, path, 0, FILE_WRITE_RIGHT, &file);

    return status != MNOS_OK ? status : close_after(file_truncate(&file, size), &file);
}

static mnos_status_t list(const char *path)
{
    static struct file_listing listing;
    char text[FILE_NAME_BYTES_MAX + 8];
    struct file directory;
    mnos_status_t status =
        file_open(files, NULL, path, FILE_ONLY_DIRECTORY, FILE_LOOKUP, &directory);

    if (status != MNOS_OK)
        return status;
    listing = (struct file_listing){0};
    while ((status = file_next_name(&directory, &listing)) == MNOS_OK) {
        mnos_snprintf(text, sizeof text, "%c %s\n", "?fdl"[listing.type & 3], listing.name);
        say(text);
    }
    return close_after(status == MNOS_ERR_END ? MNOS_OK : status, &directory);
}

static mnos_status_t show_stat(const char *path)
{
    struct file_attr attr;
    char text[96];
    mnos_status_t status = file_stat(files, path, FILE_NO_FOLLOW, &attr);

    if (status != MNOS_OK)
        return status;
    mnos_snprintf(text, sizeof text, "%c %llu bytes, %llu allocated, %u links\n",
                  "?fdl"[attr.type & 3], (unsigned long long)attr.size,
                  (unsigned long long)attr.allocated_bytes, attr.links);
    say(text);
    return MNOS_OK;
}

static mnos_status_t show_link(const char *path)
{
    static char text[FILE_PATH_BYTES_MAX + 1];
    uint64_t bytes;
    mnos_status_t status = file_read_link(files, path, text, sizeof text - 1, &bytes);

    if (status != MNOS_OK)
        return status;
    say_bytes(text, bytes);
    say("\n");
    return MNOS_OK;
}

static uint64_t number(const char *text)
{
    uint64_t value = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (uint64_t)(*text - '0');
    return value;
}

static mnos_status_t on_names(const char *name, char **word)
{
    if (strcmp(name, "mkdir") == 0)
        return file_make_directory(files, word[1]);
    if (strcmp(name, "rmdir") == 0)
        return file_remove_directory(files, word[1]);
    if (strcmp(name, "rm") == 0)
        return file_unlink(files, word[1]);
    if (strcmp(name, "mv") == 0)
        return file_rename(files, word[1], word[2]);
    if (strcmp(name, "ln") == 0)
        return file_link(files, word[1], word[2]);
    if (strcmp(name, "symlink") == 0)
        return file_symlink(files, word[1], word[2]);
    return MNOS_ERR_LABEL;
}

static mnos_status_t run(const char *name, char **word)
{
    if (strcmp(name, "ls") == 0)
        return list(word[1]);
    if (strcmp(name, "cat") == 0)
        return show_bytes(word[1]);
    if (strcmp(name, "stat") == 0)
        return show_stat(word[1]);
    if (strcmp(name, "readlink") == 0)
        return show_link(word[1]);
    if (strcmp(name, "append") == 0)
        return append(word[1], word[2]);
    if (strcmp(name, "truncate") == 0)
        return cut(word[1], number(word[2]));
    if (strcmp(name, "fill") == 0)
        return fill(word[1], FILE_CREATE | FILE_TRUNCATE_FIRST, 0, number(word[2]),
                    number(word[3]));
    if (strcmp(name, "write") == 0)
        return fill(word[1], 0, number(word[2]), number(word[3]), number(word[4]));
    return on_names(name, word);
}

static void carry_out(char *line)
{
    char *word[WORDS], *at = line;
    mnos_status_t status;

    for (unsigned i = 0; i < WORDS; i++) {
        word[i] = at;
        while (*at != 0 && *at != ' ')
            at++;
        if (*at == ' ')
            *at++ = 0;
    }
    if (strcmp(word[0], "echo") == 0) {
        say(word[1]);
        say("\n");
        return;
    }
    status = run(word[0], word);
    if (status == MNOS_OK)
        return;
    say(word[0]);
    say(": ");
    say(status_names[status]);
    say("\n");
}

/* A line that does not fit is none that a test writes. */
static unsigned carry_out_all(const struct file *script)
{
    static uint8_t part[PART_BYTES];
    static char line[LINE_BYTES];
    unsigned lines = 0, length = 0;
    uint64_t count = 0;

    for (uint64_t at = 0; failure == MNOS_OK; at += count) {
        failure = file_read(script, at, part, PART_BYTES, &count);
        if (failure != MNOS_OK || count == 0)
            break;
        for (uint64_t i = 0; i < count; i++) {
            if (part[i] != '\n') {
                line[length] = (char)part[i];
                length += length + 1 < LINE_BYTES;
                continue;
            }
            line[length] = 0;
            length = 0;
            lines++;
            carry_out(line);
        }
    }
    return lines;
}

int main(void)
{
    static char from[LINE_BYTES];
    const char *to = strchr(bootstrap_arguments(), ' ');
    struct file script;
    unsigned lines = 0;

    string_copy(from, bootstrap_arguments(), sizeof from);
    failure = to == NULL ? MNOS_ERR_ARGUMENT
                         : file_mounts_open(&mounts, bootstrap_cap("files"), PART_BYTES);
    if (failure == MNOS_OK) {
        from[to - bootstrap_arguments()] = 0;
        failure = file_open(files, NULL, from, 0, FILE_READ_RIGHT, &script);
    }
    if (failure == MNOS_OK)
        failure = file_open(files, NULL, to + 1, FILE_CREATE, FILE_WRITE_RIGHT, &answers);
    if (failure == MNOS_OK)
        lines = carry_out_all(&script);
    flush();
    if (failure == MNOS_OK)
        failure = file_sync(&answers);
    log_line("%u lines carried out, status %u", lines, failure);
    return failure != MNOS_OK;
}
