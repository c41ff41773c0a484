// SPDX-License-Identifier: MIT
/*
 * hostile - a static program of Linux that makes native calls, for tests/system/test_linux.py: it prints which capabilities its
 * process holds, but for memory of its own, a line each; then it sends lxhost what no lx would. Its exit code is 0
 * when lxhost still serves it, and each forged request was refused.
 */
#include <stdbool.h>

#include "abi/inspect.h"
#include "abi/message.h"
#include "abi/process.h"
#include "abi/syscalls.h"
#include "protocols/lxhost.h"
#include "tests/linux/program.h"

#define BUFFER ((struct mnos_ipc_buffer *)(MNOS_KINFO_ADDRESS - 2ull * MNOS_PAGE_BYTES))
#define IMAGE_AT 0x20000000ull
#define IMAGE ((volatile struct lxhost_image *)IMAGE_AT)
#define OWN_RIGHTS 31u
#define COPY_PAGES 256u

PROGRAM_START;

static uint64_t value, second; /* of the last call */

static uint64_t native(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                       uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    value = c;
    return number;
}

static _Noreturn void fail(int code, const char *why)
{
    print(why);
    end(code);
}

/* ---- What it holds ---- */

static const char *const types[] = {"none", "memory", "endpoint", "interrupt", "process", "thread"};
static uint64_t endpoints[32];
static unsigned endpoint_count;

static void print_held(void)
{
    struct mnos_cap_info info;

    for (uint64_t at = 0; (uint32_t)native(MNOS_SYS_cap_inspect, 0, MNOS_VIEW_PROCESS_CAP, at, 0, 0,
                                           0) == MNOS_OK;) {
        char rights[] = " rwxgv\n";

        info = *(const volatile struct mnos_cap_info *)BUFFER->data;
        at = MNOS_HANDLE_INDEX(info.handle) + 1;
        if (info.type == MNOS_TYPE_ENDPOINT && endpoint_count < 32)
            endpoints[endpoint_count++] = info.handle;
        if (info.type == MNOS_TYPE_MEMORY && info.rights == OWN_RIGHTS)
            continue;
        for (unsigned i = 0; i < 5; i++)
            rights[1 + i] = (info.rights >> i & 1) != 0 ? rights[1 + i] : '-';
        print(types[info.type < 6 ? info.type : 0]);
        print(rights);
    }
}

/* ---- What it sends ---- */

static uint64_t send(uint64_t endpoint, uint32_t label, uint32_t bytes, const uint64_t words[4])
{
    register uint64_t r10 __asm__("r10") = words[1];
    register uint64_t r8 __asm__("r8") = words[2];
    register uint64_t r9 __asm__("r9") = words[3];
    register uint64_t r12 __asm__("r12") = MNOS_DEADLINE_NEVER;
    uint64_t number = MNOS_SYS_ipc_call, rdi = endpoint, rdx = words[0];
    uint64_t rsi = MNOS_INFO(label, bytes) | MNOS_INFO_ACCEPT(1);

    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9),
                       "+r"(r12)
                     :
                     : "rcx", "r11", "memory");
    value = rdx;
    second = r10;
    return (uint32_t)number != MNOS_OK ? 0xFFFF0000 | (uint32_t)number : rsi >> 32;
}

/* Which of the endpoints is lxhost's: who answers who the process is. */
static uint64_t find_host(void)
{
    for (unsigned i = 0; i < endpoint_count; i++) {
        if (send(endpoints[i], LXHOST_IDS, sizeof(struct lxhost_process), (uint64_t[4]){0}) ==
                MNOS_OK &&
            (uint32_t)value == 1)
            return endpoints[i];
    }
    fail(2, "no endpoint is lxhost's\n");
}

static void make_image(unsigned which)
{
    for (unsigned i = 0; i < LXHOST_RUNS_MAX; i++) {
        IMAGE->runs[i].address = i * 0x1000ull;
        IMAGE->runs[i].pages = 1;
        IMAGE->runs[i].rights = 3;
    }
    IMAGE->run_count = which == 0 ? 0xFFFFFFFF : LXHOST_RUNS_MAX;
    IMAGE->handle_count = which == 1 ? 0xFFFFFFFF : 0;
    IMAGE->runs[1].pages = which == 2 ? 0xFFFFFFFF : 1;
    IMAGE->runs[1].address = which == 3 ? 0x00007FF000000000 : 0x1000; /* where lx is */
    IMAGE->runs[1].address = which == 4 ? UINT64_MAX << 12 : IMAGE->runs[1].address;
    IMAGE->runs[1].rights = which == 5 ? 7 : 3;
}

