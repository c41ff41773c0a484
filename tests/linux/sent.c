// SPDX-License-Identifier: MIT
/*
 * sent - a static program of Linux, for tests/system/test_linux.py: signals for a process that computes, that only makes calls
 * which do not wait, and that is stopped in a call; a line each. The same file runs on the host, and is to say the same there.
 */
#include "tests/linux/handlers.h"

PROGRAM_START;

enum { SIGUSR1 = 10, SIGTERM = 15, SIGCONT = 18, SIGSTOP = 19 };
#define UNTRACED 2

static volatile unsigned runs;
static int32_t pipe_of_stopped[2];

static void handler(int signal)
{
    (void)signal;
    runs++;
}

static int32_t ended(int64_t child, int options)
{
    int32_t status = -1;

    return call(WAIT4, child, &status, options, 0) == child ? status : -1;
}

/* A child that has begun to do so: it has written a byte. */
static int64_t begun(void (*run)(void))
{
    int32_t ends[2];
    int64_t child;
    char byte;

    (void)call(PIPE, ends);
    child = call(FORK);
    if (child == 0) {
        (void)call(WRITE, ends[1], "x", 1);
        run();
        (void)call(EXIT, 99);
    }
    (void)call(READ, ends[0], &byte, 1);
    return child;
}

static void compute(void)
{
    for (volatile uint64_t i = 0;; i = i + 1)
        ;
}

/* All that it has is in registers, which its handler uses as well. */
static void compute_until(void)
{
    uint64_t count = 0, twice = 0, sum = 0;

    while (runs == 0) {
        count++;
        twice += 2;
        sum += twice - count;
    }
    (void)call(EXIT, twice == 2 * count && sum == count * (count + 1) / 2 ? 7 : 8);
}

static void call_on(void)
{
    for (;;)
        (void)call(GETPID);
}

static void read_two(void)
{
    char bytes[3];

    (void)call(EXIT, call(READ, pipe_of_stopped[0], bytes, sizeof bytes) == 2 ? 5 : 6);
}

void start(void)
{
    static const uint64_t moment[2] = {0, 100000000};
    int64_t child = begun(compute);

    (void)call(KILL, child, SIGTERM);
    tell("one that computes ends by", ended(child, 0));
    child = begun(call_on);
    (void)call(KILL, child, SIGTERM);
    tell("one that only calls ends by", ended(child, 0));
    child = begun(compute);
    (void)call(KILL, child, SIGSTOP);
    tell("one that computes is stopped", ended(child, UNTRACED));
    (void)call(KILL, child, SIGCONT);
    (void)call(KILL, child, SIGTERM);
    tell("and ends", ended(child, 0));
    (void)set_handler(SIGUSR1, (uint64_t)handler, RESTART, 0);
    child = begun(compute_until);
    (void)call(NANOSLEEP, moment, 0);
    (void)call(KILL, child, SIGUSR1);
    tell("one that computes goes on behind its handler", ended(child, 0));
    (void)call(PIPE, pipe_of_stopped);
    child = begun(read_two);
    (void)call(NANOSLEEP, moment, 0); /* so that it waits */
    (void)call(KILL, child, SIGSTOP);
    tell("one that reads is stopped", ended(child, UNTRACED));
    (void)call(KILL, child, SIGUSR1); /* whose handler runs when it goes on */
    (void)call(KILL, child, SIGCONT);
    (void)call(NANOSLEEP, moment, 0);
    (void)call(WRITE, pipe_of_stopped[1], "ab", 2);
    tell("and goes on reading", ended(child, 0));
    end(0);
}
