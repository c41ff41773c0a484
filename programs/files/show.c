// SPDX-License-Identifier: MIT
/* show - the commands that show what a file holds, and the one that puts a line into it: cat, hexdump, write. */
#include "lib/base/string.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"
#include "programs/files/files.h"

#define WINDOW_BYTES 65536u
#define CHUNK_BYTES 32768u

typedef unsigned long long ull;

static char chunk[CHUNK_BYTES];

/* COMMAND TEXT NAME, and "path". */
static bool open_to_read(struct files_path *path, struct file *file)
{
    mnos_status_t status;

    if (!files_path(BOOTSTRAP_OPTIONAL("path"), 1, WINDOW_BYTES, path))
        return false;
    status = file_open(path->session, NULL, path->name, 0, FILE_READ_RIGHT, file);
    if (status == MNOS_OK && file->type == FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_DIRECTORY;
    return files_good(status, path);
}

/* Reads the next piece; false: the end, or a failure that was told. */
static bool next_piece(const struct file *file, const struct files_path *path, uint64_t offset,
                       uint64_t *count, bool *good)
{
    *good = files_good(file_read(file, offset, chunk, CHUNK_BYTES, count), path);
    return *good && *count != 0;
}

bool files_cat(void)
{
    struct files_path path;
    uint64_t offset = 0, count;
    struct file file;
    bool good;

    if (!open_to_read(&path, &file))
        return false;
    for (; next_piece(&file, &path, offset, &count, &good); offset += count)
        out_write(chunk, count);
    return good;
}

/* ---- hexdump ---- */

static void print_line(uint64_t offset, const char *bytes, uint64_t count)
{
    char text[17];

    out_print("%08llx ", (ull)offset);
    for (unsigned i = 0; i < 16; i++) {
        if (i < count)
            out_print("%s%02x", i == 8 ? "  " : " ", (uint8_t)bytes[i]);
        else
            out_print("%s  ", i == 8 ? "  " : " ");
        text[i] = i < count && bytes[i] >= ' ' && bytes[i] < 0x7F ? bytes[i] : '.';
    }
    text[count] = 0;
    out_print("  |%s|\n", text);
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

/* hexdump TEXT NAME [OFFSET [BYTES]], and "path". */
bool files_hexdump(void)
{
    const char *from = bootstrap_argument(3), *bytes = bootstrap_argument(4);
    uint64_t offset = 0, left = UINT64_MAX, count;
    struct files_path path;
    struct file file;
    bool good = true;

    if ((from != NULL && !parse(from, &offset)) || (bytes != NULL && !parse(bytes, &left))) {
        out_print("hexdump: OFFSET and BYTES are numbers, as 512 or 0x200\n");
        return false;
    }
    if (!open_to_read(&path, &file))
        return false;
    while (left != 0 && next_piece(&file, &path, offset, &count, &good)) {
        if (count > left)
            count = left;
        for (uint64_t at = 0; at < count; at += 16)
            print_line(offset + at, chunk + at, count - at < 16 ? count - at : 16);
        offset += count;
        left -= count;
    }
    return good;
}

/* ---- write ---- */

/* write TEXT NAME LINE, and "path": the line goes to the end of the file. */
bool files_write(void)
{
    const char *text = bootstrap_argument(3);
    struct files_path path;
    struct file file;
    uint64_t offset;
    size_t bytes;

    if (!files_path(BOOTSTRAP_OPTIONAL("path"), 1, 0, &path) || text == NULL)
        return false;
    bytes = strlen(text);
    memcpy(chunk, text, bytes); /* arguments are shorter than a chunk */
    chunk[bytes++] = '\n';
    /* Nothing is to be made where the path is a file's own session. */
    return files_good(file_open(path.session, NULL, path.name, path.name[0] != 0 ? FILE_CREATE : 0,
                                FILE_WRITE_RIGHT, &file),
                      &path) &&
           files_good(file_append(&file, chunk, bytes, &offset), &path);
}
