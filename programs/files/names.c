// SPDX-License-Identifier: MIT
/* names - the commands that make and remove names: rm, mkdir, rmdir, ln. */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "programs/files/files.h"

/* rm TEXT NAME, and the directory "path" */
static bool with_path(mnos_status_t (*operation)(struct file_session *session, const char *path))
{
    struct files_path path;

    return files_path(BOOTSTRAP_OPTIONAL("path"), 1, 0, &path) &&
           files_good(operation(path.session, path.name), &path);
}

bool files_rm(void)
{
    return with_path(file_unlink);
}

bool files_mkdir(void)
{
    return with_path(file_make_directory);
}

bool files_rmdir(void)
{
    return with_path(file_remove_directory);
}

/* ln TEXT NAME OTHER, and the directory "path": another name OTHER of the file, or with a further word "-s" a
 * symbolic link with the text OTHER. Names go from "path" on. */
bool files_ln(void)
{
    const char *other = bootstrap_argument(3), *kind = bootstrap_argument(4);
    struct files_path path;

    if (!files_path(BOOTSTRAP_OPTIONAL("path"), 1, 0, &path) || other == NULL)
        return false;
    return files_good(kind != NULL && strcmp(kind, "-s") == 0
                          ? file_symlink(path.session, other, path.name)
                          : file_link(path.session, path.name, other),
                      &path);
}
