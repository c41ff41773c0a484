// SPDX-License-Identifier: MIT
/*
 * signals - a static program of Linux, for tests/system/test_linux.py: handlers, what they are told and what is after them as it
 * was before, masks, queues, stacks, timers, and calls that a signal ends; a line each. The same file runs on the host, and is
 * to say the same there.
 */
#include "tests/linux/handlers.h"

PROGRAM_START;

enum {
    SIGHUP = 1,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGUSR1 = 10,
    SIGSEGV = 11,
    SIGUSR2 = 12,
    SIGALRM = 14,
    SIGCHLD = 17,
    SIGRT = 40
};
#define SIGINFO 4u
#define ONSTACK 0x08000000u
#define NODEFER 0x40000000u
#define RESETHAND 0x80000000u
#define BIT(signal) (1ull << ((signal)-1))

struct info {
    int32_t signal, error, code, pad;
    union {
        struct {
            int32_t process;
            uint32_t user;
            uint64_t value;
        };
        uint64_t address;
        uint8_t rest[112];
    };
};
struct context { /* struct ucontext */
    uint64_t flags, link, stack, stack_flags, stack_size;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
        rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, vector, old_mask, address, *vectors, reserved[8];
    uint64_t mask;
};
/* Volatile: a handler runs between any two instructions. */
static volatile struct info last;
static volatile struct context context;
static volatile unsigned runs, depth, deepest, order;
static volatile uint64_t stack_of_handler;
static void (*volatile more)(struct context *);

static void handler(int signal, struct info *info, struct context *at)
{
    depth++;
    deepest = depth > deepest ? depth : deepest;
    order = order * 10 + (unsigned)signal % 10;
    runs++;
    last = *info;
    context = *at;
    stack_of_handler = (uint64_t)__builtin_frame_address(0);
    if (more != NULL)
        more(at);
    depth--;
}

static void take(int signal, uint64_t flags, uint64_t mask)
{
    int64_t result = set_handler(signal, (uint64_t)handler, SIGINFO | flags, mask);

    if (result != 0)
        tell("sigaction", result);
}

static int64_t mask(int how, uint64_t set)
{
    uint64_t old = 0;
    int64_t result = call(SIGPROCMASK, how, &set, &old, 8);

    return result != 0 ? result : (int64_t)old;
}

static int64_t me;

static int64_t raise(int signal)
{
    return call(TGKILL, me, me, signal);
}

/* ---- ---- */

static void sends(void)
{
    struct action old = {0};

    take(SIGUSR1, 0, 0);
    tell("kill", call(KILL, me, SIGUSR1));
    tell("runs", runs);
    tell("signal", last.signal);
    tell("code", last.code);
    tell("from itself", last.process == (int32_t)me);
    tell("tkill", call(TKILL, me, SIGUSR1));
    tell("code", last.code);
    tell("tgkill", raise(SIGUSR1));
    tell("runs", runs);
    tell("result in the record", (int64_t)context.rax);
    tell("cs", context.cs);
    tell("flags", (int64_t)context.flags);
    tell("sigaction says", call(SIGACTION, SIGUSR1, 0, &old, 8));
    tell("handler", old.handler == (uint64_t)handler);
    tell("of SIGKILL", call(SIGACTION, SIGKILL, &old, 0, 8));
    tell("of none", call(SIGACTION, 65, &old, 0, 8));
    tell("of another size", call(SIGACTION, SIGUSR1, &old, 0, 4));
    tell("no process", call(TGKILL, me, me + 12345, SIGUSR1));
    tell("no signal", raise(65));
    tell("nothing", raise(0));
}

static void masks(void)
{
    struct info info = {.code = -1, .value = 77};
    uint64_t pending = 0, set = BIT(SIGUSR1) | BIT(SIGRT);
    int64_t no_time[2] = {0, 0};

    take(SIGRT, 0, 0);
    runs = 0;
    tell("block", mask(0, set));
    (void)raise(SIGUSR1);
    (void)raise(SIGUSR1);
    for (info.value = 1; info.value < 4; info.value++)
        tell("queue", call(SIGQUEUE, me, SIGRT, &info));
    tell("runs", runs);
    tell("pending", call(SIGPENDING, &pending, 8));
    tell("of them", (int64_t)pending);
    tell("taken", call(SIGTIMEDWAIT, &set, &info, no_time, 8));
    tell("code", info.code);
    tell("taken", call(SIGTIMEDWAIT, &set, &info, no_time, 8));
    tell("value", (int64_t)info.value);
    tell("unblock", mask(1, set));
    tell("runs", runs);
    tell("value", (int64_t)last.value);
    tell("nothing left", call(SIGTIMEDWAIT, &set, &info, no_time, 8));
    tell("no way", mask(7, 0));
    (void)mask(0, set);
    (void)raise(SIGUSR1);
    set = 0;
    runs = 0;
    tell("suspend", call(SIGSUSPEND, &set, 8));
    tell("runs", runs);
    tell("mask after it", mask(2, 0));
    (void)mask(0, BIT(SIGCHLD));
    (void)raise(SIGCHLD);
    tell("ignored, and pending", call(SIGPENDING, &pending, 8));
    tell("of them", (int64_t)pending);
    (void)mask(2, 0);
}

