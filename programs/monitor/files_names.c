// SPDX-License-Identifier: MIT
/* files_names - the commands that make and remove names: rm, mkdir, rmdir, ln. */
#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"

static void with_path(const struct words *words,
                      mnos_status_t (*operation)(struct file_session *session, const char *path))
{
    struct file_session *session = files_session(words->word[0]);
    static char path[FILES_PATH_BYTES];
    mnos_status_t status;

    if (session == NULL || !files_path(words->word[0], words->word[1], path))
        return;
    status = operation(session, path);
    if (status != MNOS_OK)
        files_failed(status, words->word[0], words->word[1]);
}

void command_rm(const struct words *words)
{
    with_path(words, file_unlink);
}

void command_mkdir(const struct words *words)
{
    with_path(words, file_make_directory);
}

void command_rmdir(const struct words *words)
{
    with_path(words, file_remove_directory);
}

void command_ln(const struct words *words)
{
    static char to[FILES_PATH_BYTES], path[FILES_PATH_BYTES];
    bool symbolic = strcmp(words->word[1], "-s") == 0;
    struct file_session *session;
    mnos_status_t status;

    if (symbolic != (words->count == 4)) {
        console_print("usage: ln [-s] TO PATH\n");
        return;
    }
    session = files_session("ln");
    if (session == NULL || !files_path("ln", words->word[words->count - 1], path))
        return;
    if (symbolic)
        status = file_symlink(session, words->word[2], path);
    else if (files_path("ln", words->word[1], to))
        status = file_link(session, to, path);
    else
        return;
    if (status != MNOS_OK)
        files_failed(status, "ln", words->word[words->count - 1]);
}
