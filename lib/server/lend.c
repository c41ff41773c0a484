// SPDX-License-Identifier: MIT
/* lend - see lend.h. */
#include "lib/server/lend.h"

#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

mnos_status_t lend_begin(mnos_cap_t memory, uint64_t first_page, uint64_t page_count,
                         mnos_cap_t *lent)
{
    return sys_cap_create(MNOS_CREATE_RANGE, memory,
                          MNOS_RIGHT_READ | MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE, first_page,
                          page_count, lent);
}

void lend_end(mnos_cap_t lent)
{
    (void)!sys_cap_revoke(lent);
    (void)!sys_cap_delete(lent);
}

/* Time goes on, and a run that lends more often than once a nanosecond there is none. */
uint64_t lend_number(void)
{
    static uint64_t last;
    uint64_t now = kinfo_time_ns();

    last = now > last ? now : last + 1;
    return last;
}
