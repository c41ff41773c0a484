// SPDX-License-Identifier: MIT
/*
 * thread_calls - a static program with the C library, for tests/system/test_linux_threads.py: what the C library itself does not
 * ask of threads, and what calls are when others end, stop or leave the process meanwhile; a line each. The same file runs on the
 * host, and is to say the same there.
 */
#include "tests/linux/hosted/threads.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* ---- Futexes ---- */

static uint32_t words[2];

static long futex(uint32_t *word, int operation, uint32_t value, uintptr_t second, uint32_t *other,
                  uint32_t third)
{
    long result = syscall(SYS_futex, word, operation, value, second, other, third);

    return result < 0 ? -errno : result;
}

static void *wait_for_word(void *word)
{
    return (void *)futex(word, FUTEX_WAIT, *(uint32_t *)word, 0, NULL, 0);
}

/* Whoever is moved from a word to the same word is counted, and waits on. */
static long waiters(uint32_t *word)
{
    return futex(word, FUTEX_CMP_REQUEUE, 0, INT_MAX, word, *word);
}

static void await_waiters(uint32_t *word, long count)
{
    while (waiters(word) != count)
        pause_ms(1);
}

static void start_waiters(pthread_t *threads, int count, uint32_t *word)
{
    for (int i = 0; i < count; i++)
        threads[i] = start(wait_for_word, word);
    await_waiters(word, count);
}

static void test_requeue(void)
{
    pthread_t threads[4];
    long results = 0;

    start_waiters(threads, 4, &words[0]);
    tell("another word than was said",
         futex(&words[0], FUTEX_CMP_REQUEUE, 1, 2, &words[1], words[0] + 1));
    tell("one is woken and two are moved",
         futex(&words[0], FUTEX_CMP_REQUEUE, 1, 2, &words[1], words[0]));
    tell("waits still", waiters(&words[0]));
    tell("wait at the other word", waiters(&words[1]));
    tell("are woken there", futex(&words[1], FUTEX_WAKE, INT_MAX, 0, NULL, 0));
    tell("and here", futex(&words[0], FUTEX_WAKE, INT_MAX, 0, NULL, 0));
    for (int i = 0; i < 4; i++)
        results += join(threads[i]);
    tell("all were woken", results);
    tell("fewer than none", futex(&words[0], FUTEX_CMP_REQUEUE, 1, UINT32_MAX, &words[1], 0));
    tell("where no word is", futex(&words[0], FUTEX_CMP_REQUEUE, 1, 1, (uint32_t *)1, 0));
}

static void test_change(void)
{
    static const struct {
        uint32_t operation, old;
    } changes[] = {
        {FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 7), 7},
        {FUTEX_OP(FUTEX_OP_SET, 0xFFF, FUTEX_OP_CMP_NE, 7), 7},
        {FUTEX_OP(FUTEX_OP_ADD, 0x800, FUTEX_OP_CMP_LT, 0), 7},
        {FUTEX_OP(FUTEX_OP_ADD, 2, FUTEX_OP_CMP_LT, 0xFFF), 0x80000000},
        {FUTEX_OP(FUTEX_OP_OR, 0x70, FUTEX_OP_CMP_LE, 3), 3},
        {FUTEX_OP(FUTEX_OP_ANDN, 6, FUTEX_OP_CMP_GT, 15), 15},
        {FUTEX_OP(FUTEX_OP_XOR, 9, FUTEX_OP_CMP_GE, 15), 15},
        {FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 31, FUTEX_OP_CMP_GE, 0), 1},
        {FUTEX_OP((FUTEX_OP_ADD | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_EQ, 1), 1},
        {FUTEX_OP(5, 1, FUTEX_OP_CMP_EQ, 1), 1},
    };

    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        pthread_t threads[3];
        long woken;

        words[1] = changes[i].old;
        start_waiters(threads, 1, &words[0]);
        start_waiters(&threads[1], 2, &words[1]);
        woken = futex(&words[0], FUTEX_WAKE_OP, 1, 2, &words[1], changes[i].operation);
        tell("woken by a change", woken);
        tell("to", (long)words[1]);
        futex(&words[0], FUTEX_WAKE, INT_MAX, 0, NULL, 0);
        futex(&words[1], FUTEX_WAKE, INT_MAX, 0, NULL, 0);
        for (int j = 0; j < 3; j++)
            join(threads[j]);
    }
    tell("a change of nothing", futex(&words[0], FUTEX_WAKE_OP, 1, 2, (uint32_t *)4, 0));
    words[0] = words[1] = 0;
}

