// SPDX-License-Identifier: MIT
/* clock - see clock.h. */
#include "lib/client/clock.h"

#include "lib/client/region.h"
#include "lib/mnos/time.h"
#include "protocols/clock.h"

/* NULL: this program may not read it. */
static const struct clock_page *page(void)
{
    static struct region_piece piece;
    static struct region region;
    static bool looked;

    if (!looked)
        (void)region_open(&region, BOOTSTRAP_OPTIONAL("clock"), &piece, 1);
    looked = true;
    return (const struct clock_page *)region.address;
}

int64_t clock_boot_ns(void)
{
    const struct clock_page *said = page();
    int64_t boot_ns = 0;

    if (said != NULL)
        boot_ns = atomic_load_explicit(&said->boot_ns, memory_order_relaxed);
    return boot_ns != 0 ? boot_ns : kinfo()->wall_clock_base_ns;
}

bool clock_is_said(uint64_t *said_ns)
{
    const struct clock_page *said = page();

    /* Acquire pairs with the release in set_clock() of sntp: when it was said is there, too. */
    if (said == NULL || atomic_load_explicit(&said->boot_ns, memory_order_acquire) == 0)
        return false;
    *said_ns = atomic_load_explicit(&said->said_ns, memory_order_relaxed);
    return true;
}
