// SPDX-License-Identifier: MIT
/* threads.h - what the programs about threads share, which have the C library: text, and threads that are there. */
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline void tell(const char *what, long value)
{
    printf("%s: %ld\n", what, value);
    fflush(stdout);
}

static inline pthread_t start(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, function, argument);

    if (error != 0) {
        tell("pthread_create", error);
        exit(1);
    }
    return thread;
}

static inline long join(pthread_t thread)
{
    void *result;

    return pthread_join(thread, &result) != 0 ? -1 : (long)result;
}

static inline struct timespec soon(long ms)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += ms * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static inline void pause_ms(long ms)
{
    struct timespec time = {0, ms * 1000000};

    while (nanosleep(&time, &time) != 0)
        ;
}
