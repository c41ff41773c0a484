// SPDX-License-Identifier: MIT
/* clock - times and clocks: from the kernel information page, without a call of the kernel. */
#include "personality/linux/lx/clock.h"

#include "lib/client/clock.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/wait.h"

#define SECOND_NS 1000000000
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPU 2
#define CLOCK_THREAD_CPU 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define TIMER_ABSTIME 1u
#define TICK_NS 10000000 /* AT_CLKTCK is 100 */

bool time_is_valid(const struct linux_timespec *time)
{
    return time->seconds >= 0 && time->nanoseconds >= 0 && time->nanoseconds < SECOND_NS;
}

uint64_t time_to_ns(const struct linux_timespec *time)
{
    uint64_t seconds = (uint64_t)time->seconds;

    if (seconds >= UINT64_MAX / SECOND_NS - 1)
        return MNOS_DEADLINE_NEVER;
    return seconds * SECOND_NS + (uint64_t)time->nanoseconds;
}

uint64_t time_boot_ns(void)
{
    if (clock_open() == MNOS_ERR_QUOTA)
        (void)host_grow();
    return (uint64_t)clock_boot_ns();
}

uint64_t time_deadline(bool wall_clock, uint64_t ns)
{
    uint64_t base = wall_clock ? time_boot_ns() : 0;

    return ns == MNOS_DEADLINE_NEVER || ns > base ? ns - (ns == MNOS_DEADLINE_NEVER ? 0 : base) : 0;
}

static bool clock_now(uint32_t clock, uint64_t *ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: *ns = kinfo_time_ns() + time_boot_ns(); return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: *ns = kinfo_time_ns(); return true;
    case CLOCK_PROCESS_CPU: *ns = process_cpu_ns(); return true;
    case CLOCK_THREAD_CPU: *ns = thread_cpu_ns(); return true;
    default: return false;
    }
}

static struct linux_timespec time_of(uint64_t ns)
{
    return (struct linux_timespec){(int64_t)(ns / SECOND_NS), (int64_t)(ns % SECOND_NS)};
}

int64_t lx_clock_gettime(uint32_t clock, uint64_t to)
{
    struct linux_timespec time;
    uint64_t ns;

    if (!clock_now(clock, &ns))
        return -LX_EINVAL;
    time = time_of(ns);
    return user_write(to, &time, sizeof time);
}

int64_t lx_clock_getres(uint32_t clock, uint64_t to)
{
    static const struct linux_timespec resolution = {0, 1};
    uint64_t ns;

    if (!clock_now(clock, &ns))
        return -LX_EINVAL;
    return to == 0 ? 0 : user_write(to, &resolution, sizeof resolution);
}

int64_t lx_gettimeofday(uint64_t to, uint64_t zone)
{
    static const int32_t no_zone[2];
    struct linux_timeval time;
    uint64_t ns;

    (void)clock_now(CLOCK_REALTIME, &ns);
    time = (struct linux_timeval){(int64_t)(ns / SECOND_NS), (int64_t)(ns % SECOND_NS / 1000)};
    if (to != 0 && user_write(to, &time, sizeof time) != 0)
        return -LX_EFAULT;
    return zone == 0 ? 0 : user_write(zone, no_zone, sizeof no_zone);
}

int64_t lx_time(uint64_t to)
{
    int64_t seconds;
    uint64_t ns;

    (void)clock_now(CLOCK_REALTIME, &ns);
    seconds = (int64_t)(ns / SECOND_NS);
    return to == 0 || user_write(to, &seconds, sizeof seconds) == 0 ? seconds : -LX_EFAULT;
}

/* What is left when a signal ends it is told of a sleep that is not to a point in time. */
static int64_t sleep_for(uint64_t deadline, uint64_t rest)
{
    struct linux_timespec left;
    uint64_t now;
    int64_t result;

    do
        result = wait_or_signal(deadline);
    while (result == 0);
    if (result == -LX_EAGAIN)
        return 0;
    now = kinfo_time_ns();
    left = time_of(deadline > now ? deadline - now : 0);
    return rest != 0 && user_write(rest, &left, sizeof left) != 0 ? -LX_EFAULT : result;
}

static int64_t sleep(uint32_t clock, bool absolute, uint64_t wanted, uint64_t rest)
{
    struct linux_timespec time;
    uint64_t ns, now;

    if (user_read(&time, wanted, sizeof time) != 0)
        return -LX_EFAULT;
    if (!time_is_valid(&time))
        return -LX_EINVAL;
    ns = time_to_ns(&time);
    if (absolute) {
        (void)clock_now(clock, &now);
        if (ns <= now)
            return 0;
        ns -= now;
    }
    return ns == 0 ? 0 : sleep_for(deadline_after_ns(ns), absolute ? 0 : rest);
}

int64_t lx_nanosleep(uint64_t wanted, uint64_t rest)
{
    return sleep(CLOCK_MONOTONIC, false, wanted, rest);
}

int64_t lx_clock_nanosleep(uint32_t clock, uint32_t flags, uint64_t wanted, uint64_t rest)
{
    uint64_t ns;

    if (!clock_now(clock, &ns) || clock == CLOCK_THREAD_CPU)
        return -LX_EINVAL;
    if (clock == CLOCK_PROCESS_CPU || clock == CLOCK_MONOTONIC_RAW ||
        clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
        return -LX_EOPNOTSUPP;
    return sleep(clock, (flags & TIMER_ABSTIME) != 0, wanted, rest);
}

int64_t lx_times(uint64_t to)
{
    int64_t times[4] = {(int64_t)(process_cpu_ns() / TICK_NS)};

    if (to != 0 && user_write(to, times, sizeof times) != 0)
        return -LX_EFAULT;
    return (int64_t)(kinfo_time_ns() / TICK_NS);
}

int64_t lx_getrusage(int32_t who, uint64_t to)
{
    struct linux_timespec cpu = time_of(process_cpu_ns());
    int64_t usage[18] = {cpu.seconds, cpu.nanoseconds / 1000};

    if (who < -1 || who > 1)
        return -LX_EINVAL;
    if (who == -1) /* of children, of which there are none */
        usage[0] = usage[1] = 0;
    return user_write(to, usage, sizeof usage);
}
