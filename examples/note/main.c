// SPDX-License-Identifier: MIT
/* main - note: adds a line to the file `notes` of the directory that it was given, and shows them all. */
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"

BOOTSTRAP_LAUNCHED;

#define LINE_BYTES 80

enum { EXIT_DONE = 0, EXIT_FAILED = 1 };

/* The words of the command line but the first, as one line; its length. What is longer is cut. */
static size_t read_line(char line[LINE_BYTES])
{
    const char *word;
    size_t length = 0;

    for (uint32_t i = 1; (word = bootstrap_argument(i)) != NULL; i++) {
        if (length != 0 && length < LINE_BYTES - 1)
            line[length++] = ' ';
        while (*word != 0 && length < LINE_BYTES - 1)
            line[length++] = *word++;
    }
    if (length != 0)
        line[length++] = '\n';
    return length;
}

static mnos_status_t show(const struct file *file)
{
    char bytes[512];
    uint64_t at = 0, count = 1;
    mnos_status_t status = MNOS_OK;

    while (count != 0 && status == MNOS_OK) {
        status = file_read(file, at, bytes, sizeof bytes, &count);
        if (status == MNOS_OK)
            out_write(bytes, count);
        at += count;
    }
    return status;
}

static mnos_status_t run(struct file_session *files)
{
    char line[LINE_BYTES];
    size_t length = read_line(line);
    struct file file;
    uint64_t where;
    uint32_t rights = length == 0 ? FILE_READ_RIGHT : FILE_READ_RIGHT | FILE_WRITE_RIGHT;
    mnos_status_t status =
        file_open(files, NULL, "notes", length == 0 ? 0 : FILE_CREATE, rights, &file);

    if (status != MNOS_OK)
        return status;
    if (length != 0)
        status = file_append(&file, line, length, &where);
    if (status == MNOS_OK)
        status = show(&file);
    (void)!file_close(&file);
    return status;
}

int main(void)
{
    static struct file_session files;
    mnos_cap_t directory = bootstrap_find("files");
    mnos_status_t status = MNOS_ERR_HANDLE;

    if (directory != 0)
        status = file_session_open(&files, directory, 0);
    if (status == MNOS_OK)
        status = run(&files);
    if (directory == 0)
        out_print("note: no directory was given; try `with files=/tmp:rwc`\n");
    else if (status != MNOS_OK)
        out_failed(status, "notes");
    out_flush();
    return status == MNOS_OK ? EXIT_DONE : EXIT_FAILED;
}
