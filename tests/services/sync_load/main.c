// SPDX-License-Identifier: MIT
/*
 * main - a client for tests of a file system that loses what was not synced when its service dies, and says so: writes files and
 * syncs them, reads back those that were synced, and holds one open in a session of its own that only reads, while a second
 * thread ends the service. MNOS_ERR_LOST is allowed to who has written, and never to who only reads; any other error is a
 * failure, as is a byte of what was synced that is another. Its arguments: how often, which service, and where, such as
 * "10 fat.0 /fat".
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/thread.h"
#include "lib/mnos/time.h"

#define FILES 4u
#define BYTES 30000u
#define MADE 16u
#define ROUNDS_BETWEEN 3u /* at most, between two kills */
#define STACK_PAGES 4
#define PRIORITY_KILLER                                                                            \
    30 /* above the service's, so that it strikes in the middle on one core, too */

static struct file_mounts mounts;
static struct file_session reading;
static struct file held;
static char where[64], service[MNOS_NAME_BYTES];
static unsigned wanted, kills, lost, failures, synced_count;
static _Atomic unsigned rounds;
static _Atomic bool over;
static unsigned synced[FILES]; /* the round of what was synced last, plus 1; 0: none */
static uint8_t bytes[BYTES], found[BYTES + 1];

static bool read_arguments(void)
{
    const char *at = bootstrap_arguments();
    size_t length = 0;

    for (; *at >= '0' && *at <= '9'; at++)
        wanted = wanted * 10 + (unsigned)(*at - '0');
    while (*at == ' ')
        at++;
    for (; *at != 0 && *at != ' ' && length + 1 < sizeof service; at++)
        service[length++] = *at;
    string_copy(where, *at == 0 ? at : at + 1, sizeof where);
    return wanted != 0 && where[0] != 0;
}

static bool failed(mnos_status_t status, const char *what)
{
    failures++;
    log_error(status, what);
    return false;
}

/* Of who has written: it may have been lost. */
static bool worked(mnos_status_t status, const char *what)
{
    if (status == MNOS_OK)
        return true;
    if (status != MNOS_ERR_LOST)
        return failed(status, what);
    lost++;
    return false;
}

static void fill(unsigned round)
{
    for (uint32_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8) + round * 31);
}

static const char *name_of(unsigned number)
{
    static char path[128];

    mnos_snprintf(path, sizeof path, "%s/synced-%u", where, number);
    return path;
}

/* What was synced has another name then, in the place of what had it before. */
static const char *moved_name_of(unsigned number)
{
    static char path[128];

    mnos_snprintf(path, sizeof path, "%s/moved-to-another-name-%u", where, number);
    return path;
}

static mnos_status_t write_file(unsigned round)
{
    struct file file;
    uint64_t count = 0;
    mnos_status_t status = file_open(&mounts.root, NULL, name_of(round % FILES),
                                     FILE_CREATE | FILE_TRUNCATE_FIRST, FILE_WRITE_RIGHT, &file);

    synced[round % FILES] = 0;
    fill(round);
    if (status == MNOS_OK)
        status = file_write(&file, 0, bytes, BYTES, &count);
    if (status == MNOS_OK && count != BYTES)
        status = MNOS_ERR_FULL;
    if (status == MNOS_OK)
        status = file_sync(&file);
    if (status == MNOS_OK)
        status = file_close(&file);
    if (status == MNOS_OK)
        status = file_rename(&mounts.root, name_of(round % FILES), moved_name_of(round % FILES));
    if (status == MNOS_OK) {
        synced[round % FILES] = round + 1;
        synced_count++;
    }
    return status;
}

static mnos_status_t compare(const struct file *file, unsigned round)
{
    uint64_t count = 0;
    mnos_status_t status = file_read(file, 0, found, sizeof found, &count);

    fill(round);
    if (status == MNOS_OK && (count != BYTES || memcmp(found, bytes, BYTES) != 0))
        status = MNOS_ERR_FORMAT;
    return status;
}