/* Counts below one wake one thread; only in a requeue 0 is none, and fewer are wrong. */
static void test_counts(void)
{
    static const int counts[] = {0, -1, INT_MIN};
    const uint32_t operation = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0);

    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint32_t count = (uint32_t)counts[i];
        pthread_t threads[6];

        start_waiters(threads, 4, &words[0]);
        start_waiters(&threads[4], 2, &words[1]);
        tell("a count of", counts[i]);
        tell("wakes", futex(&words[0], FUTEX_WAKE, count, 0, NULL, 0));
        tell("of some bits", futex(&words[0], FUTEX_WAKE_BITSET, count, 0, NULL, UINT32_MAX));
        tell("of two words", futex(&words[0], FUTEX_WAKE_OP, count, count, &words[1], operation));
        tell("in a requeue", futex(&words[0], FUTEX_CMP_REQUEUE, count, 0, &words[1], 0));
        tell("wait still", futex(&words[0], FUTEX_WAKE, INT_MAX, 0, NULL, 0));
        tell("wait at the other word", futex(&words[1], FUTEX_WAKE, INT_MAX, 0, NULL, 0));
        for (int j = 0; j < 6; j++)
            join(threads[j]);
    }
}

/* ---- A thread that ends between setting a lock free and waking who waits for it ---- */

static struct {
    struct robust_list_head head;
    struct robust_list entry;
    uint32_t word;
} dying;

static void *end_dying(void *argument)
{
    dying.head.list.next = &dying.head.list;
    dying.head.futex_offset = (long)((char *)&dying.word - (char *)&dying.entry);
    dying.head.list_op_pending = &dying.entry;
    syscall(SYS_set_robust_list, &dying.head, sizeof dying.head);
    return argument;
}

static void *end_in_a_ring(void *argument)
{
    struct robust_list *ring = argument;

    ring[0].next = &ring[1];
    ring[1].next = &ring[0];
    dying.head.list.next = ring;
    dying.head.futex_offset = LONG_MIN;
    dying.head.list_op_pending = (struct robust_list *)8;
    syscall(SYS_set_robust_list, &dying.head, sizeof dying.head);
    return argument;
}

static void test_robust(void)
{
    struct robust_list ring[2];
    pthread_t waiter;

    start_waiters(&waiter, 1, &dying.word);
    join(start(end_dying, NULL));
    tell("woken by the end of who has set it free", join(waiter));
    tell("a list without an end", join(start(end_in_a_ring, ring)) == (long)ring);
}

/* ---- Stacks for handlers ---- */

static char stacks[2][65536];
static __thread uintptr_t ran_at;

static void note_place(int signal)
{
    char here;

    (void)signal;
    ran_at = (uintptr_t)&here;
}

static long runs_on(const char *stack)
{
    raise(SIGUSR1);
    return ran_at - (uintptr_t)stack < sizeof stacks[0];
}

static long set_stack(char *stack)
{
    stack_t wanted = {.ss_sp = stack, .ss_size = sizeof stacks[0]}, old;
    long result = sigaltstack(&wanted, &old);

    return result == 0 ? old.ss_flags : -errno;
}

static void *use_own_stack(void *argument)
{
    (void)argument;
    tell("a thread begins without a stack for handlers", set_stack(stacks[1]));
    tell("and runs them on its own", runs_on(stacks[1]));
    return NULL;
}

