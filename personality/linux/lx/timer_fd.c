// SPDX-License-Identifier: MIT
/* timer_fd - timerfd_create(2) and its kin: see events.h. */
#include "lib/mnos/time.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/clock.h"
#include "personality/linux/lx/events.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/wait.h"

#define CLOCK_REALTIME 0u
#define CLOCK_MONOTONIC 1u
#define CLOCK_BOOTTIME 7u
#define TFD_TIMER_ABSTIME 1u
#define TFD_TIMER_CANCEL_ON_SET 2u /* the clock is set by nobody */
#define SECOND_NS 1000000000ull

struct linux_itimerspec {
    struct linux_timespec interval, value;
};

struct timer_file {
    struct timer_file *next;
    uint32_t clock;
    uint64_t due,
        interval_ns; /* `due` MNOS_DEADLINE_NEVER: it is not set, or was read at its end */
};

static struct timer_file *first;

/* How often it has ended since it was set, or read. */
static uint64_t ends(const struct timer_file *timer, uint64_t now)
{
    if (timer->due > now || timer->due == MNOS_DEADLINE_NEVER)
        return 0;
    return timer->interval_ns == 0 ? 1 : (now - timer->due) / timer->interval_ns + 1;
}

/* The next end that is not there yet. */
static uint64_t next_end(const struct timer_file *timer, uint64_t now)
{
    uint64_t count = ends(timer, now);

    if (count != 0 && timer->interval_ns == 0)
        return MNOS_DEADLINE_NEVER;
    return timer->due + count * timer->interval_ns;
}

uint64_t timer_files_next(void)
{
    uint64_t now, next = MNOS_DEADLINE_NEVER;

    if (first == NULL)
        return next;
    now = kinfo_time_ns();
    for (const struct timer_file *timer = first; timer != NULL; timer = timer->next) {
        uint64_t end = next_end(timer, now);

        next = end < next ? end : next;
    }
    return next;
}

static int64_t read_timer(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    struct timer_file *timer = file->own;
    uint64_t found, now;

    (void)offset;
    if (count < sizeof found)
        return -LX_EINVAL;
    while ((found = ends(timer, now = kinfo_time_ns())) == 0) {
        int64_t result = wait_for_change(file);

        if (result != 0)
            return result;
    }
    timer->due = next_end(timer, now);
    return user_write(to, &found, sizeof found) == 0 ? (int64_t)sizeof found : -LX_EFAULT;
}

static uint32_t ready_timer(struct open_file *file, uint32_t events)
{
    return ends(file->own, kinfo_time_ns()) != 0 ? events & LINUX_POLLIN : 0;
}

static uint64_t changes_of_timer(struct open_file *file)
{
    const struct timer_file *timer = file->own;
    uint64_t now = kinfo_time_ns();

    return timer->due + ends(timer, now) * (timer->interval_ns + 1);
}

static void close_timer(struct open_file *file)
{
    struct timer_file **link = &first;

    while (*link != file->own)
        link = &(*link)->next;
    *link = (*link)->next;
    piece_free(file->own);
}

static const struct open_methods timer_methods = {
    .read = read_timer,
    .stat = events_stat,
    .ready = ready_timer,
    .changes = changes_of_timer,
    .close = close_timer,
};

int64_t lx_timerfd_create(uint32_t clock, uint32_t flags)
{
    struct timer_file *timer;
    struct open_file *file;

    if ((flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC)) != 0 ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME))
        return -LX_EINVAL;
    file = events_make(&timer_methods, sizeof *timer, flags);
    if (file == NULL)
        return -LX_ENOMEM;
    timer = file->own;
    *timer = (struct timer_file){.next = first, .clock = clock, .due = MNOS_DEADLINE_NEVER};
    first = timer;
    return events_open(file, flags);
}

static int64_t timer_of(int32_t fd, struct timer_file **timer)
{
    struct open_file *file;
    int64_t result = events_of(fd, &timer_methods, &file);

    if (result == 0)
        *timer = file->own;
    return result;
}

static struct linux_timespec time_of(uint64_t ns)
{
    return (struct linux_timespec){(int64_t)(ns / SECOND_NS), (int64_t)(ns % SECOND_NS)};
}

static int64_t tell(const struct timer_file *timer, uint64_t to)
{
    uint64_t now = kinfo_time_ns(), next = next_end(timer, now);
    struct linux_itimerspec value = {
        .interval = time_of(timer->interval_ns),
        .value = time_of(next == MNOS_DEADLINE_NEVER ? 0 : next - now),
    };

    return user_write(to, &value, sizeof value);
}

int64_t lx_timerfd_gettime(int32_t fd, uint64_t to)
{
    struct timer_file *timer;
    int64_t result = timer_of(fd, &timer);

    return result != 0 ? result : tell(timer, to);
}

/* When a timer ends, in time since boot. */
static uint64_t due_of(const struct timer_file *timer, const struct linux_timespec *value,
                       bool absolute)
{
    uint64_t ns = time_to_ns(value), base = 0;

    if (ns == 0)
        return MNOS_DEADLINE_NEVER;
    if (!absolute)
        return deadline_after_ns(ns);
    if (timer->clock == CLOCK_REALTIME)
        base = time_boot_ns();
    return ns > base ? ns - base : 1; /* what is over ends at once */
}

int64_t lx_timerfd_settime(int32_t fd, uint32_t flags, uint64_t from, uint64_t old)
{
    struct linux_itimerspec wanted;
    struct timer_file *timer;
    int64_t result;

    if (user_read(&wanted, from, sizeof wanted) != 0)
        return -LX_EFAULT;
    if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0 ||
        !time_is_valid(&wanted.value) || !time_is_valid(&wanted.interval))
        return -LX_EINVAL;
    result = timer_of(fd, &timer);
    if (result == 0 && old != 0)
        result = tell(timer, old);
    if (result != 0)
        return result;
    timer->due = due_of(timer, &wanted.value, (flags & TFD_TIMER_ABSTIME) != 0);
    timer->interval_ns = time_to_ns(&wanted.interval);
    wait_changed();
    return 0;
}
