// SPDX-License-Identifier: MIT
/*
 * commands - one request, or a few, of protocols/file.def for each line:
 *
 *   ls PATH  cat PATH  get PATH HOSTFILE  put HOSTFILE PATH  append PATH TEXT  truncate PATH SIZE  stat PATH
 *   times PATH  set-time PATH NANOSECONDS|now
 *   mkdir PATH  rmdir PATH  rm PATH  mv PATH PATH  ln PATH PATH  symlink TEXT PATH  readlink PATH
 *   fsync PATH  sync  df  fill PATH BYTES SEED  write PATH OFFSET BYTES SEED  many DIRECTORY COUNT
 *   allocate PATH OFFSET BYTES FLAGS  seek PATH: where its data begins and ends
 *   fsync-beside PATH  truncate-beside PATH SIZE: another client asks for it, and what follows is done meanwhile
 *   joined: it is answered  pieces PATH COUNT: a file of so many, each a block with a hole behind it
 *   random SEED COUNT  hostile SEED COUNT  wait SECONDS  break NUMBER  lose-windows  echo TEXT
 *   locks PATH: two clients lock its bytes  return DIRECTORY RUNS: what is open after mounting anew
 *   shares PATH PATH BYTES: a client writes to the first more than there is room for, and another to the second
 */
#include "tests/ext4_service/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ext4_service/host.h"

#define PART 65536u

static const char *const status_names[] = {
#define STATUS(code, name, text) [code] = #name,
#include "abi/status.def"
#undef STATUS
};

static bool answered(mnos_status_t status, const char *what)
{
    if (status != MNOS_OK)
        printf("%s: %s\n", what, status_names[status]);
    return status == MNOS_OK;
}

mnos_status_t command_path(uint32_t operation, const char *path, uint32_t flags)
{
    struct file_path record = {.flags = flags};

    if (strlen(path) > FILE_PATH_BYTES_MAX) /* as the library says */
        return MNOS_ERR_SIZE;
    return host_do(0, operation, &record, sizeof record, path, strlen(path));
}

static mnos_status_t with_two(uint32_t operation, const char *first, const char *second)
{
    struct file_two record = {.first_bytes = (uint32_t)strlen(first)};
    char both[2 * FILE_PATH_BYTES_MAX];

    snprintf(both, sizeof both, "%s%s", first, second);
    return host_do(0, operation, &record, sizeof record, both, strlen(both));
}

static mnos_status_t open_path(const char *path, uint32_t flags, uint32_t rights, uint64_t *handle,
                               uint64_t *size)
{
    struct file_open record = {.flags = flags, .rights = rights};
    mnos_status_t status = host_do(0, FILE_OPEN, &record, sizeof record, path, strlen(path));
    struct file_opened opened;

    memcpy(&opened, host_replies[0].bytes, sizeof opened);
    *handle = status == MNOS_OK ? opened.handle : 0;
    *size = status == MNOS_OK ? opened.size : 0;
    return status;
}

static mnos_status_t with_handle(uint32_t operation, uint64_t handle)
{
    struct file_handle record = {handle};

    return host_do(0, operation, &record, sizeof record, NULL, 0);
}

static mnos_status_t move(uint32_t operation, uint64_t handle, uint64_t offset, uint64_t length,
                          uint64_t *count)
{
    struct file_io io = {handle, offset, 0, length};
    mnos_status_t status = host_do(0, operation, &io, sizeof io, NULL, 0);

    *count = 0;
    if (status == MNOS_OK)
        memcpy(count, host_replies[0].bytes, sizeof *count);
    return status;
}

/* ---- Commands ---- */

static mnos_status_t copy_out(const char *path, FILE *to)
{
    uint64_t handle, size, at = 0, count = 0;
    mnos_status_t status = open_path(path, 0, FILE_READ_RIGHT, &handle, &size);

    if (status != MNOS_OK)
        return status;
    do {
        status = move(FILE_READ, handle, at, PART, &count);
        fwrite(host_window(0), 1, count, to);
        at += count;
    } while (status == MNOS_OK && count != 0);
    (void)!with_handle(FILE_CLOSE, handle);
    return status;
}

static mnos_status_t get(const char *path, const char *name)
{
    mnos_status_t status = command_path(FILE_STAT, path, 0);
    FILE *to = status == MNOS_OK ? fopen(name, "wb") : NULL;

    if (to == NULL)
        return status != MNOS_OK ? status : MNOS_ERR_NOT_FOUND;
    status = copy_out(path, to);
    fclose(to);
    return status;
}

