// SPDX-License-Identifier: MIT
/*
 * main - writes the tour's facts while somebody reads them: the directory, when it was read last, and the loop. See README.md.
 */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "services/facts/facts.h"

#define PERIOD_NS 2000000000ull
/* For so long after a file was opened somebody reads: who asks each PERIOD_NS may be late. */
#define READING_NS 5000000000ull
#define EVENT_OPENED 1u
#define BADGE_FILES 1u

enum { EXIT_PAGE = 1, EXIT_FILES = 2, EXIT_WRITE = 3 };

static struct file_session files;
static struct file directory;
static mnos_cap_t endpoint;

static mnos_status_t watch(void)
{
    return file_watch_opens(&directory, endpoint, BADGE_FILES, EVENT_OPENED);
}

/* In a session that is new, or has begun anew. */
static mnos_status_t begin(const char *page, size_t page_size)
{
    struct message told = {0};
    mnos_status_t status = facts_write_fixed(&files, page, page_size);

    if (status == MNOS_OK)
        status = facts_write(&files);
    if (status == MNOS_OK)
        status = file_open(&files, NULL, ".", 0, FILE_LOOKUP, &directory);
    if (status == MNOS_OK)
        status = watch();
    if (status == MNOS_OK) /* who begins to watch is told once, of nothing */
        (void)!ipc_receive(endpoint, &told, MNOS_DEADLINE_POLL);
    return status;
}

/* Returns what has gone wrong. Idle, nothing wakes it. */
static mnos_status_t serve(void)
{
    uint64_t written_ns = kinfo_time_ns(), read_ns = 0, due_ns = MNOS_DEADLINE_NEVER;

    for (;;) {
        struct message message = {0};
        mnos_status_t status = ipc_receive(endpoint, &message, due_ns);
        uint64_t now_ns = kinfo_time_ns();

        if (status == MNOS_OK && message.kind == MNOS_KIND_CLIENT_GONE) {
            status = watch(); /* by the next run of the file system */
        } else if (status == MNOS_OK && message.kind == MNOS_KIND_EVENTS) {
            read_ns = now_ns;
            if (due_ns == MNOS_DEADLINE_NEVER)
                due_ns = written_ns + PERIOD_NS;
        }
        if (status != MNOS_OK && status != MNOS_ERR_DEADLINE)
            return status;
        if (now_ns < due_ns)
            continue;
        status = facts_write(&files);
        if (status != MNOS_OK)
            return status;
        written_ns = now_ns;
        due_ns = now_ns - read_ns < READING_NS ? now_ns + PERIOD_NS : MNOS_DEADLINE_NEVER;
    }
}

int main(void)
{
    mnos_status_t status;
    uint64_t pages;
    void *page;

    status = memory_map_all(bootstrap_cap("tour_page"), MNOS_MAP_READ, &page, &pages);
    if (status == MNOS_OK)
        status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &endpoint);
    if (status != MNOS_OK)
        return log_failure(status, "get its page", EXIT_PAGE);
    status = file_session_open(&files, bootstrap_cap("files"), 0);
    if (status != MNOS_OK)
        return log_failure(status, "open the directory", EXIT_FILES);
    do {
        status = begin(page, pages * MNOS_PAGE_BYTES);
        if (status == MNOS_OK)
            status = serve();
    } while (status == MNOS_ERR_LOST); /* the file system knows nothing of it any more */
    return log_failure(status, "write the facts", EXIT_WRITE);
}
