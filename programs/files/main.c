// SPDX-License-Identifier: MIT
/* main - the commands about files, one program: the first word says which. See README.md. */
#include "lib/base/string.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"
#include "programs/files/files.h"

BOOTSTRAP_LAUNCHED;

#define PATHS_MAX 2

static const struct {
    const char *name;
    bool (*run)(void);
} commands[] = {
    {"ls", files_ls},       {"cat", files_cat},   {"cp", files_cp},
    {"mv", files_mv},       {"rm", files_rm},     {"mkdir", files_mkdir},
    {"rmdir", files_rmdir}, {"ln", files_ln},     {"write", files_write},
    {"stat", files_stat},   {"find", files_find}, {"hexdump", files_hexdump},
};

bool files_good(mnos_status_t status, const struct files_path *path)
{
    if (status != MNOS_OK)
        out_failed(status, path->text);
    return status == MNOS_OK;
}

bool files_path(struct bootstrap_name cap, uint32_t index, uint64_t window_bytes,
                struct files_path *path)
{
    static struct file_mounts sessions[PATHS_MAX];
    static unsigned used;

    *path = (struct files_path){bootstrap_argument(index), bootstrap_argument(index + 1), NULL};
    if (path->name == NULL || used == PATHS_MAX || bootstrap_lookup(cap) == 0) {
        out_print("%s: it was called without \"%s\"\n", bootstrap_argument(0), cap.text);
        return false;
    }
    /* The root of all that is mounted leads on; any other session is all there is. */
    path->session = &sessions[used].root;
    return files_good(file_mounts_open(&sessions[used++], bootstrap_lookup(cap), window_bytes),
                      path);
}

int main(void)
{
    const char *name = bootstrap_argument(0);
    int code = FILES_EXIT_CALL;

    if (name == NULL)
        return code;
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            code = commands[i].run() ? FILES_EXIT_DONE : FILES_EXIT_FAILED;
    }
    if (code == FILES_EXIT_CALL)
        out_print("%s: there is no such command\n", name);
    out_flush();
    return code;
}
