// SPDX-License-Identifier: MIT
/*
 * main - faults on purpose, to show that a broken program harms nobody else and what the system
 * says about it. The word that it is called with, or `fault=WORD` among the manifest's arguments, chooses how:
 * README.md.
 */
#include <stdint.h>

#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/thread.h"

#define THREAD_STACK_PAGES 2u
#define THREAD_PRIORITY 10u
#define KEYBOARD_PORT 0x60u

/* Each way is a function with a name of its own in the log, and so not copied into the others. */
#define WAY __attribute__((noinline)) static void

WAY write_nowhere(void)
{
    /* Not address 0, which the compiler knows to be wrong; but as little mapped. */
    volatile uint32_t *nowhere = (volatile uint32_t *)(uintptr_t)0x1000;

    log_line("about to write to address %p, where nothing is", (void *)(uintptr_t)nowhere);
    *nowhere = 1;
}

WAY call_nowhere(void)
{
    void (*volatile nowhere)(void) = (void (*)(void))(uintptr_t)0x2000;

    nowhere();
    __asm__ volatile(""); /* something is done after it, so it is a call and not a jump */
}

/* Deeper and deeper; what is added last keeps the call from becoming a jump. */
__attribute__((noinline)) static unsigned sink(unsigned depth)
{
    volatile unsigned char room[512];

    room[0] = (unsigned char)depth;
    return depth == UINT32_MAX ? 0 : sink(depth + 1) + room[0];
}

WAY overflow_stack(void)
{
    (void)!sink(0);
}

static void in_thread(void *)
{
    overflow_stack();
}

WAY overflow_thread(void)
{
    static struct thread thread;
    mnos_status_t status = thread_create(&thread, "deep", in_thread, NULL, THREAD_STACK_PAGES,
                                         THREAD_PRIORITY, MNOS_AFFINITY_ANY);

    if (status != MNOS_OK)
        log_error(status, "create a thread");
    else
        (void)!thread_join(&thread, MNOS_DEADLINE_NEVER);
}

WAY use_port(void)
{
    uint8_t value = 0;

    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"((uint16_t)KEYBOARD_PORT));
}

WAY call_linux(void)
{
    uint64_t number = 39; /* getpid */

    __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
}

WAY divide(void)
{
    volatile int one = 1, zero = 0;

    one = one / zero;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {
        {"write", write_nowhere},    {"call", call_nowhere}, {"stack", overflow_stack},
        {"thread", overflow_thread}, {"port", use_port},     {"linux", call_linux},
        {"divide", divide},
    };
    const char *word = bootstrap_argument(1);
    char chosen[16];

    if (word == NULL)
        word = bootstrap_argument_value("fault=", chosen, sizeof chosen) ? chosen : ways[0].name;
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(ways[i].name, word) == 0)
            ways[i].run();
    }
    log_at(MNOS_LOG_ERROR, "there is no way \"%s\" to fault", word);
    return 1;
}
