// SPDX-License-Identifier: MIT
/* process_end - see process_end.h. */
#include "lib/mnos/process_end.h"

#include "abi/fault.h"
#include "abi/process.h"
#include "lib/base/printf.h"

const char *process_fault_text(uint32_t vector)
{
    static const char *const names[] = {
        [0] = "division error",      [1] = "debug exception",
        [3] = "breakpoint",          [4] = "overflow",
        [5] = "bound exceeded",      [6] = "invalid instruction",
        [7] = "no such coprocessor", [11] = "segment missing",
        [12] = "stack fault",        [13] = "general protection",
        [14] = "page fault",         [16] = "x87 error",
        [17] = "misaligned access",  [19] = "SIMD error",
    };

    if (vector < sizeof names / sizeof names[0] && names[vector] != NULL)
        return names[vector];
    return vector == MNOS_FAULT_SYSCALL ? "foreign system call" : "exception";
}

void process_end_text(const struct mnos_process_info *info, char *out, size_t size)
{
    uint32_t vector = (uint32_t)(info->exit_code >> 32);

    switch (info->exit_reason) {
    case MNOS_EXIT_SELF:
        mnos_snprintf(out, size, "exit code %lld", (long long)info->exit_code);
        break;
    case MNOS_EXIT_DESTROYED: mnos_snprintf(out, size, "killed"); break;
    case MNOS_EXIT_FAULT:
        mnos_snprintf(out, size, "fault: %s, vector %u, error 0x%x", process_fault_text(vector),
                      vector, (unsigned)(uint32_t)info->exit_code);
        break;
    default: mnos_snprintf(out, size, "reason %u", info->exit_reason); break;
    }
}
