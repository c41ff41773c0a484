// SPDX-License-Identifier: MIT
/*
 * large - a static program of Linux, for tests/system/test_linux.py: a copy of a process with 160 MiB of memory in one piece has
 * all of it, whose page tables alone are more than what a process begins with.
 */
#include "tests/linux/program.h"

#define BYTES (160ull << 20)
#define PAGE 4096u
#define READ_WRITE 3
#define PRIVATE_ANONYMOUS 0x22

PROGRAM_START;

static volatile uint64_t *word_of(uint64_t memory, uint64_t offset)
{
    return (volatile uint64_t *)(memory + offset);
}

void start(void)
{
    uint64_t memory = (uint64_t)call(MMAP, 0, BYTES, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
    int32_t status = -1;
    int64_t pid;

    for (uint64_t at = 0; at < BYTES; at += PAGE)
        *word_of(memory, at) = at;
    pid = call(FORK);
    for (uint64_t at = 0; pid == 0 && at < BYTES; at += PAGE) {
        if (*word_of(memory, at) != at)
            end(1);
    }
    if (pid == 0)
        end(0);
    if (pid < 0)
        print("there is no copy\n");
    else if (call(WAIT4, pid, &status, 0, 0) != pid || status != 0)
        print("the copy has other memory\n");
    end(status != 0);
}
