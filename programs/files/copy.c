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

/* Copies what `from` names to `to`, over what is there; `target` stays open. `before` is what it was when the copy began:
 * bytes that are written there meanwhile make it newer than its copy. */
static bool copy(const struct files_path *from, const struct files_path *to, struct file *target,
                 struct file_attr *before)
{
    struct file source;
    mnos_status_t status = file_open(from->session, NULL, from->name, 0, FILE_READ_RIGHT, &source);

    if (status == MNOS_OK && source.type == FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK)
        status = file_attributes(&source, before);
    if (!files_good(status, from))
        return false;
    status = file_open(to->session, NULL, to->name, to->name[0] != 0 ? FILE_CREATE : 0,
                       FILE_WRITE_RIGHT, target);
    if (status == MNOS_OK)
        status = file_truncate(target, 0);
    return files_good(status, to) && copy_bytes(&source, from, target, to);
}

/* The copy is as old as what it was made of. False: it is not, which was told. */
static bool keep_date(const struct files_path *to, const struct file *target,
                      const struct file_attr *before)
{
    bool kept = files_good(file_set_time(target, 0, before->modified_ns), to);

    if (!kept)
        out_print("The copy is whole, and has the date of now.\n");
    return kept;
}

/* cp TEXT NAME TEXT NAME, and "from" and "to"; with a further word "-p" the copy keeps the date, or has failed. */
bool files_cp(void)
{
    const char *keep = bootstrap_argument(5);
    struct files_path from, to;
    struct file_attr before;
    struct file target;

    return files_path(BOOTSTRAP_OPTIONAL("from"), 1, WINDOW_BYTES, &from) &&
           files_path(BOOTSTRAP_OPTIONAL("to"), 3, WINDOW_BYTES, &to) &&
           copy(&from, &to, &target, &before) &&
           (keep == NULL || strcmp(keep, "-p") != 0 || keep_date(&to, &target, &before));
}

/* ---- mv ---- */

/* mv TEXT NAME TEXT NAME, and "from"; with "to" as well the second path is in another file system, and gets a copy with the
 * same date, which is safe before the name here goes. That a file system takes no date ends no move. */
bool files_mv(void)
{
    struct files_path from, to = {bootstrap_argument(3), bootstrap_argument(4), NULL};
    struct file_attr before;
    struct file target;

    if (!files_path(BOOTSTRAP_OPTIONAL("from"), 1, WINDOW_BYTES, &from) || to.name == NULL)
        return false;
    if (bootstrap_find("to") == 0)
        return files_good(file_rename(from.session, from.name, to.name), &from);
    if (!files_path(BOOTSTRAP_OPTIONAL("to"), 3, WINDOW_BYTES, &to) ||
        !copy(&from, &to, &target, &before))
        return false;
    (void)keep_date(&to, &target, &before);
    return files_good(file_sync(&target), &to) &&
           files_good(file_unlink(from.session, from.name), &from);
}