/* Closes in any case; an earlier error is what is told. */
static mnos_status_t close_after(mnos_status_t status, uint64_t handle)
{
    mnos_status_t closed = handle == 0 ? MNOS_OK : with_handle(FILE_CLOSE, handle);

    return status != MNOS_OK ? status : closed;
}

static mnos_status_t write_all(uint64_t handle, uint64_t at, uint64_t bytes)
{
    uint64_t count;
    mnos_status_t status = move(FILE_WRITE, handle, at, bytes, &count);

    return status == MNOS_OK && count != bytes ? MNOS_ERR_FULL : status;
}

static mnos_status_t put(const char *name, const char *path)
{
    FILE *from = fopen(name, "rb");
    uint64_t handle, size, at = 0;
    size_t count;
    mnos_status_t status;

    if (from == NULL)
        return MNOS_ERR_NOT_FOUND;
    status = open_path(path, FILE_CREATE | FILE_TRUNCATE_FIRST, FILE_WRITE_RIGHT, &handle, &size);
    while (status == MNOS_OK && (count = fread(host_window(0), 1, PART, from)) != 0) {
        status = write_all(handle, at, count);
        at += count;
    }
    fclose(from);
    return close_after(status, handle);
}

/* Bytes that a reader can make as well. */
static mnos_status_t fill(const char *path, uint32_t flags, uint64_t at, uint64_t bytes,
                          uint64_t seed)
{
    uint64_t handle, size, end = at + bytes;
    mnos_status_t status = open_path(path, flags, FILE_WRITE_RIGHT, &handle, &size);

    while (status == MNOS_OK && at < end) {
        uint64_t part = end - at < PART ? end - at : PART;

        for (uint64_t i = 0; i < part; i++)
            host_window(0)[i] = (uint8_t)((at + i) * 31 + seed + ((at + i) >> 12));
        status = write_all(handle, at, part);
        at += part;
    }
    return close_after(status, handle);
}

static mnos_status_t pieces(const char *path, unsigned count)
{
    uint64_t handle, size;
    mnos_status_t status = open_path(path, FILE_CREATE, FILE_WRITE_RIGHT, &handle, &size);

    for (unsigned i = 0; status == MNOS_OK && i < count; i++)
        status = write_all(handle, (uint64_t)i * 8192, 1024);
    return close_after(status, handle);
}

static mnos_status_t append(const char *path, const char *text)
{
    uint64_t handle, size, count;
    mnos_status_t status = open_path(path, FILE_CREATE, FILE_WRITE_RIGHT, &handle, &size);

    if (status != MNOS_OK)
        return status;
    memcpy(host_window(0), text, strlen(text));
    status = move(FILE_APPEND, handle, 0, strlen(text), &count);
    return close_after(status, handle);
}

static mnos_status_t on_handle(const char *path, uint32_t operation, uint64_t size)
{
    struct file_truncate record = {.size = size};
    uint64_t old;
    mnos_status_t status = open_path(path, 0, FILE_WRITE_RIGHT, &record.handle, &old);

    if (status != MNOS_OK)
        return status;
    status = host_do(0, operation, &record, operation == FILE_TRUNCATE ? 16 : 8, NULL, 0);
    (void)!with_handle(FILE_CLOSE, record.handle);
    return status;
}

/* As often as it takes. */
static mnos_status_t allocate(const char *path, uint64_t offset, uint64_t bytes, uint64_t flags)
{
    struct file_allocate record = {0, offset, bytes, flags};
    struct file_count count;
    uint64_t size;
    mnos_status_t status = open_path(path, FILE_CREATE, FILE_WRITE_RIGHT, &record.handle, &size);

    while (status == MNOS_OK && record.bytes != 0) {
        status = host_do(0, FILE_ALLOCATE, &record, sizeof record, NULL, 0);
        memcpy(&count, host_replies[0].bytes, sizeof count);
        if (status == MNOS_OK && (count.bytes == 0 || count.bytes > record.bytes))
            return MNOS_ERR_FORMAT;
        if (status == MNOS_OK) {
            record.offset += count.bytes;
            record.bytes -= count.bytes;
        }
    }
    return close_after(status, record.handle);
}

