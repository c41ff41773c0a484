// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: opens files, hands directories on and sets locks, each until it is refused, says how many it
 * got, and holds them until it is ended. Its argument is where, such as /tmp; "/" is the root of all, of which there are no
 * files and no locks.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"

/* More than any service has of them, so that one that refuses nothing is seen. */
#define TRIES 6000u

static struct file_mounts mounts;

struct result {
    unsigned count;
    mnos_status_t status;
};

static struct result open_until_refused(void)
{
    struct result result = {0, MNOS_OK};
    struct file file;

    while (result.count < TRIES && result.status == MNOS_OK) {
        result.status = file_open(&mounts.root, NULL, bootstrap_arguments(), FILE_ONLY_DIRECTORY,
                                  FILE_LOOKUP, &file);
        result.count += result.status == MNOS_OK;
    }
    return result;
}

static struct result export_until_refused(const struct file *directory)
{
    struct result result = {0, MNOS_OK};
    mnos_cap_t cap;

    while (result.count < TRIES && result.status == MNOS_OK) {
        result.status = file_export(directory, FILE_LOOKUP, &cap);
        result.count += result.status == MNOS_OK;
    }
    return result;
}

static struct result lock_until_refused(const struct file *file)
{
    struct result result = {0, MNOS_OK};

    while (result.count < TRIES && result.status == MNOS_OK) {
        struct file_lock lock = {
            .owner = 1, .first = result.count * 2ull, .bytes = 1, .kind = FILE_LOCK_EXCLUSIVE};

        result.status = file_lock(file, &lock);
        result.count += result.status == MNOS_OK;
    }
    return result;
}

static int mint_roots(void)
{
    struct file root;
    struct result exported;
    mnos_status_t status =
        file_open(&mounts.root, NULL, "/", FILE_ONLY_DIRECTORY, FILE_LOOKUP, &root);

    if (status != MNOS_OK) {
        log_error(status, "open /");
        return 1;
    }
    exported = export_until_refused(&root);
    log_line("%u exported, then %u; is held", exported.count, exported.status);
    sleep_until(MNOS_DEADLINE_NEVER);
    return 0;
}

int main(void)
{
    struct file directory, file;
    struct result opened, exported, locked;
    char path[96];
    mnos_status_t status = file_mounts_open(&mounts, bootstrap_cap("files"), 0);

    if (status == MNOS_OK && strcmp(bootstrap_arguments(), "/") == 0)
        return mint_roots();
    mnos_snprintf(path, sizeof path, "%s/mints", bootstrap_arguments());
    if (status == MNOS_OK)
        status = file_open(&mounts.root, NULL, bootstrap_arguments(), FILE_ONLY_DIRECTORY,
                           FILE_LOOKUP | FILE_READ_RIGHT, &directory);
    if (status == MNOS_OK)
        status = file_open(&mounts.root, NULL, path, FILE_CREATE, FILE_WRITE_RIGHT, &file);
    if (status != MNOS_OK) {
        log_error(status, "begin");
        return 1;
    }
    exported = export_until_refused(&directory);
    locked = lock_until_refused(&file);
    opened = open_until_refused();
    log_line("%u exported, then %u; %u locked, then %u; %u opened, then %u; is held",
             exported.count, exported.status, locked.count, locked.status, opened.count,
             opened.status);
    sleep_until(MNOS_DEADLINE_NEVER);
    return 0;
}
