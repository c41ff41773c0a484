// SPDX-License-Identifier: MIT
/* main - is refused a right and some quota, logs why in libmnos's words, and waits: tests/system/test_monitor.py. */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

int main(void)
{
    mnos_cap_t log = bootstrap_cap("log"), made;

    log_error(sys_cap_create(MNOS_CREATE_COPY, log, MNOS_RIGHT_READ, 0, 0, &made), "read the log");
    log_error(sys_mem_alloc(1u << 20, 0, &made), "allocate");
    sleep_until(MNOS_DEADLINE_NEVER);
    return 0;
}
