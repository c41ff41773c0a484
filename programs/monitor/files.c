// SPDX-License-Identifier: MIT
/* files - see files.h; and the commands cd and pwd. */
#include "programs/monitor/files.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/mounts.h"
#include "programs/monitor/path.h"

#define WINDOW_BYTES 65536u

static struct file_mounts mounts;
static bool is_open;
/* An absolute path without `.` and `..`: where the last `cd` led. */
static char directory[FILES_PATH_BYTES] = "/";

void files_failed(mnos_status_t status, const char *command, const char *path)
{
    char what[96];

    mnos_snprintf(what, sizeof what, "%s%s%s", command, path[0] != 0 ? " " : "", path);
    console_error(status, what);
    mounts_explain(path);
    if (status == MNOS_ERR_LOST)
        console_print("The file system there was unmounted, or its service was started again and "
                      "knows nothing of what it held before.\n");
}

struct file_session *files_session(const char *command)
{
    mnos_cap_t service = bootstrap_find("files");
    mnos_status_t status;

    if (service == 0) {
        console_print("%s: this monitor has no capability \"files\"\n", command);
        return NULL;
    }
    if (is_open)
        return &mounts.root;
    status = file_mounts_open(&mounts, service, WINDOW_BYTES);
    if (status != MNOS_OK) {
        files_failed(status, command, "");
        return NULL;
    }
    is_open = true;
    return &mounts.root;
}

struct file_mounts *files_mounts(void)
{
    return &mounts;
}

bool files_path(const char *command, const char *typed, char path[FILES_PATH_BYTES])
{
    int length;

    if (typed[0] == '/')
        length = mnos_snprintf(path, FILES_PATH_BYTES, "%s", typed);
    else
        length = mnos_snprintf(path, FILES_PATH_BYTES, "%s%s%s", directory,
                               directory[1] == 0 ? "" : "/", typed);
    if (length < (int)FILES_PATH_BYTES)
        return true;
    console_print("%s: the path is longer than %u bytes\n", command, FILE_PATH_BYTES_MAX);
    return false;
}

/* ---- The current directory ---- */

void command_cd(const struct words *words)
{
    struct file_session *session = files_session("cd");
    static char path[FILES_PATH_BYTES];
    struct file opened;
    mnos_status_t status;

    if (session == NULL || !files_path("cd", words->count > 1 ? words->word[1] : "/", path))
        return;
    path_make_plain(path);
    status = file_open(session, NULL, path, FILE_ONLY_DIRECTORY, FILE_LOOKUP, &opened);
    if (status != MNOS_OK) {
        files_failed(status, "cd", path);
        return;
    }
    (void)!file_close(&opened);
    string_copy(directory, path, sizeof directory);
}

void command_pwd(const struct words *)
{
    console_print("%s\n", directory);
}
