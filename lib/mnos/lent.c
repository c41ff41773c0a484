// SPDX-License-Identifier: MIT
/* lent - see lent.h; what may fault is in lent_copy.S and memcpy.S. */
#include "lib/mnos/lent.h"

#include "lib/base/string.h"
#include "lib/mnos/upcall.h"

#define PAGE_FAULT 14 /* Intel SDM vol 3, "Exception and Interrupt Vectors" */

extern const char memcpy_end[], lent_copy_returns[], lent_word_returns[];

bool lent_fault(struct mnos_fault *fault)
{
    struct mnos_registers *registers = &fault->registers;
    uint64_t returns = (uint64_t)lent_copy_returns;

    if (fault->vector != PAGE_FAULT)
        return false;
    if (registers->rip == (uint64_t)lent_word) {
        registers->rip = (uint64_t)lent_word_returns;
    } else if (registers->rip >= (uint64_t)memcpy && registers->rip < (uint64_t)memcpy_end &&
               *(const uint64_t *)registers->rsp == returns) {
        registers->rip = returns;
        registers->rsp += sizeof(uint64_t);
    } else {
        return false;
    }
    registers->rax = 0;
    return true;
}

/* Any other fault happens again, and ends as if there were no upcall. */
static void handle(struct mnos_fault *fault)
{
    if (!lent_fault(fault))
        (void)!upcall_clear();
}

mnos_status_t lent_begin(void)
{
    if (upcall_current != NULL && upcall_current != handle)
        return MNOS_ERR_STATE;
    return upcall_set(handle, MNOS_UPCALL_FAULTS);
}
