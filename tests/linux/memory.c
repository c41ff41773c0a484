// SPDX-License-Identifier: MIT
/*
 * memory - a static program of Linux, for tests/system/test_linux.py: a heap that grows page by page as far as it may, and a
 * move that there is no room to note. What it prints is in the test.
 */
#include "tests/linux/program.h"

PROGRAM_START;

enum { PRIVATE = 2, FIXED = 0x10, ANONYMOUS = 0x20, MAYMOVE = 1 };
#define PAGE 4096ull
#define MIB (1ull << 20)
#define AREAS_AT 0x100000000ull
#define AREAS_MAX 70000u
#define PAGES 4u

/* Each page is written to before the next is asked for; then all are looked at. */
static void grow(uint64_t bytes)
{
    uint64_t first = (uint64_t)call(BRK, 0), at = first, wrong = 0;

    first = at = (first + PAGE - 1) & ~(PAGE - 1);
    for (; at < first + bytes; at += PAGE) {
        if (call(BRK, at + PAGE) != (int64_t)(at + PAGE))
            break;
        *(volatile uint64_t *)at = at;
    }
    tell("MiB of heap", (int64_t)((at - first) / MIB));
    for (uint64_t page = first; page < at; page += PAGE)
        wrong += *(volatile uint64_t *)page != page || *(volatile uint64_t *)(page + 8) != 0;
    tell("wrong pages", (int64_t)wrong);
    tell("back", call(BRK, first) == (int64_t)first);
    tell("again", call(BRK, first + 2 * PAGE) == (int64_t)(first + 2 * PAGE));
    tell("zeros", (int64_t)(*(volatile uint64_t *)first | *(volatile uint64_t *)(first + PAGE)));
}

static int64_t map(uint64_t at, uint64_t bytes, uint64_t protection)
{
    return call(MMAP, at, bytes, protection, PRIVATE | ANONYMOUS | FIXED, -1, 0);
}

/* With as many areas as there can be, the middle of one is to be moved: that would split it. */
static void move(void)
{
    uint64_t at = AREAS_AT - MIB, wrong = 0;
    uint32_t areas = 0;
    int64_t result;

    tell("area", map(at, PAGES * PAGE, 3) == (int64_t)at);
    for (uint64_t i = 0; i < PAGES; i++)
        *(volatile uint64_t *)(at + i * PAGE) = i + 1;
    while (areas < AREAS_MAX && map(AREAS_AT + areas * PAGE, PAGE, 1 + areas % 2 * 2) > 0)
        areas++;
    tell("all areas there can be", areas > 60000 && areas < AREAS_MAX);
    result = call(MREMAP, at + PAGE, PAGE, 2 * PAGE, MAYMOVE);
    tell("move", result);
    for (uint64_t i = 0; i < PAGES; i++)
        wrong += *(volatile uint64_t *)(at + i * PAGE) != i + 1;
    tell("wrong pages", (int64_t)wrong);
    tell("unmap", call(MUNMAP, AREAS_AT, AREAS_MAX * PAGE));
    result = call(MREMAP, at + PAGE, PAGE, 2 * PAGE, MAYMOVE);
    tell("moved", result > 0);
    tell("with its bytes", *(volatile int64_t *)result);
    tell("and zeros behind", *(volatile int64_t *)(result + (int64_t)PAGE));
    tell("the rest", *(volatile int64_t *)(at + 2 * PAGE));
}

void start(void)
{
    grow(60 * MIB);
    move();
    end(0);
}
