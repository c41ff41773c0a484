// SPDX-License-Identifier: MIT
/*
 * main - a program for tests that locks a file, by its argument:
 *
 *   hold  sets an exclusive lock and keeps it until this process is ended
 *   try   says whether it can be set now
 *   wait  waits until it is set, says so, and ends
 */
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"

static struct file_session files;

int main(void)
{
    const char *what = bootstrap_arguments();
    struct file_lock lock = {.owner = 1, .first = 10, .bytes = 10, .kind = FILE_LOCK_EXCLUSIVE};
    struct file file;
    mnos_status_t status = file_session_open(&files, bootstrap_cap("files"), 0);

    if (status == MNOS_OK)
        status = file_open(&files, NULL, "locked", FILE_CREATE, FILE_WRITE_RIGHT, &file);
    if (status != MNOS_OK) {
        log_error(status, "open the file");
        return 1;
    }
    if (strcmp(what, "wait") == 0)
        lock.flags = FILE_LOCK_WAIT;
    log_line("begins");
    log_line("lock: %u", file_lock(&file, &lock));
    if (strcmp(what, "hold") == 0)
        sleep_until(MNOS_DEADLINE_NEVER - 1);
    return 0;
}