static void read_synced(unsigned number)
{
    struct file file;
    mnos_status_t status;

    if (synced[number] == 0)
        return;
    status = file_open(&mounts.root, NULL, moved_name_of(number), 0, FILE_READ_RIGHT, &file);
    if (status == MNOS_OK)
        status = compare(&file, synced[number] - 1);
    if (status == MNOS_OK)
        status = file_close(&file);
    (void)worked(status, "read what was synced");
}

static mnos_status_t on_made(unsigned number,
                             mnos_status_t (*call)(struct file_session *session, const char *path))
{
    char path[128];

    mnos_snprintf(path, sizeof path, "%s/made-%u", where, number);
    return call(&mounts.root, path);
}

static mnos_status_t look(struct file_session *session, const char *path)
{
    struct file_attr attr;

    return file_stat(session, path, 0, &attr);
}

/* Names that were made are there, or their maker is told that they were lost. */
static void make_and_look(void)
{
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < MADE && status == MNOS_OK; i++) {
        status = on_made(i, file_make_directory);
        if (status == MNOS_ERR_EXISTS) /* it was not lost, when another one was */
            status = MNOS_OK;
    }
    for (unsigned i = 0; i < MADE && status == MNOS_OK; i++)
        status = on_made(i, look);
    for (unsigned i = 0; i < MADE && status == MNOS_OK; i++)
        status = on_made(i, file_remove_directory);
    (void)worked(status, "make directories and find them");
}

static void kill_again_and_again(void *)
{
    uint64_t seed = 1;

    while (kills < wanted) {
        unsigned before = rounds;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        while (rounds - before < (seed >> 40) % (ROUNDS_BETWEEN + 1))
            sleep_until(deadline_after_ns(200000));
        sleep_until(deadline_after_ns((seed >> 33) % 20000000));
        kills += manager_command(MANAGER_KILL, service) == MNOS_OK;
    }
    over = true;
}

/* A file of its own, and the directory as a session that only reads, which has it open all the time. */
static bool begin(void)
{
    char path[128];
    struct file file, directory;
    uint64_t count = 0;
    mnos_cap_t cap = 0;
    mnos_status_t status = file_mounts_open(&mounts, bootstrap_cap("files"), 65536);

    mnos_snprintf(path, sizeof path, "%s/held", where);
    fill(0);
    if (status == MNOS_OK)
        status = file_open(&mounts.root, NULL, path, FILE_CREATE, FILE_WRITE_RIGHT, &file);
    if (status == MNOS_OK)
        status = file_write(&file, 0, bytes, BYTES, &count);
    if (status == MNOS_OK)
        status = file_sync(&file);
    if (status == MNOS_OK)
        status = file_close(&file);
    if (status == MNOS_OK)
        status = file_open(&mounts.root, NULL, where, FILE_ONLY_DIRECTORY,
                           FILE_LOOKUP | FILE_READ_RIGHT, &directory);
    if (status == MNOS_OK)
        status = file_export(&directory, FILE_LOOKUP | FILE_READ_RIGHT, &cap);
    if (status == MNOS_OK)
        status = file_session_open(&reading, cap, 65536);
    if (status == MNOS_OK)
        status = file_open(&reading, NULL, "held", 0, FILE_READ_RIGHT, &held);
    return status == MNOS_OK || failed(status, "begin");
}

int main(void)
{
    struct thread killer;
    mnos_status_t status;

    if (!read_arguments() || !begin() ||
        thread_create(&killer, "killer", kill_again_and_again, NULL, STACK_PAGES, PRIORITY_KILLER,
                      MNOS_AFFINITY_ANY) != MNOS_OK)
        return 1;
    while (!over && failures == 0) {
        (void)worked(write_file(rounds), "write and sync");
        make_and_look();
        status = compare(&held, 0);
        if (status != MNOS_OK)
            (void)failed(status, "read what is held open");
        read_synced((unsigned)(rounds * 7 % FILES));
        rounds++;
    }
    (void)file_sync_all(
        held.session); /* who has lost something is told by this, or by nothing any more */
    for (unsigned i = 0; i < FILES; i++)
        read_synced(i);
    log_line("%u kills, %u rounds, %u synced, %u times lost, %u failures", kills, rounds,
             synced_count, lost, failures);
    return failures != 0;
}