static void test_stacks(void)
{
    struct sigaction action = {.sa_handler = note_place, .sa_flags = SA_ONSTACK};

    sigaction(SIGUSR1, &action, NULL);
    tell("so does the first", set_stack(stacks[0]));
    join(start(use_own_stack, NULL));
    tell("which has its own still", runs_on(stacks[0]));
}

/* ---- Calls that are made again ---- */

static int ends[2];

static void *sleep_and_end(void *argument)
{
    pause_ms(20);
    return argument;
}

static void write_byte(int signal)
{
    char byte = (char)signal;

    if (write(ends[1], &byte, 1) != 1)
        _exit(1);
}

/* The thread is long gone when the signal comes. */
static void test_again(void)
{
    struct sigaction action = {.sa_handler = write_byte, .sa_flags = SA_RESTART};
    struct itimerval time = {.it_value = {0, 400000}};
    char byte = 0;

    sigaction(SIGALRM, &action, NULL);
    pthread_detach(start(sleep_and_end, NULL));
    setitimer(ITIMER_REAL, &time, NULL);
    tell("a read goes on after a handler, and another's end", read(ends[0], &byte, 1));
    tell("with the byte", byte);
}

static void *sleep_for_ever(void *argument)
{
    for (;;)
        pause_ms(1);
    return argument;
}

static void test_stopped(void)
{
    pid_t child = fork();
    int status = 0;
    char byte = 0;

    if (child == 0) {
        start(sleep_for_ever, NULL);
        _exit(read(ends[0], &byte, 1) == 1 ? byte : errno);
    }
    for (int i = 0; i < 10; i++) {
        pause_ms(20);
        kill(child, SIGSTOP);
        waitpid(child, &status, WUNTRACED);
        pause_ms(5);
        kill(child, SIGCONT);
    }
    write_byte(99);
    waitpid(child, &status, 0);
    tell("a read goes on when the process does", status);
}

static void test_pieces(void)
{
    char bytes[2] = {0};
    struct iovec pieces[2] = {{&bytes[0], 1}, {&bytes[1], 1}};

    write_byte(3);
    tell("pieces are filled with what is there", readv(ends[0], pieces, 2));
}

/* ---- A copy of the process that another thread than the first has made ---- */

static int begun[2];

static void *compute(void *argument)
{
    volatile long rounds = 0;

    if (write(begun[1], "x", 1) != 1)
        _exit(1);
    for (;;)
        rounds++;
    return argument;
}

static void *fork_one(void *others)
{
    pid_t child = fork();

    if (child == 0 && others == NULL)
        compute(NULL);
    if (child == 0) {
        start(compute, NULL);
        pthread_exit(NULL);
    }
    return (void *)(long)child;
}

static void test_copies(void)
{
    for (intptr_t others = 0; others <= 1; others++) {
        pid_t child = (pid_t)join(start(fork_one, (void *)others));
        int status = 0;
        char byte;

        tell("a copy computes", read(begun[0], &byte, 1));
        kill(child, SIGTERM);
        waitpid(child, &status, 0);
        tell("until a signal ends it", status);
    }
}

/* ---- Names ---- */

static void test_name(void)
{
    char text[256] = {0};
    int file;

    prctl(PR_SET_NAME, "a\nPid:\t1\\");
    file = open("/proc/self/status", O_RDONLY);
    tell("what the process says of itself", read(file, text, sizeof text - 1) > 20);
    *strchr(text, '\n') = 0;
    printf("%s\n", text);
}

int main(void)
{
    if (pipe(ends) != 0 || pipe(begun) != 0)
        return 1;
    test_requeue();
    test_change();
    test_counts();
    test_robust();
    test_stacks();
    test_again();
    test_stopped();
    test_pieces();
    test_copies();
    test_name();
    return 0;
}
