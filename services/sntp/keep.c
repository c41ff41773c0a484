// SPDX-License-Identifier: MIT
/* keep - see keep.h. */
#include "services/sntp/keep.h"

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* No difference of two of them is too large: SNTP_LAST_S is 4.1e18 ns. */
enum keep_result keep_take(struct keep *keep, const struct sntp_times *times, uint64_t asked_ns,
                           uint64_t answered_ns, int64_t *boot_ns)
{
    int64_t held_ns = times->sent_ns - times->received_ns;
    int64_t took_ns = (int64_t)(answered_ns - asked_ns);
    int64_t found_ns, step_ns;

    if (held_ns > took_ns)
        return KEEP_IMPOSSIBLE;
    found_ns = times->received_ns + held_ns / 2 - (int64_t)asked_ns - took_ns / 2;
    step_ns = found_ns - *boot_ns;
    if (keep->has_time &&
        (step_ns > (int64_t)KEEP_STEP_MAX_NS || step_ns < -(int64_t)KEEP_STEP_MAX_NS))
        return KEEP_TOO_FAR;
    keep->has_time = true;
    *boot_ns = found_ns;
    return KEEP_TAKEN;
}

static uint64_t pause(struct keep *keep, uint64_t wanted_ns)
{
    keep->pause_ns = most(wanted_ns, keep->least_ns);
    return keep->pause_ns;
}

uint64_t keep_pause_good(struct keep *keep)
{
    return pause(keep, KEEP_PAUSE_GOOD_NS);
}

/* The first after a good one is as short as the very first. */
uint64_t keep_pause_bad(struct keep *keep)
{
    if (keep->pause_ns == 0 || keep->pause_ns > KEEP_PAUSE_BAD_NS)
        return pause(keep, KEEP_PAUSE_FIRST_NS);
    return pause(keep, least(2 * keep->pause_ns, KEEP_PAUSE_BAD_NS));
}

uint64_t keep_pause_longer(struct keep *keep)
{
    keep->least_ns = least(2 * most(keep->pause_ns, KEEP_PAUSE_FIRST_NS), KEEP_PAUSE_MAX_NS);
    return pause(keep, keep->least_ns);
}
