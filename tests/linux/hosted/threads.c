// SPDX-License-Identifier: MIT
/*
 * threads - a static program with the C library, for tests/system/test_linux_threads.py: what threads have together, and what they
 * wait for; a line each. The same file runs on the host, and is to say the same there.
 */
#include "tests/linux/hosted/threads.h"

#include <poll.h>
#include <semaphore.h>
#include <sys/eventfd.h>

#define THREADS 32
#define ROUNDS 200

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int shared, turn;
static __thread int own;

/* ---- What threads have together, and what each has ---- */

static void *count(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        shared++;
        pthread_mutex_unlock(&mutex);
        own += (int)(intptr_t)argument;
    }
    return (void *)(intptr_t)own;
}

static void *take_turns(void *argument)
{
    int mine = (int)(intptr_t)argument;

    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % 3 != mine)
            pthread_cond_wait(&changed, &mutex);
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void test_together(void)
{
    pthread_t threads[THREADS];
    long sum = 0;

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = start(count, (void *)i);
    for (int i = 0; i < THREADS; i++)
        sum += join(threads[i]);
    tell("32 threads count under a mutex", shared);
    tell("and each its own", sum);
    for (intptr_t i = 0; i < 3; i++)
        threads[i] = start(take_turns, (void *)i);
    for (int i = 0; i < 3; i++)
        join(threads[i]);
    tell("three take turns by a condition", turn);
    for (int i = 0; i < 100; i++)
        sum += join(start(count, NULL));
    tell("one after the other", shared + sum);
}

/* ---- Times, barriers, semaphores ---- */

static pthread_barrier_t barrier;
static sem_t semaphore;

static void *meet(void *argument)
{
    (void)argument;
    return (void *)(intptr_t)(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
}

static void *post(void *argument)
{
    (void)argument;
    pause_ms(5);
    sem_post(&semaphore);
    return NULL;
}

static void test_waits(void)
{
    struct timespec time = soon(20);
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_t threads[3];
    long serial = 0;

    pthread_mutex_lock(&mutex);
    tell("a condition that nobody signals", pthread_cond_timedwait(&changed, &mutex, &time));
    pthread_mutex_unlock(&mutex);
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++)
        threads[i] = start(meet, NULL);
    serial = (long)(intptr_t)meet(NULL);
    for (int i = 0; i < 3; i++)
        serial += join(threads[i]);
    tell("of four that meet one is told", serial);
    sem_init(&semaphore, 0, 0);
    threads[0] = start(post, NULL);
    tell("a semaphore", sem_wait(&semaphore));
    time = soon(10);
    tell("and again", sem_timedwait(&semaphore, &time) == 0 ? 0 : errno);
    join(threads[0]);
    pthread_rwlock_rdlock(&lock);
    time = soon(10);
    tell("a lock that is read", pthread_rwlock_timedwrlock(&lock, &time));
    pthread_rwlock_unlock(&lock);
}

static void *end_with_lock(void *argument)
{
    pthread_mutex_lock(argument);
    return NULL;
}

static void test_robust(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t robust;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    join(start(end_with_lock, &robust));
    tell("a lock whose owner has ended", pthread_mutex_lock(&robust));
    pthread_mutex_consistent(&robust);
    pthread_mutex_unlock(&robust);
    tell("and again", pthread_mutex_lock(&robust));
}

/* ---- Files ---- */

static int ends[2];

static void *read_one(void *argument)
{
    char byte = 0;
    long result = read(*(int *)argument, &byte, 1);

    return (void *)(result == 1 ? (long)byte : result);
}

static void *read_event(void *argument)
{
    uint64_t value = 0;

    return (void *)(read(*(int *)argument, &value, sizeof value) == sizeof value ? (long)value
                                                                                 : -1);
}

static void *poll_both(void *argument)
{
    struct pollfd entries[2] = {{ends[0], POLLIN, 0}, {*(int *)argument, POLLIN, 0}};

    return (void *)(long)(poll(entries, 2, 10000) * 100 + entries[0].revents * 10 +
                          entries[1].revents);
}

static void test_files(void)
{
    int event = eventfd(0, 0);
    uint64_t value = 7;
    pthread_t threads[2];

    tell("a pipe", pipe(ends));
    threads[0] = start(read_one, &ends[0]);
    pause_ms(5);
    tell("is written to", write(ends[1], "x", 1));
    tell("while one reads it", join(threads[0]));
    threads[0] = start(read_event, &event);
    pause_ms(5);
    tell("an event", write(event, &value, sizeof value));
    tell("while one reads it", join(threads[0]));
    threads[0] = start(poll_both, &event);
    pause_ms(5);
    tell("the event again", write(event, &value, sizeof value));
    tell("while one polls", join(threads[0]));
    threads[0] = start(read_one, &ends[0]);
    pause_ms(5);
    tell("the pipe is closed for writing", close(ends[1]));
    tell("while one reads it", join(threads[0]));
    close(ends[0]);
    close(event);
}

static void *wait_for_ever(void *argument)
{
    (void)argument;
    for (;;)
        pause();
    return NULL;
}

/* The process ends while one waits. */
int main(void)
{
    test_together();
    test_waits();
    test_robust();
    test_files();
    start(wait_for_ever, NULL);
    return 0;
}
