/* SPDX-License-Identifier: MIT */
/*
 * unit.c - runs the registered tests, each in a child process, and reports one line per test.
 *
 * Usage: unit-tests [GROUP]...   (all groups without an argument)
 * The last line is "N passed, N failed"; the exit status is 0 when nothing failed.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

enum {
    TEST_LIMIT_SECONDS = 60,
    EXIT_FAILED = 1,
    EXIT_PANICKED = 77, /* no sanitizer and no libc uses this one */
};

static struct unit_test *tests;
static struct unit_test **last_test = &tests;
static bool current_failed;
static bool panic_expected;

/* Frames and objects of the simulated machine live until the process ends: not leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

void unit_register(struct unit_test *test)
{
    *last_test = test;
    last_test = &test->next;
}

static void report(const char *text, const char *file, int line)
{
    current_failed = true;
    printf("%s:%d: check failed: %s", file, line, text);
}

void unit_check(bool ok, const char *text, const char *file, int line)
{
    if (ok)
        return;
    report(text, file, line);
    printf("\n");
}

void unit_check_eq(uint64_t left, uint64_t right, const char *text, const char *file, int line)
{
    if (left == right)
        return;
    report(text, file, line);
    printf("\n    left  %lld (0x%llx)\n    right %lld (0x%llx)\n", (long long)left,
           (unsigned long long)left, (long long)right, (unsigned long long)right);
}

void unit_check_ptr(const void *left, const void *right, const char *text, const char *file,
                    int line)
{
    if (left == right)
        return;
    report(text, file, line);
    printf("\n    left  %p\n    right %p\n", left, right);
}

void unit_check_str(const char *left, const char *right, const char *text, const char *file,
                    int line)
{
    if (left == right || (left && right && strcmp(left, right) == 0))
        return;
    report(text, file, line);
    printf("\n    left  \"%s\"\n    right \"%s\"\n", left ? left : "(null)",
           right ? right : "(null)");
}

/* Forks with the output flushed, so that nothing is printed twice. */
static pid_t fork_child(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(EXIT_FAILED);
    }
    return child;
}

static int wait_for(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        continue;
    return status;
}

static void end_child(int code)
{
    fflush(stdout);
    _exit(code);
}

bool unit_panic_begin(const char *text, const char *file, int line)
{
    pid_t child = fork_child();

    if (child == 0) {
        panic_expected = true;
        return true;
    }
    int status = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_PANICKED)
        return false;
    report(text, file, line);
    printf(" did not panic\n");
    return false;
}

void unit_panic_missed(void)
{
    end_child(EXIT_FAILED);
    __builtin_unreachable();
}

void host_panic(const char *message)
{
    if (!panic_expected) {
        printf("panic: %s\n", message);
        fflush(stdout);
        __sanitizer_print_stack_trace();
    }
    end_child(panic_expected ? EXIT_PANICKED : EXIT_FAILED);
    __builtin_unreachable();
}

/* Runs one test; returns what went wrong, or NULL. */
static const char *run_test(const struct unit_test *test)
{
    pid_t child = fork_child();

    if (child == 0) {
        alarm(TEST_LIMIT_SECONDS);
        test->run();
        end_child(current_failed ? EXIT_FAILED : 0);
    }
    int status = wait_for(child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? "took too long" : strsignal(WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? NULL : "see above";
}

static bool wanted(const struct unit_test *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], test->group) == 0)
            return true;
    return argc == 1;
}

static void print_sentence(const struct unit_test *test)
{
    printf(" %s: ", test->group);
    for (const char *c = test->name; *c; c++)
        putchar(*c == '_' ? ' ' : *c);
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;

    for (const struct unit_test *test = tests; test; test = test->next) {
        if (!wanted(test, argc, argv))
            continue;
        const char *problem = run_test(test);
        printf(problem ? "FAIL" : "ok");
        print_sentence(test);
        if (problem)
            printf(": %s", problem);
        printf("\n");
        problem ? failed++ : passed++;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? EXIT_FAILED : 0;
}
