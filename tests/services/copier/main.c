// SPDX-License-Identifier: MIT
/*
 * main - a client for tests: works on files in a directory of its own, while a second thread kills the service
 * that has them. Its arguments: how often, which service ("tmpfs"), and how many requests are answered
 * at most between two kills (0: none is waited for). Each request must succeed exactly once: a name that is made may not
 * be there already, one that is removed must be, and bytes that are appended come where the file ended.
 *
 * How many requests are answered in a time depends on the machine, so kills are spread over the requests of the first
 * rounds, which have one of each kind, and these are done in any case.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/thread.h"
#include "lib/mnos/time.h"

#define BYTES 40000u
#define TAIL_BYTES 100u
#define LARGE_BYTES (5u << 19) /* more than a piece of the region, and than is freed in one step */
#define LARGE_PART 65536u
#define ROUNDS_LEAST 5u
/* Of these rounds, or a few less: 15 in each, 42 for a large file, and 86 for making it smaller. */
#define REQUESTS_LEAST 200u
#define STACK_PAGES 4
#define PRIORITY_KILLER                                                                            \
    30 /* above the service's, so that it strikes in the middle on one core, too */

static struct file_session session, exported; /* the second: the directory alone, handed on */
static _Atomic bool over;
static _Atomic unsigned answered;
static unsigned kills, failures, rounds;

static uint8_t pattern(uint64_t round, uint64_t at)
{
    return (uint8_t)(round * 31 + at * 7 + (at >> 8));
}

static bool worked(mnos_status_t status, const char *what)
{
    answered++;
    if (status == MNOS_OK)
        return true;
    failures++;
    log_error(status, what);
    return false;
}

/* What the arguments say. */
static struct {
    uint64_t kills, requests;
    char service[MNOS_NAME_BYTES];
} wanted = {.service = "tmpfs"};

static const char *read_number(const char *at, uint64_t *number)
{
    for (*number = 0; *at >= '0' && *at <= '9'; at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    return *at == ' ' ? at + 1 : at;
}

static void read_arguments(void)
{
    const char *at = read_number(bootstrap_arguments(), &wanted.kills);
    size_t length = 0;

    if (*at == 0)
        return;
    while (*at != 0 && *at != ' ' && length + 1 < sizeof wanted.service)
        wanted.service[length++] = *at++;
    wanted.service[length] = 0;
    if (*at == ' ')
        (void)read_number(at + 1, &wanted.requests);
}

static void kill_again_and_again(void *)
{
    uint64_t seed = 1;
    unsigned before = 0;

    while (kills < wanted.kills) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        sleep_until(deadline_after_ns(1000000 + (seed >> 33) % 4000000));
        while (answered - before < (wanted.requests == 0 ? 0 : (seed >> 40) % wanted.requests) ||
               answered < kills * REQUESTS_LEAST / wanted.kills)
            sleep_until(deadline_after_ns(500000));
        before = answered;
        if (manager_command(MANAGER_KILL, wanted.service) == MNOS_OK)
            kills++;
    }
    over = true;
}

static void write_all(uint64_t round)
{
    static uint8_t bytes[BYTES];
    uint64_t count = 0, offset = 0;
    struct file file;

    for (uint64_t i = 0; i < BYTES; i++)
        bytes[i] = pattern(round, i);
    if (!worked(file_open(&session, NULL, "copier/new", FILE_CREATE | FILE_EXCLUSIVE,
                          FILE_READ_RIGHT | FILE_WRITE_RIGHT, &file),
                "make a file"))
        return;
    if (worked(file_write(&file, 0, bytes, BYTES, &count), "write") && count != BYTES)
        (void)worked(MNOS_ERR_SIZE, "write all");
    if (worked(file_append(&file, bytes, TAIL_BYTES, &offset), "append") && offset != BYTES)
        (void)worked(MNOS_ERR_SIZE, "append at the end");
    (void)worked(file_close(&file), "close");
}

static void read_all(struct file_session *from, uint64_t round, const char *path)
{
    static uint8_t bytes[BYTES + TAIL_BYTES + 1];
    uint64_t count = 0;
    struct file file;

    if (!worked(file_open(from, NULL, path, 0, FILE_READ_RIGHT, &file), "open"))
        return;
    if (worked(file_read(&file, 0, bytes, sizeof bytes, &count), "read")) {
        bool same = count == BYTES + TAIL_BYTES;

        for (uint64_t i = 0; same && i < count; i++)
            same = bytes[i] == pattern(round, i < BYTES ? i : i - BYTES);
        if (!same)
            (void)worked(MNOS_ERR_FORMAT, "read what was written");
    }
    (void)worked(file_close(&file), "close");
}

