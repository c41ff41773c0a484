// SPDX-License-Identifier: MIT
/*
 * ustar - see ustar.h. Layout facts are from POSIX.1-2017, utility "pax", section "ustar
 * Interchange Format".
 */
#include "ustar.h"

#include "bytes.h"

#define BLOCK 512

#define NAME_OFFSET 0
#define NAME_SIZE 100
#define MODE_OFFSET 100
#define MODE_SIZE 8
#define SIZE_OFFSET 124
#define SIZE_SIZE 12
#define CHECKSUM_OFFSET 148
#define CHECKSUM_SIZE 8
#define TYPE_OFFSET 156
#define MAGIC_OFFSET 257
#define PREFIX_OFFSET 345
#define PREFIX_SIZE 155

/* Octal digits, optionally after spaces, ended by a space, a NUL or the end of the field. */
static bool read_octal(const uint8_t *field, unsigned width, uint64_t *value)
{
    unsigned i = 0, digits = 0;
    uint64_t result = 0;

    while (i < width && field[i] == ' ')
        i++;
    for (; i < width && field[i] >= '0' && field[i] <= '7'; i++, digits++)
        result = result * 8 + (uint64_t)(field[i] - '0'); /* at most 12 digits: 36 bits */
    for (; i < width; i++) {
        if (field[i] != ' ' && field[i] != 0)
            return false;
    }
    *value = result;
    return digits > 0;
}

static bool is_zero_block(const uint8_t *block)
{
    for (unsigned i = 0; i < BLOCK; i++) {
        if (block[i] != 0)
            return false;
    }
    return true;
}

static enum ustar_error check_header(const uint8_t *header)
{
    static const uint8_t magic[8] = {'u', 's', 't', 'a', 'r', 0, '0', '0'};
    uint64_t stored, sum;

    for (unsigned i = 0; i < sizeof magic; i++) {
        if (header[MAGIC_OFFSET + i] != magic[i])
            return USTAR_MAGIC;
    }
    if (!read_octal(header + CHECKSUM_OFFSET, CHECKSUM_SIZE, &stored))
        return USTAR_NUMBER;
    /* The sum counts the checksum field itself as spaces. */
    sum = bytes_sum(header, BLOCK) - bytes_sum(header + CHECKSUM_OFFSET, CHECKSUM_SIZE) +
          (uint64_t)CHECKSUM_SIZE * ' ';
    return sum == stored ? USTAR_OK : USTAR_CHECKSUM;
}

static size_t append_field(char *path, size_t length, const uint8_t *field, unsigned width)
{
    for (unsigned i = 0; i < width && field[i] != 0; i++)
        path[length++] = (char)field[i];
    return length;
}

static enum ustar_error read_path(const uint8_t *header, char path[USTAR_PATH_SIZE])
{
    size_t length = append_field(path, 0, header + PREFIX_OFFSET, PREFIX_SIZE);

    if (header[NAME_OFFSET] == 0)
        return USTAR_NAME;
    if (length > 0)
        path[length++] = '/';
    length = append_field(path, length, header + NAME_OFFSET, NAME_SIZE);
    path[length] = 0;
    return USTAR_OK;
}

/* Links, devices, directories and FIFOs have no data, whatever their size field says. */
static bool has_data(char type)
{
    return type < '1' || type > '6';
}

enum ustar_error ustar_next(const void *archive, size_t size, size_t *offset,
                            struct ustar_entry *entry)
{
    const uint8_t *header = (const uint8_t *)archive + *offset;
    uint64_t file_size, mode, rounded;
    enum ustar_error error;

    if (*offset >= size)
        return USTAR_END;
    if (size - *offset < BLOCK)
        return USTAR_TRUNCATED;
    if (is_zero_block(header))
        return USTAR_END;
    error = check_header(header);
    if (error != USTAR_OK)
        return error;
    if (!read_octal(header + SIZE_OFFSET, SIZE_SIZE, &file_size) ||
        !read_octal(header + MODE_OFFSET, MODE_SIZE, &mode))
        return USTAR_NUMBER;
    error = read_path(header, entry->path);
    if (error != USTAR_OK)
        return error;

    entry->type = header[TYPE_OFFSET] == 0 ? '0' : (char)header[TYPE_OFFSET];
    entry->mode = (uint32_t)mode & 07777;
    entry->size = has_data(entry->type) ? file_size : 0;
    if (entry->size > size - *offset - BLOCK)
        return USTAR_TRUNCATED;
    entry->data = entry->size != 0 ? header + BLOCK : NULL;
    rounded = (entry->size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
    /* The padding of the last member may be missing; stop at the end then. */
    if (rounded > size - *offset - BLOCK)
        *offset = size;
    else
        *offset += BLOCK + (size_t)rounded;
    return USTAR_OK;
}

static const char *skip_root(const char *path)
{
    for (;;) {
        if (path[0] == '/')
            path++;
        else if (path[0] == '.' && path[1] == '/')
            path += 2;
        else
            return path;
    }
}

bool ustar_path_equal(const char *a, const char *b)
{
    a = skip_root(a);
    b = skip_root(b);
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

enum ustar_error ustar_find(const void *archive, size_t size, const char *path,
                            struct ustar_entry *entry)
{
    size_t offset = 0;

    for (;;) {
        enum ustar_error error = ustar_next(archive, size, &offset, entry);

        if (error != USTAR_OK)
            return error;
        if (entry->type == '0' && ustar_path_equal(entry->path, path))
            return USTAR_OK;
    }
}

const char *ustar_error_text(enum ustar_error error)
{
    switch (error) {
    case USTAR_OK: return "no error";
    case USTAR_END: return "file not found in the archive";
    case USTAR_TRUNCATED: return "archive is cut short";
    case USTAR_MAGIC: return "not a ustar archive";
    case USTAR_CHECKSUM: return "archive header has a wrong checksum";
    case USTAR_NUMBER: return "archive header has a bad number";
    case USTAR_NAME: return "archive member has no name";
    case USTAR_ERROR_COUNT: break;
    }
    return "unknown archive error";
}