static mnos_status_t seek(const char *path)
{
    struct file_seek record = {0};
    uint64_t size;
    mnos_status_t status = open_path(path, 0, FILE_READ_RIGHT, &record.handle, &size);

    for (; status == MNOS_OK; record.what = !record.what) {
        status = host_do(0, FILE_SEEK, &record, sizeof record, NULL, 0);
        memcpy(&record.offset, host_replies[0].bytes, sizeof record.offset);
        if (status == MNOS_OK)
            printf("%s%llu", record.what == FILE_SEEK_DATA ? "data " : "-",
                   (unsigned long long)record.offset);
        if (status == MNOS_OK && record.what == FILE_SEEK_HOLE)
            putchar(' ');
    }
    putchar('\n');
    return close_after(status == MNOS_ERR_END ? MNOS_OK : status, record.handle);
}

#define BESIDE 1u /* the client that asks beside the others */

/* The request that it asked for last has been answered. */
static mnos_status_t joined(void)
{
    while (!host_replies[BESIDE].arrived)
        host_step();
    return (mnos_status_t)host_replies[BESIDE].status;
}

static mnos_status_t beside(const char *path, uint32_t operation, uint64_t size)
{
    struct file_truncate wanted = {.size = size};
    struct file_open record = {.rights = FILE_WRITE_RIGHT};
    struct file_opened opened;
    mnos_status_t status = joined();

    if (status == MNOS_OK)
        status = host_do(BESIDE, FILE_OPEN, &record, sizeof record, path, strlen(path));
    if (status != MNOS_OK)
        return status;
    memcpy(&opened, host_replies[BESIDE].bytes, sizeof opened);
    wanted.handle = opened.handle;
    host_send(BESIDE, operation, &wanted, operation == FILE_TRUNCATE ? sizeof wanted : 8, NULL, 0);
    return MNOS_OK;
}

static mnos_status_t list(const char *path)
{
    struct file_readdir record = {0};
    struct file_names names = {0};
    uint64_t size;
    mnos_status_t status = open_path(path, FILE_ONLY_DIRECTORY, FILE_LOOKUP, &record.handle, &size);

    while (status == MNOS_OK && names.end == 0) {
        const uint8_t *at = host_replies[0].bytes + sizeof names;

        status = host_do(0, FILE_READDIR, &record, sizeof record, NULL, 0);
        memcpy(&names, host_replies[0].bytes, sizeof names);
        for (uint32_t i = 0; status == MNOS_OK && i < names.count; i++) {
            struct file_name name;

            memcpy(&name, at, sizeof name);
            printf("%c %.*s\n", "?fdl"[name.type], name.bytes, (const char *)at + sizeof name);
            at += (sizeof name + name.bytes + 7) & ~7u;
        }
        record.cookie = names.next;
    }
    if (record.handle != 0)
        (void)!with_handle(FILE_CLOSE, record.handle);
    return status;
}

static mnos_status_t many(const char *directory, unsigned count)
{
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; status == MNOS_OK && i < count; i++) {
        char path[FILE_PATH_BYTES_MAX];
        uint64_t handle, size;

        snprintf(path, sizeof path, "%s/name-%u", directory, i);
        status = open_path(path, FILE_CREATE | FILE_EXCLUSIVE, FILE_WRITE_RIGHT, &handle, &size);
        if (status == MNOS_OK)
            status = with_handle(FILE_CLOSE, handle);
    }
    return status;
}

static mnos_status_t show_link(const char *path)
{
    mnos_status_t status = command_path(FILE_READLINK, path, 0);

    if (status == MNOS_OK)
        printf("%.*s\n", (int)host_replies[0].length, (const char *)host_replies[0].bytes);
    return status;
}

static mnos_status_t show_space(void)
{
    mnos_status_t status = host_do(0, FILE_STATFS, NULL, 0, NULL, 0);
    struct file_space space;

    memcpy(&space, host_replies[0].bytes, sizeof space);
    if (status == MNOS_OK)
        printf("%llu of %llu bytes, %llu of %llu inodes free\n",
               (unsigned long long)space.free_bytes, (unsigned long long)space.total_bytes,
               (unsigned long long)space.free_inodes, (unsigned long long)space.total_inodes);
    return status;
}

