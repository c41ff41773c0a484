// SPDX-License-Identifier: MIT
/*
 * main - a program for tests: writes what it was called with and what its bootstrap table has into the file "report"
 * of the directory that it was given as "files", and waits to be looked at when the last word is "stay". The word
 * "write" makes it write to its own code, and "large" makes it write a file of that name, of 16 MiB.
 * With "news" it does nothing but wait at its endpoint until a service has been started again, and with "hand" nothing
 * but hand that endpoint to whoever receives at "to".
 */
#include "abi/inspect.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "protocols/manager.h"

BOOTSTRAP_LAUNCHED;

#define LARGE_BYTES (16ull << 20)

enum {
    EXIT_SESSION = 1,
    EXIT_FILE = 2,
    EXIT_WRITE = 3,
    EXIT_MAPPED = 4,
    EXIT_NEWS = 5,
    EXIT_HAND = 6
};

static struct file_session files;

static char report[4096];
static size_t report_bytes;

static void add(const char *label, const char *text)
{
    int bytes =
        mnos_snprintf(report + report_bytes, sizeof report - report_bytes, "%s %s\n", label, text);

    report_bytes += (size_t)bytes;
}

static int write_report(void)
{
    struct file file;
    uint64_t count;

    if (file_session_open(&files, bootstrap_find("files"), 0) != MNOS_OK)
        return EXIT_SESSION;
    if (file_open(&files, NULL, "report", FILE_CREATE, FILE_WRITE_RIGHT, &file) != MNOS_OK)
        return EXIT_FILE;
    return file_write(&file, 0, report, report_bytes, &count) == MNOS_OK ? 0 : EXIT_WRITE;
}

/* Each 8 bytes are their place in the file. */
static int write_large(void)
{
    static uint64_t chunk[4096];
    struct file file;
    uint64_t count;

    if (file_open(&files, NULL, "large", FILE_CREATE, FILE_WRITE_RIGHT, &file) != MNOS_OK)
        return EXIT_FILE;
    for (uint64_t at = 0; at < LARGE_BYTES; at += sizeof chunk) {
        for (unsigned i = 0; i < sizeof chunk / sizeof chunk[0]; i++)
            chunk[i] = at + i * sizeof chunk[0];
        if (file_write(&file, at, chunk, sizeof chunk, &count) != MNOS_OK || count != sizeof chunk)
            return EXIT_WRITE;
    }
    return 0;
}

/* Each capability to memory that it has: none of them may let it write what it executes. */
static bool code_can_be_written(void)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;

    for (uint64_t at = 0; sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_CAP, at, &size) == MNOS_OK;
         at = MNOS_HANDLE_INDEX(info->handle) + 1) {
        if (info->type == MNOS_TYPE_MEMORY &&
            (info->rights & (MNOS_RIGHT_WRITE | MNOS_RIGHT_EXECUTE)) ==
                (MNOS_RIGHT_WRITE | MNOS_RIGHT_EXECUTE))
            return true;
    }
    return false;
}

static int wait_for_news(void)
{
    struct message message = {0};

    if (ipc_receive(bootstrap_find("events"), &message, MNOS_DEADLINE_NEVER) != MNOS_OK)
        return EXIT_NEWS;
    return message.kind == MNOS_KIND_EVENTS &&
                   (message.words[0] & MANAGER_EVENT_PEER_RESTARTED) != 0
               ? 0
               : EXIT_NEWS;
}

static int hand_endpoint(void)
{
    struct message message = {0};

    message_put(&message, 0, NULL, 0);
    message_add_cap(&message, bootstrap_find("events"), MNOS_RIGHT_WRITE);
    return ipc_call(bootstrap_find("to"), &message, MNOS_DEADLINE_NEVER) == MNOS_OK ? 0 : EXIT_HAND;
}

int main(void)
{
    const struct mnos_bootstrap *table = bootstrap_table();
    const char *last = "";
    int code;

    for (uint32_t i = 0; bootstrap_argument(i) != NULL; i++)
        add("argument", last = bootstrap_argument(i));
    for (uint32_t i = 0; i < table->entry_count; i++)
        add("given", table->entries[i].name);
    if (strcmp(last, "news") == 0)
        return wait_for_news();
    if (strcmp(last, "later") == 0 && wait_for_news() == 0)
        *(volatile uint8_t *)(uintptr_t)main = 0;
    if (strcmp(last, "hand") == 0)
        return hand_endpoint();
    if (code_can_be_written())
        return EXIT_MAPPED;
    code = write_report();
    if (code == 0 && strcmp(last, "large") == 0)
        code = write_large();
    if (strcmp(last, "write") == 0)
        *(volatile uint8_t *)(uintptr_t)main = 0;
    while (strcmp(last, "stay") == 0)
        sleep_until(MNOS_DEADLINE_NEVER);
    return code;
}
