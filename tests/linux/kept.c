// SPDX-License-Identifier: MIT
/*
 * kept - a static program of Linux, for tests/system/test_linux.py: whether the vector registers are after each call what
 * they were before, as the ABI of Linux has it. It prints what was lost, and its exit code says how many calls lost some.
 *
 *   kept         calls that wait, the read of a line among them
 *   kept yields  sched_yield(), for five seconds: beside another one, so that there is somebody to give way to
 *   kept steps   single steps over an instruction whose page is not present yet: SIGTRAP
 *   kept jumps   into the data of lx: SIGSEGV
 */
#include <stdint.h>

#define SECONDS 5

/* Intel SDM vol 1, "FXSAVE Area": XMM0 to XMM15 begin at byte 160, MXCSR is at 24. */
static uint8_t before[512] __attribute__((aligned(16))), after[512] __attribute__((aligned(16)));
static uint8_t buffer[16384] __attribute__((aligned(4096)));
static unsigned lost;

__asm__(".globl _start\n"
        "_start:\n"
        "    movq %rsp, %rdi\n"
        "    andq $-16, %rsp\n"
        "    call start\n");
void start(const uint64_t *stack);

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = (uint64_t)after;
    register uint64_t r9 __asm__("r9") = (uint64_t)before;

    __asm__ volatile("fxrstor64 (%%r9)\n\tsyscall\n\tfxsave64 (%%r8)"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

static void print(const char *text)
{
    uint64_t bytes = 0;

    while (text[bytes] != 0)
        bytes++;
    (void)call(1, 1, (uint64_t)text, bytes, 0);
}

/* Whether nothing was lost in the last call. */
static int is_kept(const char *name)
{
    for (unsigned i = 160; i < 416; i++) {
        if (before[i] == after[i])
            continue;
        lost++;
        print(name);
        print(" loses vector registers\n");
        return 0;
    }
    return 1;
}

#define KEPT(name, ...) (void)(call(__VA_ARGS__), is_kept(name))

static void waits(void)
{
    static const int64_t moment[2] = {0, 2000000};
    uint64_t file = (uint64_t)call(2, (uint64_t) "/work/long", 0, 0, 0);
    uint64_t bytes = (uint64_t)buffer;

    (void)is_kept("open");
    KEPT("nanosleep", 35, (uint64_t)moment, 0, 0, 0);
    KEPT("clock_nanosleep", 230, 1, 0, (uint64_t)moment, 0);
    KEPT("poll", 7, 0, 0, 2, 0);
    KEPT("read of a file", 0, file, bytes, 4096, 0);
    KEPT("fstat", 5, file, bytes, 0, 0);
    KEPT("getrandom", 318, bytes, 100, 0, 0);
    KEPT("getrusage", 98, 0, bytes, 0, 0);
    KEPT("write of a page that is not present", 1, 1, bytes + 12288, 0, 0);
    print("type\n");
    KEPT("read of the terminal", 0, 0, bytes, 100, 0);
}

static void yields(void)
{
    int64_t begun[2], now[2] = {0};

    (void)call(228, 1, (uint64_t)begun, 0, 0);
    do {
        (void)call(24, 0, 0, 0, 0);
        if (!is_kept("sched_yield"))
            break;
        (void)call(228, 1, (uint64_t)now, 0, 0);
    } while (now[0] - begun[0] < SECONDS);
}

static void steps(void)
{
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tmovb $1, (%0)"
                     :
                     : "r"(buffer + 8192)
                     : "memory", "cc");
}

void start(const uint64_t *stack)
{
    const char *what = stack[0] > 1 ? (const char *)stack[2] : "";

    __asm__ volatile("fxsave64 (%0)" : : "r"(before) : "memory");
    for (unsigned i = 160; i < 416; i++)
        before[i] = (uint8_t)(i * 7 + 1);
    if (what[0] == 's')
        steps();
    else if (what[0] == 'j')
        ((void (*)(void))0x7FF010000000)();
    else if (what[0] == 'y')
        yields();
    else
        waits();
    print(lost == 0 ? "all is kept\n" : "not all is kept\n");
    (void)call(231, lost, 0, 0, 0);
}