/* Each 8 bytes say where they are. */
static void write_large(void)
{
    static uint64_t words[LARGE_PART / 8];
    uint64_t count = 0;
    struct file file;

    if (!worked(file_open(&session, NULL, "copier/large", FILE_CREATE | FILE_EXCLUSIVE,
                          FILE_WRITE_RIGHT, &file),
                "make a large file"))
        return;
    for (uint64_t at = 0; at < LARGE_BYTES && failures == 0; at += LARGE_PART) {
        for (uint64_t i = 0; i < LARGE_PART / 8; i++)
            words[i] = at / 8 + i;
        if (worked(file_write(&file, at, words, LARGE_PART, &count), "write a large file") &&
            count != LARGE_PART)
            (void)worked(MNOS_ERR_SIZE, "write all of a large file");
    }
    (void)worked(file_close(&file), "close");
}

static void check_large(struct file *file, uint64_t bytes)
{
    static uint64_t words[LARGE_PART / 8];
    uint64_t count = 0;

    for (uint64_t at = 0; at < LARGE_BYTES && failures == 0; at += LARGE_PART) {
        if (!worked(file_read(file, at, words, LARGE_PART, &count), "read a large file"))
            return;
        for (uint64_t i = 0; i < count / 8 && failures == 0; i++) {
            if (words[i] != at / 8 + i)
                (void)worked(MNOS_ERR_FORMAT, "read what was written");
        }
        if (count != (at < bytes ? LARGE_PART : 0))
            (void)worked(MNOS_ERR_SIZE, "read all of a large file");
    }
}

static void shrink_large(void)
{
    struct file file;

    if (!worked(
            file_open(&session, NULL, "copier/large", 0, FILE_READ_RIGHT | FILE_WRITE_RIGHT, &file),
            "open a large file"))
        return;
    check_large(&file, LARGE_BYTES);
    (void)worked(file_truncate(&file, LARGE_PART), "make a large file smaller");
    check_large(&file, LARGE_PART);
    (void)worked(file_close(&file), "close");
}

static void one_round(uint64_t round)
{
    char kept[32];

    mnos_snprintf(kept, sizeof kept, "copier/kept%u", (unsigned)(round % 4));
    if (round % 8 == 1)
        write_large();
    if (round % 8 == 3)
        shrink_large();
    if (round % 8 == 5)
        (void)worked(file_unlink(&session, "copier/large"), "remove a large file");
    write_all(round);
    (void)worked(file_link(&session, "copier/new", "copier/other"), "link");
    (void)worked(file_rename(&session, "copier/new", kept), "rename");
    read_all(&session, round, kept);
    read_all(&exported, round, "other");
    (void)worked(file_unlink(&session, "copier/other"), "unlink");
    (void)worked(file_make_directory(&session, "copier/directory"), "mkdir");
    (void)worked(file_remove_directory(&session, "copier/directory"), "rmdir");
}

/* A session below the program's own, which every run of the service goes on with, too. */
static mnos_status_t open_exported(void)
{
    struct file directory;
    mnos_cap_t cap;
    mnos_status_t status =
        file_open(&session, NULL, "copier", 0, FILE_LOOKUP | FILE_READ_RIGHT, &directory);

    if (status == MNOS_OK)
        status = file_export(&directory, FILE_LOOKUP | FILE_READ_RIGHT, &cap);
    return status != MNOS_OK ? status : file_session_open(&exported, cap, 65536);
}

int main(void)
{
    mnos_status_t opened = file_session_open(&session, bootstrap_cap("files"), 65536), made;
    struct thread killer;

    read_arguments();
    made = opened == MNOS_OK ? file_make_directory(&session, "copier") : MNOS_OK;
    if (!worked(opened, "open the session") ||
        !worked(made == MNOS_ERR_EXISTS ? MNOS_OK : made, "make the directory") ||
        !worked(open_exported(), "hand the directory on") ||
        !worked(thread_create(&killer, "killer", kill_again_and_again, NULL, STACK_PAGES,
                              PRIORITY_KILLER, MNOS_AFFINITY_ANY),
                "begin to kill"))
        return 1;
    while ((!over || rounds < ROUNDS_LEAST) && failures == 0)
        one_round(rounds++);
    for (unsigned i = 0; i < 4 && i < rounds && failures == 0; i++) {
        char kept[32];

        mnos_snprintf(kept, sizeof kept, "copier/kept%u", (rounds - 1 - i) % 4);
        read_all(&session, rounds - 1 - i, kept);
    }
    /* For the next time. */
    if (failures == 0 && rounds > 1 && (rounds - 1) % 8 >= 1 && (rounds - 1) % 8 < 5)
        (void)worked(file_unlink(&session, "copier/large"), "remove a large file");
    log_line("%u kills, %u failures, %s", kills, failures,
             rounds > 4 ? "more than 4 rounds" : "few rounds");
    return 0;
}
