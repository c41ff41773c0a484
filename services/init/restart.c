// SPDX-License-Identifier: MIT
/* restart - see restart.h. Host tests compile this file. */
#include "services/init/restart.h"

#include "lib/base/string.h"

enum restart_decision restart_decide(struct restart_history *history, bool ordered, uint64_t ran_ns,
                                     const char *end, uint64_t *wait_ns)
{
    if (ran_ns >= RESTART_STABLE_NS)
        *history = (struct restart_history){0};
    if (ordered)
        return RESTART_NOW;
    if (history->tries++ == 0)
        string_copy(history->first_end, end, sizeof history->first_end);
    if (history->tries >= RESTART_TRIES_MAX)
        return RESTART_NO_MORE;
    *wait_ns = RESTART_FIRST_NS << (history->tries - 1);
    return RESTART_LATER;
}
