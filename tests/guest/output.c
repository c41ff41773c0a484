// SPDX-License-Identifier: MIT
/* output.c - see output.h. */
#include "abi/log.h"
#include "tests/guest/output.h"

#include <stdarg.h>
#include <stdint.h>

#include "abi/memory.h"
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

/* QEMU's isa-debug-exit: it ends with exit code 2 * value + 1. */
#define EXIT_PORT 0xF4
#define EXIT_VALUE_PASS 0x10
#define EXIT_VALUE_FAIL 0x11

#define LINE_BYTES 220

void print(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    mnos_vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    memcpy(ipc_buffer()->data, line, strlen(line));
    (void)!sys_debug_write(bootstrap_cap("log"), strlen(line), MNOS_LOG_INFO);
}

void machine_leave(bool passed)
{
    (void)!sys_mem_map(MNOS_SELF, bootstrap_cap("ports"), 0, EXIT_PORT, 1,
                       MNOS_MAP_READ | MNOS_MAP_WRITE);
    port_write8(EXIT_PORT, passed ? EXIT_VALUE_PASS : EXIT_VALUE_FAIL);
}