static void again(struct context *at)
{
    (void)at;
    more = NULL;
    (void)raise(SIGUSR1);
}

static void nests(void)
{
    runs = order = deepest = 0;
    more = again;
    (void)raise(SIGUSR1);
    tell("behind each other", deepest);
    tell("runs", runs);
    take(SIGUSR1, NODEFER, 0);
    runs = deepest = 0;
    more = again;
    (void)raise(SIGUSR1);
    tell("in each other", deepest);
    (void)mask(0, BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGHUP));
    take(SIGHUP, 0, BIT(SIGUSR1) | BIT(SIGUSR2));
    take(SIGUSR2, 0, 0);
    (void)raise(SIGUSR2);
    (void)raise(SIGUSR1);
    (void)raise(SIGHUP);
    order = 0;
    (void)mask(2, 0);
    tell("order", order);
    take(SIGUSR1, RESETHAND, 0);
    (void)raise(SIGUSR1);
    {
        struct action old = {0};

        (void)call(SIGACTION, SIGUSR1, 0, &old, 8);
        tell("is the default again", old.handler == 0);
    }
}

/* ---- Registers ---- */

static void change(struct context *at)
{
    __asm__ volatile("pcmpeqb %%xmm3, %%xmm3\n xorl %%r12d, %%r12d" ::: "xmm3", "r12");
    at->rbx += 1;
    at->rflags |= 1; /* CF */
}

static void registers(void)
{
    uint64_t rbx, carry, low, result = TKILL;

    take(SIGUSR1, 0, 0);
    more = change;
    __asm__ volatile("movq %[me], %%rdi\n movl $10, %%esi\n movq $1234567, %%rdx\n"
                     "movq %%rdx, %%xmm3\n movq $41, %%rbx\n clc\n syscall\n"
                     "setc %%cl\n movzbl %%cl, %%ecx\n movq %%xmm3, %%rdx\n"
                     : "=&b"(rbx), "=&c"(carry), "=&d"(low), "+a"(result)
                     : [me] "m"(me)
                     : "rdi", "rsi", "r8", "r9", "r10", "r11", "xmm3", "memory");
    more = NULL;
    tell("result", (int64_t)result);
    tell("changed by the handler", (int64_t)rbx);
    tell("carry", (int64_t)carry);
    tell("vector register", (int64_t)low);
    tell("vectors are at a multiple of 64", ((uint64_t)context.vectors & 63) == 0);
    tell("and marked", (uint32_t)context.vectors[58] == 0x46505853);
    tell("stack", (context.rsp - stack_of_handler) > 128);
    tell("is aligned", (int64_t)(stack_of_handler & 15));
}

/* ---- Faults ---- */

static void skip(struct context *at)
{
    at->rip = at->r15;
}

#define FAULT(what, instruction)                                                                   \
    do {                                                                                           \
        runs = 0;                                                                                  \
        more = skip;                                                                               \
        __asm__ volatile("leaq 1f(%%rip), %%r15\n" instruction "\n1:\n" ::"a"(address)             \
                         : "r15", "rcx", "rdx", "memory", "cc");                                   \
        tell(what, last.signal * 1000 + last.code);                                                \
        tell("address", (int64_t)(last.address == address));                                       \
        tell("vector", (int64_t)context.vector);                                                   \
        tell("error", (int64_t)context.error);                                                     \
    } while (0)

static void faults(void)
{
    uint64_t address = 0x10000000;

    take(SIGSEGV, 0, 0);
    take(SIGBUS, 0, 0);
    take(SIGFPE, 0, 0);
    take(SIGILL, 0, 0);
    take(SIGTRAP, 0, 0);
    FAULT("read of nothing", "movb (%%rax), %%cl");
    FAULT("write to nothing", "movb %%cl, (%%rax)");
    address = (uint64_t)call(MMAP, 0, 4096, 1, 0x22, -1, 0);
    (void)*(volatile char *)address; /* so that it is present */
    FAULT("write to what is to be read", "movb %%cl, (%%rax)");
    FAULT("jump to it", "jmp *%%rax");
    address = 0;
    FAULT("no instruction", "ud2");
    FAULT("a privileged one", "hlt");
    FAULT("division", "xorl %%ecx, %%ecx\n divl %%ecx");
    FAULT("breakpoint", "int3");
    FAULT("an address that is none", "movabsq $0x8000000000000000, %%rcx\n movb (%%rcx), %%cl");
    more = NULL;
}

