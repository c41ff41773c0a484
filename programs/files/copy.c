// SPDX-License-Identifier: MIT
/* copy - the commands that move files: cp, mv. */
#include "lib/base/string.h"
#include "lib/client/out.h"
#include "lib/client/progress.h"
#include "lib/mnos/bootstrap.h"
#include "programs/files/files.h"

#define WINDOW_BYTES 65536u
#define CHUNK_BYTES 32768u

static char chunk[CHUNK_BYTES];

/* ---- cp ---- */

/* Of the chunk. */
static mnos_status_t write_chunk(const struct file *to, uint64_t offset, uint64_t bytes)
{
    uint64_t written = 0;
    mnos_status_t status = file_write(to, offset, chunk, bytes, &written);

    return status == MNOS_OK && written != bytes ? MNOS_ERR_FULL : status;
}

/* What goes wrong is told of the path that it went wrong at. */
static bool copy_bytes(const struct file *source, const struct files_path *from,
                       const struct file *target, const struct files_path *to)
{
    struct progress progress;
    mnos_status_t read, write = MNOS_OK;
    uint64_t offset = 0, count = 0;

    progress_begin(&progress, source->size);
    do {
        offset += count;
        progress_show(&progress, offset);
        read = file_read(source, offset, chunk, CHUNK_BYTES, &count);
        if (read == MNOS_OK && count != 0)
            write = write_chunk(target, offset, count);
    } while (read == MNOS_OK && write == MNOS_OK && count != 0);
    progress_end(&progress);
    return files_good(read, from) && files_good(write, to);
}

/* Copies what `from` names to `to`, over what is there; `target` stays open. */
static bool copy(const struct files_path *from, const struct files_path *to, struct file *target)
{
    struct file source;
    mnos_status_t status = file_open(from->session, NULL, from->name, 0, FILE_READ_RIGHT, &source);

    if (status == MNOS_OK && source.type == FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_DIRECTORY;
    if (!files_good(status, from))
        return false;
    status = file_open(to->session, NULL, to->name, to->name[0] != 0 ? FILE_CREATE : 0,
                       FILE_WRITE_RIGHT, target);
    if (status == MNOS_OK)
        status = file_truncate(target, 0);
    return files_good(status, to) && copy_bytes(&source, from, target, to);
}

/* cp TEXT NAME TEXT NAME, and "from" and "to". */
bool files_cp(void)
{
    struct files_path from, to;
    struct file target;

    return files_path(BOOTSTRAP_OPTIONAL("from"), 1, WINDOW_BYTES, &from) &&
           files_path(BOOTSTRAP_OPTIONAL("to"), 3, WINDOW_BYTES, &to) && copy(&from, &to, &target);
}

/* ---- mv ---- */

/* mv TEXT NAME TEXT NAME, and "from"; with "to" as well the second path is in another file system, and gets a
 * copy, which is safe before the name here goes. */
bool files_mv(void)
{
    struct files_path from, to = {bootstrap_argument(3), bootstrap_argument(4), NULL};
    struct file target;

    if (!files_path(BOOTSTRAP_OPTIONAL("from"), 1, WINDOW_BYTES, &from) || to.name == NULL)
        return false;
    if (bootstrap_find("to") == 0)
        return files_good(file_rename(from.session, from.name, to.name), &from);
    return files_path(BOOTSTRAP_OPTIONAL("to"), 3, WINDOW_BYTES, &to) &&
           copy(&from, &to, &target) && files_good(file_sync(&target), &to) &&
           files_good(file_unlink(from.session, from.name), &from);
}
