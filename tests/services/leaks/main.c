// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: leaves bytes wherever a file system lets it, or looks for those of another client. Its
 * arguments: what to do, and where, such as "leave /tmp".
 *
 *   leave  fills its window and files with a pattern; removes some, makes some shorter, syncs some
 *   look   looks into a window that it is given, and makes files that have to read as zeros but for a few bytes; a second
 *          time, when they are there already, it only reads them
 *   old    gives a session up and touches what it has mapped of it, which has to be the end of this program
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"

#define WINDOW_BYTES FILE_WINDOW_BYTES_MAX
#define PART_BYTES 65536u
#define FILE_BYTES (1u << 20)
#define FILES 6u
#define KEPT_BYTES 100u /* of files that were made shorter */
#define STRIDE 4099u    /* one byte so often: in each page and block, at another place */
#define PATTERN 0xA5u
#define OWN 0x17u
#define TURNS 200u

static struct file_mounts mounts;
static struct file_session *const files = &mounts.root;
static char at[64];
static uint8_t part[PART_BYTES];
static uint32_t failed;

static bool worked(mnos_status_t status, const char *what)
{
    if (status == MNOS_OK)
        return true;
    failed++;
    log_error(status, what);
    return false;
}

static const char *name_of(const char *what, unsigned number)
{
    static char path[128];

    mnos_snprintf(path, sizeof path, "%s/leaks-%s-%u", at, what, number);
    return path;
}

static bool open_file(const char *what, unsigned number, uint32_t flags, struct file *file)
{
    return worked(file_open(files, NULL, name_of(what, number), flags,
                            FILE_READ_RIGHT | FILE_WRITE_RIGHT, file),
                  "open a file");
}

/* ---- Leaving ---- */

static void write_pattern(const struct file *file)
{
    uint64_t count = 0;

    memset(part, PATTERN, sizeof part);
    for (uint32_t i = 0; i < FILE_BYTES; i += PART_BYTES) {
        if (worked(file_write(file, i, part, PART_BYTES, &count), "write") && count != PART_BYTES)
            (void)worked(MNOS_ERR_FULL, "write all");
    }
}

/* The session of the file system, and with it the window that its service shares. */
static struct file_session *session_there(void)
{
    struct file file;
    struct file_session *session;

    if (!worked(file_open(files, NULL, at, FILE_ONLY_DIRECTORY, FILE_LOOKUP, &file),
                "open the directory"))
        return NULL;
    session = file.session;
    (void)!file_close(&file);
    return session;
}

static void leave(void)
{
    struct file_session *session = session_there();
    struct file file;

    for (unsigned i = 0; i < FILES && session != NULL; i++) {
        if (!open_file("removed", i, FILE_CREATE, &file))
            return;
        write_pattern(&file);
        if (i % 2 == 0)
            (void)worked(file_sync(&file), "sync");
        (void)worked(file_close(&file), "close");
        if (!open_file("cut", i, FILE_CREATE, &file))
            return;
        write_pattern(&file);
        if (i % 2 == 0)
            (void)worked(file_sync(&file), "sync");
        (void)worked(file_truncate(&file, KEPT_BYTES), "truncate");
        (void)worked(file_close(&file), "close");
    }
    for (unsigned i = 0; i < FILES; i++)
        (void)worked(file_unlink(files, name_of("removed", i)), "remove");
    if (session != NULL)
        memset(session->window, PATTERN, session->window_bytes);
    log_line("left at %s, %u failed", at, failed);
}

/* ---- Looking ---- */

static uint64_t others; /* bytes that are neither zero nor this program's own */

/* `own`: one byte at each STRIDE is. The first `kept` bytes belong to the file. */
static void look_at(const struct file *file, uint64_t bytes, bool own, uint64_t kept)
{
    for (uint64_t from = 0; from < bytes; from += PART_BYTES) {
        uint64_t count = 0;

        if (!worked(file_read(file, from, part, PART_BYTES, &count), "read") || count == 0)
            return;
        for (uint64_t i = 0; i < count; i++) {
            uint64_t place = from + i;

            if (place >= kept && part[i] != (own && place % STRIDE == 0 ? OWN : 0))
                others++;
        }
    }
}

static void look_at_window(void)
{
    struct file_session *session = session_there();

    for (uint64_t i = 0; session != NULL && i < session->window_bytes; i++)
        others += session->window[i] != 0;
    if (session != NULL && session->window_bytes == 0)
        (void)worked(MNOS_ERR_SIZE, "have a window");
}

static void make_sparse(const struct file *file)
{
    static const uint8_t own = OWN;
    uint64_t count;

    for (uint64_t i = 0; i < FILE_BYTES; i += STRIDE)
        (void)worked(file_write(file, i, &own, 1, &count), "write a byte");
}

static void look_at_files(bool again)
{
    struct file file;

    for (unsigned i = 0; i < FILES; i++) {
        if (!open_file("long", i, FILE_CREATE, &file))
            return;
        if (!again)
            (void)worked(file_truncate(&file, FILE_BYTES), "make a file longer");
        look_at(&file, FILE_BYTES, false, 0);
        (void)worked(file_close(&file), "close");
        if (!open_file("sparse", i, FILE_CREATE, &file))
            return;
        if (!again)
            make_sparse(&file);
        look_at(&file, FILE_BYTES, true, 0);
        (void)worked(file_close(&file), "close");
        if (!open_file("cut", i, 0, &file))
            return;
        if (!again)
            (void)worked(file_truncate(&file, FILE_BYTES),
                         "make a file longer that was made shorter");
        look_at(&file, FILE_BYTES, false, KEPT_BYTES);
        (void)worked(file_close(&file), "close");
    }
}

static void look(void)
{
    struct file_attr attr;
    bool again = file_stat(files, name_of("long", 0), 0, &attr) == MNOS_OK;

    look_at_window();
    look_at_files(again);
    (void)worked(file_sync_all(session_there()), "sync");
    log_line("looked %s at %s: %llu bytes of others, %u failed", again ? "again" : "first", at,
             (unsigned long long)others, failed);
}

/* ---- Old mappings ---- */

static void old(void)
{
    static struct file_session session;
    struct file directory;
    struct file_attr attr;
    mnos_cap_t cap = 0;

    if (!worked(file_open(files, NULL, at, FILE_ONLY_DIRECTORY, FILE_LOOKUP | FILE_READ_RIGHT,
                          &directory),
                "open the directory") ||
        !worked(file_export(&directory, FILE_LOOKUP | FILE_READ_RIGHT, &cap), "export it") ||
        !worked(file_session_open(&session, cap, 0), "open its session"))
        return;
    memset(session.window, PATTERN, session.window_bytes);
    log_line("has a window of %llu bytes", (unsigned long long)session.window_bytes);
    (void)worked(sys_cap_delete(cap), "give the session up");
    /* The service learns of it before it answers all of these. */
    for (unsigned i = 0; i < TURNS; i++)
        (void)worked(file_stat(files, at, 0, &attr), "look");
    log_line("still reads 0x%x", *(volatile uint8_t *)session.window);
}

int main(void)
{
    const char *arguments = bootstrap_arguments(), *where = strchr(arguments, ' ');
    bool is_old = strncmp(arguments, "old", 3) == 0; /* with a second window */

    if (where == NULL ||
        !worked(file_mounts_open(&mounts, bootstrap_cap("files"), is_old ? 0 : WINDOW_BYTES),
                "open a session"))
        return 1;
    string_copy(at, where + 1, sizeof at);
    if (strncmp(arguments, "leave", 5) == 0)
        leave();
    else if (is_old)
        old();
    else
        look();
    return failed != 0;
}
