// SPDX-License-Identifier: MIT
/* error - keeps the last error of each thread, for error_explain() in status.h. */
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"

/* RAX uses 48 bits; the number of the call above the common base fits into the rest. */
#define NUMBER_SHIFT 48
#define RAX_MASK ((1ull << NUMBER_SHIFT) - 1)

mnos_status_t error_record(uint32_t number, uint64_t rax)
{
    ipc_buffer()->reserved[2] = (rax & RAX_MASK) | (uint64_t)(number - MNOS_SYSCALL_BASE)
                                                       << NUMBER_SHIFT;
    return (mnos_status_t)(uint32_t)rax;
}

void error_forget(void)
{
    ipc_buffer()->reserved[2] = 0;
}

char *error_explain(char *out, size_t size, mnos_status_t status, const char *what)
{
    uint64_t last = ipc_buffer()->reserved[2];

    /* The status may be a server's, or older than the last error: then there are no details. */
    if ((uint32_t)last != (uint32_t)status || status == MNOS_OK)
        return error_describe(out, size, what, 0, status);
    return error_describe(out, size, what, MNOS_SYSCALL_BASE + (uint32_t)(last >> NUMBER_SHIFT),
                          last & RAX_MASK);
}