static mnos_status_t run(const char *name, char **word)
{
    if (strcmp(name, "ls") == 0)
        return list(word[0]);
    if (strcmp(name, "cat") == 0)
        return copy_out(word[0], stdout);
    if (strcmp(name, "get") == 0)
        return get(word[0], word[1]);
    if (strcmp(name, "put") == 0)
        return put(word[0], word[1]);
    if (strcmp(name, "fill") == 0)
        return fill(word[0], FILE_CREATE | FILE_TRUNCATE_FIRST, 0, strtoull(word[1], NULL, 0),
                    strtoull(word[2], NULL, 0));
    if (strcmp(name, "write") == 0)
        return fill(word[0], 0, strtoull(word[1], NULL, 0), strtoull(word[2], NULL, 0),
                    strtoull(word[3], NULL, 0));
    if (strcmp(name, "append") == 0)
        return append(word[0], word[1]);
    if (strcmp(name, "truncate") == 0)
        return on_handle(word[0], FILE_TRUNCATE, strtoull(word[1], NULL, 0));
    if (strcmp(name, "fsync") == 0)
        return on_handle(word[0], FILE_FSYNC, 0);
    if (strcmp(name, "allocate") == 0)
        return allocate(word[0], strtoull(word[1], NULL, 0), strtoull(word[2], NULL, 0),
                        strtoull(word[3], NULL, 0));
    if (strcmp(name, "seek") == 0)
        return seek(word[0]);
    if (strcmp(name, "fsync-beside") == 0)
        return beside(word[0], FILE_FSYNC, 0);
    if (strcmp(name, "truncate-beside") == 0)
        return beside(word[0], FILE_TRUNCATE, strtoull(word[1], NULL, 0));
    if (strcmp(name, "pieces") == 0)
        return pieces(word[0], (unsigned)strtoul(word[1], NULL, 0));
    if (strcmp(name, "joined") == 0)
        return joined();
    if (strcmp(name, "many") == 0)
        return many(word[0], (unsigned)strtoul(word[1], NULL, 0));
    if (strcmp(name, "stat") == 0)
        return attributes_show(word[0]);
    if (strcmp(name, "times") == 0)
        return attributes_show_times(word[0]);
    if (strcmp(name, "set-time") == 0)
        return attributes_set_time(word[0], word[1]);
    if (strcmp(name, "readlink") == 0)
        return show_link(word[0]);
    if (strcmp(name, "df") == 0)
        return show_space();
    if (strcmp(name, "break") == 0) {
        host_break((unsigned)strtoul(word[0], NULL, 0));
        return MNOS_OK;
    }
    if (strcmp(name, "locks") == 0)
        return locks_run(word[0]);
    if (strcmp(name, "return") == 0)
        return return_run(word[0], (unsigned)strtoul(word[1], NULL, 0));
    if (strcmp(name, "shares") == 0)
        return shares_run(word[0], word[1], strtoull(word[2], NULL, 0));
    if (strcmp(name, "lose-windows") == 0) {
        host_lose_windows();
        return MNOS_OK;
    }
    if (strcmp(name, "echo") == 0)
        return puts(word[0]) < 0 ? MNOS_ERR_DEVICE : MNOS_OK;
    if (strcmp(name, "wait") == 0) {
        host_wait(strtoull(word[0], NULL, 0));
        return MNOS_OK;
    }
    if (strcmp(name, "sync") == 0)
        return host_do(0, FILE_SYNC, NULL, 0, NULL, 0);
    if (strcmp(name, "random") == 0)
        return random_run(strtoull(word[0], NULL, 0), (unsigned)strtoul(word[1], NULL, 0))
                   ? MNOS_OK
                   : MNOS_ERR_FORMAT;
    if (strcmp(name, "hostile") == 0)
        return hostile_run(strtoull(word[0], NULL, 0), (unsigned)strtoul(word[1], NULL, 0))
                   ? MNOS_OK
                   : MNOS_ERR_FORMAT;
    return MNOS_ERR_LABEL;
}

static const struct {
    const char *name;
    uint32_t operation;
    unsigned paths;
} simple[] = {{"mkdir", FILE_MKDIR, 1}, {"rmdir", FILE_RMDIR, 1}, {"rm", FILE_UNLINK, 1},
              {"mv", FILE_RENAME, 2},   {"ln", FILE_LINK, 2},     {"symlink", FILE_SYMLINK, 2}};

bool command_run(char *line)
{
    char *word[5] = {line}, *name;
    char nothing[1] = {0};

    for (unsigned i = 0; i < 5; i++) {
        word[i] = strtok(i == 0 ? line : NULL, " ");
        if (word[i] == NULL)
            word[i] = nothing;
    }
    name = word[0];
    if (*name == 0 || *name == '#')
        return true;
    for (unsigned i = 0; i < sizeof simple / sizeof simple[0]; i++) {
        if (strcmp(name, simple[i].name) != 0)
            continue;
        return answered(simple[i].paths == 1 ? command_path(simple[i].operation, word[1], 0)
                                             : with_two(simple[i].operation, word[1], word[2]),
                        name);
    }
    return answered(run(name, word + 1), name);
}
