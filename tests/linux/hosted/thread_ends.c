// SPDX-License-Identifier: MIT
/*
 * thread_ends - a static program with the C library, for tests/system/test_linux_threads.py: threads that are cancelled, get signals,
 * make copies of the process, and end it; a line each. The same file runs on the host, and is to say the same there.
 */
#include "tests/linux/hosted/threads.h"

#include <sys/wait.h>

static atomic_int stage, caught;
static int ends[2];

/* Until another thread has come as far. */
static void wait_stage(int wanted)
{
    while (atomic_load(&stage) != wanted)
        pause_ms(1);
}

/* ---- Cancelling ---- */

static void note(void *argument)
{
    atomic_store((atomic_int *)argument, 1);
}

static void *read_for_ever(void *argument)
{
    char byte;

    pthread_cleanup_push(note, argument);
    atomic_store(&stage, 1);
    while (read(ends[0], &byte, 1) != 1)
        ;
    pthread_cleanup_pop(0);
    return NULL;
}

static void *compute_for_ever(void *argument)
{
    volatile long rounds = 0;

    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    atomic_store((atomic_int *)argument, 2);
    for (;;)
        rounds++;
    return NULL;
}

static void test_cancel(void)
{
    atomic_int noted = 0;
    pthread_t thread;

    tell("a pipe", pipe(ends));
    thread = start(read_for_ever, &noted);
    wait_stage(1);
    pause_ms(5);
    tell("a reader is cancelled", pthread_cancel(thread));
    tell("and ends so", join(thread) == (long)PTHREAD_CANCELED);
    tell("after it has cleaned up", noted);
    thread = start(compute_for_ever, &stage);
    wait_stage(2);
    tell("one that computes is cancelled", pthread_cancel(thread));
    tell("and ends so", join(thread) == (long)PTHREAD_CANCELED);
    close(ends[0]);
    close(ends[1]);
}

/* ---- Signals ---- */

static pthread_t catcher;

static void note_signal(int signal)
{
    (void)signal;
    catcher = pthread_self();
    atomic_fetch_add(&caught, 1);
}

static void *compute_until_caught(void *argument)
{
    int before = atomic_load(&caught);

    (void)argument;
    atomic_store(&stage, 3);
    while (atomic_load(&caught) == before)
        ;
    return (void *)(long)pthread_equal(catcher, pthread_self());
}

static void *wait_for_signal(void *argument)
{
    int signal = 0;

    sigwait(argument, &signal);
    return (void *)(long)signal;
}

static void *nothing(void *argument)
{
    return argument;
}

static void test_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t set, old;
    pthread_t thread;

    sigaction(SIGUSR1, &action, NULL);
    atomic_store(&stage, 0);
    thread = start(compute_until_caught, NULL);
    wait_stage(3);
    tell("a signal for one that computes", pthread_kill(thread, SIGUSR1));
    tell("is that one's", join(thread));
    atomic_store(&stage, 0);
    thread = start(compute_until_caught, NULL);
    wait_stage(3);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    tell("one for the process, which the first blocks", kill(getpid(), SIGUSR1));
    tell("is the other's", join(thread));
    thread = start(wait_for_signal, &set);
    pause_ms(5);
    tell("one that all block", kill(getpid(), SIGUSR1));
    tell("is his who waits for it", join(thread));
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    tell("handlers that have run", caught);
}

/* ---- Processes ---- */

static void *wait_for_ever(void *argument)
{
    (void)argument;
    for (;;)
        pause();
    return NULL;
}

static void *fork_one(void *argument)
{
    int status = 0;
    pid_t child = fork();

    (void)argument;
    if (child == 0)
        _exit(join(start(nothing, (void *)40L)) == 40 && getpid() == gettid() ? 6 : 1);
    waitpid(child, &status, 0);
    return (void *)(long)status;
}

static void *exit_later(void *argument)
{
    (void)argument;
    pause_ms(20);
    exit(5);
}

static void *execute(void *argument)
{
    static char again[] = "again";
    char *words[] = {argument, again, NULL};

    pause_ms(5);
    execv("/proc/self/exe", words);
    exit(9);
}

enum end { END_RETURN, END_LAST, END_KILL, END_STOP, END_EXECUTE };

/* In a process of its own, with threads that wait and one that computes. */
static void be_child(enum end end, char *name)
{
    atomic_int begun = 0;

    start(wait_for_ever, NULL);
    start(compute_for_ever, &begun);
    start(wait_for_signal, &(sigset_t){0});
    while (begun == 0)
        pause_ms(1);
    if (end == END_RETURN)
        exit(4);
    if (end == END_EXECUTE)
        start(execute, name);
    if (end == END_LAST)
        start(exit_later, NULL);
    if (end == END_LAST)
        pthread_exit(NULL);
    for (;;)
        pause();
}

static void test_end(enum end end, char *name)
{
    static const char *const names[] = {"exit while others wait", "the first ends before", "a kill",
                                        "a kill of one that is stopped", "execve by another"};
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        be_child(end, name);
    if (end == END_KILL || end == END_STOP)
        pause_ms(100);
    if (end == END_STOP) {
        kill(child, SIGSTOP);
        waitpid(child, &status, WUNTRACED);
        tell("stopped", status);
        kill(child, SIGCONT);
        pause_ms(20);
        tell("goes on", waitpid(child, &status, WNOHANG));
    }
    if (end == END_KILL || end == END_STOP)
        kill(child, SIGTERM);
    waitpid(child, &status, 0);
    tell(names[end], status);
}

int main(int count, char **words)
{
    if (count > 1) {
        tell("a program in the place of one with threads", getpid() == gettid());
        return join(start(nothing, (void *)3L)) == 3 ? 8 : 1;
    }
    test_cancel();
    test_signals();
    tell("fork by another thread", join(start(fork_one, NULL)));
    for (enum end end = END_RETURN; end <= END_EXECUTE; end++)
        test_end(end, words[0]);
    return 0;
}