static void forge_copies(uint64_t host)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t page = i == 6 ? UINT64_MAX : i == 7 ? LXHOST_IMAGE_PAGES : 0;

        if (send(host, LXHOST_FORK_MEMORY, 8, (uint64_t[4]){LXHOST_IMAGE_PAGES}) != MNOS_OK)
            fail(3, "there is no memory for a copy\n");
        if ((uint32_t)native(MNOS_SYS_mem_map, 0, BUFFER->recv_caps[0], IMAGE_AT, 0,
                             LXHOST_IMAGE_PAGES, 3) != MNOS_OK)
            fail(4, "the memory of a copy cannot be mapped\n");
        make_image(i);
        if (send(host, LXHOST_FORK, 24, (uint64_t[4]){page, 0x1000, 0x1000}) == MNOS_OK)
            fail(5, "a copy was made of what is none\n");
    }
}

static uint64_t frames_used(uint64_t host)
{
    if (send(host, LXHOST_CONTAINER, 0, (uint64_t[4]){0}) != MNOS_OK)
        fail(16, "it was told nothing of its container\n");
    return second;
}

/* Memory for a copy that is not made is given back, when the kernel comes to it; and no copy is made of it. */
static void give_memory_back(uint64_t host)
{
    static const uint64_t moment[2] = {0, 1000000};
    uint64_t before = frames_used(host);
    unsigned tries = 0;

    if (send(host, LXHOST_FORK_MEMORY, 8, (uint64_t[4]){COPY_PAGES}) != MNOS_OK ||
        frames_used(host) < before + COPY_PAGES)
        fail(17, "memory of a copy is not the container's\n");
    if (send(host, LXHOST_FORK_MEMORY, 8, (uint64_t[4]){0}) != MNOS_OK)
        fail(18, "memory of a copy cannot be given back\n");
    while (frames_used(host) >= before + COPY_PAGES / 2) {
        if (tries++ == 5000)
            fail(19, "memory of a copy was not given back\n");
        (void)call(NANOSLEEP, moment, 0);
    }
    if (send(host, LXHOST_FORK, 24, (uint64_t[4]){0, 0x1000, 0x1000}) != MNOS_ERR_STATE)
        fail(20, "a copy was made of memory that was given back\n");
}

static void forge_requests(uint64_t host)
{
    static const uint64_t odd[] = {0, 1, 255, 256, UINT32_MAX, 1ull << 63, UINT64_MAX};

    for (uint32_t label = LXHOST_DROP; label <= LXHOST_PIPE_STATE; label++) {
        for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            uint64_t words[4] = {odd[i], odd[i], odd[i], odd[i]};
            uint32_t bytes = label == LXHOST_SEEK                                      ? 24
                             : label == LXHOST_PIPE_READ || label == LXHOST_PIPE_WRITE ? 16
                                                                                       : 8;

            if (label == LXHOST_OFFSET || label == LXHOST_PIPE)
                continue;
            if (send(host, label, bytes, words) != MNOS_ERR_FILE)
                fail(6, "an object of others was reached\n");
        }
    }
    for (uint32_t label = 0; label < 600; label++) { /* of no size that is right */
        if (send(host, label, 31, (uint64_t[4]){UINT64_MAX, UINT64_MAX}) == MNOS_OK)
            fail(7, "a request without a size was served\n");
    }
    for (unsigned i = 0; i < 300; i++) /* more than there may be */
        (void)send(host, LXHOST_OFFSET, 8, (uint64_t[4]){i});
    for (unsigned i = 0; i < 300; i++)
        (void)send(host, LXHOST_DROP, 8, (uint64_t[4]){i});
    if (send(host, LXHOST_GROW, 16, (uint64_t[4]){1ull << 40, 0}) == MNOS_OK ||
        send(host, LXHOST_GROW, 16, (uint64_t[4]){UINT64_MAX, UINT64_MAX}) == MNOS_OK)
        fail(8, "it got more memory than there is\n");
    if (send(host, LXHOST_LISTEN, 0, (uint64_t[4]){0}) == MNOS_OK ||
        send(host, LXHOST_KILL, 8, (uint64_t[4]){9ull << 32 | 77}) == MNOS_OK ||
        send(host, LXHOST_SETPGID, 8, (uint64_t[4]){5ull << 32}) == MNOS_OK)
        fail(9, "it was told of processes that are not there\n");
}

