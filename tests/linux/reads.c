// SPDX-License-Identifier: MIT
/*
 * reads - a static program of Linux, for tests/system/test_linux.py: a file that is read again and again, written to in between,
 * cut off, and read to where nothing is. What it prints is in the test.
 */
#include "tests/linux/program.h"

PROGRAM_START;

#define BYTES 4096u
#define PAGES 64u

static uint8_t buffer[BYTES];

static int64_t wrong_bytes(int64_t fd, unsigned page, uint8_t value)
{
    int64_t wrong = 0;

    for (unsigned i = 0; i < BYTES; i++)
        buffer[i] = 0xEE;
    if (call(PREAD, fd, buffer, BYTES, page * (uint64_t)BYTES) != BYTES)
        return -1;
    for (unsigned i = 0; i < BYTES; i++)
        wrong += buffer[i] != value;
    return wrong;
}

static void fill(int64_t fd, unsigned page, uint8_t value)
{
    for (unsigned i = 0; i < BYTES; i++)
        buffer[i] = value;
    if (call(PWRITE, fd, buffer, BYTES, page * (uint64_t)BYTES) != BYTES)
        tell("a page could not be written", page);
}

void start(void)
{
    int64_t fd = call(OPEN, "/work/reads", 0102 /* O_RDWR, O_CREAT */, 0600), other, wrong = 0, at;

    for (unsigned i = 0; i < PAGES; i++)
        fill(fd, i, (uint8_t)i);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < PAGES; i++)
            wrong += wrong_bytes(fd, i, (uint8_t)i);
    }
    tell("wrong", wrong);
    for (unsigned i = 0; i < 20; i++) {
        fill(fd, 5, (uint8_t)(100 + i));
        wrong += wrong_bytes(fd, 5, (uint8_t)(100 + i));
    }
    tell("wrong behind writes", wrong);
    other = call(OPEN, "/work/reads", 1);
    fill(other, 6, 77);
    tell("wrong behind a write of another", wrong_bytes(fd, 6, 77));
    /* The second of two pages is none. */
    at = call(MMAP, 0, 2 * BYTES, 3, 0x22, -1, 0);
    (void)call(MUNMAP, at + BYTES, BYTES);
    tell("to where nothing is", call(PREAD, fd, at + BYTES, 10, 0));
    tell("to its edge", call(PREAD, fd, at + BYTES - 16, 20, 6 * BYTES));
    tell("a byte of it", *(volatile uint8_t *)(at + BYTES - 1));
    tell("not by words", call(PREAD, fd, at + BYTES - 13, 20, 5 * BYTES));
    tell("a byte of it", *(volatile uint8_t *)(at + BYTES - 1));
    tell("from there", call(PWRITE, fd, at + BYTES - 13, 20, 4 * BYTES));
    tell("cut", call(FTRUNCATE, fd, 6 * BYTES + 10));
    tell("the rest", call(PREAD, fd, buffer, BYTES, 6 * BYTES));
    tell("behind the end", call(PREAD, fd, buffer, BYTES, 7 * BYTES));
    tell("close", call(CLOSE, fd));
    end(0);
}
