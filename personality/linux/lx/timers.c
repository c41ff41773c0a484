// SPDX-License-Identifier: MIT
/* timers - see timers.h. */
#include "personality/linux/lx/timers.h"

#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/host.h"

#define ITIMER_REAL 0
#define MICROSECOND_NS 1000ull
#define SECOND_NS 1000000000ull
#define SECONDS_MAX (INT64_MAX / (int64_t)SECOND_NS)

struct linux_itimerval {
    struct linux_timeval interval, value;
};

/* As lxhost has it, which goes on to its next end by itself. */
static struct lxhost_timer timer;

static void set(uint64_t value_ns, uint64_t interval_ns)
{
    timer = (struct lxhost_timer){value_ns == 0 ? 0 : deadline_after_ns(value_ns), interval_ns};
    (void)!host_ask(LXHOST_TIMER, &timer, sizeof timer, NULL, 0);
}

void timers_forget(void)
{
    timer = (struct lxhost_timer){0};
}

static uint64_t left_ns(void)
{
    uint64_t now = kinfo_time_ns();

    if (timer.due_ns == 0)
        return 0;
    if (timer.due_ns > now)
        return timer.due_ns - now;
    if (timer.interval_ns == 0) {
        timer.due_ns = 0;
        return 0;
    }
    return timer.interval_ns - (now - timer.due_ns) % timer.interval_ns;
}

int64_t lx_alarm(uint32_t seconds)
{
    uint64_t left = left_ns();

    set(seconds * SECOND_NS, 0);
    if (left == 0)
        return 0;
    return left < SECOND_NS ? 1 : (int64_t)((left + SECOND_NS / 2) / SECOND_NS);
}

static bool is_valid(const struct linux_timeval *time)
{
    return time->seconds >= 0 && time->microseconds >= 0 && time->microseconds < 1000000;
}

static uint64_t ns_of(const struct linux_timeval *time)
{
    int64_t seconds = time->seconds < SECONDS_MAX ? time->seconds : SECONDS_MAX;

    return (uint64_t)seconds * SECOND_NS + (uint64_t)time->microseconds * MICROSECOND_NS;
}

static struct linux_timeval time_of(uint64_t ns)
{
    return (struct linux_timeval){(int64_t)(ns / SECOND_NS),
                                  (int64_t)(ns % SECOND_NS / MICROSECOND_NS)};
}

/* The others count the time that the process runs: not there yet. */
int64_t lx_getitimer(uint32_t which, uint64_t to)
{
    struct linux_itimerval value = {time_of(timer.due_ns != 0 ? timer.interval_ns : 0),
                                    time_of(left_ns())};

    return which != ITIMER_REAL ? -LX_EINVAL : user_write(to, &value, sizeof value);
}

int64_t lx_setitimer(uint32_t which, uint64_t from, uint64_t old)
{
    struct linux_itimerval wanted = {0};
    int64_t result;

    if (from != 0 && user_read(&wanted, from, sizeof wanted) != 0)
        return -LX_EFAULT;
    if (!is_valid(&wanted.value) || !is_valid(&wanted.interval) || which != ITIMER_REAL)
        return -LX_EINVAL;
    result = old != 0 ? lx_getitimer(which, old) : 0;
    if (result == 0)
        set(ns_of(&wanted.value), ns_of(&wanted.interval));
    return result;
}
