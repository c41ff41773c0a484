// SPDX-License-Identifier: MIT
/*
 * main.c - runs the tests, prints one line for each through the kernel log, and ends QEMU with the
 * result.
 */
#include <stdatomic.h>

#include "abi/inspect.h"
#include "lib/libmnos/bootstrap.h"
#include "lib/libmnos/format.h"
#include "lib/libmnos/string.h"
#include "lib/libmnos/syscall.h"
#include "lib/libmnos/time.h"
#include "tests/guest/guest.h"
#include "tests/guest/scene.h"

/* QEMU's isa-debug-exit: it ends with exit code 2 * value + 1. */
#define EXIT_PORT 0xF4
#define EXIT_VALUE_PASS 0x10
#define EXIT_VALUE_FAIL 0x11

#define LINE_BYTES 220
#define REASON_BYTES 150
/* Memory that other cores have still to release is given back within this time. */
#define SETTLE_NS 500000000ull

extern const struct guest_test __start_guest_tests[];
extern const struct guest_test __stop_guest_tests[];

static char reason[REASON_BYTES]; /* of the running test; empty: no check has failed */
static _Atomic bool failed;

__attribute__((format(printf, 1, 2))) static void print(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    mnos_vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    memcpy(ipc_buffer()->data, line, strlen(line));
    (void)!sys_debug_write(bootstrap_cap("log"), strlen(line));
}

/* ---- checks; any thread of the process may call them ---- */

__attribute__((format(printf, 3, 4))) static bool fail(const char *file, int line,
                                                       const char *format, ...)
{
    const char *name = file;
    va_list arguments;
    int length;

    if (atomic_exchange(&failed, true))
        return false;
    for (const char *c = file; *c != '\0'; c++)
        if (*c == '/')
            name = c + 1;
    length = mnos_snprintf(reason, sizeof reason, "%s line %d, ", name, line);
    va_start(arguments, format);
    mnos_vsnprintf(reason + length, sizeof reason - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

bool check(bool ok, const char *text, const char *file, int line)
{
    return ok || fail(file, line, "%s", text);
}

bool check_eq(uint64_t left, uint64_t right, const char *text, const char *file, int line)
{
    return left == right || fail(file, line, "%s, it is 0x%llx, not 0x%llx", text,
                                 (unsigned long long)left, (unsigned long long)right);
}

bool check_ok(mnos_status_t status, const char *text, const char *file, int line)
{
    uint64_t last = ipc_buffer()->reserved[2];

    return status == MNOS_OK || fail(file, line, "%s gives status %u, argument %u", text, status,
                                     MNOS_DETAIL_ARGUMENT(last));
}

bool check_fails(mnos_status_t status, mnos_status_t wanted, unsigned argument, unsigned detail,
                 const char *text, const char *file, int line)
{
    uint64_t last = ipc_buffer()->reserved[2];

    if (status != wanted)
        return fail(file, line, "%s gives status %u, not %u", text, status, wanted);
    if (MNOS_DETAIL_ARGUMENT(last) != argument)
        return fail(file, line, "%s names argument %u, not %u", text, MNOS_DETAIL_ARGUMENT(last),
                    argument);
    if (MNOS_DETAIL_RIGHTS(last) != detail)
        return fail(file, line, "%s tells detail 0x%x, not 0x%x", text, MNOS_DETAIL_RIGHTS(last),
                    detail);
    return true;
}

bool check_failed(void)
{
    return atomic_load(&failed);
}

/* ---- running ---- */

static bool accounts_equal(const struct mnos_process_info *a, const struct mnos_process_info *b)
{
    return a->frames_used == b->frames_used && a->bytes_used == b->bytes_used &&
           a->cap_count == b->cap_count && a->thread_count == b->thread_count;
}

/* Whether the account comes to be as `before`. */
static bool account_settles(const struct mnos_process_info *before, struct mnos_process_info *after)
{
    uint64_t deadline = kinfo_time_ns() + SETTLE_NS;

    for (;;) {
        *after = process_info(MNOS_SELF);
        if (accounts_equal(before, after))
            return true;
        if (kinfo_time_ns() >= deadline)
            return false;
        sleep_ns(1000000);
    }
}

/* Page tables and pages of the capability table stay for the next one who needs them: what a test
 * takes when it runs for the first time counts only if a second run takes it again. */
static void run(const struct guest_test *test)
{
    struct mnos_process_info before, after = {0};

    atomic_store(&failed, false);
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        before = process_info(MNOS_SELF);
        test->run();
        if (check_failed() || account_settles(&before, &after))
            return;
    }
    fail("account", 0, "frames %+lld, bytes %+lld, capabilities %+lld, threads %+lld",
         (long long)(after.frames_used - before.frames_used),
         (long long)(after.bytes_used - before.bytes_used),
         (long long)(after.cap_count - before.cap_count),
         (long long)(after.thread_count - before.thread_count));
}

static void sentence_of(const struct guest_test *test, char *out, size_t size)
{
    string_copy(out, test->sentence, size);
    for (char *c = out; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
}

static bool run_and_report(const struct guest_test *test)
{
    char sentence[100];

    sentence_of(test, sentence, sizeof sentence);
    run(test);
    if (check_failed())
        print("FAIL %s, %s: %s", test->suite, sentence, reason);
    else
        print("ok %s, %s", test->suite, sentence);
    return !check_failed();
}

static void leave(bool passed)
{
    uint8_t value = passed ? EXIT_VALUE_PASS : EXIT_VALUE_FAIL;

    (void)!sys_mem_map(MNOS_SELF, bootstrap_cap("ports"), 0, EXIT_PORT, 1,
                       MNOS_MAP_READ | MNOS_MAP_WRITE);
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"((uint16_t)EXIT_PORT));
}

/* `only=SUITE` on the command line leaves out the other suites. */
static bool is_wanted(const struct guest_test *test)
{
    static const char only[] = "only=";
    const size_t length = sizeof only - 1;

    for (const char *c = bootstrap_arguments(); *c != '\0'; c++)
        if (strncmp(c, only, length) == 0)
            return strncmp(c + length, test->suite, strlen(test->suite)) == 0;
    return true;
}

int main(void)
{
    unsigned passed = 0, count = 0;

    for (const struct guest_test *test = __start_guest_tests; test != __stop_guest_tests; test++) {
        if (!is_wanted(test))
            continue;
        passed += run_and_report(test);
        count++;
    }
    print("%u passed, %u failed", passed, count - passed);
    leave(passed == count && count != 0);
    return 1;
}
