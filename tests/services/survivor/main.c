// SPDX-License-Identifier: MIT
/*
 * main - a client for tests of what a service of files keeps when it faults again and again (docs/manifest.md): ends it three times
 * in the place of a fault, and says after each what is left of two sessions. The one only reads, and has a file open and
 * locked that was synced; the other has a file open to which it has written and not synced. Its arguments: the service, and
 * where, such as "ext4.0 /disk". A word for each session: "kept", "lost" (MNOS_ERR_LOST), or "wrong". Where the machine is so slow
 * that the faults are no row, it says "too slow".
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"

#define FAULTS 3u
/* Faults further apart do not count as a row. */
#define ROW_NS 9000000000ull
#define BYTES 10000u

static struct file_mounts mounts;
static struct file_session reading;
static struct file read_file, written_file;
static char where[64], service[MNOS_NAME_BYTES];
static uint8_t bytes[BYTES], found[BYTES + 1];

static void fill(uint8_t seed)
{
    for (uint32_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8) + seed);
}

static const char *path_of(const char *name)
{
    static char path[96];

    mnos_snprintf(path, sizeof path, "%s/%s", where, name);
    return path;
}

static mnos_status_t write_bytes(const struct file *file, uint8_t seed)
{
    uint64_t count = 0;
    mnos_status_t status;

    fill(seed);
    status = file_write(file, 0, bytes, BYTES, &count);
    return status == MNOS_OK && count != BYTES ? MNOS_ERR_FULL : status;
}

static mnos_status_t write_synced(const char *name, uint8_t seed, struct file *file)
{
    mnos_status_t status = file_open(&mounts.root, NULL, path_of(name), FILE_CREATE,
                                     FILE_READ_RIGHT | FILE_WRITE_RIGHT, file);

    if (status == MNOS_OK)
        status = write_bytes(file, seed);
    return status == MNOS_OK ? file_sync(file) : status;
}

/* The directory as a session of its own that only reads. */
static mnos_status_t open_reading(void)
{
    struct file_lock lock = {.owner = 1, .bytes = 1, .kind = FILE_LOCK_SHARED};
    struct file directory;
    mnos_cap_t cap = 0;
    mnos_status_t status = file_open(&mounts.root, NULL, where, FILE_ONLY_DIRECTORY,
                                     FILE_LOOKUP | FILE_READ_RIGHT, &directory);

    if (status == MNOS_OK)
        status = file_export(&directory, FILE_LOOKUP | FILE_READ_RIGHT, &cap);
    if (status == MNOS_OK)
        status = file_session_open(&reading, cap, 65536);
    if (status == MNOS_OK)
        status = file_open(&reading, NULL, "read", 0, FILE_READ_RIGHT, &read_file);
    return status == MNOS_OK ? file_lock(&read_file, &lock) : status;
}

/* Whether a file that another session holds locked cannot be locked. */
static bool is_locked(void)
{
    struct file_lock lock = {.owner = 1, .bytes = 1, .kind = FILE_LOCK_EXCLUSIVE};
    struct file file;
    bool locked = false;

    if (file_open(&mounts.root, NULL, path_of("read"), 0, FILE_WRITE_RIGHT, &file) != MNOS_OK)
        return false;
    locked = file_lock(&file, &lock) == MNOS_ERR_AGAIN;
    (void)!file_close(&file);
    return locked;
}

static const char *state_of(const struct file *file, uint8_t seed)
{
    uint64_t count = 0;
    mnos_status_t status = file_read(file, 0, found, sizeof found, &count);

    fill(seed);
    if (status == MNOS_ERR_LOST)
        return "lost";
    return status == MNOS_OK && count == BYTES && memcmp(found, bytes, BYTES) == 0 ? "kept"
                                                                                   : "wrong";
}

/* What was synced is there, whatever became of the sessions. */
static bool synced_is_there(uint8_t seed)
{
    struct file file;
    mnos_status_t status = MNOS_ERR_LOST;
    bool there;

    /* The second time with a session that has begun anew. */
    for (unsigned i = 0; i < 2 && status == MNOS_ERR_LOST; i++)
        status = file_open(&mounts.root, NULL, path_of("read"), 0, FILE_READ_RIGHT, &file);
    there = status == MNOS_OK && strcmp(state_of(&file, seed), "kept") == 0;
    if (status == MNOS_OK)
        (void)!file_close(&file);
    return there;
}

static bool begin(void)
{
    const char *arguments = bootstrap_arguments(), *space = strchr(arguments, ' ');
    struct file file;
    mnos_status_t status;

    if (space == NULL || (size_t)(space - arguments) >= sizeof service)
        return false;
    memcpy(service, arguments, (size_t)(space - arguments));
    string_copy(where, space + 1, sizeof where);
    status = file_mounts_open(&mounts, bootstrap_cap("files"), 65536);
    if (status == MNOS_OK)
        status = write_synced("read", 1, &file);
    if (status == MNOS_OK)
        status = write_synced("written", 2, &written_file);
    if (status == MNOS_OK)
        status = open_reading();
    if (status == MNOS_OK)
        status = write_bytes(&written_file, 3);
    if (status != MNOS_OK)
        log_error(status, "begin");
    return status == MNOS_OK;
}

/* The next run may not have been started yet, since nobody has waited for it. */
static mnos_status_t end_service(void)
{
    uint64_t end = deadline_after_ns(ROW_NS);
    mnos_status_t status;

    do {
        status = manager_command(MANAGER_FAULT, service);
        if (status == MNOS_ERR_STATE)
            sleep_until(deadline_after_ns(1000000));
    } while (status == MNOS_ERR_STATE && kinfo_time_ns() < end);
    return status;
}

int main(void)
{
    uint64_t last = 0;

    if (!begin())
        return 1;
    for (unsigned i = 1; i <= FAULTS; i++) {
        const char *read, *written;
        uint64_t now = kinfo_time_ns();

        if (i != 1 && now - last > ROW_NS) {
            log_line("too slow");
            return 0;
        }
        last = now;
        if (end_service() != MNOS_OK)
            return 2;
        read = state_of(&read_file, 1);
        written = state_of(&written_file, 3);
        log_line("fault %u: read %s, written %s, %s, synced %s", i, read, written,
                 is_locked() ? "locked" : "not locked", synced_is_there(1) ? "there" : "gone");
    }
    return 0;
}
