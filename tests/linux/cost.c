// SPDX-License-Identifier: MIT
/*
 * cost - a static program of Linux, for tests/system/test_linux.py and bench/linux.py: what a call costs, in ticks of the TSC,
 * which counts instructions where QEMU runs with -icount shift=0. It prints a line for getppid(), for 4 KiB of /work/long, for 64
 * bytes there and back between two processes by two pipes, for a process that is made, ends and is waited for: with 38 touched
 * pages, as the programs that other systems are measured by have, and with a program of its own, which is this one with an
 * argument; and for a thread that is made, ends and is waited for, with a stack that is there already.
 */
#include <stdint.h>

#define GETPPID 110
#define PREAD64 17
#define PIPE 22
#define READ 0
#define WRITE 1
#define CLONE 56
#define FORK 57
#define VFORK 58
#define EXECVE 59
#define WAIT4 61
#define FUTEX 202
#define EXIT 60
#define EXIT_GROUP 231
/* CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD, _SYSVSEM, _PARENT_SETTID, _CHILD_CLEARTID: as pthread_create() has them. */
#define OF_A_THREAD 0x350F00
#define ROUNDS 10000u
#define PIPE_ROUNDS 2000u
#define FORK_ROUNDS 50u
#define THREAD_ROUNDS 500u
#define TOUCHED 38u

static uint8_t touched[TOUCHED * 4096];
static uint8_t buffer[4096] __attribute__((aligned(4096)));

__asm__(".globl _start\n"
        "_start:\n"
        "    movq (%rsp), %rdi\n"
        "    andq $-16, %rsp\n"
        "    call start\n");
void start(uint64_t words);

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t r10 __asm__("r10") = 0; /* where pread64() reads */

    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

/* The mean of many, with the few instructions of the loop. */
static uint64_t cost_of(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t begun;

    for (unsigned i = 0; i < 100; i++)
        (void)call(number, a, b, c);
    begun = __builtin_ia32_rdtsc();
    for (unsigned i = 0; i < ROUNDS; i++)
        (void)call(number, a, b, c);
    return (__builtin_ia32_rdtsc() - begun) / ROUNDS;
}

static void print(const char *name, uint64_t value)
{
    char line[64];
    unsigned length = 0, at = sizeof line - 1;

    line[at] = '\n';
    do {
        line[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (name[length] != 0)
        length++;
    (void)call(1, 1, (uint64_t)name, length);
    (void)call(1, 1, (uint64_t)(line + at), sizeof line - at);
}

static void echo(const int32_t *in, const int32_t *out)
{
    while (call(READ, (uint64_t)in[0], (uint64_t)buffer, 64) == 64)
        (void)call(WRITE, (uint64_t)out[1], (uint64_t)buffer, 64);
}

static uint64_t cost_of_pipe(void)
{
    int32_t there[2], back[2];
    uint64_t begun = 0;
    int64_t child;

    (void)call(PIPE, (uint64_t)there, 0, 0);
    (void)call(PIPE, (uint64_t)back, 0, 0);
    child = call(FORK, 0, 0, 0);
    if (child == 0) {
        (void)call(3, (uint64_t)there[1], 0, 0);
        echo(there, back);
        (void)call(EXIT_GROUP, 0, 0, 0);
    }
    for (unsigned i = 0; i < 100 + PIPE_ROUNDS; i++) {
        if (i == 100)
            begun = __builtin_ia32_rdtsc();
        (void)call(WRITE, (uint64_t)there[1], (uint64_t)buffer, 64);
        (void)call(READ, (uint64_t)back[0], (uint64_t)buffer, 64);
    }
    begun = __builtin_ia32_rdtsc() - begun;
    (void)call(3, (uint64_t)there[1], 0, 0);
    (void)call(WAIT4, (uint64_t)child, 0, 0);
    return begun / PIPE_ROUNDS;
}

static uint64_t cost_of_process(int executes)
{
    static const char *const words[] = {"/bin/cost", "ends", 0};
    uint64_t begun = 0;

    for (unsigned i = 0; i < 5 + FORK_ROUNDS; i++) {
        int64_t child;

        if (i == 5)
            begun = __builtin_ia32_rdtsc();
        child = call(executes ? VFORK : FORK, 0, 0, 0);
        if (child == 0) {
            if (executes)
                (void)call(EXECVE, (uint64_t)words[0], (uint64_t)words, 0);
            (void)call(EXIT_GROUP, (uint64_t)executes, 0, 0);
        }
        (void)call(WAIT4, (uint64_t)child, 0, 0);
    }
    return (__builtin_ia32_rdtsc() - begun) / FORK_ROUNDS;
}

/* The thread ends at once. The kernel writes its id, and 0 when it has ended. */
static void one_thread(uint8_t *stack_top, volatile uint32_t *id)
{
    register uint64_t r10 __asm__("r10") = (uint64_t)id;
    uint64_t number = CLONE;

    __asm__ volatile("syscall\n"
                     "test %%rax, %%rax\n"
                     "jnz 1f\n"
                     "mov %[end], %%eax\n"
                     "xor %%edi, %%edi\n"
                     "syscall\n"
                     "1:\n"
                     : "+a"(number)
                     : "D"(OF_A_THREAD), "S"(stack_top), "d"(id), "r"(r10), [end] "i"(EXIT)
                     : "rcx", "r11", "memory");
    for (uint32_t now = *id; now != 0; now = *id)
        (void)call(FUTEX, (uint64_t)id, 0 /* FUTEX_WAIT */, now);
}

static uint64_t cost_of_thread(void)
{
    static uint8_t stack[4096] __attribute__((aligned(16)));
    static volatile uint32_t id;
    uint64_t begun = 0;

    for (unsigned i = 0; i < 5 + THREAD_ROUNDS; i++) {
        if (i == 5)
            begun = __builtin_ia32_rdtsc();
        one_thread(stack + sizeof stack, &id);
    }
    return (__builtin_ia32_rdtsc() - begun) / THREAD_ROUNDS;
}

void start(uint64_t words)
{
    uint64_t file;

    if (words > 1)
        (void)call(EXIT_GROUP, 0, 0, 0);
    file = (uint64_t)call(2, (uint64_t) "/work/long", 0, 0);

    if (call(PREAD64, file, (uint64_t)buffer, sizeof buffer) != sizeof buffer)
        (void)call(231, 1, 0, 0);
    print("getppid ", cost_of(GETPPID, 0, 0, 0));
    print("read ", cost_of(PREAD64, file, (uint64_t)buffer, sizeof buffer));
    for (unsigned i = 0; i < TOUCHED; i++)
        *(volatile uint8_t *)&touched[i * 4096] = 1;
    print("pipe ", cost_of_pipe());
    print("fork ", cost_of_process(0));
    print("exec ", cost_of_process(1));
    print("thread ", cost_of_thread());
    (void)call(231, 0, 0, 0);
}
