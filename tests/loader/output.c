// SPDX-License-Identifier: MIT
/* output - result lines on COM1, and the way out of QEMU. */
#include "probe.h"

#define COM1 0x3f8
#define EXIT_PORT 0xf4

static bool failed;

/* 115200 baud, 8 data bits: the loader leaves the port as it was. */
void output_init(void)
{
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 0x80);
    out8(COM1, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 3);
}

void print(const char *text)
{
    for (; *text != 0; text++) {
        while ((in8(COM1 + 5) & 0x20) == 0)
            ;
        out8(COM1, (uint8_t)*text);
    }
}

void print_hex(uint64_t value)
{
    char digits[17];

    for (unsigned i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    digits[16] = 0;
    print(digits);
}

void check(bool ok, const char *name, const char *reason)
{
    print(ok ? "ok " : "FAIL ");
    print(name);
    if (!ok) {
        print(": ");
        print(reason);
        failed = true;
    }
    print("\n");
}

void finish(void)
{
    print(failed ? "probe failed\n" : "probe passed\n");
    out8(EXIT_PORT, failed ? 0x11 : 0x10);
    for (;;)
        __asm__ volatile("cli; hlt");
}