/* ---- Another stack ---- */

static char other_stack[65536];

static void on_stack(struct context *at)
{
    uint64_t now[3] = {0};

    (void)at;
    tell("on it", call(SIGALTSTACK, 0, now));
    tell("flags", (int64_t)(uint32_t)now[1]);
    tell("change", call(SIGALTSTACK, now, 0));
}

static void stacks(void)
{
    uint64_t wanted[3] = {(uint64_t)other_stack, 0, sizeof other_stack}, old[3] = {0};

    tell("no stack", call(SIGALTSTACK, 0, old));
    tell("flags", (int64_t)(uint32_t)old[1]);
    tell("stack", call(SIGALTSTACK, wanted, 0));
    take(SIGUSR2, ONSTACK, 0);
    more = on_stack;
    (void)raise(SIGUSR2);
    more = NULL;
    tell("it was there", stack_of_handler - (uint64_t)other_stack < sizeof other_stack);
    wanted[2] = 100;
    tell("too small", call(SIGALTSTACK, wanted, 0));
    wanted[1] = 7;
    tell("no such flags", call(SIGALTSTACK, wanted, 0));
}

/* ---- Calls that a signal ends ---- */

static void alarm_in(int64_t ms)
{
    int64_t time[4] = {0, 0, 0, ms * 1000};

    (void)call(SETITIMER, 0, time, 0);
}

static void waits(void)
{
    int64_t long_time[2] = {100, 0}, rest[2] = {0, 0}, second[4] = {0, 0, 1, 0};
    uint16_t address[8] = {2, __builtin_bswap16(5009), 0x007F, 0x0100};
    int64_t fd = call(SOCKET, 2, 2, 0);
    uint64_t set = 0;
    char byte = 0;

    take(SIGALRM, RESTART, 0);
    alarm_in(20);
    tell("sleep", call(NANOSLEEP, long_time, rest));
    tell("seconds left", rest[0]);
    alarm_in(20);
    tell("pause", call(PAUSE));
    alarm_in(20);
    tell("ppoll", call(PPOLL, 0, 0, long_time, &set, 8));
    if (fd >= 0) {
        (void)call(BIND, fd, address, 16);
        take(SIGALRM, 0, 0);
        alarm_in(20);
        tell("receive", call(RECVFROM, fd, &byte, 1, 0, 0, 0));
    }
    tell("alarm", call(ALARM, 100));
    tell("alarm again", call(ALARM, 0));
    (void)call(SETITIMER, 0, second, 0);
    tell("getitimer", call(GETITIMER, 0, second));
    tell("is set", second[2] == 0 && second[3] > 0);
    alarm_in(0);
    alarm_in(20);
    runs = 0;
    while (runs == 0)
        (void)call(GETPID);
    tell("a program that does not wait is told", runs);
    alarm_in(20);
    for (runs = 0; runs == 0;)
        ;
    tell("a program that makes no call is told", runs);
}

/* A receive that goes on after the handler, which has sent what it waits for. */
static int64_t sender;
static uint16_t to[8] = {2, __builtin_bswap16(5010), 0x7F, 0x0100};

static void send(struct context *at)
{
    (void)at;
    (void)call(SENDTO, sender, "x", 1, 0, to, 16);
}

static void restarts(void)
{
    int64_t fd = call(SOCKET, 2, 2, 0);
    char byte = 0;

    sender = call(SOCKET, 2, 2, 0);
    (void)call(BIND, fd, to, 16);
    take(SIGALRM, RESTART, 0);
    more = send;
    alarm_in(20);
    tell("receive", call(RECVFROM, fd, &byte, 1, 0, 0, 0));
    tell("what was sent", byte);
    more = NULL;
}

void start(void)
{
    me = call(GETPID);
    sends();
    masks();
    nests();
    registers();
    faults();
    stacks();
    waits();
    restarts();
    take(SIGSEGV, 0, 0);
    (void)mask(0, BIT(SIGSEGV));
    print("a blocked fault ends it\n");
    *(volatile char *)16 = 1;
    end(0);
}
