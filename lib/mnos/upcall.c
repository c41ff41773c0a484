// SPDX-License-Identifier: MIT
/* upcall - see upcall.h; the way in and out is upcall_entry.S. */
#include "lib/mnos/upcall.h"

#include "lib/mnos/syscall.h"

void upcall_entry(void); /* upcall_entry.S, which calls upcall_current */
upcall_handler *upcall_current;

mnos_status_t upcall_set(upcall_handler *handler, uint64_t which)
{
    upcall_current = handler;
    return sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, (uint64_t)upcall_entry | which);
}

mnos_status_t upcall_clear(void)
{
    return sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL, 0);
}