#define SIGALRM 14u
#define HANDLER_IGNORE 1u
#define REPLY_AT 32u /* what a message has in registers, and not in the buffer */
#define TITLE_AT (offsetof(struct lxhost_about, title) - REPLY_AT)

/* What others are told of this process is bounded, whatever it says of itself; and numbers that no process has are nobody. */
static void forge_title(uint64_t host)
{
    const volatile uint8_t *data = BUFFER->data;
    const volatile struct lxhost_title *title = (const volatile void *)(data + TITLE_AT);
    static const uint32_t nobody[] = {INT32_MAX, 77};

    for (size_t i = 0; i < sizeof(struct lxhost_title); i++)
        ((volatile uint8_t *)BUFFER->data)[i] = 0xFF;
    if (send(host, LXHOST_TITLE, sizeof(struct lxhost_title),
             (uint64_t[4]){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}) != MNOS_OK ||
        send(host, LXHOST_ABOUT, sizeof(struct lxhost_process), (uint64_t[4]){UINT32_MAX}) !=
            MNOS_OK ||
        title->name[LXHOST_NAME_BYTES - 1] != 0 || title->words_bytes > LXHOST_WORDS_BYTES)
        fail(11, "a title is longer than its place\n");
    for (unsigned i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
        if (send(host, LXHOST_ABOUT, sizeof(struct lxhost_process), (uint64_t[4]){nobody[i]}) !=
            MNOS_ERR_NOT_FOUND)
            fail(12, "it was told of a process that is not there\n");
    }
    if (send(host, LXHOST_WAIT, sizeof(struct lxhost_wait),
             (uint64_t[4]){1ull << 31 | 7ull << 32}) != MNOS_ERR_NOT_FOUND)
        fail(13, "it has a child that is not there\n");
}

/* Timers that are due at once, always, or past all time: lxhost answers all the same. */
static void forge_timers(uint64_t host)
{
    static const uint64_t odd[] = {0, 1, 1ull << 63, UINT64_MAX};
    const uint64_t ignore[4] = {HANDLER_IGNORE};

    (void)call(SIGACTION, SIGALRM, ignore, 0, 8);
    for (unsigned i = 0; i < 16; i++) {
        if (send(host, LXHOST_TIMER, sizeof(struct lxhost_timer),
                 (uint64_t[4]){odd[i / 4], odd[i % 4]}) != MNOS_OK)
            fail(14, "a timer was not set\n");
        for (unsigned j = 0; j < 100; j++) {
            if (send(host, LXHOST_IDS, sizeof(struct lxhost_process), (uint64_t[4]){0}) != MNOS_OK)
                fail(15, "lxhost has no time to answer\n");
        }
    }
    (void)send(host, LXHOST_TIMER, sizeof(struct lxhost_timer), (uint64_t[4]){0});
}

/* ---- What it is told when it has nothing left ---- */

/* Of a copy, which has no endpoint yet: all that it may use for objects, and if wanted all that the container has, is spent;
 * then it waits for a signal. */
static _Noreturn void wait_without_memory(uint64_t host, bool of_container)
{
    static const uint64_t timer[4] = {0, 0, 0, 50000};
    const uint64_t action[4] = {0};
    uint32_t status;

    for (uint64_t bytes = 1ull << 30; of_container && bytes != 0; bytes /= 2) {
        while (send(host, LXHOST_GROW, 16, (uint64_t[4]){0, bytes}) == MNOS_OK)
            ;
    }
    (void)call(SIGACTION, SIGALRM, action, 0, 8);
    (void)call(SETITIMER, 0, timer, 0);
    do
        status = (uint32_t)native(MNOS_SYS_cap_create, MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHT_READ, 0,
                                  0, 0);
    while (status == MNOS_OK);
    if (status == MNOS_ERR_QUOTA)
        (void)call(PAUSE);
    end(1);
}

static void spend(uint64_t host, bool of_container)
{
    int32_t status = 0;

    if (call(FORK) == 0)
        wait_without_memory(host, of_container);
    if (call(WAIT4, -1, &status, 0, 0) <= 1 || status != SIGALRM)
        fail(21, "a copy without memory was not told of its signal\n");
}

void start(void)
{
    uint64_t host;

    print_held();
    host = find_host();
    forge_copies(host);
    give_memory_back(host);
    forge_requests(host);
    forge_title(host);
    forge_timers(host);
    if (call(FORK) == 0)
        end(0);
    if (call(WAIT4, -1, 0, 0, 0) <= 1)
        fail(10, "there are no processes any more\n");
    spend(host, false);
    spend(host, true);
    end(0);
}
