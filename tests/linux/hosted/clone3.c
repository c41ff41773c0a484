// SPDX-License-Identifier: MIT
/*
 * clone3 - a static program with the C library, for tests/system/test_linux_threads.py: what clone3() refuses, and the processes
 * that it makes; a line each.
 */
#include "tests/linux/hosted/threads.h"

#include <linux/sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What a later Linux may know beside its arguments. */
struct longer {
    struct clone_args arguments;
    uint64_t more[4];
};

static long clone3(const void *arguments, size_t bytes)
{
    long result = syscall(SYS_clone3, arguments, bytes);

    return result < 0 ? -errno : result;
}

static void test_refused(void)
{
    static char stack[4096];
    static const struct {
        const char *what;
        struct clone_args arguments;
    } wrong[] = {
        {"a signal in the flags", {.flags = SIGCHLD}},
        {"no signal", {.exit_signal = 65}},
        {"flags that are none", {.flags = 1ull << 40}},
        {"a thread alone", {.flags = CLONE_THREAD}},
        {"a thread with a signal",
         {.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD}},
        {"a detached thread", {.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_DETACHED}},
        {"handlers that are cleared together",
         {.flags = CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND}},
        {"a stack of no size", {.stack = (uintptr_t)stack}},
        {"a size of no stack", {.stack_size = sizeof stack}},
        {"a stack that wraps", {.stack = (uintptr_t)stack, .stack_size = UINT64_MAX}},
        {"more ids than there can be", {.set_tid = (uintptr_t)stack, .set_tid_size = 33}},
        {"no ids", {.set_tid = (uintptr_t)stack}},
        {"ids of nowhere", {.set_tid_size = 1}},
    };
    struct longer longer = {.more = {0, 0, 0, 1}};

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        tell(wrong[i].what, clone3(&wrong[i].arguments, sizeof wrong[i].arguments));
    tell("too little", clone3(&longer, 63));
    tell("too much", clone3(&longer, 4097));
    tell("more than is known", clone3(&longer, sizeof longer));
    tell("from nowhere", clone3((void *)1, sizeof(struct clone_args)));
}

static void caught(int signal)
{
    (void)signal;
}

/* Which of three signals have the handler that they had. */
static int handlers(void)
{
    struct sigaction one, two, three;

    sigaction(SIGUSR1, NULL, &one);
    sigaction(SIGUSR2, NULL, &two);
    sigaction(SIGTERM, NULL, &three);
    return (one.sa_handler == caught) | (two.sa_handler == SIG_IGN) << 1 |
           (three.sa_handler == SIG_DFL) << 2;
}

static long make(uint64_t flags, size_t bytes)
{
    pid_t here = -1, there = -1;
    struct longer longer = {.arguments = {.flags = flags | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                                          .parent_tid = (uintptr_t)&here,
                                          .child_tid = (uintptr_t)&there,
                                          .exit_signal = SIGCHLD}};
    long pid = clone3(&longer, bytes);
    int status;

    if (pid == 0)
        _exit(handlers() | (there == (pid_t)syscall(SYS_getpid)) << 3);
    if (pid < 0)
        return pid;
    if (waitpid((pid_t)pid, &status, 0) != pid || here != (pid_t)pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

static void test_processes(void)
{
    signal(SIGUSR1, caught);
    signal(SIGUSR2, SIG_IGN);
    tell("a process", make(0, sizeof(struct clone_args)));
    tell("with the oldest arguments", make(0, CLONE_ARGS_SIZE_VER0));
    tell("with arguments that are not known", make(0, sizeof(struct longer)));
    tell("with handlers that are cleared", make(CLONE_CLEAR_SIGHAND, sizeof(struct clone_args)));
    tell("its parent has them", handlers());
}

static void *number(void *argument)
{
    return argument;
}

int main(void)
{
    test_refused();
    test_processes();
    tell("a thread", join(start(number, (void *)7)));
    tell("a process beside a thread", make(0, sizeof(struct clone_args)));
    return 0;
}
