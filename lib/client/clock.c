// SPDX-License-Identifier: MIT
/* clock - see clock.h. */
#include "lib/client/clock.h"

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "protocols/clock.h"

static const struct clock_page *page; /* NULL: not mapped */
static bool looked;                   /* it is mapped, or this program may not read it */

static mnos_cap_t memory(void)
{
    return bootstrap_lookup(BOOTSTRAP_OPTIONAL("clock"));
}

mnos_status_t clock_open(void)
{
    mnos_status_t status = MNOS_OK;
    void *address = NULL;

    if (!looked && memory() != 0)
        status = memory_map(memory(), 0, 1, MNOS_MAP_READ, &address);
    if (address != NULL)
        page = address;
    looked = status == MNOS_OK;
    return status;
}

mnos_status_t clock_forked(void)
{
    return page == NULL ? MNOS_OK
                        : sys_mem_map(MNOS_SELF, memory(), (uint64_t)page, 0, 1, MNOS_MAP_READ);
}

int64_t clock_boot_ns(void)
{
    int64_t boot_ns = 0;

    if (clock_open() == MNOS_OK && page != NULL)
        boot_ns = atomic_load_explicit(&page->boot_ns, memory_order_relaxed);
    return boot_ns != 0 ? boot_ns : kinfo()->wall_clock_base_ns;
}

bool clock_is_said(uint64_t *said_ns)
{
    /* Acquire pairs with the release in set_clock() of sntp: when it was said is there, too. */
    if (clock_open() != MNOS_OK || page == NULL ||
        atomic_load_explicit(&page->boot_ns, memory_order_acquire) == 0)
        return false;
    *said_ns = atomic_load_explicit(&page->said_ns, memory_order_relaxed);
    return true;
}
