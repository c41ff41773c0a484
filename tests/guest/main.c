// SPDX-License-Identifier: MIT
/*
 * main.c - runs the tests, prints one line for each through the kernel log, and ends QEMU with the
 * result.
 */
#include "abi/inspect.h"
#include "abi/log.h"
#include "lib/mnos/bootstrap.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "tests/guest/claim.h"
#include "tests/guest/guest.h"
#include "tests/guest/output.h"
#include "tests/guest/scene.h"

extern const struct guest_test __start_guest_tests[];
extern const struct guest_test __stop_guest_tests[];

/* For what a first run takes and a second does not; it gives back nothing. */
#define SETTLE_NS 300000000ull
#define ATTEMPTS_MAX 4

/* ---- running ---- */

static bool accounts_equal(const struct mnos_process_info *a, const struct mnos_process_info *b)
{
    return a->frames_used == b->frames_used && a->bytes_used == b->bytes_used &&
           a->cap_count == b->cap_count && a->thread_count == b->thread_count;
}

/* Nothing is more than before: an earlier run had not given everything back yet when this one began. */
static bool account_shrank(const struct mnos_process_info *before,
                           const struct mnos_process_info *after)
{
    return after->frames_used <= before->frames_used && after->bytes_used <= before->bytes_used &&
           after->cap_count <= before->cap_count && after->thread_count <= before->thread_count;
}

/* Whether the account comes to be as `before`: other cores may have memory still to release. */
static bool account_settles(const struct mnos_process_info *before, struct mnos_process_info *after,
                            uint64_t deadline)
{
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
 * takes when it runs for the first time counts only if a second run takes it again. A busy host can be late with what
 * the first one gives back, so that the second begins with too much: then there is another. */
static void run(const struct guest_test *test)
{
    struct mnos_process_info before, after = {0};

    check_begin();
    for (unsigned attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        before = process_info(MNOS_SELF);
        test->run();
        if (check_failed() ||
            account_settles(&before, &after, attempt == 0 ? kinfo_time_ns() + SETTLE_NS : soon()))
            return;
        if (attempt != 0 && !account_shrank(&before, &after))
            break;
    }
    check_fail("account", 0, "frames %lld, bytes %lld, capabilities %lld, threads %lld",
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
        print("FAIL %s, %s: %s", test->suite, sentence, check_reason());
    else
        print("ok %s, %s", test->suite, sentence);
    return !check_failed();
}

/* `only=SUITE` on the command line leaves out the other suites. */
static const char *only_suite(void)
{
    static const char only[] = "only=";
    const size_t length = sizeof only - 1;

    for (const char *c = bootstrap_arguments(); *c != '\0'; c++)
        if (strncmp(c, only, length) == 0)
            return c + length;
    return NULL;
}

static bool is_wanted(const struct guest_test *test)
{
    const char *only = only_suite();
    size_t length = strlen(test->suite);

    return only == NULL || (strncmp(only, test->suite, length) == 0 &&
                            (only[length] == '\0' || only[length] == ' '));
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
    if (only_suite() == NULL) /* claims of suites that did not run show nothing */
        claims_report(&passed, &count);
    (void)!sys_debug_write(bootstrap_cap("log"), 0,
                           MNOS_LOG_INFO); /* what a measuring kernel has to tell */
    print("%u passed, %u failed", passed, count - passed);
    machine_leave(passed == count && count != 0);
    return 1;
}
