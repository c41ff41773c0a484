// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: reads a file through a view, again and again, until there is a file "view-stop" beside it, while
 * the service is ended. It repeats nothing. Of each part that it is lent it keeps a copy and a mapping of its own, as a client
 * would that will not let go, and looks whether they outlive the view. Its argument: where.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file_view.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/lent.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

#define PAGES 48u
#define READS_AT_ONCE 500u
/* It is lent hundreds a second, and the log has room for a thousand lines. */
#define BETWEEN_LINES_NS 100000000u

static struct file_mounts mounts;
static struct file file;
static struct file_view view;
static uint32_t reads, views, failed, different, outlived;
static uint64_t *kept;        /* one page of what was lent last */
static uint64_t number, told; /* of the last view, and of the last that the log has */

static bool worked(mnos_status_t status, const char *what)
{
    if (status == MNOS_OK)
        return true;
    failed++;
    log_error(status, what);
    return false;
}

static const char *path_of(const char *name)
{
    static char path[64];

    mnos_snprintf(path, sizeof path, "%s/%s", bootstrap_arguments(), name);
    return path;
}

static void fill(uint8_t *page, uint32_t at)
{
    for (uint32_t i = 0; i < MNOS_PAGE_BYTES; i++)
        page[i] = (uint8_t)(i * 7 + at * 29) | 1;
}

static bool begin(void)
{
    uint8_t page[MNOS_PAGE_BYTES];
    uint64_t count;

    if (!worked(file_mounts_open(&mounts, bootstrap_cap("files"), 0), "open a session") ||
        !worked(file_open(&mounts.root, NULL, path_of("view"), FILE_CREATE | FILE_TRUNCATE_FIRST,
                          FILE_READ_RIGHT | FILE_WRITE_RIGHT, &file),
                "open the file"))
        return false;
    for (uint32_t i = 0; i < PAGES; i++) {
        fill(page, i);
        (void)worked(file_write(&file, (uint64_t)i * MNOS_PAGE_BYTES, page, sizeof page, &count),
                     "write");
    }
    file_view_open(&view, &file);
    return failed == 0;
}

/* A new view: what was kept of the one before has gone with it. */
static void keep(void)
{
    mnos_cap_t copy;
    void *address;

    if (view.number == 0 || view.number == number)
        return;
    views++;
    number = view.number;
    if (number - told >= BETWEEN_LINES_NS) {
        log_line("is lent a view at %llu ns", (unsigned long long)number); /* lib/server/lend.c */
        told = number;
    }
    if (kept != NULL) {
        outlived += lent_word(kept) != 0;
        memory_unmap(kept, 1);
        kept = NULL;
    }
    if (view.memory != 0 &&
        worked(sys_cap_create(MNOS_CREATE_COPY, view.memory, MNOS_RIGHT_READ, 0, 0, &copy),
               "copy what was lent") &&
        worked(memory_map(copy, 0, 1, MNOS_MAP_READ, &address), "map it"))
        kept = address;
}

static void read_some(void)
{
    uint8_t page[MNOS_PAGE_BYTES], wanted[MNOS_PAGE_BYTES];
    struct file_attr attr;
    uint64_t count;

    for (uint32_t i = 0; i < READS_AT_ONCE; i++, reads++) {
        uint32_t at = reads / 8 % PAGES;

        if (!worked(file_view_read(&view, (uint64_t)at * sizeof page, page, sizeof page, &count),
                    "read"))
            continue;
        fill(wanted, at);
        different += count != sizeof page || memcmp(page, wanted, sizeof page) != 0;
        keep();
        if (worked(file_view_attributes(&view, &attr), "ask for attributes"))
            different += attr.size != sizeof page * PAGES;
    }
}

int main(void)
{
    struct file_attr attr;

    if (!begin())
        return 1;
    log_line("reads %s", path_of("view"));
    while (file_stat(&mounts.root, path_of("view-stop"), 0, &attr) == MNOS_ERR_NOT_FOUND)
        read_some();
    log_line("%u reads, %u views, %u failed, %u different, %u outlived their view", reads, views,
             failed, different, outlived);
    return failed != 0 || different != 0 || outlived != 0;
}
