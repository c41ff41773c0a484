// SPDX-License-Identifier: MIT
/* program.h - what the static programs of these tests share, which have no C library: calls, and text that they print. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The program is `void start(void)`. */
#define PROGRAM_START                                                                              \
    void start(void);                                                                              \
    __asm__(".globl _start\n"                                                                      \
            "_start:\n"                                                                            \
            "    andq $-16, %rsp\n"                                                                \
            "    call start\n")

/* Numbers of asm/unistd_64.h, here once more, so that what is asked for is not what lx takes it for. */
enum {
    READ = 0,
    WRITE = 1,
    OPEN = 2,
    CLOSE = 3,
    POLL = 7,
    MMAP = 9,
    MPROTECT = 10,
    MUNMAP = 11,
    BRK = 12,
    SIGACTION = 13,
    SIGPROCMASK = 14,
    IOCTL = 16,
    PREAD = 17,
    PWRITE = 18,
    PIPE = 22,
    SELECT = 23,
    MREMAP = 25,
    DUP = 32,
    PAUSE = 34,
    NANOSLEEP = 35,
    GETITIMER = 36,
    ALARM = 37,
    SETITIMER = 38,
    GETPID = 39,
    SOCKET = 41,
    CONNECT = 42,
    ACCEPT = 43,
    SENDTO = 44,
    RECVFROM = 45,
    SENDMSG = 46,
    RECVMSG = 47,
    SHUTDOWN = 48,
    BIND = 49,
    LISTEN = 50,
    GETSOCKNAME = 51,
    GETPEERNAME = 52,
    SETSOCKOPT = 54,
    GETSOCKOPT = 55,
    FORK = 57,
    EXIT = 60,
    WAIT4 = 61,
    KILL = 62,
    FCNTL = 72,
    FTRUNCATE = 77,
    SIGPENDING = 127,
    SIGTIMEDWAIT = 128,
    SIGQUEUE = 129,
    SIGSUSPEND = 130,
    SIGALTSTACK = 131,
    GETTID = 186,
    TKILL = 200,
    EXIT_GROUP = 231,
    EPOLL_WAIT = 232,
    EPOLL_CTL = 233,
    TGKILL = 234,
    PPOLL = 271,
    TIMERFD = 283,
    SETTIME = 286,
    GETTIME = 287,
    ACCEPT4 = 288,
    SIGNALFD = 289,
    EVENTFD = 290,
    EPOLL = 291,
};

static inline int64_t call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                            uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

#define ARGUMENT_OR_0(a, b, c, d, e, f, ...)                                                       \
    (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f)
/* A call with up to six arguments. */
#define call(number, ...)                                                                          \
    call6((uint64_t)(number), ARGUMENT_OR_0(__VA_ARGS__ __VA_OPT__(, ) 0, 0, 0, 0, 0, 0))

/* The events that there are, or an error. */
static inline int64_t poll_one(int64_t fd, int events, int64_t timeout_ms)
{
    struct {
        int32_t fd;
        int16_t events, revents;
    } entry = {(int32_t)fd, (int16_t)events, 0};
    int64_t found = call(POLL, &entry, 1, timeout_ms);

    return found < 0 ? found : entry.revents;
}

static inline void print(const char *text)
{
    uint64_t bytes = 0;

    while (text[bytes] != 0)
        bytes++;
    (void)call6(WRITE, 1, (uint64_t)text, bytes, 0, 0, 0);
}

static inline void print_number(int64_t value)
{
    char digits[24] = {0};
    unsigned at = sizeof digits - 1;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        digits[--at] = '-';
    print(digits + at);
}

/* A line: what was done, and what came of it. */
static inline void tell(const char *what, int64_t value)
{
    print(what);
    print(": ");
    print_number(value);
    print("\n");
}

static inline _Noreturn void end(int code)
{
    for (;;)
        (void)call6(EXIT_GROUP, (uint64_t)code, 0, 0, 0, 0, 0);
}
