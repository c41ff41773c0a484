// SPDX-License-Identifier: MIT
/* time - see time.h. */
#include "lib/mnos/time.h"

#include "lib/mnos/syscall.h"

uint64_t kinfo_time_ns(void)
{
    const struct mnos_kinfo *info = kinfo();

    if (info->tsc_usable == 1)
        return kinfo_time_of(info, tsc_read());
    /* A deadline in the past does not wait, and is how the kernel tells the time: the value comes
     * with MNOS_ERR_DEADLINE, so the stub, which yields values on success only, does not serve. */
    return syscall_raw(MNOS_SYS_thread_block, MNOS_SELF, MNOS_DEADLINE_POLL, 0, 0, 0, 0).rdx;
}

uint64_t deadline_after_ns(uint64_t duration_ns)
{
    uint64_t now;

    if (duration_ns == MNOS_DEADLINE_POLL || duration_ns == MNOS_DEADLINE_NEVER)
        return duration_ns;
    now = kinfo_time_ns();
    return duration_ns < MNOS_DEADLINE_NEVER - now ? now + duration_ns : MNOS_DEADLINE_NEVER - 1;
}

void sleep_until(uint64_t deadline_ns)
{
    uint64_t now;

    /* A stray wake ends the wait early, so look at the clock. */
    do {
        (void)!sys_thread_block(MNOS_SELF, deadline_ns, &now);
    } while (kinfo_time_ns() < deadline_ns);
}
