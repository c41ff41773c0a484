// SPDX-License-Identifier: MIT
/*
 * debug_port.c - leaving the emulator: QEMU's isa-debug-exit device ends it with status
 * (value << 1) | 1, so `code` is odd. Only when the command line says so, since on real hardware the
 * port may be anything.
 */
#include "arch/arch.h"

#include "arch/x86_64/cpu/insn.h"
#include "boot/bootinfo.h"

#define DEBUG_EXIT_PORT 0xF4

void arch_debug_exit(uint32_t code)
{
    if (boot_cmdline_has("debug-exit"))
        outl(DEBUG_EXIT_PORT, code >> 1);
}
